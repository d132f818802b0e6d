/** Ids and randomness, passed in like time, so that tests can state them exactly. */
import { randomUUID } from 'node:crypto';

export interface Ids {
  /** A new logical id (https://hl7.org/fhir/R4/datatypes.html#id): unique, and growing with time so that index inserts stay at the right edge. */
  next(nowMs: number): string;
}

/** UUID version 7 (RFC 9562 §5.7): 48 bits of time, then randomness. */
export function createRandomIds(): Ids {
  return {
    next(nowMs) {
      const time = nowMs.toString(16).padStart(12, '0');
      const random = randomUUID();
      return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${random.slice(15)}`;
    },
  };
}

/** Countable ids for tests: `x-1`, `x-2`, ... */
export function createCountedIds(prefix = 'x'): Ids {
  let count = 0;
  return { next: () => `${prefix}-${++count}` };
}
