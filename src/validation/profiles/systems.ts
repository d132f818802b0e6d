/**
 * Code systems as each Coding asks for them. Nearly every element that is looked at has one, and the search through the
 * libraries would be most of the work of a validation: answers are kept, as long as the library stays the same.
 */
import type { Library } from '../../fhir/index.ts';
import type { BindingTerms } from './binding.ts';

export interface KnownSystem {
  /** It adds to another system, and has no codes of its own. */
  readonly isSupplement: boolean;
  /** Whether the system is complete and has no such code. */
  lacks(code: string): boolean;
}

/** Names of systems come from outside: no more are kept. */
const systemsMax = 20_000;
/** Codes that follow a grammar have no end. */
const codesMax = 100_000;

export function createSystems(library: Library, terms: BindingTerms): (canonical: string) => KnownSystem | undefined {
  const systems = new Map<string, KnownSystem | null>();
  return (canonical) => {
    const kept = systems.get(canonical);
    if (kept !== undefined) return kept ?? undefined;
    const found = find(library, terms, canonical);
    if (systems.size < systemsMax) systems.set(canonical, found ?? null);
    return found;
  };
}

/** Throws `NotAtHand` where the definition must be read first: nothing is kept then. */
function find(library: Library, terms: BindingTerms, canonical: string): KnownSystem | undefined {
  const loaded = library.find('CodeSystem', canonical);
  if (loaded === undefined) return undefined;
  const had = new Set<string>();
  return {
    isSupplement: loaded['content'] === 'supplement' || loaded['supplements'] !== undefined,
    lacks(code) {
      if (had.has(code)) return false;
      const membership = terms.knows(canonical, code);
      if (membership === 'in' && had.size < codesMax) had.add(code);
      return membership === 'out';
    },
  };
}
