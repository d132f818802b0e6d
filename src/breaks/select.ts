/** Input queries of rules, run in memory over a patient's record by the same compiler that serves searches. */
import { type Issue, Problem } from '../base/index.ts';
import { createPredicate, type Predicate, parseSearch, type SearchContext } from '../search/index.ts';
import type { Select } from './judge-patient.ts';

/** `ap` with dates means nothing in a rule, so the compiler's clock may stand still. */
const standing = { now: 0 };

/** Criteria kept compiled: those of the rules, and those that name the patients and stays at hand. */
const criteriaMax = 5_000;

/**
 * Criteria of a search stand beside each other (https://hl7.org/fhir/R4/search.html#combining), so each is compiled by
 * itself: `status=completed` once for all patients, `patient=...` once for all rules of a patient.
 */
export function createSelect(search: SearchContext): Select {
  const compiled = new Map<string, Predicate>();
  function criterion(type: string, text: string): Predicate {
    const key = `${type}?${text}`;
    const isMatch = compiled.get(key) ?? predicateOf(search, type, text);
    // Set anew, it is the youngest: the first one in the map has not been asked for the longest time.
    compiled.delete(key);
    compiled.set(key, isMatch);
    const oldest = compiled.size > criteriaMax ? compiled.keys().next() : undefined;
    if (oldest?.done === false) compiled.delete(oldest.value);
    return isMatch;
  }
  return (type, query, resources) => {
    if (resources.length === 0) return [];
    const criteria = query.split('&').map((text) => criterion(type, text));
    return resources.filter((resource) => criteria.every((isMatch) => isMatch(resource)));
  };
}

/** What is wrong with an input query of a rule: parameters that do not exist, types outside the patient's compartment. */
export function createQueryCheck(search: SearchContext): (type: string, query: string) => readonly Issue[] {
  return (type, query) => {
    try {
      predicateOf(search, type, query);
    } catch (error) {
      if (error instanceof Problem) return error.issues;
      throw error;
    }
    const isThere = type === 'Patient' || search.parameters(type).compartment.length > 0;
    const text = `resources of the type ${type} never stand in the record of a patient`;
    return isThere ? [] : [{ severity: 'error', code: 'not-supported', text }];
  };
}

function predicateOf(search: SearchContext, type: string, query: string): Predicate {
  return createPredicate(search, parseSearch(search, type, [...new URLSearchParams(query)], standing));
}
