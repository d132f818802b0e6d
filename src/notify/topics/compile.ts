/**
 * A topic, compiled: whether a change triggers it, and what its subscribers' filters mean. Everything is checked when the
 * topic or the subscription is written: an unknown search parameter, a misspelt path, a filter that the topic does not allow.
 */
import { type Clock, type Issue, type Log, Problem } from '../../base/index.ts';
import { compileExpression, evaluateBoolean, type Expression, oneOf } from '../../fhir/index.ts';
import { type Include, parseSearch, type SearchContext } from '../../search/index.ts';
import { type Criteria, compileCriteria, type Fault, queryPairs, type SeenChange, type Version } from '../criteria.ts';
import type { Interaction, QueryCriteria, Shape, Topic, Trigger } from './topic.ts';

export interface CompiledTopic {
  readonly topic: Topic;
  readonly types: readonly string[];
  /** What goes with a resource of the type; none for most topics. */
  readonly shapes: ReadonlyMap<string, readonly Include[]>;
  /** Remembers its last answer: all subscriptions to the topic ask about the same change, one after the other. */
  isTriggered(change: SeenChange): boolean;
}

export type CompileTopicResult =
  | { readonly compiled: CompiledTopic; readonly issues?: undefined }
  | { readonly compiled?: undefined; readonly issues: readonly Issue[] };

export interface TopicSetting {
  readonly search: SearchContext;
  readonly clock: Clock;
  readonly log: Log;
}

type Test = (change: SeenChange) => boolean;

export function compileTopic(topic: Topic, setting: TopicSetting): CompileTopicResult {
  const issues: Issue[] = [];
  const refuse = (element: string, place?: number) => (fault: Fault) =>
    issues.push({
      severity: 'error',
      code: fault.code,
      text: `the topic cannot be served: ${fault.text}`,
      expression: `Basic.extension('http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.${element}')${place === undefined ? '' : `[${place}]`}`,
    });
  const tests = topic.triggers.map((trigger, index) =>
    compileTrigger(trigger, setting, refuse('resourceTrigger', index)),
  );
  for (const fault of faultsOfFilters(topic, setting)) refuse('canFilterBy')(fault);
  const shapes = new Map<string, readonly Include[]>();
  topic.shapes?.forEach((shape, index) => {
    const includes = compileShape(shape, setting, refuse('notificationShape', index));
    shapes.set(shape.type, [...(shapes.get(shape.type) ?? []), ...includes]);
  });
  if (issues.length > 0) return { issues };
  let asked: SeenChange | undefined;
  let answer = false;
  return {
    compiled: {
      topic,
      shapes,
      types: [...new Set(topic.triggers.map(({ type }) => type))],
      isTriggered(change) {
        if (asked !== change) answer = tests.some((test) => test(change));
        asked = change;
        return answer;
      },
    },
  };
}

type Refuse = (fault: Fault) => void;

function compileTrigger(trigger: Trigger, setting: TopicSetting, refuse: Refuse): Test {
  const { type, interactions, query, fhirPath } = trigger;
  if (!setting.search.definitions.resourceTypes.has(type)) {
    refuse({ text: 'the resource of a trigger is no type of FHIR R4', code: 'value' });
    return () => false;
  }
  const tests = [
    ...(query === undefined ? [] : [compileQuery(type, query, setting, refuse)]),
    ...(fhirPath === undefined ? [] : [compilePath(type, fhirPath, setting, refuse)]),
  ];
  return (change) =>
    change.type === type && interactions.includes(interactionOf(change)) && tests.every((test) => test(change));
}

/** A version after a deletion is a creation again. */
function interactionOf({ current, previous }: SeenChange): Interaction {
  if (current === undefined) return 'delete';
  return previous === undefined ? 'create' : 'update';
}

/** Where one of the versions is not there, the topic says what the question to it comes to; if it says nothing, it is not asked. */
function compileQuery(type: string, query: QueryCriteria, setting: TopicSetting, refuse: Refuse): Test {
  const ask = (text: string | undefined): Criteria | undefined => {
    if (text === undefined) return undefined;
    const compiled = compileCriteria(setting.search, type, queryPairs(text), setting.clock.now());
    for (const fault of compiled.faults ?? []) refuse(fault);
    return compiled.criteria;
  };
  const [previous, current] = [ask(query.previous), ask(query.current)];
  const answer = (criteria: Criteria | undefined, version: Version | undefined, without: boolean | undefined) =>
    version === undefined ? without : criteria?.matches(version);
  return (change) => {
    const answers = [
      answer(previous, change.previous, query.resultForCreate),
      answer(current, change.current, query.resultForDelete),
    ].filter((one) => one !== undefined);
    return query.requireBoth ? !answers.includes(false) : answers.length === 0 || answers.includes(true);
  };
}

function compilePath(type: string, text: string, { search, clock, log }: TopicSetting, refuse: Refuse): Test {
  const { definitions, readers } = search;
  const variables = { previous: oneOf(type), current: oneOf(type) };
  const compiled = compileExpression(text, { definitions, context: type, variables });
  if (compiled.kind === 'faults') {
    for (const { text: found } of compiled.issues)
      refuse({ text: `its FHIRPath is not valid: ${found}`, code: 'value' });
    return () => false;
  }
  return (change) => {
    const answer = evaluatePath(compiled.expression, change, { nowMs: clock.now(), dates: readers.dates });
    if (typeof answer === 'boolean') return answer;
    // Never silently false: somebody must see that the topic does not say what its author meant.
    log.error({ component: 'topics', reason: answer.error }, 'the FHIRPath of a topic failed on a resource');
    return false;
  };
}

function evaluatePath(expression: Expression, change: SeenChange, moment: Parameters<typeof evaluateBoolean>[3]) {
  const [current, previous] = [change.current?.resource, change.previous?.resource];
  const focus = current ?? previous;
  if (focus === undefined) return false;
  return evaluateBoolean(expression, focus, { current, previous }, moment);
}

/** As the search of R4 understands `_include` and `_revinclude`, without iteration. */
function compileShape(
  { type, includes, revIncludes }: Shape,
  { search, clock }: TopicSetting,
  refuse: Refuse,
): readonly Include[] {
  if (!search.definitions.resourceTypes.has(type)) {
    refuse({ text: 'the resource of a shape is no type of FHIR R4', code: 'value' });
    return [];
  }
  const pairs = [
    ...includes.map((text) => ['_include', text] as const),
    ...revIncludes.map((text) => ['_revinclude', text] as const),
  ];
  return pairs.flatMap(([name, text]) => {
    try {
      return parseSearch(search, type, [[name, text]], { now: clock.now() }).result.includes;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const what = name === '_include' ? 'an include' : 'a revInclude';
      refuse({ text: `${what} of its shape cannot be served: ${error.message}`, code: 'value' });
      return [];
    }
  });
}

function faultsOfFilters({ triggers, filters }: Topic, { search }: TopicSetting): readonly Fault[] {
  return filters.flatMap(({ type, parameter }) => {
    const types = type === undefined ? triggers.map((trigger) => trigger.type) : [type];
    const isKnown = (one: string) =>
      search.definitions.resourceTypes.has(one) && search.parameters(one).parameters.has(parameter);
    return types.every(isKnown) ? [] : [{ text: 'a filter is no search parameter of its type', code: 'value' }];
  });
}
