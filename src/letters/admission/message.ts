/**
 * HL7 v2 ADT -> what it says of a person, a stay, or two records of one person (IHE PAM National Extension France). What is
 * spoken of by number is asked for by number; nothing is linked by name.
 *
 *   EVN-2 (else MSH-7) -> recordedAt        EVN-6, ZBE-2 -> when the act took place      ZBE-1, 4 -> movement
 *   PV1-2 -> class    PV1-4 -> type, priority    PV1-3, ZBE-7 -> place    PV1-7, 8, 17 -> participant (ATND, REF, ADM)
 *   PV1-14 -> admitSource    PV1-36 -> dischargeDisposition    PV1-19, PID-18 -> identifier VN, AN    PV1-44, 45 -> times
 *   PV1-3.4 (else the authority of PV1-19) -> serviceProvider by FINESS              MRG-1 -> identifiers of the former record
 */
import { createHash } from 'node:crypto';
import type { Encounter, EncounterHospitalization, Identifier, Patient, Reference } from 'fhir/r4.js';
import type { Issue } from '../../base/index.ts';
import {
  componentOf,
  isEmptied,
  type Hl7Message,
  type Hl7Segment,
  readDateTime,
  repetitionsOf,
  segmentsOf,
  valueOf,
} from '../../formats/index.ts';
import { codeSystems } from '../codes.ts';
import { element } from '../element.ts';
import { identifierSearch, type PlanEntry } from '../plan.ts';
import { createProfessionals, type Professionals } from '../professionals.ts';
import type { Resource } from '../../fhir/index.ts';
import { type AdmissionAct, admissionActs, type StayAct } from './events.ts';
import { providerOf, readDoctors, readGeneralPractitioner } from './participants.ts';
import { authorityUri, type EmptiedTrait, readEmptied, readNumbers, readPerson } from './person.ts';
import type { EmptiedPart, Movement, StayReport } from './stay.ts';

export interface Admission {
  /** SHA-256 of the message. */
  readonly key: string;
  readonly act: AdmissionAct;
  readonly recordedAtMs: number;
  /** Professionals and structures, then the patient, then the stay: as `LetterPlan.entries`. */
  readonly entries: readonly PlanEntry[];
  readonly patientUrl: string;
  /** Of the patient. */
  readonly emptied: readonly EmptiedTrait[];
  /** undefined: the message is about the person alone. */
  readonly stay: { readonly fullUrl: string; readonly report: StayReport } | undefined;
  /** Identifiers of the record that is merged into the patient's (MRG-1). */
  readonly prior: readonly Identifier[];
}

export type AdmissionResult =
  | { readonly kind: 'admission'; readonly admission: Admission }
  | { readonly kind: 'review'; readonly reasons: readonly Issue[] };

export interface AdmissionSettings {
  readonly zone: string;
  readonly newId: () => string;
}

export function isAdmission(message: Hl7Message): boolean {
  return valueOf(message, message.segments[0], 9) === 'ADT';
}

export function readAdmission(message: Hl7Message, bytes: Uint8Array, settings: AdmissionSettings): AdmissionResult {
  const act = admissionActs.get(eventOf(message));
  if (act === undefined)
    return review(
      'not-supported',
      'événement ADT qui n’est pas traité : attendu A01 à A04, A08, A11 à A13, A28, A31, A40',
      'MSH-9',
    );
  const reasons = doubts(message, act);
  const recordedAt = timeOf(message, settings.zone, ['EVN', 2]) ?? timeOf(message, settings.zone, ['MSH', 7]);
  if (recordedAt === undefined)
    reasons.push(issue('required', 'la date d’enregistrement de l’événement manque', 'EVN-2'));
  if (reasons.length > 0 || recordedAt === undefined) return { kind: 'review', reasons };
  const newFullUrl = (): string => `urn:uuid:${settings.newId()}`;
  const professionals = createProfessionals(newFullUrl);
  const patientUrl = newFullUrl();
  const patient = readPerson(message, readGeneralPractitioner(message, professionals), settings.zone);
  const stay =
    act === 'person' || act === 'merge' ? undefined : readStay({ message, act, professionals, patientUrl, settings });
  const entries: PlanEntry[] = [
    ...professionals.entries(),
    patientEntry(patientUrl, patient),
    ...(stay === undefined ? [] : [stay.entry]),
  ];
  const prior = readNumbers(message, segmentsOf(message, 'MRG')[0], 1);
  const key = createHash('sha256').update(bytes).digest('hex');
  return {
    kind: 'admission',
    admission: {
      key,
      act,
      recordedAtMs: Date.parse(recordedAt),
      entries,
      patientUrl,
      emptied: readEmptied(message),
      stay: stay && { fullUrl: stay.entry.fullUrl, report: stay.report },
      prior,
    },
  };
}

