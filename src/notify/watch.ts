/**
 * What a subscription watches for, compiled: which types of resources it concerns, the index keys of which every match has
 * one (so that most subscriptions are never asked), and the question itself, asked in memory.
 */
import { type Clock, type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import {
  createIndexer,
  createPredicate,
  type IndexValues,
  parseSearch,
  type Search,
  type SearchContext,
} from '../search/index.ts';
import type { Watch } from './subscription.ts';

/** One change with the texts that a watch may look at. */
export interface SeenChange {
  readonly type: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** undefined: deleted by this change. */
  readonly current: Version | undefined;
}

export interface Version {
  readonly resource: Resource;
  /** Index values, made when they are first asked for. */
  readonly values: () => IndexValues;
}

export interface Matcher {
  readonly types: readonly string[];
  /** A change can only match if its resource has one of these keys; undefined: no such keys are known. */
  readonly keys: readonly bigint[] | undefined;
  matches(change: SeenChange): boolean;
}

export type CompiledWatch =
  | { readonly matcher: Matcher; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

export interface Watching {
  compile(watch: Watch): CompiledWatch;
  version(resource: Resource): Version;
}

export function createWatching(search: SearchContext, clock: Clock): Watching {
  const index = createIndexer(search);
  return {
    compile(watch) {
      if (watch.kind === 'topic') return { issues: [refusal('the topic is not one of this server', 'not-supported')] };
      return compileCriteria(search, watch, clock.now());
    },
    version(resource) {
      let values: IndexValues | undefined;
      return { resource, values: () => (values ??= index(resource)) };
    },
  };
}

type Criteria = Extract<Watch, { kind: 'criteria' }>;

/** A search of one type, asked of the new value of a resource; a deletion has none (design.md section 5, decision 6). */
function compileCriteria(search: SearchContext, { type, query }: Criteria, nowMs: number): CompiledWatch {
  if (!search.definitions.resourceTypes.has(type))
    return { issues: [refusal('the type is unknown to FHIR R4', 'value')] };
  if (type === 'Binary') return { issues: [refusal('Binary cannot be watched', 'not-supported')] };
  try {
    const asked = parseSearch(search, type, [...new URLSearchParams(query)], { now: nowMs });
    if (asksForResult(asked))
      return { issues: [refusal('parameters of the result have no place in criteria', 'not-supported')] };
    const predicate = createPredicate(search, asked);
    const matches = ({ current }: SeenChange) => current !== undefined && predicate(current.resource, current.values());
    return { matcher: { types: [type], keys: undefined, matches } };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { issues: error.issues.map(({ text, code }) => refusal(text, code)) };
  }
}

function asksForResult({ result }: Search): boolean {
  const { sorts, includes, ...others } = result;
  return sorts.length > 0 || includes.length > 0 || Object.values(others).some((value) => value !== undefined);
}

function refusal(text: string, code: string): Issue {
  return {
    severity: 'error',
    code,
    text: `the criteria cannot be served: ${text}`,
    expression: 'Subscription.criteria',
  };
}
