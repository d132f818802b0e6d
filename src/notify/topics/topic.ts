/**
 * A topic: what happens in the record that subscribers may be told of. The model is that of R5
 * (https://hl7.org/fhir/R5/subscriptiontopic.html), as far as it is served.
 */
export type Interaction = 'create' | 'update' | 'delete';

export interface Topic {
  /** Its canonical, without version. */
  readonly url: string;
  readonly version: string | undefined;
  readonly title: string;
  readonly description: string | undefined;
  readonly status: 'draft' | 'active' | 'retired' | 'unknown';
  readonly triggers: readonly Trigger[];
  readonly filters: readonly AllowedFilter[];
  readonly shapes?: readonly Shape[];
}

/** What goes with a resource of the type in a notification: searches' `_include` and `_revinclude`, `Encounter:patient`. */
export interface Shape {
  readonly type: string;
  readonly includes: readonly string[];
  readonly revIncludes: readonly string[];
}

export interface Trigger {
  readonly type: string;
  readonly interactions: readonly Interaction[];
  readonly query: QueryCriteria | undefined;
  readonly fhirPath: string | undefined;
}

/** Searches without type, asked of the version before and of the version after. */
export interface QueryCriteria {
  readonly previous: string | undefined;
  readonly current: string | undefined;
  /** Both must hold; otherwise one is enough. */
  readonly requireBoth: boolean;
  /** What `previous` is taken to be when there is no version before; undefined: it is not asked then. */
  readonly resultForCreate: boolean | undefined;
  readonly resultForDelete: boolean | undefined;
}

export interface AllowedFilter {
  /** undefined: any type of the topic. */
  readonly type: string | undefined;
  readonly parameter: string;
  readonly modifiers: readonly string[];
  /** Prefixes of values; undefined: any. */
  readonly comparators?: readonly string[];
}
