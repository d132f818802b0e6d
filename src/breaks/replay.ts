/**
 * The engine over one patient's record in memory: the same judgments, plans and states as in the server, without a
 * database, at any speed. Resources are put and time moves on; what opens and closes is told. Back-tests replay a history
 * through it, the simulation a model's year.
 */
import { formatInstant } from '../base/index.ts';
import { formatLocal, type Resource } from '../fhir/index.ts';
import type { StoredVersion } from '../store/index.ts';
import { lastBreaks, splitVerdicts } from './expectations.ts';
import {
  concludeJudgments,
  type Judged,
  type JudgeInput,
  type KnownJudgment,
  nextInstant,
  type Select,
} from './judge-patient.ts';
import { judgeHere } from './judge-record.ts';
import { judgmentRows } from './judgment-rows.ts';
import { type BreakReason, type BreakState, isClosed } from './machine.ts';
import { type PlanInput, planBreaks } from './plan.ts';
import type { PatientRecord } from './record.ts';
import { isBreakTask, isOwnAlert, readBreak } from './resources.ts';
import type { RuleBook } from './rule-book.ts';
import type { Places } from './sites.ts';
import { withSingleStays } from './stays.ts';

export interface ReplayInput {
  /** `Patient/id`. */
  readonly patient: string;
  readonly book: RuleBook;
  readonly select: Select;
  readonly places: Places;
  readonly lateKnowledgeMs: number;
  readonly proofAwaitedMs: number;
  readonly begins?: JudgeInput['begins'];
}

/** A break that changed its state. */
export interface ReplayedMove {
  readonly atMs: number;
  readonly rule: string;
  readonly key: string;
  readonly occurrence: number;
  readonly from: BreakState | undefined;
  readonly to: BreakState;
  readonly reason: BreakReason | undefined;
  readonly dueAtMs: number | undefined;
  readonly issueId: string;
}

export interface Replay {
  /** What was written at that instant, long ago: it is there, and nothing is judged. */
  recall(changes: readonly ReplayedChange[], atMs: number): void;
  /** Judges what is there for the first time: what has long been broken opens, and nobody is called about it. */
  begin(atMs: number): Promise<void>;
  /** Moves time to `atMs`, through every instant at which something falls due before it or at it. */
  advanceTo(atMs: number): Promise<void>;
  /** As a commit at that instant: all of them or nothing in between. Time must have been moved there. */
  write(changes: readonly ReplayedChange[], atMs: number): Promise<void>;
  readonly moves: readonly ReplayedMove[];
  /** When somebody was called: one entry for each alert. */
  readonly alerts: readonly number[];
  /** Judgments that failed, by rule and part. */
  readonly errors: ReadonlyMap<string, number>;
  /** What the record holds now, the engine's own resources too. */
  resources(): readonly Resource[];
}

export type ReplayedChange = { readonly resource: Resource } | { readonly deleted: string };

interface Kept extends StoredVersion {
  /** Undefined for a deletion. */
  readonly resource: Resource | undefined;
}

/** Versions of one resource, oldest first. */
type Versions = Kept[];

const turnsMax = 100_000;

export function createReplay(input: ReplayInput): Replay {
  const memory: Memory = {
    input,
    store: new Map(),
    moves: [],
    alerts: [],
    errors: new Map(),
    known: [],
    nextAtMs: undefined,
    made: 0,
  };
  return {
    moves: memory.moves,
    alerts: memory.alerts,
    errors: memory.errors,
    resources: () => [...memory.store.values()].flatMap((versions) => currentOf(versions) ?? []),
    async advanceTo(atMs) {
      for (let turn = 0; memory.nextAtMs !== undefined && memory.nextAtMs <= atMs; turn++) {
        if (turn === turnsMax)
          throw new Error('time stands still: a judgment asks for the same instant again and again');
        await look(memory, memory.nextAtMs);
      }
    },
    recall: (changes, atMs) => apply(memory, changes, atMs),
    begin: (atMs) => look(memory, atMs, true),
    async write(changes, atMs) {
      apply(memory, changes, atMs);
      await look(memory, atMs);
    },
  };
}

interface Memory {
  readonly input: ReplayInput;
  readonly store: Map<string, Versions>;
  readonly moves: ReplayedMove[];
  readonly alerts: number[];
  readonly errors: Map<string, number>;
  known: readonly KnownJudgment[];
  nextAtMs: number | undefined;
  /** How many resources the engine has made. */
  made: number;
}

function apply({ store }: Memory, changes: readonly ReplayedChange[], atMs: number): void {
  for (const change of changes) {
    if ('resource' in change) put(store, change.resource, atMs);
    else remove(store, change.deleted, atMs);
  }
}

function put(store: Memory['store'], resource: Resource, atMs: number): void {
  const key = `${resource.resourceType}/${resource.id ?? ''}`;
  const versions = store.get(key) ?? [];
  store.set(key, versions);
  const version = versions.length + 1;
  const meta = { ...resource.meta, versionId: String(version), lastUpdated: formatInstant(atMs) };
  versions.push(versionOf(key, { version, atMs, resource: { ...resource, meta } }));
}

