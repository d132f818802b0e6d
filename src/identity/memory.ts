/** What was found out a moment ago, with an end to each; the oldest goes first when there is too much. */
export interface Memory<T> {
  get(key: string): T | undefined;
  keep(key: string, value: T, untilMs: number): void;
}

export function createMemory<T>({ now, entriesMax }: { now: () => number; entriesMax: number }): Memory<T> {
  const entries = new Map<string, { readonly value: T; readonly untilMs: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry !== undefined && entry.untilMs > now()) return entry.value;
      entries.delete(key);
      return undefined;
    },
    keep(key, value, untilMs) {
      entries.delete(key);
      const [oldest] = entries.size >= entriesMax ? entries.keys() : [];
      if (oldest !== undefined) entries.delete(oldest);
      entries.set(key, { value, untilMs });
    },
  };
}
