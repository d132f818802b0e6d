/**
 * What `:in`, `:not-in`, `:above` and `:below` ask of value sets and code systems. What cannot be listed is said to be so: a search with
 * such a value is refused, because an empty or partial list would change which resources match.
 */
import type { Definitions } from '../fhir/index.ts';

export interface Terminology {
  /** The codes of a value set by system; `undefined` when it is unknown or cannot be listed. */
  members(valueSet: string): ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** The code itself and all codes that it subsumes; `undefined` when the system is unknown or has no listed hierarchy. */
  below(system: string, code: string): ReadonlySet<string> | undefined;
  /** The code itself and all codes that subsume it. */
  above(system: string, code: string): ReadonlySet<string> | undefined;
}

/** The value sets of required bindings, which the definitions list; no hierarchies. */
export function definedTerminology(definitions: Definitions): Terminology {
  return {
    members: (valueSet) => definitions.systems(valueSet) ?? definitions.systems(valueSet.split('|', 1)[0] ?? ''),
    below: () => undefined,
    above: () => undefined,
  };
}
