/**
 * A search as it was asked, in the words of the standard: what `parseSearch` makes of the text. The rewrites turn its
 * criteria into conditions on the index (condition.ts), which SQL and the predicate share.
 */
import type { DateRange } from '../fhir/index.ts';
import type { SearchParameter } from './parameters.ts';
import type { NumberRange, Prefix } from './range.ts';
import type { Area } from './near.ts';
import type { CompositeBase } from './composite.ts';
import type { ReferenceValue } from './reference.ts';
import type { TokenValue } from './token.ts';

export interface Search {
  /** The types searched; one, but for searches of the whole system. */
  readonly types: readonly string[];
  /** All must hold. */
  readonly criteria: readonly Criterion[];
  readonly result: SearchResult;
  /** Name and value of every parameter that was taken into account, for the self link. */
  readonly accepted: readonly (readonly [string, string])[];
}

export interface SearchResult {
  readonly sorts: readonly Sort[];
  readonly includes: readonly Include[];
  /** As asked; the caller clamps it. 0 asks for the number of matches alone. */
  readonly count: number | undefined;
  readonly total: 'none' | 'estimate' | 'accurate' | undefined;
  readonly summary: 'true' | 'text' | 'data' | 'count' | 'false' | undefined;
  readonly elements: readonly string[] | undefined;
  /** The text of `decodeCursor`, from a page link. */
  readonly cursor: string | undefined;
}

export interface Sort {
  readonly parameter: SearchParameter;
  readonly isDescending: boolean;
}

export interface Include {
  readonly kind: 'include' | 'revinclude';
  readonly isIterated: boolean;
  /** The type that has the reference. */
  readonly type: string;
  readonly parameter: SearchParameter;
  /** Only references to this type. */
  readonly target: string | undefined;
}

/** Values of one criterion are alternatives. A parameter of several types has the paths of all of them. */
export type Criterion =
  | { readonly kind: 'compartment'; readonly types: readonly string[]; readonly of: string }
  /** One of the lists holds; a list is a conjunction. */
  | { readonly kind: 'either'; readonly of: readonly (readonly Criterion[])[] }
  | { readonly kind: 'not'; readonly of: readonly Criterion[] }
  /** Words that all stand in the narrative, or anywhere in the texts of the resource. */
  | { readonly kind: 'words'; readonly scope: 'narrative' | 'all'; readonly values: readonly (readonly string[])[] }
  | { readonly kind: 'missing'; readonly parameter: SearchParameter; readonly isMissing: boolean }
  | TokenCriterion
  | { readonly kind: 'identifier'; readonly parameter: SearchParameter; readonly values: readonly TokenValue[] }
  | { readonly kind: 'reference'; readonly parameter: SearchParameter; readonly values: readonly ReferenceValue[] }
  | {
      readonly kind: 'uri';
      readonly parameter: SearchParameter;
      readonly match: 'equals' | 'below' | 'above';
      readonly values: readonly string[];
    }
  /** The type of an identifier, with its value. */
  | { readonly kind: 'of-type'; readonly parameter: SearchParameter; readonly values: readonly OfTypeValue[] }
  /** The texts of codes. */
  | { readonly kind: 'label'; readonly parameter: SearchParameter; readonly values: readonly string[] }
  | { readonly kind: 'near'; readonly parameter: SearchParameter; readonly areas: readonly Area[] }
  | CompositeCriterion
  | StringCriterion
  | { readonly kind: 'date'; readonly parameter: SearchParameter; readonly values: readonly DateValue[] }
  | { readonly kind: 'number'; readonly parameter: SearchParameter; readonly values: readonly NumberValue[] }
  | { readonly kind: 'id'; readonly ids: readonly string[] }
  | { readonly kind: 'updated'; readonly values: readonly DateValue[] }
  | ChainCriterion
  | HasCriterion;

export interface TokenCriterion {
  readonly kind: 'token';
  readonly parameter: SearchParameter;
  readonly isNot: boolean;
  readonly values: readonly TokenValue[];
}

export interface StringCriterion {
  readonly kind: 'string';
  readonly parameter: SearchParameter;
  readonly match: 'prefix' | 'contains' | 'exact' | 'suffix' | 'equals';
  readonly values: readonly string[];
}

/** `subject.name=...`: the reference leads to a resource of these types that meets the criterion. */
export interface ChainCriterion {
  readonly kind: 'chain';
  readonly parameter: SearchParameter;
  readonly types: readonly string[];
  readonly of: Criterion;
}

/** `_has:Observation:subject:code=...`: a resource of that type refers here and meets the criterion. */
export interface HasCriterion {
  readonly kind: 'has';
  readonly parameter: SearchParameter;
  readonly type: string;
  /** The types searched: what the reference may lead to. */
  readonly targets: readonly string[];
  readonly of: Criterion;
}

export interface OfTypeValue {
  readonly system: string;
  readonly code: string;
  readonly value: string;
}

export interface CompositeCriterion {
  readonly kind: 'composite';
  readonly parameter: SearchParameter;
  /** One criterion for each component, at one of the places where the values stand together. */
  readonly values: readonly { readonly base: CompositeBase; readonly parts: readonly Criterion[] }[];
}

export interface DateValue extends DateRange {
  readonly prefix: Prefix;
}

export interface NumberValue extends NumberRange {
  readonly prefix: Prefix;
  /** `''` as system: any. */
  readonly unit: { readonly system: string; readonly code: string } | undefined;
}
