/** What a search knows of codes: the packages that are loaded, R4 itself, and value sets that are given with the question. */
import type { ConformanceResource, Definitions, Library } from '../fhir/index.ts';
import { definedTerminology, type SearchContext } from '../search/index.ts';
import { createSearchTerms, createTerminology, type SearchTerms, type Terminology } from '../terminology/index.ts';
import type { Conformance } from './conformance.ts';

/** R4's own value sets and code systems: what is known where nobody can wait for the database (subscriptions, rules). */
export function baseSearchTerms(base: Library, definitions: Definitions): SearchTerms {
  const terms = createSearchTerms(createTerminology(base));
  const defined = definedTerminology(definitions);
  return { ...terms, codes: (valueSet) => terms.codes(valueSet) ?? defined.codes(valueSet) };
}

export type WithTerms = <T>(
  work: (search: SearchContext) => T,
  valueSets?: ReadonlyMap<string, ConformanceResource>,
) => Promise<T>;

/** Runs work with all that is known; again when a definition had to be read first. */
export function createWithTerms(search: SearchContext, conformance: Conformance): WithTerms {
  return (work, valueSets) =>
    conformance.ask((terminology) => work({ ...search, terminology: termsOf(search, terminology, valueSets) }));
}

function termsOf(
  { terminology: own }: SearchContext,
  terminology: Terminology,
  valueSets: ReadonlyMap<string, ConformanceResource> | undefined,
): SearchTerms {
  const loaded = createSearchTerms(terminology);
  return {
    codes(valueSet) {
      const given = valueSets?.get(valueSet);
      if (given === undefined) return loaded.codes(valueSet) ?? own.codes(valueSet);
      const listing = terminology.listOf(given);
      return 'unknown' in listing ? undefined : listing.members;
    },
    below: (system, code) => loaded.below(system, code) ?? own.below(system, code),
    above: (system, code) => loaded.above(system, code) ?? own.above(system, code),
  };
}
