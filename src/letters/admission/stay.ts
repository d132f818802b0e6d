/**
 * A stay is a function of all that the hospital has ever said about it, not of the order in which that came: the reports are
 * sorted by when they were recorded (EVN-2) and gone through from the beginning each time one more arrives. So a message
 * that comes late, early or twice ends in the same Encounter, and a cancellation takes back what it names, whenever it comes.
 *
 *   admit -> status in-progress, period.start, first place      cancel-admit -> status cancelled
 *   transfer -> another place from then on                      cancel-transfer -> that place taken out again
 *   discharge -> status finished, period.end                    cancel-discharge -> in-progress, without end
 *   update -> what it says replaces what was said; PAM's Z99 changes or cancels the movement that it names
 *
 * Of an Encounter that others have made (a letter, a FHIR client), what no report speaks of stays as it is. What only the reports
 * so far have put there is not theirs: it goes when the reports no longer say it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Encounter, EncounterHospitalization, EncounterLocation, Reference } from 'fhir/r4.js';
import { element } from '../element.ts';
import { shareIdentity } from '../identifiers.ts';
import { actOrder, type StayAct } from './events.ts';

/** What one message says of a stay. Times are FHIR dateTimes. */
export interface StayReport {
  readonly act: StayAct;
  /** When the act itself took place. */
  readonly occurredAt: string | undefined;
  readonly admittedAt: string | undefined;
  readonly dischargedAt: string | undefined;
  readonly place: Reference | undefined;
  readonly movement: Movement | undefined;
  /** Elements of the Encounter that each message repeats: class, type, participants, ... */
  readonly said: Partial<Encounter>;
  /** What it says is not so (`""`), of `said.hospitalization`. */
  readonly emptied?: readonly EmptiedPart[];
}

export type EmptiedPart = 'admitSource' | 'dischargeDisposition';

/** ZBE of PAM. */
export interface Movement {
  readonly id: string;
  readonly action: 'INSERT' | 'UPDATE' | 'CANCEL' | undefined;
}

export interface StoredReport {
  /** SHA-256 of the message. */
  readonly key: string;
  readonly recordedAtMs: number;
  readonly report: StayReport;
}

interface Move {
  readonly id: string | undefined;
  readonly at: string | undefined;
  readonly place: Reference;
  readonly isAdmission: boolean;
}

interface Stay {
  said: Partial<Encounter>;
  isCancelled: boolean;
  isReopened: boolean;
  admittedAt: string | undefined;
  /** undefined: not discharged; '' = discharged, nobody says when. */
  dischargedAt: string | undefined;
  moves: readonly Move[];
}

/** The Encounter after all reports; `known`: as it stands now, after the `former` reports and whatever others have made of it. */
export function stayOf(known: Encounter, reports: readonly StoredReport[], former: readonly StoredReport[]): Encounter {
  const others = withoutOurs(known, former);
  const stay = afterAll(reports);
  const { identifier = [], hospitalization, ...said } = stay.said;
  const added = identifier.filter((number) => !shareIdentity([number], known.identifier));
  const period = periodOf(others, stay);
  const circumstances = { ...others.hospitalization, ...hospitalization };
  return element({
    ...others,
    ...said,
    identifier: [...(known.identifier ?? []), ...added],
    status: statusOf(others, stay),
    period,
    location: stay.moves.length > 0 ? locationsOf(stay, period?.end) : others.location,
    hospitalization: Object.keys(circumstances).length > 0 ? circumstances : undefined,
  });
}

/** The Encounter without what the reports so far have said of its course. */
function withoutOurs(known: Encounter, former: readonly StoredReport[]): Encounter {
  if (former.length === 0) return known;
  const stay = afterAll(former);
  const bare: Encounter = { ...known, status: 'in-progress', period: {} };
  const period = periodOf(bare, stay);
  const isOurs = isDeepStrictEqual(known.location, locationsOf(stay, known.period?.end));
  return element<Encounter>({
    ...known,
    status: known.status === statusOf(bare, stay) ? 'in-progress' : known.status,
    period: beyond(known.period, period),
    location: isOurs ? undefined : known.location,
    hospitalization: beyond(known.hospitalization, stay.said.hospitalization),
  });
}

/** The members that are not the same in both. */
function beyond<T extends object>(known: T | undefined, ours: T | undefined): T | undefined {
  if (known === undefined) return undefined;
  const others = Object.entries(known).filter(([name, value]) => !isDeepStrictEqual(value, ours?.[name as keyof T]));
  return Object.fromEntries(others) as T;
}

function afterAll(reports: readonly StoredReport[]): Stay {
  const stay: Stay = {
    said: {},
    isCancelled: false,
    isReopened: false,
    admittedAt: undefined,
    dischargedAt: undefined,
    moves: [],
  };
  for (const { report } of inOrder(reports)) take(stay, report);
  return stay;
}

function inOrder(reports: readonly StoredReport[]): readonly StoredReport[] {
  return [...reports].sort(
    (one, other) =>
      one.recordedAtMs - other.recordedAtMs ||
      actOrder[one.report.act] - actOrder[other.report.act] ||
      (one.key < other.key ? -1 : 1),
  );
}

