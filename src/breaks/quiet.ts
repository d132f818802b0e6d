/** When nobody is called: the quiet hours of every night, and the silences that somebody asked for. */
import { type Issue, Problem } from '../base/index.ts';
import { localDay, referenceKey, type Resource, shiftDay } from '../fhir/index.ts';
import type { Place } from '../rules/index.ts';
import type { GuardedWrite } from './guards.ts';
import type { Silence } from './plan-input.ts';
import { canonicalBase } from './resources.ts';

/** Local times such as `21:00` and `07:00`; they may span midnight. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
}

/** When the quiet hours end that it is at `nowMs`; undefined outside of them. Half-open: at their end they are over. */
export function quietUntil(nowMs: number, hours: QuietHours | undefined, { dates }: Place): number | undefined {
  if (hours === undefined) return undefined;
  const at = (day: string, time: string): number => dates.range(`${day}T${time}:00`)?.lo ?? nowMs;
  const today = localDay(nowMs, dates);
  const days = [shiftDay(today, -1, 'day'), today];
  const spans = days.map((day) => {
    const endDay = hours.to > hours.from ? day : shiftDay(day, 1, 'day');
    return { fromMs: at(day, hours.from), toMs: at(endDay, hours.to) };
  });
  return spans.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)?.toMs;
}

export const silenceCode = `${canonicalBase}/CodeSystem/record-note`;
const silenceUrl = `${canonicalBase}/StructureDefinition/silence`;

interface Part {
  readonly url?: string;
  readonly valueCode?: string;
  readonly valueString?: string;
  readonly valuePeriod?: { readonly start?: string; readonly end?: string };
}

/** A Basic of code `silence` with the extension `silence`: reason, period, and the rule where not all are meant. */
export function isSilence(resource: Resource): boolean {
  const { coding = [] } = (resource['code'] ?? {}) as { coding?: readonly { system?: string; code?: string }[] };
  return (
    resource.resourceType === 'Basic' && coding.some(({ system, code }) => system === silenceCode && code === 'silence')
  );
}

/** Undefined where the end or the reason is missing: nobody is silenced for ever, or for nothing. */
export function readSilence(resource: Resource, place: Place): Silence | undefined {
  if (!isSilence(resource) || referenceKey(resource['subject']) === undefined) return undefined;
  const extensions = (resource['extension'] ?? []) as readonly { url?: string; extension?: readonly Part[] }[];
  const parts = extensions.find(({ url }) => url === silenceUrl)?.extension ?? [];
  const part = (name: string): Part => parts.find(({ url }) => url === name) ?? {};
  const { valuePeriod: { start, end } = {} } = part('period');
  const endMs = endOf(end, place);
  if (endMs === undefined || !part('reason').valueString) return undefined;
  return { rule: part('rule').valueCode, startMs: startOf(start, place), endMs };
}

function startOf(start: string | undefined, { dates }: Place): number {
  return start === undefined ? 0 : (dates.range(start)?.lo ?? 0);
}

/** An instant is its own end; a day lasts until its end. */
function endOf(end: string | undefined, { dates }: Place): number | undefined {
  const range = end === undefined ? undefined : dates.range(end);
  return end?.includes('T') === true ? range?.lo : range?.hi;
}

/** A silence says why, about whom and until when; else it would be one that nobody can end. */
export function checkSilence({ after }: GuardedWrite, place: Place): void {
  if (after === undefined || !isSilence(after) || readSilence(after, place) !== undefined) return;
  const text = 'a silence needs a patient as subject, a reason, and a period with an end';
  const issue: Issue = { severity: 'error', code: 'business-rule', text, expression: 'Basic.extension' };
  throw new Problem('unprocessable', text, { issues: [issue] });
}
