/**
 * Whether a subscriber heard of each change exactly once, under numbers without gap, in order (I5 to I7 of
 * ../shared/reference/security-reliability.md 4.5). Delivery is at least once: what comes again has the same number and content.
 */
export interface Heard {
  /** Of one notification, in their order; `version` is `Type/id/_history/version`. */
  readonly events: readonly { readonly number: number; readonly version: string }[];
  /** Whether the subscriber answered 2xx. */
  readonly isAccepted: boolean;
}

/** What is wrong, a line each. `changes`: what should have been heard, each resource's versions in ascending order. */
export function checkEvents(heard: readonly Heard[], changes: readonly string[]): readonly string[] {
  const accepted = new Map<number, string>();
  const found: string[] = [];
  let reached = 0;
  for (const { events, isAccepted } of heard) {
    const first = events[0]?.number ?? 0;
    if (first > reached + 1) found.push(`event ${first} was told before ${reached + 1} was accepted`);
    for (const [index, { number, version }] of events.entries()) {
      if (number !== first + index)
        found.push(`event ${number} stands at place ${index} of a notification from ${first} on`);
      const former = accepted.get(number);
      if (former !== undefined && former !== version) found.push(`event ${number} is ${former}, and ${version}`);
      if (isAccepted) accepted.set(number, version);
    }
    if (isAccepted) reached = Math.max(reached, events.at(-1)?.number ?? 0);
  }
  const numberOf = new Map<string, number>();
  for (const [number, version] of accepted) {
    if (numberOf.has(version)) found.push(`${version} is event ${numberOf.get(version)} and ${number}`);
    numberOf.set(version, number);
  }
  const expected = new Set(changes);
  for (const version of numberOf.keys())
    if (!expected.has(version)) found.push(`${version} was told and never happened`);
  for (const version of changes) if (!numberOf.has(version)) found.push(`${version} was never told`);
  return [...found, ...checkOrder(changes, numberOf)];
}

function checkOrder(changes: readonly string[], numberOf: ReadonlyMap<string, number>): readonly string[] {
  const last = new Map<string, number>();
  return changes.flatMap((version) => {
    const resource = version.slice(0, version.indexOf('/_history/'));
    const number = numberOf.get(version) ?? 0;
    const before = last.get(resource) ?? 0;
    if (number !== 0) last.set(resource, number);
    return number !== 0 && number < before ? [`${version} (event ${number}) was told after event ${before}`] : [];
  });
}