function eventOf(message: Hl7Message): string {
  const header = message.segments[0];
  return valueOf(message, header, 9, 2) || valueOf(message, segmentsOf(message, 'EVN')[0], 1);
}

function review(code: string, text: string, expression: string): AdmissionResult {
  return { kind: 'review', reasons: [issue(code, text, expression)] };
}

function issue(code: string, text: string, expression: string, diagnostics?: string): Issue {
  return { severity: 'error', code, text, expression, ...(diagnostics && { diagnostics }) };
}

function doubts(message: Hl7Message, act: AdmissionAct): Issue[] {
  const reasons: Issue[] = [];
  const persons = segmentsOf(message, 'PID');
  if (persons.length !== 1) return [issue('structure', 'un message porte un seul patient', 'PID')];
  const numbers = readNumbers(message, persons[0], 3);
  if (numbers.length === 0)
    reasons.push(issue('required', 'le patient n’a pas d’identifiant dont l’autorité est dite', 'PID-3', '903'));
  if (act === 'merge') reasons.push(...mergeDoubts(message, numbers));
  if (act !== 'person' && act !== 'merge' && act !== 'update' && stayNumbers(message).length === 0)
    reasons.push(issue('required', 'le séjour n’a pas de numéro dont l’autorité est dite', 'PV1-19'));
  return reasons;
}

/** A hospital says of its own numbers that they are of one person; of another's it cannot know. */
function mergeDoubts(message: Hl7Message, numbers: readonly Identifier[]): Issue[] {
  const merges = segmentsOf(message, 'MRG');
  const prior = readNumbers(message, merges[0], 1);
  if (merges.length !== 1 || prior.length === 0)
    return [issue('required', 'une fusion nomme un seul ancien dossier, par ses identifiants', 'MRG-1')];
  if (prior.some(({ system }) => numbers.some((number) => number.system === system))) return [];
  return [issue('conflict', 'une fusion nomme les deux dossiers par des numéros de la même autorité', 'MRG-1', '904')];
}

type Place = readonly [segment: string, field: number];

function timeOf(message: Hl7Message, zone: string, [segment, field]: Place): string | undefined {
  const read = readDateTime(valueOf(message, segmentsOf(message, segment)[0], field), zone);
  return read.kind === 'dateTime' ? read.value : undefined;
}

function patientEntry(fullUrl: string, patient: Patient): PlanEntry {
  const searches = [identifierSearch('Patient', patient.identifier ?? [])];
  return { fullUrl, resource: patient as unknown as Resource, match: { kind: 'admitted-patient', searches } };
}

interface StayInput {
  readonly message: Hl7Message;
  readonly act: StayAct;
  readonly professionals: Professionals;
  readonly patientUrl: string;
  readonly settings: AdmissionSettings;
}

