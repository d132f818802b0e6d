/**
 * A stay that two feeds tell of, or two records of one person that were merged, is one stay: it is judged once, under one of its
 * Encounters, and what refers to another of them counts for that one. The record is read as if only that one were there; what is
 * stored stays as it is, and is judged by itself again when the Encounters are no longer one.
 *
 * Two Encounters are one stay when they have the same class, none is part of another, and both begin, and end, within hours of each
 * other; and they share an identifier, or, of inpatient stays, the organisation while no numbering tells them apart.
 *
 * The one that is kept has a break already, so that the next feed moves none; else the lowest id. What it says is what the one
 * says that has ended: a feed that tells of the discharge knows more than one that never does.
 */
import { isObject, referenceKey, type Resource } from '../fhir/index.ts';
import type { PatientRecord } from './record.ts';
import { isOwn, readBreak } from './resources.ts';

/** How far the clocks of two feeds may lie apart about one moment. */
const nearMs = 6 * 3_600_000;
const dayMs = 24 * 3_600_000;
const dayLength = 'yyyy-mm-dd'.length;

interface Stay {
  readonly key: string;
  readonly resource: Resource;
  readonly class: string | undefined;
  readonly site: string | undefined;
  readonly identifiers: ReadonlySet<string>;
  readonly systems: ReadonlySet<string>;
  readonly start: Moment;
  readonly end: Moment | undefined;
}

interface Moment {
  readonly ms: number;
  /** A day; midnight of it in UTC. */
  readonly isDay: boolean;
}

/** The record with each stay once; the very same where none is told twice. */
export function withSingleStays(record: PatientRecord): PatientRecord {
  const stays = (record.byType.get('Encounter') ?? []).flatMap((one) => readStay(one) ?? []);
  if (stays.length < 2) return record;
  const groups = groupsOf(stays).filter(({ length }) => length > 1);
  if (groups.length === 0) return record;
  const hasBreak = fociWithBreaks(record);
  const kept = groups.map((group) => ({ group, first: firstOf(group, hasBreak) }));
  const sameStays = new Map(
    kept.flatMap(({ group, first }) =>
      group.filter((one) => one !== first).map(({ key, resource }) => [key, { kept: first.key, resource }] as const),
    ),
  );
  const told = new Map(kept.map(({ group, first }) => [first.resource, contentOf(group, first)]));
  return { ...record, byType: readAsOne(record.byType, sameStays, told), sameStays };
}

function readStay(resource: Resource): Stay | undefined {
  const { start, end } = (resource['period'] ?? {}) as { start?: unknown; end?: unknown };
  const begun = momentOf(start);
  const isReal = !['planned', 'cancelled', 'entered-in-error', 'unknown'].includes(String(resource['status']));
  if (!isReal || begun === undefined || resource['partOf'] !== undefined) return undefined;
  const identifiers = ((resource['identifier'] ?? []) as readonly { system?: string; value?: string }[]).filter(
    ({ value }) => value !== undefined,
  );
  return {
    key: `Encounter/${resource.id ?? ''}`,
    resource,
    class: (resource['class'] as { code?: string } | undefined)?.code,
    site: referenceKey(resource['serviceProvider']),
    identifiers: new Set(identifiers.map(({ system = '', value = '' }) => `${system}|${value}`)),
    systems: new Set(identifiers.map(({ system = '' }) => system)),
    start: begun,
    end: momentOf(end),
  };
}

/** A time without offset (no instant in FHIR, but told) counts as its day, whatever the zone of this process. */
function momentOf(value: unknown): Moment | undefined {
  if (typeof value !== 'string') return undefined;
  const isInstant = /T.*(?:Z|[+-]\d\d:\d\d)$/.test(value);
  const ms = Date.parse(isInstant ? value : value.slice(0, dayLength));
  return Number.isNaN(ms) || value.length < dayLength ? undefined : { ms, isDay: !isInstant };
}

