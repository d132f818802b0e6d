/**
 * Building the index of a search parameter that was stored as a resource (https://hl7.org/fhir/R4/searchparameter.html).
 *
 *     stored -> every new write knows it; a search with it is refused
 *            -> job `reindex`, batch after batch: pass 1 everything by type and id, pass 2 what was written since the parameter was
 *            -> whole: searches answer
 *
 * A batch is one transaction: index rows, place, progress and the next run of the job. A kill loses at most the batch that ran. The second
 * pass is for writes of an instance that had not heard of the parameter yet. Progress is a Task, for whoever waits for it.
 */
import { createHash } from 'node:crypto';
import { type Clock, formatInstant } from '../base/index.ts';
import type { Queryable, Transaction } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import { finishJob, type Job, type JobRequest, type Work } from '../queue/index.ts';
import type { IndexValues } from '../search/index.ts';
import { reindexParameters } from './entry.ts';
import {
  countResources,
  lockParameter,
  type ParameterRow,
  type Progress,
  readByIdentity,
  readByUpdate,
  type ResourceRow,
  saveProgress,
} from './search-parameters.sql.ts';
import type { Session, Store } from './store.ts';

export const reindexKind = 'reindex';
const batchSize = 200;
const lastPass = 2;
const retryMs = [1000, 10_000, 60_000, 600_000];

export function reindexJob(id: string, nowMs: number): JobRequest {
  return { kind: reindexKind, key: id, runAtMs: nowMs };
}

export interface ReindexInput {
  readonly store: Store;
  readonly clock: Clock;
  readonly holder: number;
  readonly index: (resource: Resource) => IndexValues;
  /** The types whose resources the parameter may find. */
  readonly typesOf: (base: readonly string[]) => readonly string[];
  /** Reads the parameters again: what is indexed here must know those that the batch is for. */
  readonly reload: () => Promise<void>;
}

export function createReindexWork(input: ReindexInput): Work {
  return {
    kind: reindexKind,
    concurrency: 1,
    retryAfterMs: (attempts) => retryMs[Math.min(attempts, retryMs.length) - 1],
    async handle(job) {
      await input.reload();
      await input.store.transaction((session, tx) => runBatch(input, job, { session, tx }));
    },
  };
}

interface Transacted {
  readonly session: Session;
  readonly tx: Transaction;
}

async function runBatch(input: ReindexInput, job: Job, { session, tx }: Transacted): Promise<void> {
  const { clock, holder } = input;
  const parameter = await lockParameter(tx, job.key);
  if (parameter === undefined || parameter.isWhole) return finishJob(tx, job, holder);
  const types = input.typesOf(parameter.base);
  const rows = await readBatch(tx, parameter, types);
  const total = parameter.total ?? (await countResources(tx, types));
  if (rows.length > 0) await tx.query(reindexStatement(rows, input.index));
  const progress = advance({ ...parameter, total }, rows);
  await saveProgress(tx, progress);
  if (isWorthTelling(parameter, progress)) await session.commit([taskEntry(parameter, progress, clock.now())]);
  await finishJob(tx, job, holder, progress.isWhole ? undefined : { runAtMs: clock.now() });
}

function readBatch(tx: Queryable, { pass, place, startedAt }: ParameterRow, types: readonly string[]) {
  return pass === lastPass
    ? readByUpdate(tx, types, { place, sinceMs: startedAt.getTime(), limit: batchSize })
    : readByIdentity(tx, types, { place, limit: batchSize });
}

function reindexStatement(rows: readonly ResourceRow[], index: ReindexInput['index']) {
  const values = rows.map(({ raw }) => index(JSON.parse(raw) as Resource));
  return {
    name: 'reindex',
    text: 'select store_reindex($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    values: [rows.map(({ rid }) => rid), rows.map(({ version }) => version), ...reindexParameters(values)],
  };
}

function advance(parameter: ParameterRow, rows: readonly ResourceRow[]): Progress {
  const { id, pass, done, total } = parameter;
  const last = rows.at(-1);
  const isPassDone = last === undefined || rows.length < batchSize;
  const known = { id, total, done: pass === 1 ? done + rows.length : done };
  if (!isPassDone) {
    return {
      ...known,
      pass,
      place: pass === lastPass ? [last.updated, last.rid] : [last.type, last.id],
      isWhole: false,
    };
  }
  // What was counted at the begin may have grown or shrunk while the pass went on: now it is known.
  return { ...known, total: known.done, pass: lastPass, place: null, isWhole: pass === lastPass };
}

const steps = 10;

/** At the begin, at the end, and when another tenth is done: a version of the Task for each. */
function isWorthTelling({ done, total: totalBefore }: ParameterRow, progress: Progress): boolean {
  const tenth = (count: number) => Math.floor((count * steps) / Math.max(1, progress.total ?? 1));
  return totalBefore === null || progress.isWhole || tenth(done) !== tenth(progress.done);
}

export function reindexTaskId(id: string): string {
  return `reindex-${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

function taskEntry({ id, startedAt }: ParameterRow, { done, total, isWhole }: Progress, nowMs: number) {
  const count = (code: string, text: string, value: number) => ({
    type: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/task', code }], text },
    valueInteger: value,
  });
  const resource = {
    resourceType: 'Task',
    id: reindexTaskId(id),
    status: isWhole ? 'completed' : 'in-progress',
    intent: 'order',
    code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/task', code: 're-index' }] },
    description: 'Indexation de ce qui est déjà enregistré pour un paramètre de recherche',
    focus: { reference: `SearchParameter/${id}` },
    executionPeriod: { start: formatInstant(startedAt.getTime()), ...(isWhole ? { end: formatInstant(nowMs) } : {}) },
    lastModified: formatInstant(nowMs),
    output: [
      count('resources-done', 'ressources indexées', done),
      count('resources-found', 'ressources à indexer', total ?? 0),
    ],
  } as Resource;
  return { method: 'PUT' as const, type: 'Task', id: reindexTaskId(id), resource };
}
