/** Input queries of rules, run in memory over a patient's record by the same compiler that serves searches. */
import { type Issue, Problem } from '../base/index.ts';
import { createPredicate, type Predicate, parseSearch, type SearchContext } from '../search/index.ts';
import type { Select } from './judge-patient.ts';

/** `ap` with dates means nothing in a rule, so the compiler's clock may stand still. */
const standing = { now: 0 };

export function createSelect(search: SearchContext): Select {
  return (type, query, resources) => {
    if (resources.length === 0) return [];
    const isMatch = predicateOf(search, type, query);
    return resources.filter((resource) => isMatch(resource));
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
