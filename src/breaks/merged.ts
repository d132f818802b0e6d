/**
 * Merged patients (https://hl7.org/fhir/R4/patient.html#links): a Patient that is replaced by another, or that the other says it
 * replaces, is one with the survivor. Their records are judged as one, under the survivor; breaks that were open follow
 * there with their DetectedIssue and Task. When the link is taken away again, the breaks of what belongs to the former go
 * back, and both are judged by themselves. A chain of merges ends at its last survivor.
 */
import { referenceKey, type Resource } from '../fhir/index.ts';
import type { Change } from '../queue/index.ts';
import { everything, type Session, type WriteEntry } from '../store/index.ts';
import type { Queryable } from '../db/index.ts';
import {
  keepSaid,
  type Merge,
  mergesOf,
  type Move,
  moveMemory,
  readSaid,
  requestMoves,
  takeMoves,
} from './merged.sql.ts';
import { isBreakTask, readBreak } from './resources.ts';

const chainMax = 10;

/** Who is one with the patient. */
export interface Group {
  readonly survivor: string;
  /** Those that the survivor replaced. */
  readonly members: readonly string[];
}

interface Link {
  readonly type?: string;
  readonly other?: unknown;
}

/** What a Patient says of itself and others. */
export function mergesSaid(patient: Resource): readonly Merge[] {
  const own = `Patient/${patient.id ?? ''}`;
  return ((patient['link'] ?? []) as readonly Link[]).flatMap(({ type, other }): readonly Merge[] => {
    const key = referenceKey(other);
    if (key === undefined || !key.startsWith('Patient/') || key === own) return [];
    if (type === 'replaced-by') return [{ patient: own, survivor: key }];
    return type === 'replaces' ? [{ patient: key, survivor: own }] : [];
  });
}

/**
 * Notes what changed Patients say now, and has their breaks follow. Answers everybody whom that concerns. What a Patient
 * said stays when it is deleted: a record that was merged is often taken away afterwards.
 */
export async function noteMerges(session: Session, changes: readonly Change[]): Promise<readonly string[]> {
  const sources = [
    ...new Set(changes.filter(({ type }) => type === 'Patient').map(({ id }) => `Patient/${id}`)),
  ].sort();
  if (sources.length === 0) return [];
  const stored = await session.readMany(sources, everything);
  const before = await readSaid(session, sources);
  const moves = [];
  for (const { id, raw } of stored) {
    const source = `Patient/${id}`;
    const now = mergesSaid(JSON.parse(raw) as Resource);
    const former = before.filter(({ said_by }) => said_by === source);
    const begun = now.filter((one) => !former.some((other) => isSame(one, other)));
    const ended = former.filter((one) => !now.some((other) => isSame(one, other)));
    if (begun.length + ended.length === 0) continue;
    await keepSaid(session, source, now);
    moves.push(...begun.map(({ patient, survivor }) => ({ from: patient, to: survivor, isUndo: false })));
    moves.push(...(await undone(session, ended)));
  }
  if (moves.length === 0) return [];
  await requestMoves(session, moves);
  return moves.flatMap(({ from, to }) => [from, to]);
}

function isSame(left: Merge, right: Merge): boolean {
  return left.patient === right.patient && left.survivor === right.survivor;
}

/** The other side may still say so. */
async function undone(session: Session, ended: readonly Merge[]): Promise<readonly Omit<Move, 'seq'>[]> {
  if (ended.length === 0) return [];
  const left = await mergesOf(
    session,
    ended.map(({ patient }) => patient),
  );
  return ended
    .filter((one) => !left.some((other) => isSame(one, other)))
    .map(({ patient, survivor }) => ({ from: survivor, to: patient, isUndo: true }));
}

/** The survivors of these patients, themselves where they were not merged; each once, in order. */
export async function survivorsOf(db: Queryable, patients: readonly string[]): Promise<readonly string[]> {
  const next = await readChain(db, patients);
  return [...new Set(patients.map((one) => endOf(next, one)))].sort();
}

/** Who was replaced by whom, as far as these patients lead. */
async function readChain(db: Queryable, patients: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const next = new Map<string, string>();
  let asked = [...new Set(patients)].sort();
  for (let step = 0; step < chainMax && asked.length > 0; step++) {
    const merges = (await mergesOf(db, asked)).filter(({ patient }) => asked.includes(patient) && !next.has(patient));
    for (const { patient, survivor } of merges) if (!next.has(patient)) next.set(patient, survivor);
    asked = [...new Set(merges.map(({ survivor }) => survivor))].filter((one) => !next.has(one)).sort();
  }
  return next;
}

