/**
 * Bulk jobs (http://hl7.org/fhir/uv/bulkdata, asynchronous request pattern of R4): a request is kept as a row and a durable job
 * does it step by step, each step in a transaction that also keeps how far it has come. A crash loses at most the step
 * that was under way. Files are NDJSON, reached by signed links until the job expires; a DELETE takes all of it away.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Caller, callerKey, mayEverything } from '../../access/index.ts';
import { Problem } from '../../base/index.ts';
import type { Transaction } from '../../db/index.ts';
import { finishJob, type Job, requestJobs, type Work } from '../../queue/index.ts';
import type { Session } from '../../store/index.ts';
import type { Answer, Context, Request } from '../context.ts';
import type { Route } from '../route.ts';
import {
  advanceJob,
  type BulkFile,
  type BulkJob,
  type BulkKind,
  deleteJob,
  insertFiles,
  insertJob,
  listFiles,
  lockJob,
  readFile,
  readJob,
} from './bulk.sql.ts';

export const bulkLimits = { keptMs: 24 * 3_600_000, retryWaitMs: 1000, retriesMax: 20, retryAfterS: 1 };

export const ndjson = 'application/fhir+ndjson';

/** One step of a job: what it did, and where it stands now. */
export interface Step<Progress> {
  readonly progress: Progress;
  readonly isDone: boolean;
}

export interface BulkWorkInput {
  readonly context: Context;
  readonly holder: number;
}

/** The work of one kind of job, a step at a time. */
export function createBulkWork<Asked, Progress>(
  { context, holder }: BulkWorkInput,
  kind: BulkKind,
  step: (inside: { session: Session; tx: Transaction }, bulk: BulkJob<Asked, Progress>) => Promise<Step<Progress>>,
): Work {
  return {
    kind: `bulk-${kind}`,
    concurrency: 1,
    retryAfterMs: () => bulkLimits.retryWaitMs,
    handle: (job: Job) =>
      context.store.transaction(async (session, tx) => {
        const now = context.clock.now();
        const bulk = await lockJob<Asked, Progress>(tx, job.key);
        // Cancelled, or its time is over.
        if (bulk === undefined || bulk.state !== 'active') {
          if (bulk !== undefined) await deleteJob(tx, bulk.id);
          return finishJob(tx, job, holder);
        }
        const expiresAt = new Date(now + bulkLimits.keptMs);
        if (job.attempts > bulkLimits.retriesMax) {
          await advanceJob(tx, bulk.id, { progress: bulk.progress, state: 'failed', expiresAt });
          return finishJob(tx, job, holder, { runAtMs: expiresAt.getTime() });
        }
        const { progress, isDone } = await step({ session, tx }, bulk);
        await advanceJob(tx, bulk.id, {
          progress,
          ...(isDone ? { state: 'completed', expiresAt } : { state: 'active' }),
        });
        await finishJob(tx, job, holder, { runAtMs: isDone ? expiresAt.getTime() : now });
      }),
  };
}

/** Every job is of one caller, and works with what he may. */
export interface BulkRequest {
  readonly caller: Caller;
}

/** Keeps the request with its files and asks for the job; answers 202 with the place of its state. */
export async function startBulk(
  context: Context,
  kind: BulkKind,
  start: { readonly request: BulkRequest; readonly progress: unknown; readonly files?: readonly BulkFile[] },
): Promise<Answer> {
  const now = context.clock.now();
  const id = context.ids.next(now);
  await context.store.transaction(async (_session, tx) => {
    const { request, progress } = start;
    await insertJob(tx, { id, kind, request, progress, created_at: new Date(now) });
    await insertFiles(tx, id, start.files ?? []);
    await requestJobs(tx, [{ kind: `bulk-${kind}`, key: id, runAtMs: now }]);
  });
  return { status: 202, headers: { 'content-location': `${context.baseUrl}/_bulk/${id}` } };
}

export const bulkRoutes: readonly Route[] = [
  {
    code: 'operation',
    method: 'GET',
    path: '/_bulk/:id',
    content: 'bytes',
    summary: 'How far a bulk job has come: 202 while it runs, then 200 with its files.',
    run: readState,
  },
  {
    code: 'operation',
    method: 'DELETE',
    path: '/_bulk/:id',
    content: 'none',
    summary: 'Cancels a bulk job, or deletes its files.',
    run: cancel,
  },
  {
    code: 'operation',
    method: 'GET',
    path: '/_bulk/:id/:versionId',
    content: 'bytes',
    summary: 'A file of a bulk job, by its signed link.',
    run: readBulkFile,
  },
];