/** One judgment of the whole record, as the server makes it. */
async function look(memory: Memory, atMs: number, isUntold = false): Promise<void> {
  const { input, store, moves, alerts } = memory;
  const record = recordOf(input.patient, store);
  const history = (type: string, id: string) => Promise.resolve([...(store.get(`${type}/${id}`) ?? [])].reverse());
  const { book, select, places, begins } = input;
  const before = new Map(memory.known.map((one) => [`${one.rule} ${one.focus}`, one]));
  const whole = {
    ...{ record, select, places, nowMs: atMs, ruleSets: book.ruleSets, overrides: book.overrides },
    known: (rule: { readonly code: string }, focusKey: string) => before.get(`${rule.code} ${focusKey}`),
    ...(begins === undefined ? {} : { begins }),
  };
  const judged = concludeJudgments({ ...whole, since: () => undefined }, await judgeHere({ history }, whole));
  countErrors(judged, memory.errors);
  const breaks = lastBreaks(record);
  const plan = planBreaks({
    ...planSetting(memory, record, atMs),
    ...splitVerdicts({ record, book, judged }),
    breaks,
    isUntold: () => isUntold,
  });
  for (const resource of plan.resources) {
    if (resource.resourceType === 'DetectedIssue') tellMove(resource, breaks, { atMs, moves });
    if (isOwnAlert(resource)) alerts.push(atMs);
    put(store, resource, atMs);
  }
  memory.known = remember(memory.known, judged);
  const instants = [nextInstant(judged, atMs), plan.nextAtMs].filter((one): one is number => one !== undefined);
  memory.nextAtMs = instants.length === 0 ? undefined : Math.min(...instants);
}

type PlanSetting = Omit<PlanInput, 'expectations' | 'orphans' | 'breaks' | 'isUntold'>;

function planSetting(memory: Memory, record: PatientRecord, nowMs: number): PlanSetting {
  const { patient, places, lateKnowledgeMs, proofAwaitedMs } = memory.input;
  const usual = places.of(record).dates.zone;
  return {
    patient,
    nowMs,
    tasks: (record.byType.get('Task') ?? []).filter(isBreakTask),
    nextId: () => `replayed-${++memory.made}`,
    dateTime: (instantMs, zone = usual) => formatLocal(instantMs, zone),
    lateKnowledgeMs,
    proofAwaitedMs,
    silences: [],
    quietUntilMs: undefined,
  };
}

function versionOf(key: string, of: { version: number; atMs: number; resource: Resource | undefined }): Kept {
  const [type = '', id = ''] = key.split('/');
  const { version, atMs, resource } = of;
  const isDeleted = resource === undefined;
  const raw = isDeleted ? '' : JSON.stringify(resource);
  return {
    type,
    id,
    version,
    lastUpdated: new Date(atMs),
    method: isDeleted ? 'DELETE' : 'PUT',
    isDeleted,
    raw,
    resource,
  };
}

function remove(store: Map<string, Versions>, key: string, atMs: number): void {
  const versions = store.get(key);
  if (versions === undefined || versions.at(-1)?.isDeleted !== false) return;
  versions.push(versionOf(key, { version: versions.length + 1, atMs, resource: undefined }));
}

function currentOf(versions: Versions): Resource | undefined {
  return versions.at(-1)?.resource;
}

const professionalTypes = new Set(['Practitioner', 'PractitionerRole', 'Organization']);

/** Resources by id: an order that tells nothing of time, as in the database. */
function recordOf(patient: string, store: ReadonlyMap<string, Versions>): PatientRecord {
  const byType = new Map<string, Resource[]>();
  const professionals: Resource[] = [];
  for (const key of [...store.keys()].sort()) {
    const resource = currentOf(store.get(key) ?? []);
    if (resource === undefined) continue;
    if (professionalTypes.has(resource.resourceType)) professionals.push(resource);
    else byType.set(resource.resourceType, [...(byType.get(resource.resourceType) ?? []), resource]);
  }
  const own = byType.get('Patient')?.find(({ id }) => `Patient/${id ?? ''}` === patient);
  return withSingleStays({ reference: patient, patient: own, byType, professionals });
}

function countErrors(judged: readonly Judged[], errors: Map<string, number>): void {
  for (const { rule, result } of judged) {
    if (result.kind !== 'error') continue;
    const key = `${rule.code} ${result.expression}: ${result.message}`;
    errors.set(key, (errors.get(key) ?? 0) + 1);
  }
}

function tellMove(
  issue: Resource,
  before: ReturnType<typeof lastBreaks>,
  { atMs, moves }: { atMs: number; moves: ReplayedMove[] },
): void {
  const now = readBreak(issue);
  if (now === undefined) return;
  const former = before.get(now.key);
  const from = former?.issue.id === issue.id ? former?.known.state : undefined;
  if (from === now.known.state) return;
  const { rule, key, occurrence, known } = now;
  const reason = isClosed(known.state) ? known.reason : undefined;
  const { state: to, dueAtMs } = known;
  moves.push({ atMs, rule, key, occurrence, from, to, reason, dueAtMs, issueId: issue.id ?? '' });
}

function remember(known: readonly KnownJudgment[], judged: readonly Judged[]): readonly KnownJudgment[] {
  const all = new Map(known.map((one) => [`${one.rule} ${one.focus}`, one]));
  for (const { dueAt, ...row } of judgmentRows(judged, known)) {
    const dueAtMs = dueAt === undefined ? undefined : Date.parse(dueAt);
    all.set(`${row.rule} ${row.focus}`, { ...row, dueAtMs });
  }
  return [...all.values()];
}
