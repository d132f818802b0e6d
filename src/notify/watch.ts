/**
 * What a subscription watches for, compiled: which types of resources it concerns, the index keys of which every match has
 * one (so that most subscriptions are never asked), and the question itself, asked in memory.
 */
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Watch } from './subscription.ts';

/** One change with the texts that a watch may look at. */
export interface SeenChange {
  readonly type: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** undefined: deleted by this change. */
  readonly current: Resource | undefined;
}

export interface Matcher {
  readonly types: readonly string[];
  /** A change can only match if its resource has one of these keys; undefined: no such keys are known. */
  readonly keys: readonly bigint[] | undefined;
  matches(change: SeenChange): boolean;
}

export type CompiledWatch = { readonly matcher: Matcher; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

export type CompileWatch = (watch: Watch) => CompiledWatch;
