/**
 * Whether what clients saw of one resource can have happened one after the other. FHIR makes this easy: the version number
 * is a total order, so a history is linear when each answer agrees with it, and when nothing that began after something else
 * had ended stands before it (I1 to I3 of ../shared/reference/security-reliability.md 4.5). O(n log n).
 *
 * `unknown` is a request whose answer was lost, or was a 5xx: it may have been done once, later, or never.
 */
export interface Write {
  readonly kind: 'write';
  readonly id: string;
  /** Milliseconds of one clock. */
  readonly calledAt: number;
  readonly endedAt: number;
  readonly result: 'done' | 'refused' | 'unknown';
  /** Its own, or `deleted`. */
  readonly value: string;
  /** When done: the version that the answer named. */
  readonly version?: number;
  /** What If-Match said. */
  readonly expected?: number;
}

export interface Read {
  readonly kind: 'read';
  readonly id: string;
  readonly calledAt: number;
  readonly endedAt: number;
  readonly version: number;
  readonly value: string;
}

/** One version as the server tells it in the end. */
export interface Version {
  readonly version: number;
  readonly value: string;
  readonly lastUpdated: string;
}

export const deleted = 'deleted';

/** What is wrong, a line each; `history` in ascending order. */
export function checkRegister(operations: readonly (Write | Read)[], history: readonly Version[]): readonly string[] {
  const writes = operations.filter((one) => one.kind === 'write');
  const reads = operations.filter((one) => one.kind === 'read');
  return [
    ...checkHistory(history),
    ...checkAnswers(writes, history),
    ...checkOrigins(writes, history),
    ...checkReads(reads, history),
    ...checkRealTime(operations, history),
  ];
}

function checkHistory(history: readonly Version[]): readonly string[] {
  return history.flatMap(({ version, lastUpdated }, index) => {
    const before = history[index - 1];
    return [
      ...(version === index + 1 ? [] : [`gap: version ${version} stands at place ${index + 1}`]),
      ...(before === undefined || before.lastUpdated <= lastUpdated ? [] : [`time goes back at version ${version}`]),
    ];
  });
}

/** What was answered as done is there, under its version, alone. */
function checkAnswers(writes: readonly Write[], history: readonly Version[]): readonly string[] {
  const valueAt = new Map(history.map(({ version, value }) => [version, value]));
  const answered = new Map<number, string>();
  return writes.flatMap(({ id, result, version, value, expected }) => {
    if (result !== 'done' || version === undefined) return [];
    const found: string[] = [];
    if (!valueAt.has(version)) found.push(`lost: ${id} was answered version ${version}`);
    else if (valueAt.get(version) !== value) found.push(`other content: version ${version} is not what ${id} wrote`);
    const other = answered.get(version);
    // Two deletes of what is deleted already name the same version.
    if (other !== undefined && value !== deleted) found.push(`version twice: ${version} for ${other} and ${id}`);
    answered.set(version, id);
    if (expected !== undefined && version !== expected + 1)
      found.push(`lost update: ${id} expected ${expected}, became ${version}`);
    return found;
  });
}

/** What is there was written by somebody, once, and not by one who was refused. */
function checkOrigins(writes: readonly Write[], history: readonly Version[]): readonly string[] {
  const writer = new Map(writes.map((write) => [write.value, write]));
  const seen = new Map<string, number>();
  const found: string[] = [];
  for (const { version, value } of history) {
    if (value === deleted) continue;
    const write = writer.get(value);
    if (write === undefined) found.push(`from nowhere: version ${version}`);
    else if (write.result === 'refused') found.push(`refused and yet there: ${write.id} as version ${version}`);
    if (seen.has(value)) found.push(`done twice: ${write?.id} as versions ${seen.get(value)} and ${version}`);
    seen.set(value, version);
  }
  const deletes = writes.filter(({ value, result }) => value === deleted && result !== 'refused').length;
  const gone = history.filter(({ value }) => value === deleted).length;
  if (gone > deletes) found.push(`from nowhere: ${gone} deletions, ${deletes} asked for`);
  return found;
}

function checkReads(reads: readonly Read[], history: readonly Version[]): readonly string[] {
  const valueAt = new Map(history.map(({ version, value }) => [version, value]));
  return reads
    .filter(({ version, value }) => valueAt.get(version) !== value)
    .map(({ id, version }) => `read from nowhere: ${id} saw version ${version} with other content`);
}

interface Point {
  readonly id: string;
  readonly version: number;
  readonly isWrite: boolean;
  readonly calledAt: number;
  readonly endedAt: number;
}

/** Nothing that began after another had ended comes before it. */
function checkRealTime(operations: readonly (Write | Read)[], history: readonly Version[]): readonly string[] {
  const versionOf = new Map(history.map(({ version, value }) => [value, version]));
  const points = operations.flatMap((one): readonly Point[] => {
    if (one.kind === 'read') return [{ ...one, isWrite: false }];
    if (one.result === 'done' && one.version !== undefined)
      return [{ ...one, version: one.version, isWrite: one.value !== deleted }];
    const version = one.value === deleted ? undefined : versionOf.get(one.value);
    return one.result === 'unknown' && version !== undefined
      ? [{ ...one, version, isWrite: true, endedAt: Number.POSITIVE_INFINITY }]
      : [];
  });
  const byEnd = points.toSorted((a, b) => a.endedAt - b.endedAt);
  let next = 0;
  let newest: Point | undefined;
  return points
    .toSorted((a, b) => a.calledAt - b.calledAt)
    .flatMap((point) => {
      for (let ended = byEnd[next]; ended !== undefined && ended.endedAt < point.calledAt; ended = byEnd[++next]) {
        if (newest === undefined || ended.version > newest.version) newest = ended;
      }
      if (newest === undefined) return [];
      const isBefore = point.isWrite ? point.version <= newest.version : point.version < newest.version;
      return isBefore
        ? [`order: ${point.id} (version ${point.version}) began after ${newest.id} (${newest.version}) had ended`]
        : [];
    });
}
