/**
 * Searches as questions to one version of a resource: the criteria of core R4 subscriptions, the query criteria and the
 * filters of topics.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import {
  createIndexer,
  createPredicate,
  type Criterion,
  type IndexValues,
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

export interface Criteria {
  readonly type: string;
  /** A version can only match if it refers to one of these (`Type/id`), or is one; undefined: nothing is known. */
  readonly anchors: readonly string[] | undefined;
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

export function anchorsOf({ resource, values }: Version): readonly string[] {
  return [`${resource.resourceType}/${resource.id}`, ...values().references];
}

export function compileCriteria(search: SearchContext, type: string, pairs: Pairs, nowMs: number): CompiledCriteria {
  if (!search.definitions.resourceTypes.has(type)) return fault('the type is unknown to FHIR R4', 'value');
  if (type === 'Binary') return fault('Binary cannot be watched', 'not-supported');
  try {
    const asked = parseSearch(search, type, pairs, { now: nowMs });
    if (asksForResult(asked)) return fault('parameters of the result have no place here', 'not-supported');
    const predicate = createPredicate(search, asked);
    const matches = ({ resource, values }: Version) => predicate(resource, values());
    return { criteria: { type, anchors: anchorsAsked(type, asked.criteria), matches } };
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

/** Of the criteria that name resources, the one that names fewest. */
function anchorsAsked(type: string, criteria: readonly Criterion[]): readonly string[] | undefined {
  return criteria
    .map((criterion) => anchorsOfCriterion(type, criterion))
    .filter((anchors) => anchors !== undefined)
    .sort((a, b) => a.length - b.length)[0];
}

function anchorsOfCriterion(type: string, criterion: Criterion): readonly string[] | undefined {
  if (criterion.kind === 'id') return criterion.ids.map((id) => `${type}/${id}`);
  if (criterion.kind !== 'reference') return undefined;
  const targets = criterion.parameter.paths.flatMap((path) => path.targets);
  const anchors = criterion.values.map((value) => {
    if (value.kind === 'reference') return [`${value.type}/${value.id}`];
    // Any type: each could be meant, and the list of all of them would be longer than asking.
    if (value.kind === 'url' || targets.length === 0 || targets.includes('Resource')) return undefined;
    return [...new Set(targets)].map((target) => `${target}/${value.id}`);
  });
  return anchors.includes(undefined) ? undefined : anchors.flatMap((one) => one ?? []);
}
