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
 * Of an Encounter that others have made (a letter, a FHIR client), what no report speaks of stays as it is.
 */
import type { Encounter, EncounterLocation, Reference } from 'fhir/r4.js';
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
}

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
  isAdmitted: boolean;
  isCancelled: boolean;
  isReopened: boolean;
  admittedAt: string | undefined;
  /** undefined: not discharged; '' = discharged, nobody says when. */
  dischargedAt: string | undefined;
  moves: readonly Move[];
}

/** The Encounter after all reports; `known`: as it stands now. */
export function stayOf(known: Encounter, reports: readonly StoredReport[]): Encounter {
  const stay: Stay = {
    said: {},
    isAdmitted: false,
    isCancelled: false,
    isReopened: false,
    admittedAt: undefined,
    dischargedAt: undefined,
    moves: [],
  };
  for (const { report } of inOrder(reports)) take(stay, report);
  const { identifier = [], ...said } = stay.said;
  const added = identifier.filter((number) => !shareIdentity([number], known.identifier));
  const period = periodOf(known, stay);
  return element({
    ...known,
    ...said,
    identifier: [...(known.identifier ?? []), ...added],
    status: statusOf(known, stay),
    period,
    location: stay.moves.length > 0 ? locationsOf(stay, period?.end) : known.location,
    ...(said.hospitalization && { hospitalization: { ...known.hospitalization, ...said.hospitalization } }),
  });
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
  const { hospitalization } = report.said;
  stay.said = {
    ...stay.said,
    ...report.said,
    ...(hospitalization && { hospitalization: { ...former, ...hospitalization } }),
  };
  stay.admittedAt = report.admittedAt ?? stay.admittedAt;
  switch (report.act) {
    case 'admit':
      stay.isAdmitted = true;
      stay.isCancelled = false;
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
      stay.moves = withoutMove(stay.moves, report.movement?.id);
      return;
    case 'cancel-discharge':
      stay.dischargedAt = undefined;
      stay.isReopened = true;
      return;
  }
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
    stay.moves = withoutMove(stay.moves, movement.id);
    return;
  }
  const named = stay.moves.find(({ id }) => id !== undefined && id === movement?.id) ?? stay.moves.at(-1);
  if (place === undefined) return;
  if (named === undefined) return move(stay, report, true);
  const isNamed = named.id !== undefined && named.id === movement?.id;
  const changed = { ...named, place, at: isNamed ? (occurredAt ?? named.at) : named.at };
  stay.moves = stay.moves.map((one) => (one === named ? changed : one));
}

/** The one that is named, else the last; the place of admission is only taken out by its name. */
function withoutMove(moves: readonly Move[], id: string | undefined): readonly Move[] {
  const named = moves.find((one) => one.id !== undefined && one.id === id);
  const taken = named ?? moves.findLast(({ isAdmission }) => !isAdmission);
  return moves.filter((one) => one !== taken);
}

function statusOf(known: Encounter, stay: Stay): Encounter['status'] {
  if (stay.isCancelled) return 'cancelled';
  if (stay.dischargedAt !== undefined) return 'finished';
  if (stay.isReopened) return 'in-progress';
  const isOver = known.status === 'finished' || known.status === 'entered-in-error';
  return isOver ? known.status : 'in-progress';
}

function periodOf(known: Encounter, stay: Stay): Encounter['period'] {
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
