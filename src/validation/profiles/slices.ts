/** Items shared out among slices, and what must hold of each share (https://hl7.org/fhir/R4/profiling.html#slicing). */
import type { ElementDefinition } from '../../fhir/index.ts';
import { reporter } from './checks.ts';
import type { SliceTest } from './discriminate.ts';
import type { ProfileElement, Slicing } from './element.ts';
import type { Item } from './items.ts';
import type { Run } from './run.ts';
import { faultTexts } from './texts.ts';
import type { ProfileTree } from './tree.ts';

/** All items of one element below one parent. */
export type GroupCheck = (items: readonly Item[], parent: Item, run: Run) => void;

const byUrl: Slicing = { discriminators: [{ type: 'value', path: 'url' }], rules: 'open', isOrdered: false };
const byType: Slicing = { discriminators: [{ type: 'type', path: '$this' }], rules: 'open', isOrdered: false };

/**
 * How the element is sliced. Guides leave out the slicing of extensions and of choices, where there is only one way; the
 * slices of a slice are told apart as the slice itself is, unless it says otherwise.
 */
export function slicingOf(
  element: ProfileElement,
  base: ElementDefinition | undefined,
  outer: Slicing | undefined,
): Slicing | undefined {
  const { slicing, name } = element;
  if (slicing !== undefined && slicing.discriminators.length > 0) return slicing;
  const rules = slicing === undefined ? {} : { rules: slicing.rules };
  if (outer !== undefined) return { ...outer, rules: 'open', ...rules };
  if (name === 'extension' || name === 'modifierExtension') return { ...byUrl, ...rules };
  return base?.isChoice === true ? { ...byType, ...rules } : slicing;
}

export interface Slices {
  /** `test` is undefined where nothing tells its items apart: then nothing is asked of it. */
  readonly slices: readonly { readonly test: SliceTest | undefined; readonly group: GroupCheck | undefined }[];
  readonly slicing: Slicing;
  /** Of what belongs to no slice (`@default`). */
  readonly rest: GroupCheck | undefined;
  readonly tree: ProfileTree;
}

export function judgeSlices({ slices, slicing, rest, tree }: Slices): GroupCheck {
  const areTold = slices.every(({ test }) => test !== undefined);
  const report = reporter(tree, 'structure');
  return (items, parent, run) => {
    const places = items.map((item) => slices.findIndex(({ test }) => test?.(item, run) === true));
    for (const [place, { test, group }] of slices.entries())
      if (test !== undefined)
        group?.(
          items.filter((_item, index) => places[index] === place),
          parent,
          run,
        );
    const unmatched = items.filter((_item, index) => places[index] === -1);
    rest?.(unmatched, parent, run);
    if (slicing.isOrdered) for (const item of findEarly(items, places)) report(item, run, faultTexts.order);
    if (areTold && rest === undefined) judgeUnmatched(items, unmatched, run);
  };

  function judgeUnmatched(items: readonly Item[], unmatched: readonly Item[], run: Run): void {
    const isEarly = (item: Item): boolean => items.indexOf(item) < items.length - unmatched.length;
    for (const item of unmatched) {
      if (slicing.rules === 'closed') report(item, run, faultTexts.closed);
      else if (slicing.rules === 'openAtEnd' && isEarly(item)) report(item, run, faultTexts.atEnd);
    }
  }
}

/** Those of a slice that stand behind those of a later one. */
function findEarly(items: readonly Item[], places: readonly number[]): readonly Item[] {
  let last = 0;
  return items.filter((_item, index) => {
    const place = places[index] ?? -1;
    const isEarly = place >= 0 && place < last;
    last = Math.max(last, place);
    return isEarly;
  });
}
