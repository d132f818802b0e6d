/**
 * The rewrites between the tree and SQL, in the order in which they run. Each says in one line what it turns into what;
 * none may change which resources match.
 */
import type { Condition, KeysCondition, RangesCondition } from './condition.ts';
import type { SearchContext } from './context.ts';
import { lowerCriterion } from './lower.ts';
import { compartmentPaths } from './indexer.ts';
import type { Bound, Range } from './range.ts';
import type { ReferenceValue } from './reference.ts';
import { targetTypes } from './sought.ts';
import type { Criterion } from './tree.ts';

type CriterionPass = (context: SearchContext, criterion: Criterion) => Criterion;
type ConditionPass = (conditions: readonly Condition[]) => readonly Condition[];

const criterionPasses: readonly CriterionPass[] = [compartmentToReferences, untypedToTyped];
const conditionPasses: readonly ConditionPass[] = [
  dropEmptyKeys,
  joinNegations,
  joinRanges,
  boundStarts,
  failOnContradiction,
];

export function rewrite(context: SearchContext, criteria: readonly Criterion[]): readonly Condition[] {
  const conditions = criteria
    .map((criterion) => criterionPasses.reduce((current, pass) => pass(context, current), criterion))
    .flatMap((criterion) => lowerCriterion(context, criterion, (inner) => rewrite(context, [inner])));
  return conditionPasses.reduce<readonly Condition[]>((current, pass) => pass(current), conditions);
}

/** Patient/p/Observation -> (subject = Patient/p or performer = Patient/p), by the parameters of the compartment;  {def} -> _id = p */
function compartmentToReferences(context: SearchContext, criterion: Criterion): Criterion {
  if (criterion.kind !== 'compartment') return criterion;
  const [type = '', id = ''] = criterion.of.split('/');
  const paths = criterion.types.flatMap((one) => compartmentPaths(context, one, type));
  const references: Criterion = {
    kind: 'reference',
    parameter: { code: 'compartment', type: 'reference', paths, column: undefined },
    values: [{ kind: 'reference', text: criterion.of, type, id, version: undefined }],
  };
  const isItself = criterion.types.join() === type && context.definitions.compartment(type, type).includes('{def}');
  return isItself ? { kind: 'either', of: [[references], [{ kind: 'id', ids: [id] }]] } : references;
}

/** subject = 23 -> subject = Patient/23, Group/23 */
function untypedToTyped(context: SearchContext, criterion: Criterion): Criterion {
  if (criterion.kind !== 'reference' || !criterion.values.some((value) => value.kind === 'untyped')) return criterion;
  const types = targetTypes(context, criterion.parameter);
  const values = criterion.values.flatMap((value): readonly ReferenceValue[] => {
    if (value.kind !== 'untyped') return [value];
    const { text, id } = value;
    // The value itself stays: an element that holds a URL may hold just that.
    return [value, ...types.map((type) => ({ kind: 'reference' as const, text, type, id, version: undefined }))];
  });
  return { ...criterion, values };
}

/** any of no keys -> nothing;  none of no keys -> (falls away) */
function dropEmptyKeys(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.flatMap((condition): readonly Condition[] => {
    if (condition.kind !== 'keys' || condition.keys.length > 0) return [condition];
    return condition.match === 'any' ? [{ kind: 'nothing' }] : [];
  });
}

/** none of {a} and none of {b} -> none of {a, b} */
function joinNegations(conditions: readonly Condition[]): readonly Condition[] {
  const negations = conditions.filter(isNegation);
  const [first] = negations;
  if (first === undefined || negations.length === 1) return conditions;
  const keys = [...new Set(negations.flatMap((negation) => negation.keys))];
  return [...conditions.filter((condition) => !isNegation(condition)), { ...first, keys }];
}

function isNegation(condition: Condition): condition is KeysCondition {
  return condition.kind === 'keys' && condition.match === 'none';
}

/** date = ge a and date = lt b -> date within [a, b), where a resource has only one such date */
function joinRanges(conditions: readonly Condition[]): readonly Condition[] {
  const joined: Condition[] = [];
  for (const condition of conditions) {
    const place = condition.kind === 'ranges' ? joined.findIndex((other) => canJoin(other, condition)) : -1;
    const other = joined[place];
    if (condition.kind === 'ranges' && other?.kind === 'ranges') joined[place] = intersect(other, condition);
    else joined.push(condition);
  }
  return joined;
}

const rangesJoinedMax = 64;

function canJoin(other: Condition, { table, alternatives, isSingle }: RangesCondition): other is RangesCondition {
  if (other.kind !== 'ranges' || !isSingle || other.table !== table) return false;
  const [left, right] = [other.alternatives[0], alternatives[0]];
  if (other.alternatives.length + alternatives.length !== 2 || left === undefined || right === undefined) return false;
  return left.keys.join() === right.keys.join() && left.ranges.length * right.ranges.length <= rangesJoinedMax;
}

function intersect(a: RangesCondition, b: RangesCondition): RangesCondition {
  const [left, right] = [a.alternatives[0], b.alternatives[0]];
  if (left === undefined || right === undefined) throw new Error('joined ranges have one alternative each');
  const ranges = left.ranges.flatMap((one) => right.ranges.map((other): Range => [...one, ...other]));
  return { ...a, alternatives: [{ keys: left.keys, ranges }] };
}

/** hi > x -> hi > x and lo > x - (longest span);  hi <= x -> hi <= x and lo < x: the index is ordered by lo */
function boundStarts(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.map((condition) => {
    if (condition.kind !== 'ranges' || condition.table !== 'date_index') return condition;
    const alternatives = condition.alternatives.map(({ keys, ranges }) => ({
      keys,
      ranges: ranges.map((range) => [...range, ...range.flatMap((bound) => startBounds(bound, condition.spanMs))]),
    }));
    return { ...condition, alternatives };
  });
}

function startBounds({ side, operator, value }: Bound, spanMs: number | undefined): readonly Bound[] {
  if (side !== 'hi') return [];
  if (operator === '<=') return [{ side: 'lo', operator: '<', value }];
  return operator === '>' && spanMs !== undefined ? [{ side: 'lo', operator: '>', value: value - spanMs }] : [];
}

/** a and nothing -> nothing */
function failOnContradiction(conditions: readonly Condition[]): readonly Condition[] {
  const nothing = conditions.find((condition) => condition.kind === 'nothing');
  return nothing === undefined ? conditions : [nothing];
}