/** Where the chain ends; of a circle the first by id, so that all of them find the same. */
export function endOf(next: ReadonlyMap<string, string>, patient: string): string {
  const seen: string[] = [];
  for (let current = patient; ; ) {
    const following = next.get(current);
    if (following === undefined) return current;
    seen.push(current);
    const at = seen.indexOf(following);
    if (at >= 0) return [...seen.slice(at)].sort()[0] ?? current;
    current = following;
  }
}

export async function groupOf(db: Queryable, patient: string): Promise<Group> {
  const [survivor = patient] = await survivorsOf(db, [patient]);
  const members = new Set<string>();
  let found = [survivor];
  for (let step = 0; step < chainMax && found.length > 0; step++) {
    const merges = await mergesOf(db, found);
    found = merges
      .filter((one) => found.includes(one.survivor) && one.patient !== survivor && !members.has(one.patient))
      .map((one) => one.patient);
    for (const one of found) members.add(one);
  }
  return { survivor, members: [...members].sort() };
}

/** Has the breaks follow that wait for it, in the transaction of the judgment. */
export async function followMoves(session: Session, patient: string): Promise<void> {
  for (const move of await takeMoves(session, patient)) await followMove(session, move);
}

async function followMove(session: Session, move: Move): Promise<void> {
  const { from, to, isUndo } = move;
  const own = await session.compartment(from, ['DetectedIssue', 'Task']);
  const foci = isUndo ? await referencesOf(session, to) : undefined;
  const resources = own.map(({ raw }) => JSON.parse(raw) as Resource);
  const issues = resources.filter((issue) => isFollowing(issue, from, foci));
  const references = new Set(issues.map(({ id }) => `DetectedIssue/${id ?? ''}`));
  const tasks = resources.filter((task) => isBreakTask(task) && references.has(referenceKey(task['focus']) ?? ''));
  await session.commit([...issues.map((one) => movedIssue(one, move)), ...tasks.map((one) => movedTask(one, move))]);
  const keys = issues.flatMap((issue) => readBreak(issue)?.key ?? []);
  await moveMemory(session, move, { keys, foci: foci === undefined ? undefined : [...foci] });
}

/** Everything that belongs to the patient, and the Patient. */
async function referencesOf(session: Session, patient: string): Promise<ReadonlySet<string>> {
  const keys = await session.record({ of: patient, types: clinicalTypes, limit: recordMax }, everything);
  return new Set([patient, ...keys.map(({ type, id }) => `${type}/${id}`)]);
}

/** Types that rules start from. */
const clinicalTypes = [
  'Appointment',
  'CarePlan',
  'CareTeam',
  'Communication',
  'Condition',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'MedicationAdministration',
  'MedicationDispense',
  'MedicationRequest',
  'Observation',
  'Procedure',
  'QuestionnaireResponse',
  'ServiceRequest',
  'Task',
];
const recordMax = 10_000;

function isFollowing(issue: Resource, from: string, foci: ReadonlySet<string> | undefined): boolean {
  const there = readBreak(issue);
  if (there === undefined || referenceKey(issue['patient']) !== from) return false;
  const focus = there.key.slice(`${there.rule}:${from}:`.length).split('#')[0] ?? '';
  return foci === undefined || foci.has(focus);
}

function movedIssue(issue: Resource, { from, to }: Move): WriteEntry {
  const identifiers = (issue['identifier'] ?? []) as readonly { readonly value?: string }[];
  const identifier = identifiers.map((one) => ({ ...one, value: one.value?.replace(`:${from}:`, `:${to}:`) }));
  return update({ ...issue, patient: { reference: to }, identifier });
}

function movedTask(task: Resource, { to }: Move): WriteEntry {
  return update({ ...task, for: { reference: to } });
}

function update(resource: Resource): WriteEntry {
  const { resourceType: type, id = '', meta } = resource;
  return { method: 'PUT', type, id, resource, expectVersion: Number(meta?.versionId ?? 1) };
}

/** The text of a resource as if it spoke of the survivor. */
export function asSurvivor(raw: string, { survivor, members }: Group): string {
  if (members.length === 0) return raw;
  const ids = members.map((one) => one.replace('Patient/', '').replaceAll('.', '\\.')).join('|');
  return raw.replaceAll(new RegExp(`(["/])Patient/(?:${ids})(?=["/])`, 'g'), `$1${survivor}`);
}