function readStay(input: StayInput): { readonly entry: PlanEntry; readonly report: StayReport } | undefined {
  const { message, professionals, patientUrl, settings } = input;
  const identifier = stayNumbers(message);
  if (identifier.length === 0) return undefined;
  const pv1 = segmentsOf(message, 'PV1')[0];
  const report = readReport(input, pv1);
  const said = element<Encounter>({
    resourceType: 'Encounter',
    identifier,
    status: 'in-progress',
    class: classes.get(valueOf(message, pv1, 2)),
    ...kindOf(valueOf(message, pv1, 4)),
    subject: { reference: patientUrl },
    participant: readDoctors(message, pv1, professionals),
    serviceProvider: professionals.organization(providerOf(message, pv1)),
    hospitalization: readHospitalization(message, pv1),
  });
  const { resourceType: _type, status: _status, subject: _subject, ...repeated } = said;
  const period = report.admittedAt ?? (input.act === 'admit' ? report.occurredAt : undefined);
  const resource = element<Encounter>({
    ...said,
    class: said.class ?? inpatient,
    period: period ? { start: period } : undefined,
  });
  const searches = [identifierSearch('Encounter', identifier), ...sameDay(patientUrl, period)];
  const entry: PlanEntry = {
    fullUrl: `urn:uuid:${settings.newId()}`,
    resource: resource as unknown as Resource,
    match: { kind: 'admitted-stay', searches },
  };
  return { entry, report: { ...report, said: repeated } };
}

/** Stays that a letter may have made before the hospital's own messages came. */
function sameDay(patientUrl: string, start: string | undefined): PlanSearches {
  if (start === undefined) return [];
  const day = (offset: number) => new Date(Date.parse(start) + offset * 86_400_000).toISOString().slice(0, 10);
  const parameters: [string, string][] = [
    ['patient', patientUrl],
    ['date', `gt${day(-2)}`],
    ['date', `lt${day(2)}`],
    ['_include', 'Encounter:service-provider'],
  ];
  return [{ type: 'Encounter', parameters }];
}

type PlanSearches = { type: string; parameters: [string, string][] }[];

function readReport({ message, act, settings }: StayInput, pv1: Hl7Segment | undefined): StayReport {
  const zbe = segmentsOf(message, 'ZBE')[0];
  const time = (...places: Place[]) =>
    places.map((place) => timeOf(message, settings.zone, place)).find((one) => one !== undefined);
  return {
    act,
    occurredAt: time(['ZBE', 2], ['EVN', 6], ['EVN', 2]),
    admittedAt: time(['PV1', 44]),
    dischargedAt: time(['PV1', 45]),
    place: placeOf(message, pv1, zbe),
    movement: movementOf(message, zbe),
    said: {},
    emptied: emptiedParts.flatMap(([part, field]) => (isEmptied(message, pv1, field) ? [part] : [])),
  };
}

const emptiedParts: readonly (readonly [part: EmptiedPart, field: number])[] = [
  ['admitSource', 14],
  ['dischargeDisposition', 36],
];

/** ZBE-4 stands one field further left in some official messages. */
function movementOf(message: Hl7Message, zbe: Hl7Segment | undefined): Movement | undefined {
  const id = valueOf(message, zbe, 1);
  if (id === '') return undefined;
  const action = [4, 3, 5]
    .map((field) => valueOf(message, zbe, field))
    .find((one) => /^(?:INSERT|UPDATE|CANCEL)$/.test(one));
  return { id: `${id}^${componentOf(message, zbe?.fields[1] ?? '', 2)}`, action: action as Movement['action'] };
}

/** Unit (UF), room and bed; by the unit's number where one is said. */
function placeOf(message: Hl7Message, pv1: Hl7Segment | undefined, zbe: Hl7Segment | undefined): Reference | undefined {
  const pl = repetitionsOf(message, pv1, 3)[0] ?? '';
  const unit = unitOf(message, zbe);
  const number = componentOf(message, unit, 10) || componentOf(message, pl, 1);
  const display = placeName(message, pl, unit);
  if (number === '' && display === '') return undefined;
  const system = authorityUri(message, unit, 6, 'UF') ?? authorityUri(message, pl, 4, 'UF') ?? unknownUnits;
  return element<Reference>({
    type: 'Location',
    identifier: number === '' ? undefined : { system, value: number },
    display: display || number,
  });
}

