/**
 * What the engine notes on the Task of a break, in extensions of its own, so that a judgment needs no other memory:
 * `break-escalation` (how many steps up the ladder), `break-declared` (when a person said "repaired", the proof is
 * awaited), `break-call-held` (why the call about it has not gone out yet).
 */
import type { Resource } from '../fhir/index.ts';
import type { Pledge } from './machine.ts';
import { extensionUrl } from './resources.ts';

/** Why a call waits: nobody is called at night, or not about this patient for now, or one digest tells of many. */
export type HeldCall = 'quiet-hours' | 'silence';

export interface TaskMarks {
  readonly level: number;
  readonly declaredAt: string | undefined;
  readonly heldCall: HeldCall | undefined;
}

const markNames = ['break-escalation', 'break-declared', 'break-call-held'] as const;

interface Extension {
  readonly url: string;
  readonly valueCode?: string;
  readonly valueDateTime?: string;
  readonly valuePositiveInt?: number;
}

export function readMarks(task: Resource): TaskMarks {
  const found = (name: (typeof markNames)[number]) => extensionsOf(task).find(({ url }) => url === extensionUrl(name));
  const held = found('break-call-held')?.valueCode;
  return {
    level: found('break-escalation')?.valuePositiveInt ?? 0,
    declaredAt: found('break-declared')?.valueDateTime,
    heldCall: held === 'quiet-hours' || held === 'silence' ? held : undefined,
  };
}

/** The Task with these marks; those that are not named stay. */
export function withMarks(task: Resource, changes: Partial<TaskMarks>): Resource {
  const { level, declaredAt, heldCall } = { ...readMarks(task), ...changes };
  const own: readonly Extension[] = [
    ...(level === 0 ? [] : [{ url: extensionUrl('break-escalation'), valuePositiveInt: level }]),
    ...(declaredAt === undefined ? [] : [{ url: extensionUrl('break-declared'), valueDateTime: declaredAt }]),
    ...(heldCall === undefined ? [] : [{ url: extensionUrl('break-call-held'), valueCode: heldCall }]),
  ];
  const urls = new Set(markNames.map(extensionUrl));
  const extension = [...own, ...extensionsOf(task).filter(({ url }) => !urls.has(url))];
  const { extension: _former, ...rest } = task;
  return extension.length === 0 ? rest : { ...rest, resourceType: task.resourceType, extension };
}

/** What the person's last move has promised: the end of a hold, the end of waiting for a proof. */
export function pledgeOf(task: Resource | undefined, proofAwaitedMs: number): Pledge {
  if (task === undefined) return { holdUntilMs: undefined, proofUntilMs: undefined };
  const { declaredAt } = readMarks(task);
  return {
    holdUntilMs: task['status'] === 'on-hold' ? holdEndMs(task) : undefined,
    proofUntilMs: declaredAt === undefined ? undefined : Date.parse(declaredAt) + proofAwaitedMs,
  };
}

/** A Task on hold says until when in `restriction.period.end`; a day lasts until its end in the zone of the server. */
export function holdEndMs(task: Resource): number | undefined {
  const { period } = (task['restriction'] ?? {}) as { period?: { end?: string } };
  const endMs = period?.end === undefined ? Number.NaN : Date.parse(period.end);
  return Number.isNaN(endMs) ? undefined : endMs;
}

function extensionsOf(task: Resource): readonly Extension[] {
  return (task['extension'] ?? []) as readonly Extension[];
}
