export type { CodeTable, Concept } from './code-system.ts';
export {
  createSearchTerms,
  createTerminology,
  type Listing,
  type SearchTerms,
  type Subsumption,
  type Terminology,
} from './terminology.ts';
export type { CodeSet, Member, Membership } from './value-set.ts';