/** Each stay with those that are one with it, directly or by a third. */
function groupsOf(stays: readonly Stay[]): readonly (readonly Stay[])[] {
  const groups: Stay[][] = [];
  for (const stay of [...stays].sort(byKey)) {
    const same = groups.filter((group) => group.some((one) => isSameStay(one, stay)));
    const joined = [...same.flat(), stay];
    for (const one of same) groups.splice(groups.indexOf(one), 1);
    groups.push(joined.sort(byKey));
  }
  return groups;
}

const byKey = (left: Stay, right: Stay): number => (left.key < right.key ? -1 : 1);

const inpatient: ReadonlySet<string | undefined> = new Set(['IMP', 'ACUTE', 'NONAC', 'SS']);

function isSameStay(left: Stay, right: Stay): boolean {
  if (left.class !== right.class || !isNear(left.start, right.start)) return false;
  if (left.end !== undefined && right.end !== undefined && !isNear(left.end, right.end)) return false;
  if (hasCommon(left.identifiers, right.identifiers)) return true;
  const isOfSite = left.site !== undefined && left.site === right.site;
  return isOfSite && inpatient.has(left.class) && !hasCommon(left.systems, right.systems);
}

function isNear(left: Moment, right: Moment): boolean {
  return Math.abs(left.ms - right.ms) < (left.isDay || right.isDay ? dayMs : nearMs);
}

function hasCommon(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return [...left].some((one) => right.has(one));
}

/** `Encounter/id` of the stays that breaks speak of. */
function fociWithBreaks({ byType }: PatientRecord): ReadonlySet<string> {
  const keys = (byType.get('DetectedIssue') ?? []).flatMap((issue) => readBreak(issue)?.key ?? []);
  return new Set(keys.flatMap((key) => /:(Encounter\/[^:]+)$/.exec(key)?.[1] ?? []));
}

function firstOf(group: readonly Stay[], hasBreak: ReadonlySet<string>): Stay {
  const [first, ...others] = group;
  if (first === undefined) throw new Error('a group without a stay');
  return [first, ...others].find(({ key }) => hasBreak.has(key)) ?? first;
}

/** What the first says that has ended, under the id of the one that is kept; who may not see one of them may not see it. */
function contentOf(group: readonly Stay[], first: Stay): Resource {
  const ended = [first, ...group].find(({ end, resource }) => end !== undefined && resource['status'] === 'finished');
  const { id, meta } = first.resource;
  const security = group.flatMap(({ resource }) => (resource.meta?.['security'] ?? []) as readonly object[]);
  const labelled = security.length === 0 ? meta : { ...meta, security };
  return { ...(ended ?? first).resource, ...(id && { id }), ...(labelled && { meta: labelled }) };
}

/** References to what is not kept lead to what is; the engine's own words are read as they are. */
function readAsOne(
  byType: PatientRecord['byType'],
  sameStays: NonNullable<PatientRecord['sameStays']>,
  told: ReadonlyMap<Resource, Resource>,
): PatientRecord['byType'] {
  const keyOf = (one: Resource): string => `${one.resourceType}/${one.id ?? ''}`;
  const read = (one: Resource): Resource => {
    const content = told.get(one) ?? one;
    return isOwn(content) ? content : (redirected(content, sameStays) as Resource);
  };
  return new Map(
    [...byType].map(([type, resources]) => [type, resources.filter((one) => !sameStays.has(keyOf(one))).map(read)]),
  );
}

/** FHIR elements nest no deeper than the reader of JSON lets them. */
function redirected(value: unknown, sameStays: NonNullable<PatientRecord['sameStays']>): unknown {
  if (Array.isArray(value)) return value.map((one) => redirected(one, sameStays));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const to = name === 'reference' && typeof one === 'string' ? sameStays.get(referenceKey(value) ?? '') : undefined;
      return [name, to?.kept ?? redirected(one, sameStays)];
    }),
  );
}
