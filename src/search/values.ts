/** What the store writes into the index tables for one version of a resource. */
export interface IndexValues {
  /** Every key, sorted and unique: the `keys` of the resource row, which probes ask. */
  readonly tokens: readonly bigint[];
  /** Those of them that need a row in token_index: the ones a search may start from. */
  readonly drivers: readonly bigint[];
  /** The main clinical instant in ms, `noOrd` without one: the order of pages that start from a token. */
  readonly ord: number;
  readonly dates: readonly { readonly k: bigint; readonly lo: number; readonly hi: number }[];
  readonly strings: readonly { readonly k: bigint; readonly v: string }[];
  readonly numbers: readonly { readonly k: bigint; readonly lo: number; readonly hi: number }[];
  /** `Patient/id` of each patient compartment that the resource stands in. */
  readonly patients: readonly string[];
  /** `Type/id` of everything on this server that the resource refers to, wherever the reference stands. */
  readonly references: readonly string[];
}

/** Below every instant: in newest-first pages, what has no date comes last. */
export const noOrd = Number.MIN_SAFE_INTEGER;
