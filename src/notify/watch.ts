/**
 * What a subscription watches for, compiled: which types of resources it concerns, the keys of which every match has one
 * (so that most subscriptions are never asked), and the question itself, asked in memory.
 */
import type { Issue } from '../base/index.ts';
import type { Include } from '../search/index.ts';
import {
  type Anchor,
  anchorsOf,
  type Criteria,
  compileCriteria,
  type Fault,
  queryPairs,
  type SeenChange,
  type Version,
} from './criteria.ts';
import type { Watch } from './subscription.ts';
import { type CompiledTopic, type TopicSetting } from './topics/compile.ts';
import { compileFilter } from './topics/filter.ts';

export interface Matcher {
  readonly types: readonly string[];
  /** A change can only match if its resource has one of these; undefined: nothing is known. */
  readonly anchors: readonly Anchor[] | undefined;
  /** Whether the version before a change may be asked about. */
  readonly needsPrevious: boolean;
  /** What goes with a resource of the type; undefined: nothing. */
  readonly shapes?: ReadonlyMap<string, readonly Include[]>;
  matches(change: SeenChange): boolean;
}

export type CompiledWatch =
  | { readonly matcher: Matcher; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** The topic of a canonical, without version. */
export type FindTopic = (url: string) => CompiledTopic | undefined;

export function compileWatch(watch: Watch, setting: TopicSetting, findTopic: FindTopic): CompiledWatch {
  if (watch.kind === 'topic') return compileTopicWatch(watch, setting, findTopic(withoutVersion(watch.url)));
  const compiled = compileCriteria(setting.search, watch.type, queryPairs(watch.query), setting.clock.now());
  if (compiled.faults !== undefined)
    return { issues: compiled.faults.map(refusal('criteria', 'the criteria cannot be served')) };
  const { criteria } = compiled;
  return {
    matcher: {
      types: [criteria.type],
      anchors: criteria.anchors,
      needsPrevious: false,
      // The new value decides; a deletion has none (design.md section 5, decision 6).
      matches: ({ current }) => current !== undefined && criteria.matches(current),
    },
  };
}

type TopicWatch = Extract<Watch, { kind: 'topic' }>;

function compileTopicWatch(watch: TopicWatch, setting: TopicSetting, topic: CompiledTopic | undefined): CompiledWatch {
  if (topic === undefined) {
    return {
      issues: [
        refusal(
          'criteria',
          'the topic is not one of this server',
        )({ text: 'see the CapabilityStatement', code: 'not-supported' }),
      ],
    };
  }
  const compiled = watch.filters.map((filter) => compileFilter(filter, topic, setting.search, setting.clock.now()));
  const faults = compiled.flatMap((one) => one.faults ?? []);
  if (faults.length > 0) return { issues: faults.map(refusal('criteria.extension', 'a filter cannot be applied')) };
  const filters = compiled.flatMap((one) => one.criteria ?? []);
  return {
    matcher: {
      types: topic.types,
      anchors: anchorsOfAll(topic.types, filters),
      needsPrevious: true,
      ...(topic.shapes.size === 0 ? {} : { shapes: topic.shapes }),
      matches: (change) => topic.isTriggered(change) && passes(filters, change.current ?? change.previous),
    },
  };
}

/** All filters on the type of the resource must hold; of what was deleted, its last version is asked. */
function passes(filters: readonly Criteria[], version: Version | undefined): boolean {
  if (version === undefined) return false;
  const { resourceType } = version.resource;
  return filters.every((filter) => filter.type !== resourceType || filter.matches(version));
}

/** With several types, each needs a filter that names keys. */
function anchorsOfAll(types: readonly string[], filters: readonly Criteria[]): readonly Anchor[] | undefined {
  const anchors = types.map(
    (type) => filters.find((filter) => filter.type === type && filter.anchors !== undefined)?.anchors,
  );
  return anchors.includes(undefined) ? undefined : anchors.flatMap((one) => one ?? []);
}

export function anchorsOfChange({ current, previous }: SeenChange): readonly Anchor[] {
  const version = current ?? previous;
  return version === undefined ? [] : anchorsOf(version);
}

export function withoutVersion(canonical: string): string {
  return canonical.split('|', 1)[0] ?? '';
}

function refusal(element: string, what: string): (fault: Fault) => Issue {
  return ({ text, code }) => ({
    severity: 'error',
    code,
    text: `${what}: ${text}`,
    expression: `Subscription.${element}`,
  });
}
