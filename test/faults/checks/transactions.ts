/**
 * Whether transactions happened whole or not at all, and one after the other (I4 of ../shared/reference/security-reliability.md
 * 4.5). Each leaves its own token in every resource that it writes.
 */
export interface Attempt {
  readonly token: string;
  readonly keys: readonly string[];
  readonly result: 'done' | 'refused' | 'unknown';
}

/** The tokens of a resource, oldest version first. */
export type Histories = ReadonlyMap<string, readonly string[]>;

/** What is wrong, a line each. */
export function checkTransactions(attempts: readonly Attempt[], histories: Histories): readonly string[] {
  const wholeness = attempts.flatMap(({ token, keys, result }) => {
    const times = keys.map((key) => (histories.get(key) ?? []).filter((one) => one === token).length);
    if (times.some((count) => count > 1)) return [`${token} was done twice`];
    const there = times.filter((count) => count === 1).length;
    if (there !== 0 && there !== keys.length) return [`${token} is torn: in ${there} of ${keys.length} resources`];
    if (result === 'done' && there === 0) return [`${token} was answered and is lost`];
    if (result === 'refused' && there > 0) return [`${token} was refused and is there`];
    return [];
  });
  const known = new Set(attempts.map(({ token }) => token));
  const strangers = [...histories].flatMap(([key, tokens]) =>
    tokens.filter((token) => !known.has(token)).map((token) => `${token} in ${key} comes from nowhere`),
  );
  return [...wholeness, ...strangers, ...checkOrder(histories)];
}

/** The order of versions must be one order for all resources: the graph "came before" has no cycle. */
function checkOrder(histories: Histories): readonly string[] {
  const before = new Map<string, Set<string>>();
  const waiting = new Map<string, number>();
  for (const tokens of histories.values()) {
    for (const [index, token] of tokens.entries()) {
      if (!waiting.has(token)) waiting.set(token, 0);
      const next = tokens[index + 1];
      if (next === undefined) continue;
      const followers = before.get(token) ?? new Set();
      if (!followers.has(next)) waiting.set(next, (waiting.get(next) ?? 0) + 1);
      before.set(token, followers.add(next));
    }
  }
  const free = [...waiting].filter(([, count]) => count === 0).map(([token]) => token);
  let placed = 0;
  for (let token = free.pop(); token !== undefined; token = free.pop()) {
    placed++;
    for (const next of before.get(token) ?? []) {
      const left = (waiting.get(next) ?? 0) - 1;
      waiting.set(next, left);
      if (left === 0) free.push(next);
    }
  }
  return placed === waiting.size ? [] : [`${waiting.size - placed} transactions stand in a circle`];
}