/** Of another caller it is as if there were none. */
function requireOwn(bulk: BulkJob | undefined, caller: Caller): asserts bulk is BulkJob {
  const owner = (bulk?.request as Partial<BulkRequest> | undefined)?.caller;
  const isOwn = mayEverything(caller) || (owner !== undefined && callerKey(owner) === callerKey(caller));
  if (bulk === undefined || !isOwn) throw new Problem('not-found', 'no bulk job with this id, or it has expired');
}

async function readState(context: Context, { id = '', caller }: Request): Promise<Answer> {
  return context.store.transaction(async (_session, tx) => {
    const bulk = await readJob(tx, id);
    requireOwn(bulk, caller);
    const { done = 0, total, unit = 'resources' } = bulk.progress as { done?: number; total?: number; unit?: string };
    if (bulk.state === 'active') {
      return {
        status: 202,
        headers: {
          'x-progress': `${done}${total === undefined ? '' : ` of ${total}`} ${unit}`,
          'retry-after': String(bulkLimits.retryAfterS),
        },
      };
    }
    if (bulk.state === 'failed') throw new Problem('fault', 'the bulk job failed');
    const files = (await listFiles(tx, id)).filter(({ kind }) => kind !== 'input');
    const link = ({ number, type, lines }: (typeof files)[number]) => ({
      type,
      url: signedUrl(context, bulk, number),
      count: lines,
    });
    const manifest = {
      transactionTime: bulk.created_at.toISOString(),
      request: (bulk.request as { url?: string }).url ?? context.baseUrl,
      requiresAccessToken: !mayEverything(caller),
      output: files.filter(({ kind }) => kind === 'output').map(link),
      error: files.filter(({ kind }) => kind === 'error').map(link),
      extension: { [unit]: done },
    };
    const content = Buffer.from(JSON.stringify(manifest));
    const headers = { expires: (bulk.expires_at ?? bulk.created_at).toUTCString() };
    return { status: 200, headers, bytes: { contentType: 'application/json', content } };
  });
}

/** The one resource that a job answers; undefined while it runs. Throws when it failed, or was cancelled. */
export async function readBulkAnswer(context: Context, id: string): Promise<string | undefined> {
  return context.store.transaction(async (_session, tx) => {
    const bulk = await readJob(tx, id);
    if (bulk === undefined) throw new Problem('conflict', 'the job was cancelled');
    if (bulk.state === 'failed') throw new Problem('fault', 'the job failed');
    if (bulk.state === 'active') return undefined;
    return (await readFile(tx, id, 1))?.content.trimEnd();
  });
}

async function cancel(context: Context, { id = '', caller }: Request): Promise<Answer> {
  await context.store.transaction(async (_session, tx) => {
    requireOwn(await lockJob(tx, id), caller);
    await deleteJob(tx, id);
  });
  return { status: 202 };
}

async function readBulkFile(context: Context, { id = '', versionId = '', query, caller }: Request): Promise<Answer> {
  const given = new Map(query);
  const expires = given.get('expires') ?? '';
  const expected = Buffer.from(sign(context, `${id}/${versionId}/${expires}`));
  const signature = Buffer.from(given.get('signature') ?? '');
  const isOurs = signature.length === expected.length && timingSafeEqual(signature, expected);
  if (!isOurs) throw new Problem('forbidden', 'the link to the file is not one of this server');
  const number = /^\d{1,9}$/.test(versionId) ? Number(versionId) : -1;
  const isOver = Number(expires) <= context.clock.now();
  const file = await context.store.transaction(async (_session, tx) => {
    if (isOver) return undefined;
    requireOwn(await readJob(tx, id), caller);
    return readFile(tx, id, number);
  });
  if (file === undefined) throw new Problem('not-found', 'the file is no longer there');
  return { status: 200, bytes: { contentType: ndjson, content: Buffer.from(file.content) } };
}

function signedUrl(context: Context, { id, expires_at, created_at }: BulkJob, number: number): string {
  const expires = String((expires_at ?? created_at).getTime());
  const query = new URLSearchParams({ expires, signature: sign(context, `${id}/${number}/${expires}`) });
  return `${context.baseUrl}/_bulk/${id}/${number}?${query.toString()}`;
}

function sign({ secret }: Context, text: string): string {
  return createHmac('sha256', secret).update(`bulk-file\n${text}`).digest('base64url');
}
