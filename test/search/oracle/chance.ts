/** Choices of a seed: the same seed makes the same record and the same questions. */
export interface Chance {
  /** 0 to below - 1. */
  below(most: number): number;
  pick<T>(values: readonly T[]): T;
  maybe<T>(make: () => T): T | undefined;
  some<T>(make: () => T, most?: number): readonly T[];
}

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (most: number): number => Math.floor(next() * most);
  return {
    below,
    pick: (values) => values[below(values.length)] as (typeof values)[number],
    maybe: (make) => (next() < 0.7 ? make() : undefined),
    some: (make, most = 2) => Array.from({ length: 1 + below(most) }, make),
  };
}
