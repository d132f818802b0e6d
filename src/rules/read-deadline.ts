/**
 * The project's one extension on an action, `rule-deadline`: what R4 cannot say of a rule that waits for something.
 * Its parts are those of `profiles/extensions/rule-deadline.json`.
 */
import type { CodeableConcept, Extension, PlanDefinitionAction } from 'fhir/r4.js';
import { type Calendar, calendars, canCount, daysOf, type Delay, readDelay } from './calendar.ts';
import type { ReadingContext, WrittenExpression } from './reading.ts';

export const deadlineUrl = 'https://suture.example/fhir/StructureDefinition/rule-deadline';

export interface DeadlineParts {
  readonly each: WrittenExpression | undefined;
  readonly anchor: WrittenExpression | undefined;
  readonly metAt: WrittenExpression | undefined;
  readonly review: WrittenExpression | undefined;
  readonly delay: Delay | undefined;
  readonly calendar: Calendar | undefined;
  readonly parameter: string | undefined;
  readonly notice: Delay | undefined;
  readonly window: Delay | undefined;
  readonly reopenWindow: Delay | undefined;
  readonly inhibits: readonly string[];
  /** By growing delay. */
  readonly escalation: readonly { readonly after: Delay; readonly roles: readonly CodeableConcept[] }[];
}

const partNames = [
  'each',
  'anchor',
  'metAt',
  'review',
  'delay',
  'calendar',
  'parameter',
  'notice',
  'window',
  'reopenWindow',
  'inhibits',
  'escalation',
];
const repeatingParts = ['inhibits', 'escalation'];
const escalationMax = 10;

interface Part {
  readonly extension: Extension;
  readonly place: string;
}

export function readDeadlineParts(action: PlanDefinitionAction, context: ReadingContext): DeadlineParts {
  const parts = listParts(action, context);
  const only = (name: string): Part | undefined => parts.find((part) => part.extension.url === name);
  const delay = readDuration(only('delay'), context);
  const calendar = readCalendar(only('calendar'), delay, context);
  const notice = readDuration(only('notice'), context);
  const anchor = readExpression(only('anchor'), context);
  if (anchor !== undefined && /\bmeta\s*\.\s*lastUpdated\b/.test(anchor.expression ?? '')) {
    context.faults.add(
      anchor.place,
      'the anchor reads meta.lastUpdated, which moves with each update; %since does not',
    );
  }
  if (delay !== undefined && anchor === undefined) {
    context.faults.add(context.place, 'a delay runs from an anchor, and there is none', 'required');
  }
  const window = readWindow(only('window'), delay, context);
  if (delay === undefined && only('delay') === undefined) {
    refuseWithoutDelay(
      [only('calendar'), only('notice'), window === undefined ? only('parameter') : undefined],
      context,
    );
  }
  return {
    each: readExpression(only('each'), context),
    anchor,
    metAt: readExpression(only('metAt'), context),
    review: readExpression(only('review'), context),
    delay,
    calendar,
    parameter: readString(only('parameter'), context),
    notice,
    window,
    reopenWindow: readDuration(only('reopenWindow'), context),
    inhibits: parts
      .filter((part) => part.extension.url === 'inhibits')
      .flatMap((part) => readCode(part, context) ?? []),
    escalation: readEscalation(
      parts.filter((part) => part.extension.url === 'escalation'),
      context,
    ),
  };
}

function listParts(action: PlanDefinitionAction, { place, faults }: ReadingContext): readonly Part[] {
  const all = action.extension ?? [];
  const index = all.findIndex((extension) => extension.url === deadlineUrl);
  const parts = (all[index]?.extension ?? []).map((extension, part) => ({
    extension,
    place: `${place}.extension[${index}].extension[${part}]`,
  }));
  if (all.filter((extension) => extension.url === deadlineUrl).length > 1) {
    faults.add(`${place}.extension`, 'a rule has one rule-deadline', 'duplicate');
  }
  const seen = new Set<string>();
  for (const { extension, place: at } of parts) {
    if (!partNames.includes(extension.url))
      faults.add(`${at}.url`, `"${extension.url}" is no part of rule-deadline`, 'not-found');
    else if (seen.has(extension.url) && !repeatingParts.includes(extension.url)) {
      faults.add(at, `the part ${extension.url} is there twice`, 'duplicate');
    }
    seen.add(extension.url);
  }
  return parts;
}

