/**
 * Searches as questions to one version of a resource: the criteria of core R4 subscriptions, the query criteria and the
 * filters of topics.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import {
  createIndexer,
  createPredicate,
  type IndexValues,
  necessaryKeys,
  parseSearch,
  type Search,
  type SearchContext,
} from '../search/index.ts';

/** A resource with its index values, made when they are first asked for. */
export interface Version {
  readonly resource: Resource;
  readonly values: () => IndexValues;
}

/** A change with the versions that may be asked about it. */
export interface SeenChange {
  readonly type: string;
  /** undefined: this change deleted it. */
  readonly current: Version | undefined;
  /** undefined: there was none, or nobody asks for it. */
  readonly previous: Version | undefined;
}

/** What a version is found by before it is asked about: itself, `Type/id`, and each key of its index. */
export type Anchor = string | bigint;

export interface Criteria {
  readonly type: string;
  /** A version can only match if it has one of these; undefined: nothing is known. */
  readonly anchors: readonly Anchor[] | undefined;
  matches(version: Version): boolean;
}

export interface Fault {
  readonly text: string;
  readonly code: string;
}

export type CompiledCriteria =
  | { readonly criteria: Criteria; readonly faults?: undefined }
  | { readonly criteria?: undefined; readonly faults: readonly Fault[] };

export type Pairs = readonly (readonly [string, string])[];

export function createVersions(search: SearchContext): (resource: Resource) => Version {
  const index = createIndexer(search);
  return (resource) => {
    let values: IndexValues | undefined;
    return { resource, values: () => (values ??= index(resource)) };
  };
}

/** `name=value&...`, as in a URL. */
export function queryPairs(query: string): Pairs {
  return [...new URLSearchParams(query)];
}

export function anchorsOf({ resource, values }: Version): readonly Anchor[] {
  return [`${resource.resourceType}/${resource.id}`, ...values().tokens];
}

export function compileCriteria(search: SearchContext, type: string, pairs: Pairs, nowMs: number): CompiledCriteria {
  if (!search.definitions.resourceTypes.has(type)) return fault('the type is unknown to FHIR R4', 'value');
  if (type === 'Binary') return fault('Binary cannot be watched', 'not-supported');
  try {
    const asked = parseSearch(search, type, pairs, { now: nowMs });
    if (asksForResult(asked)) return fault('parameters of the result have no place here', 'not-supported');
    const predicate = createPredicate(search, asked);
    const matches = ({ resource, values }: Version) => predicate(resource, values());
    return { criteria: { type, anchors: anchorsAsked(search, type, asked), matches } };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { faults: error.issues };
  }
}

function fault(text: string, code: string): CompiledCriteria {
  return { faults: [{ text, code }] };
}

function asksForResult({ result }: Search): boolean {
  const { sorts, includes, ...others } = result;
  return sorts.length > 0 || includes.length > 0 || Object.values(others).some((value) => value !== undefined);
}

function anchorsAsked(search: SearchContext, type: string, asked: Search): readonly Anchor[] | undefined {
  const byId = asked.criteria.find((criterion) => criterion.kind === 'id');
  return byId === undefined ? necessaryKeys(search, asked) : byId.ids.map((id) => `${type}/${id}`);
}