/** Numbers of units whose hospital is not said. */
const unknownUnits = 'https://suture.example/fhir/sid/hl7v2/UF';

/** ZBE-7 in France; one field further on in some official messages. */
function unitOf(message: Hl7Message, zbe: Hl7Segment | undefined): string {
  const units = [7, 8, 6].map((field) => repetitionsOf(message, zbe, field)[0] ?? '');
  return units.find((xon) => componentOf(message, xon, 7) === 'UF') ?? '';
}

function placeName(message: Hl7Message, pl: string, unit: string): string {
  const [room, bed] = [componentOf(message, pl, 2), componentOf(message, pl, 3)];
  const name = componentOf(message, unit, 1) || componentOf(message, pl, 9) || componentOf(message, pl, 1);
  // The third component is the hospital itself where a sender leaves one out.
  const isBed = bed !== '' && !bed.includes(message.delimiters.subcomponent);
  return [name, room && `chambre ${room}`, isBed && `lit ${bed}`].filter(Boolean).join(', ');
}

const inpatient = { system: codeSystems.actCode, code: 'IMP', display: 'inpatient encounter' };
const ambulatory = { system: codeSystems.actCode, code: 'AMB', display: 'ambulatory' };

/** HL7 table 0004. */
const classes: ReadonlyMap<string, Encounter['class']> = new Map([
  ['I', inpatient],
  ['B', inpatient],
  ['O', ambulatory],
  ['R', ambulatory],
  ['E', { system: codeSystems.actCode, code: 'EMER', display: 'emergency' }],
  ['P', { system: codeSystems.actCode, code: 'PRENC', display: 'pre-admission' }],
]);

/** HL7 table 0007: how the admission came about. */
function kindOf(code: string): Pick<Encounter, 'type' | 'priority'> {
  if (!/^[A-Z]$/.test(code)) return {};
  const type = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0007', code }] }];
  const isUrgent = code === 'U' || code === 'E';
  const urgent = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActPriority', code: 'EM', display: 'emergency' }],
  };
  return isUrgent ? { type, priority: urgent } : { type };
}

const dispositionSystem = 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-circonstances-sortie';
const deadOnLeaving = {
  system: 'http://terminology.hl7.org/CodeSystem/discharge-disposition',
  code: 'exp',
  display: 'Expired',
};

function readHospitalization(message: Hl7Message, pv1: Hl7Segment | undefined): EncounterHospitalization | undefined {
  const [source, left] = [valueOf(message, pv1, 14), valueOf(message, pv1, 36)];
  const hospitalization = element<EncounterHospitalization>({
    admitSource:
      source === ''
        ? undefined
        : { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0023', code: source }] },
    dischargeDisposition:
      left === ''
        ? undefined
        : { coding: left === 'D' || left === '20' ? [deadOnLeaving] : [{ system: dispositionSystem, code: left }] },
  });
  return Object.keys(hospitalization).length > 0 ? hospitalization : undefined;
}

function stayNumbers(message: Hl7Message): Identifier[] {
  const of = (segment: string, field: number, code: string, system: string): Identifier[] =>
    repetitionsOf(message, segmentsOf(message, segment)[0], field).flatMap((cx) => {
      const value = componentOf(message, cx, 1);
      const authority = authorityUri(message, cx, 4, code);
      return value === '' || authority === undefined
        ? []
        : [{ type: { coding: [{ system, code }] }, system: authority, value }];
    });
  const visit = of('PV1', 19, 'VN', codeSystems.frVisitNumberType);
  // An account may go over several stays: it names one only where nothing else does.
  return visit.length > 0 || segmentsOf(message, 'PV1').length === 0
    ? visit
    : of('PID', 18, 'AN', codeSystems.identifierType);
}