function take(stay: Stay, report: StayReport): void {
  const { hospitalization: former } = stay.said;
  const { hospitalization = {} } = report.said;
  const gone = Object.fromEntries((report.emptied ?? []).map((part) => [part, undefined]));
  const circumstances = element<EncounterHospitalization>({ ...former, ...gone, ...hospitalization });
  stay.said = { ...stay.said, ...report.said, hospitalization: circumstances };
  stay.admittedAt = report.admittedAt ?? stay.admittedAt;
  switch (report.act) {
    case 'admit':
      if (stay.isCancelled) beginAgain(stay);
      stay.admittedAt = report.admittedAt ?? report.occurredAt ?? stay.admittedAt;
      return move(stay, report, true);
    case 'transfer':
      return move(stay, report, false);
    case 'discharge':
      stay.dischargedAt = report.dischargedAt ?? report.occurredAt ?? '';
      return;
    case 'update':
      return update(stay, report);
    case 'cancel-admit':
      stay.isCancelled = true;
      return;
    case 'cancel-transfer':
      stay.moves = withoutMove(stay.moves, report.movement);
      return;
    case 'cancel-discharge':
      stay.dischargedAt = undefined;
      stay.isReopened = true;
      return;
  }
}

/** Admitted after the admission was cancelled: what came of that one is not of this one. */
function beginAgain(stay: Stay): void {
  stay.isCancelled = false;
  stay.isReopened = stay.isReopened || stay.dischargedAt !== undefined;
  stay.dischargedAt = undefined;
  stay.moves = [];
}

/** A movement that is said again is the same movement. */
function move(stay: Stay, { place, occurredAt, movement }: StayReport, isAdmission: boolean): void {
  if (place === undefined) return;
  const next: Move = { id: movement?.id, at: occurredAt, place, isAdmission };
  const others = stay.moves.filter((one) => !isSame(one, next));
  stay.moves = [...others, next];
}

function isSame(one: Move, other: Move): boolean {
  if (one.isAdmission && other.isAdmission) return true;
  if (one.id !== undefined && other.id !== undefined) return one.id === other.id;
  return one.at === other.at && placeKey(one.place) === placeKey(other.place);
}

function placeKey({ identifier, display }: Reference): string {
  return `${identifier?.system}|${identifier?.value}|${display}`;
}

function update(stay: Stay, report: StayReport): void {
  const { movement, place, occurredAt } = report;
  if (stay.dischargedAt !== undefined) stay.dischargedAt = report.dischargedAt ?? stay.dischargedAt;
  if (movement?.action === 'CANCEL') {
    stay.moves = withoutMove(stay.moves, movement);
    return;
  }
  const named = stay.moves.find(({ id }) => id !== undefined && id === movement?.id) ?? stay.moves.at(-1);
  if (place === undefined) return;
  // Where he is, not since when: he may have left before this was said.
  if (named === undefined) return move(stay, { ...report, occurredAt: undefined }, true);
  const isNamed = named.id !== undefined && named.id === movement?.id;
  const changed = { ...named, place, at: isNamed ? (occurredAt ?? named.at) : named.at };
  stay.moves = stay.moves.map((one) => (one === named ? changed : one));
}

/**
 * The one that is named, else the last; the place of admission is only taken out by its name. Who cancels by name a movement that
 * has not come yet means no other.
 */
function withoutMove(moves: readonly Move[], movement: Movement | undefined): readonly Move[] {
  const named = moves.find(({ id }) => id !== undefined && id === movement?.id);
  const isNaming = movement?.action === 'CANCEL';
  const taken = named ?? moves.findLast(({ isAdmission, id }) => !isAdmission && !(isNaming && id !== undefined));
  return moves.filter((one) => one !== taken);
}

function statusOf(known: Pick<Encounter, 'status'>, stay: Stay): Encounter['status'] {
  if (stay.isCancelled) return 'cancelled';
  if (stay.dischargedAt !== undefined) return 'finished';
  if (stay.isReopened) return 'in-progress';
  const isOver = known.status === 'finished' || known.status === 'entered-in-error';
  return isOver ? known.status : 'in-progress';
}

function periodOf(known: Pick<Encounter, 'period'>, stay: Stay): Encounter['period'] {
  const firstMove = stay.moves.flatMap(({ at }) => at ?? []).sort((one, other) => instantOf(one) - instantOf(other))[0];
  const start = stay.admittedAt ?? known.period?.start ?? firstMove;
  const end = stay.dischargedAt || (stay.isReopened ? undefined : known.period?.end);
  if (start === undefined && end === undefined) return undefined;
  return element<NonNullable<Encounter['period']>>({ start, end });
}

function instantOf(dateTime: string): number {
  return Date.parse(dateTime);
}

/** One place after the other, each until the next begins. */
function locationsOf({ moves }: Stay, end: string | undefined): EncounterLocation[] {
  const order = [...moves].sort((one, other) => rankOf(one) - rankOf(other));
  return order.map(({ place, at }, index) => {
    const next = order[index + 1];
    const until = next === undefined ? end : next.at;
    const period = element<NonNullable<EncounterLocation['period']>>({ start: at, end: until });
    const isOver = next !== undefined || end !== undefined;
    return element<EncounterLocation>({
      location: place,
      status: isOver ? 'completed' : 'active',
      period: Object.keys(period).length > 0 ? period : undefined,
    });
  });
}

function rankOf({ at }: Move): number {
  return at === undefined ? Number.NEGATIVE_INFINITY : instantOf(at);
}
