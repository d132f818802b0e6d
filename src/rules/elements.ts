/**
 * The parts of a focus that are judged one by one (`each`): the activities of a care plan. A part is known by its id, by
 * its place where it has none; senders that give ids keep their breaks when they insert or reorder.
 */
import { type Resource, tryEvaluate } from '../fhir/index.ts';
import type { Place } from './calendar.ts';
import type { Rule } from './rule.ts';

interface Whole {
  readonly focus: Resource;
  readonly nowMs: number;
  readonly place: Place;
}

/** One key for each part; `[undefined]` for a rule that judges the focus as a whole. */
export function elementKeys(rule: Rule, whole: Whole): readonly (string | undefined)[] {
  return rule.each === undefined ? [undefined] : listElements(rule, whole).map(({ key }) => key);
}

/** `CarePlan/c1`, or `CarePlan/c1#activityId`. */
export function focusKeyOf(focus: Resource, elementKey: string | undefined): string {
  const reference = `${focus.resourceType}/${focus.id ?? ''}`;
  return elementKey === undefined ? reference : `${reference}#${elementKey}`;
}

/** Undefined when the focus has no such part: an earlier version may not have had it. */
export function elementOf(rule: Rule, whole: Whole & { readonly elementKey?: string | undefined }): unknown {
  return listElements(rule, whole).find(({ key }) => key === whole.elementKey)?.element;
}

const elementsMax = 500;

function listElements(rule: Rule, { focus, nowMs, place }: Whole): readonly { key: string; element: unknown }[] {
  if (rule.each === undefined) return [];
  const result = tryEvaluate(rule.each, focus, {}, { nowMs, dates: place.dates });
  const elements = result.kind === 'items' ? result.items.slice(0, elementsMax) : [];
  const keyed = elements.map(({ value }, index) => ({ key: keyOf(value) ?? String(index + 1), element: value }));
  return keyed.filter(({ key }, index) => keyed.findIndex((one) => one.key === key) === index);
}

function keyOf(element: unknown): string | undefined {
  const { id } = element as { readonly id?: unknown };
  return typeof id === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(id) ? id : undefined;
}
