/** Rows of bulk jobs and their files (migrations/0012), and the page that an export reads. */
import type { Queryable } from '../../db/index.ts';
import type { Visible } from '../../store/index.ts';

export type BulkKind = 'export' | 'import' | 'backtest' | 'apply-version';

export interface BulkJob<Request = unknown, Progress = unknown> {
  readonly id: string;
  readonly kind: BulkKind;
  readonly state: 'active' | 'completed' | 'failed';
  readonly request: Request;
  readonly progress: Progress;
  readonly created_at: Date;
  readonly expires_at: Date | null;
}

export interface BulkFile {
  readonly number: number;
  readonly kind: 'input' | 'output' | 'error';
  readonly type: string;
  readonly lines: number;
  readonly content: string;
}

export async function insertJob(
  db: Queryable,
  job: Pick<BulkJob, 'id' | 'kind' | 'request' | 'progress' | 'created_at'>,
): Promise<void> {
  await db.query({
    name: 'bulk-insert-job',
    text: `insert into bulk_job (id, kind, state, request, progress, created_at) values ($1, $2, 'active', $3, $4, $5)`,
    values: [job.id, job.kind, JSON.stringify(job.request), JSON.stringify(job.progress), job.created_at],
  });
}

export async function readJob(db: Queryable, id: string): Promise<BulkJob | undefined> {
  const rows = await db.query<BulkJob>({
    name: 'bulk-read-job',
    text: 'select id, kind, state, request, progress, created_at, expires_at from bulk_job where id = $1',
    values: [id],
  });
  return rows[0];
}

/** Held until the end of the transaction: a cancellation waits for the step. */
export async function lockJob<Request, Progress>(
  db: Queryable,
  id: string,
): Promise<BulkJob<Request, Progress> | undefined> {
  const rows = await db.query<BulkJob<Request, Progress>>({
    name: 'bulk-lock-job',
    text: 'select id, kind, state, request, progress, created_at, expires_at from bulk_job where id = $1 for update',
    values: [id],
  });
  return rows[0];
}

export async function advanceJob(
  db: Queryable,
  id: string,
  to: { readonly progress: unknown; readonly state: BulkJob['state']; readonly expiresAt?: Date },
): Promise<void> {
  await db.query({
    name: 'bulk-advance-job',
    text: 'update bulk_job set progress = $2, state = $3, expires_at = $4 where id = $1',
    values: [id, JSON.stringify(to.progress), to.state, to.expiresAt ?? null],
  });
}

/** With its files. Answers whether it was there. */
export async function deleteJob(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.query({
    name: 'bulk-delete-job',
    text: 'delete from bulk_job where id = $1 returning id',
    values: [id],
  });
  return rows.length > 0;
}

export async function insertFiles(db: Queryable, job: string, files: readonly BulkFile[]): Promise<void> {
  if (files.length === 0) return;
  const column = <Name extends keyof BulkFile>(name: Name): readonly BulkFile[Name][] =>
    files.map((file) => file[name]);
  await db.query({
    name: 'bulk-insert-files',
    text: `insert into bulk_file (job, number, kind, type, lines, content)
           select $1, * from unnest($2::integer[], $3::text[], $4::text[], $5::integer[], $6::text[])`,
    values: [job, column('number'), column('kind'), column('type'), column('lines'), column('content')],
  });
}

export async function readFile(db: Queryable, job: string, number: number): Promise<BulkFile | undefined> {
  const rows = await db.query<BulkFile>({
    name: 'bulk-read-file',
    text: 'select number, kind, type, lines, content from bulk_file where job = $1 and number = $2',
    values: [job, number],
  });
  return rows[0];
}

export async function deleteFile(db: Queryable, job: string, number: number): Promise<void> {
  await db.query({
    name: 'bulk-delete-file',
    text: 'delete from bulk_file where job = $1 and number = $2',
    values: [job, number],
  });
}

export async function listFiles(db: Queryable, job: string): Promise<readonly Omit<BulkFile, 'content'>[]> {
  return db.query<Omit<BulkFile, 'content'>>({
    name: 'bulk-list-files',
    text: 'select number, kind, type, lines from bulk_file where job = $1 order by number',
    values: [job],
  });
}

/** What follows can be undone without the rest of the transaction. */
export async function markUndo(db: Queryable): Promise<void> {
  await db.query({ text: 'savepoint bulk_lines' });
}

export async function undoToMark(db: Queryable): Promise<void> {
  await db.query({ text: 'rollback to savepoint bulk_lines' });
}

export interface ExportPage {
  readonly afterRid: string;
  readonly limit: number;
  /** The record as it was at this instant. */
  readonly atMs: number;
  readonly sinceMs: number | undefined;
  readonly types: readonly string[] | undefined;
  /** Only what stands in the compartment of a patient, or of these (`Patient/id`). */
  readonly patients: 'any' | readonly string[] | undefined;
}

export interface ExportRow {
  readonly rid: string;
  readonly type: string;
  readonly raw: string;
}

/**
 * What was current at the instant: the current version, or where it is younger the last one before. Ordered by rid over all types,
 * so that one walk of the primary key is enough however many types there are.
 */
export async function readExportPage(db: Queryable, page: ExportPage, visible: Visible): Promise<readonly ExportRow[]> {
  const values: unknown[] = [page.afterRid, new Date(page.atMs), page.limit, page.types ?? null];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['r.rid > $1::bigint', '($4::text[] is null or r.type = any ($4))', seen(visible, bind)];
  if (page.patients === 'any') conditions.push("r.patients <> '{}'");
  else if (page.patients !== undefined) conditions.push(`r.patients && ${bind(page.patients)}::text[]`);
  if (page.sinceMs !== undefined) conditions.push(`r.last_updated > ${bind(new Date(page.sinceMs))}`);
  const since = page.sinceMs === undefined ? '' : `and v.last_updated > ${bind(new Date(page.sinceMs))}`;
  return db.query<ExportRow>({
    text: `select r.rid::text as rid, r.type, coalesce(v.raw, r.raw) as raw
           from resource r
           left join lateral (
             select v.* from version v
             where r.last_updated > $2 and v.rid = r.rid and v.last_updated <= $2
             order by v.version desc limit 1) v on true
           where ${conditions.join(' and ')}
             and case when r.last_updated <= $2 then not r.is_deleted else v.method <> 'DELETE' ${since} end
           order by r.rid limit $3`,
    values,
  });
}

/** Each version by its own content: the current one, or the one before it that was current at the instant ($2). */
function seen(visible: Visible, bind: (value: unknown) => string): string {
  const ofCurrent = visible('r', bind, 'stored');
  if (ofCurrent === 'true') return 'true';
  return `case when r.last_updated <= $2 then ${ofCurrent} else ${visible('v', bind, 'former')} end`;
}
