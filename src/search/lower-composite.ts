/** Composite criteria -> conditions (composite.ts says how their values stand in the index). */
import { searchLimits } from '../base/index.ts';
import type { CompositeBase } from './composite.ts';
import type { Condition, KeysCondition, RangesCondition, TextsCondition } from './condition.ts';
import { ranks } from './condition.ts';
import type { SearchContext } from './context.ts';
import { tooCostly } from './fault.ts';
import { keyText } from './keys.ts';
import type { Lower } from './lower.ts';
import type { Range } from './range.ts';
import type { CompositeCriterion, Criterion } from './tree.ts';

export function lowerComposite(
  context: SearchContext,
  { parameter, values }: CompositeCriterion,
  rewriteInner: Lower,
): readonly Condition[] {
  const lists = values.map(({ base, parts }) => {
    const conditions = parts.map((part) => rewriteInner(part));
    return base.kind === 'conjunction'
      ? [...conditions.flat(), ...base.typed.flatMap(isPresent)]
      : [tupleCondition(context, { code: parameter.code, base, parts: conditions })];
  });
  const [only, ...others] = lists;
  return only !== undefined && others.length === 0 ? only : [{ kind: 'either', of: lists }];
}

function isPresent(keys: readonly bigint[]): readonly Condition[] {
  return [{ kind: 'keys', match: 'any', keys, drivers: undefined, rank: ranks.code }];
}

/** A composite is present where values of all its components stand together. */
export function missingComposite({ parameter, isMissing }: Extract<Criterion, { kind: 'missing' }>): Condition {
  const present: Condition = {
    kind: 'either',
    of: (parameter.bases ?? []).map((base) => base.present.flatMap(isPresent)),
  };
  return isMissing ? { kind: 'not', of: [present] } : present;
}

interface TupleInput {
  readonly code: string;
  readonly base: CompositeBase;
  /** Of each component; a component that can match nothing has none that fits. */
  readonly parts: readonly (readonly Condition[])[];
}

type Part = KeysCondition | RangesCondition | TextsCondition;

function tupleCondition({ readers }: SearchContext, { code, base, parts }: TupleInput): Condition {
  const found = parts.map((conditions) => conditions.find(isPart));
  if (found.some((part) => part === undefined)) return { kind: 'nothing' };
  const known = found.filter((part) => part !== undefined);
  const lists = known.map(keysOf);
  const count = lists.reduce((product, list) => product * list.length, 1);
  if (count > searchLimits.keysMax) throw tooCostly(code, 'its values stand for too many index keys');
  const tuples = lists.reduce<readonly (readonly bigint[])[]>(
    (made, list) => made.flatMap((tuple) => list.map((key) => [...tuple, key])),
    [[]],
  );
  return rowCondition(
    known,
    tuples.map((tuple) => readers.hash(keyText.tuple(base.name, tuple))),
  );
}

function isPart(condition: Condition): condition is Part {
  return condition.kind === 'keys' || condition.kind === 'ranges' || condition.kind === 'texts';
}

function keysOf(part: Part): readonly bigint[] {
  return part.kind === 'ranges' ? part.alternatives.flatMap(({ keys }) => keys) : part.keys;
}

/** What the rows under the tuples' keys must hold: of two numbers, the first is the lower bound and the second the upper one. */
function rowCondition(parts: readonly Part[], keys: readonly bigint[]): Condition {
  const [row, second] = parts.filter((part) => part.kind !== 'keys');
  if (row === undefined) return { kind: 'keys', match: 'any', keys, drivers: keys, rank: ranks.coded };
  if (row.kind === 'texts') return { ...row, keys, isSingle: false };
  const ranges = row.alternatives.flatMap((alternative) => alternative.ranges);
  const both = second?.kind === 'ranges' ? crossRanges(ranges, second) : ranges;
  return { ...row, alternatives: [{ keys, ranges: both }], isSingle: false, isOrd: false, isDay: false };
}

function crossRanges(first: readonly Range[], second: RangesCondition): readonly Range[] {
  const onSide = (range: Range, side: 'lo' | 'hi'): Range => range.map((bound) => ({ ...bound, side }));
  return first.flatMap((range) =>
    second.alternatives.flatMap((alternative) =>
      alternative.ranges.map((other) => [...onSide(range, 'lo'), ...onSide(other, 'hi')]),
    ),
  );
}
