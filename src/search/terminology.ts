/**
 * What `:in`, `:not-in`, `:above` and `:below` ask of value sets and code systems. What cannot be listed is said to be so: a search with
 * such a value is refused, because an empty or partial list would change which resources match.
 */
import type { Definitions } from '../fhir/index.ts';

export interface Terminology {
  /** The codes of a value set; `undefined` when it is unknown or cannot be listed. */
  codes(valueSet: string): readonly { readonly system: string; readonly code: string }[] | undefined;
  /** The code itself and all codes that it subsumes; `undefined` when the system is unknown or has no listed hierarchy. */
  below(system: string, code: string): readonly string[] | undefined;
  /** The code itself and all codes that subsume it. */
  above(system: string, code: string): readonly string[] | undefined;
}

/** The value sets of required bindings, which the definitions list; no hierarchies. */
export function definedTerminology(definitions: Definitions): Terminology {
  return {
    codes(valueSet) {
      const members = definitions.systems(valueSet) ?? definitions.systems(valueSet.split('|', 1)[0] ?? '');
      return members && [...members].flatMap(([system, codes]) => [...codes].map((code) => ({ system, code })));
    },
    below: () => undefined,
    above: () => undefined,
  };
}
