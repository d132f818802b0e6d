/**
 * Conditions on the index: what a criterion comes to in keys and rows. SQL and the predicate read the same conditions, so
 * that a search and a subscription cannot mean different things.
 */
import type { Area } from './near.ts';
import type { Range } from './range.ts';

/** A list of conditions is their conjunction. */
export type Condition =
  /** Nothing can match. */
  | { readonly kind: 'nothing' }
  | KeysCondition
  | RangesCondition
  | TextsCondition
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** Bounds of meta.lastUpdated in ms, which is one instant: `lo` = `hi` - 1. */
  | { readonly kind: 'updated'; readonly ranges: readonly Range[] }
  | ChainCondition
  /** One of the lists holds. */
  | EitherCondition
  | { readonly kind: 'not'; readonly of: readonly Condition[] }
  /** A row of number_index under one of the keys is a position in one of the areas. */
  | { readonly kind: 'near'; readonly keys: readonly bigint[]; readonly areas: readonly Area[] }
  /** One of the lists of words (folded) stands in the text. */
  | { readonly kind: 'words'; readonly scope: 'narrative' | 'all'; readonly values: readonly (readonly string[])[] }
  | HasCondition;

/** The resource has any or none of the keys. */
export interface KeysCondition {
  readonly kind: 'keys';
  readonly match: 'any' | 'none';
  readonly keys: readonly bigint[];
  /** Keys with rows in token_index of which each match has one; `undefined` when no search can start from here. */
  readonly drivers: readonly bigint[] | undefined;
  readonly rank: Rank;
}

/** A row of the table under one of the keys has its bounds in one of the ranges. */
export interface RangesCondition {
  readonly kind: 'ranges';
  readonly table: 'date_index' | 'number_index';
  readonly alternatives: readonly { readonly keys: readonly bigint[]; readonly ranges: readonly Range[] }[];
  /** A resource has at most one row under the keys, so conditions on it can be taken together. */
  readonly isSingle: boolean;
  /** The row's lo is the resource's ord. */
  readonly isOrd: boolean;
  /** The longest that a row can reach. */
  readonly spanMs: number | undefined;
  /** Every range is a day or little more, of values that are days themselves: a date of birth. */
  readonly isDay: boolean;
}

/** A row of string_index under one of the keys begins with, contains or equals one of the texts (folded). */
export interface TextsCondition {
  readonly kind: 'texts';
  readonly match: 'prefix' | 'contains' | 'equals' | 'suffix';
  readonly keys: readonly bigint[];
  readonly texts: readonly string[];
  readonly isSingle: boolean;
}

export interface EitherCondition {
  readonly kind: 'either';
  readonly of: readonly (readonly Condition[])[];
}

/** A reference under one of the prefixes leads to a resource of these types that meets the conditions. */
export interface ChainCondition {
  readonly kind: 'chain';
  readonly prefixes: readonly string[];
  readonly types: readonly string[];
  readonly of: readonly Condition[];
  /** The reference leads to a patient and puts the resource in its compartment: `patients` names all candidates. */
  readonly isByPatient: boolean;
}

/** A resource of the type refers here by one of the prefixes and meets the conditions. */
export interface HasCondition {
  readonly kind: 'has';
  readonly prefixes: readonly string[];
  readonly type: string;
  /** The types sought, to which the reference may lead. */
  readonly targets: readonly string[];
  readonly of: readonly Condition[];
  /** The patients referred to are among the `patients` of the referring resource, and only patients are sought. */
  readonly isByPatient: boolean;
}

/** How few resources a condition leaves, by experience: the least is where a search starts. No statistics are asked. */
export type Rank = (typeof ranks)[keyof typeof ranks];

export const ranks = {
  id: 0,
  identifier: 1,
  reference: 2,
  contact: 3,
  day: 4,
  text: 5,
  chain: 6,
  coded: 7,
  range: 8,
  contains: 9,
  updated: 10,
  /** Patients to whom something frequent refers: many, but it can be seen beforehand whether they are. */
  wideHas: 11,
  code: 12,
  /** A chain whose inner side is not selective: a list of keys too long to start from while there is anything else. */
  wideChain: 13,
} as const;

/** Up to here, all matches can be gathered and sorted; beyond, a search walks along its sort order and probes. */
export const selectiveMax: Rank = ranks.chain;