/** Counted in days; what a rule with a delay looks at is bounded by its deadline. */
function readWindow(part: Part | undefined, delay: Delay | undefined, context: ReadingContext): Delay | undefined {
  const window = readDuration(part, context);
  if (part === undefined || window === undefined) return undefined;
  if (delay !== undefined) context.faults.add(part.place, 'a rule with a delay has no window');
  if (daysOf(window) === undefined) context.faults.add(`${part.place}.value`, 'a window counts in d or wk');
  return window;
}

function refuseWithoutDelay(parts: readonly (Part | undefined)[], { faults }: ReadingContext): void {
  for (const part of parts) {
    if (part !== undefined) faults.add(part.place, `${part.extension.url} means nothing without a delay`);
  }
}

function readDuration(part: Part | undefined, { faults }: ReadingContext): Delay | undefined {
  if (part === undefined) return undefined;
  const { value, code, unit } = part.extension.valueDuration ?? {};
  const delay = readDelay(value, code ?? unit);
  if (delay === undefined) {
    faults.add(`${part.place}.value`, 'a duration is a whole number of min, h, d, wk, mo or a, at most ten years');
  }
  return delay;
}

function readCalendar(
  part: Part | undefined,
  delay: Delay | undefined,
  { place, faults }: ReadingContext,
): Calendar | undefined {
  if (part === undefined) {
    if (delay !== undefined) faults.add(place, `a delay has a calendar: ${calendars.join(', ')}`, 'required');
    return undefined;
  }
  const calendar = calendars.find((known) => known === part.extension.valueCode);
  if (calendar === undefined)
    faults.add(`${part.place}.value`, `the calendar is one of ${calendars.join(', ')}`, 'code-invalid');
  else if (delay !== undefined && !canCount(calendar, delay.unit)) {
    faults.add(`${part.place}.value`, `the calendar ${calendar} does not count in "${delay.unit}"`);
  }
  return calendar;
}

function readExpression(part: Part | undefined, { faults }: ReadingContext): WrittenExpression | undefined {
  if (part === undefined) return undefined;
  const { valueExpression } = part.extension;
  if (valueExpression === undefined)
    faults.add(`${part.place}.value`, `${part.extension.url} is an Expression`, 'required');
  return { ...valueExpression, place: `${part.place}.value` };
}

function readString(part: Part | undefined, { faults }: ReadingContext): string | undefined {
  if (part !== undefined && part.extension.valueString === undefined) {
    faults.add(`${part.place}.value`, `${part.extension.url} is a string`, 'required');
  }
  return part?.extension.valueString;
}

function readCode(part: Part, { faults }: ReadingContext): string | undefined {
  if (part.extension.valueCode === undefined)
    faults.add(`${part.place}.value`, `${part.extension.url} is a code`, 'required');
  return part.extension.valueCode;
}

function readEscalation(parts: readonly Part[], context: ReadingContext): DeadlineParts['escalation'] {
  if (parts.length > escalationMax)
    context.faults.add(context.place, `a rule escalates at most ${escalationMax} times`, 'too-costly');
  const steps = parts.slice(0, escalationMax).flatMap((part) => {
    const inner = part.extension.extension ?? [];
    const index = inner.findIndex((extension) => extension.url === 'after');
    const extension = inner[index];
    const after =
      extension === undefined
        ? undefined
        : readDuration({ extension, place: `${part.place}.extension[${index}]` }, context);
    const roles = inner.flatMap((one) =>
      one.url === 'role' && one.valueCodeableConcept ? [one.valueCodeableConcept] : [],
    );
    if (extension === undefined || roles.length === 0) {
      context.faults.add(part.place, 'an escalation says after what time (after) and to whom (role)', 'required');
    }
    return after === undefined ? [] : [{ after, roles }];
  });
  return steps.sort((left, right) => approximateHours(left.after) - approximateHours(right.after));
}

const hoursOfUnits: Readonly<Record<Delay['unit'], number>> = { min: 1 / 60, h: 1, d: 24, wk: 168, mo: 730, a: 8760 };

function approximateHours(delay: Delay): number {
  return delay.value * hoursOfUnits[delay.unit];
}
