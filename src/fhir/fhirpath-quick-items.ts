/** What runs through the closures of `fhirpath-quick.ts`: values of the record with their type and resource. */
import { evaluationLimits } from '../base/index.ts';
import type { Definitions, ElementDefinition } from './definitions.ts';
import type { Resource } from './resource.ts';
import { failure, type Moment, noCriterion, oneValueExpected } from './fhirpath-values.ts';

export interface Item {
  /** As in the record; null for a primitive that has extensions only. */
  readonly value: unknown;
  /** Of FHIR (`Encounter.hospitalization`) or of FHIRPath (`System.String`). */
  readonly type: string;
  /** The resource it stands in; undefined for what was computed. */
  readonly origin: Resource | undefined;
  /** Of a primitive: its `_name` member. */
  readonly companion?: unknown;
}

export type Items = readonly Item[];

export interface Run {
  readonly variables: Readonly<Record<string, unknown>>;
  /** Variables already turned into items. */
  readonly bound: Map<string, Items>;
  readonly moment: Moment;
  /** Items that this evaluation may still look at. */
  stepsLeft: number;
}

export function startSteps(): Pick<Run, 'stepsLeft'> {
  return { stepsLeft: evaluationLimits.stepsMax };
}

export function spend(run: Run, steps: number): void {
  run.stepsLeft -= steps;
  if (run.stepsLeft < 0) throw failure(`the evaluation takes more than ${evaluationLimits.stepsMax} steps`);
}

/** A text that was made longer. */
export function joined(first: string, second: string): Items {
  const { textMax } = evaluationLimits;
  if (first.length + second.length > textMax)
    throw failure(`the expression makes a text of more than ${textMax} characters`);
  return computed(first + second, 'System.String');
}

export interface Frame {
  readonly self: Items;
  readonly index: number;
  readonly run: Run;
}

export type Quick = (frame: Frame) => Items;

export const none: Items = [];
const yes: Items = [{ value: true, type: 'System.Boolean', origin: undefined }];
const no: Items = [{ value: false, type: 'System.Boolean', origin: undefined }];

export function truth(value: boolean): Items {
  return value ? yes : no;
}

export function computed(value: unknown, type: string): Items {
  return [{ value, type, origin: undefined }];
}

export const notEvaluable = 'the expression cannot be evaluated on this record';

/** True, false, or undefined for nothing. */
export function readTruth(items: Items): boolean | undefined {
  const value = onlyValue(items);
  if (value === undefined) return undefined;
  if (typeof value !== 'boolean') throw failure(notEvaluable);
  return value;
}

/** A criterion: nothing is not true. */
export function isTrue(items: Items): boolean {
  if (items.length === 0) return false;
  const value = items[0]?.value;
  if (items.length > 1 || typeof value !== 'boolean') throw failure(noCriterion);
  return value;
}

/** The text, or undefined for nothing. */
export function onlyText(items: Items): string | undefined {
  const value = onlyValue(items);
  if (value !== undefined && typeof value !== 'string') throw failure(notEvaluable);
  return value;
}

export function onlyNumber(items: Items): number | undefined {
  const value = onlyValue(items);
  if (value !== undefined && typeof value !== 'number') throw failure(notEvaluable);
  return value;
}

function onlyValue(items: Items): unknown {
  if (items.length > 1) throw failure(oneValueExpected);
  return items[0]?.value ?? undefined;
}

/** Values of a variable; `type` is the declared one, which says whether a text is a date. */
export function toItems(value: unknown, type: string): Items {
  if (value === undefined || value === null) return none;
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) => toItem(one, type));
}

function toItem(value: unknown, type: string): Item {
  const resource = value as Partial<Resource> | null;
  return typeof resource === 'object' && resource?.resourceType !== undefined
    ? { value, type: resource.resourceType, origin: value as Resource }
    : { value, type, origin: undefined };
}

/** Reads one element of an item, whatever type the item is of. */
export function createAccess(definitions: Definitions, name: string): (item: Item, found: Item[]) => void {
  const forms = new Map<string, readonly Form[]>();
  return (item, found) => {
    const { value } = item;
    let known = forms.get(item.type);
    if (known === undefined) {
      known = formsOf(definitions.type(item.type)?.elements.get(name));
      forms.set(item.type, known);
    }
    for (const form of known) {
      const container = (typeof value === 'object' && value !== null ? value : item.companion) as Container | undefined;
      if (container === undefined || container === null) return;
      if (readForm(container, form, { item, found })) return;
    }
  };
}

type Container = Readonly<Record<string, unknown>>;

/** One JSON name of an element: a choice has one for each type. */
interface Form {
  readonly property: string;
  readonly companion: string;
  readonly type: string;
}

function formsOf(element: ElementDefinition | undefined): readonly Form[] {
  if (element === undefined) return [];
  return element.types.slice(0, element.isChoice ? undefined : 1).map(({ code }) => {
    const property = element.isChoice ? element.name + code.charAt(0).toUpperCase() + code.slice(1) : element.name;
    return { property, companion: `_${property}`, type: code };
  });
}

function readForm(
  container: Container,
  form: Form,
  { item, found }: { readonly item: Item; readonly found: Item[] },
): boolean {
  const value = container[form.property];
  const companion = container[form.companion];
  if (value === undefined && companion === undefined) return false;
  if (Array.isArray(value) || Array.isArray(companion)) {
    const values = (value ?? []) as readonly unknown[];
    const companions = (companion ?? []) as readonly unknown[];
    for (let index = 0; index < Math.max(values.length, companions.length); index++) {
      found.push(makeItem(values[index] ?? null, companions[index], { form, item }));
    }
  } else found.push(makeItem(value ?? null, companion, { form, item }));
  return true;
}

function makeItem(
  value: unknown,
  companion: unknown,
  { form, item }: { readonly form: Form; readonly item: Item },
): Item {
  if (form.type === 'Resource') return toItem(value, form.type);
  const { origin } = item;
  return companion === undefined || companion === null
    ? { value, type: form.type, origin }
    : { value, type: form.type, origin, companion };
}
