/** Rows of search_parameter: the parameters that were stored as resources, and how far their index has come. */
import type { Queryable } from '../db/index.ts';
import type { CustomDefinition, CustomParameter } from '../search/index.ts';
import type { Session } from './store.ts';

export interface ParameterRow extends CustomDefinition {
  readonly id: string;
  readonly isWhole: boolean;
  readonly startedAt: Date;
  readonly pass: number;
  /** The last resource done: type and id in the first pass, time and rid in the second. */
  readonly place: readonly string[] | null;
  readonly done: number;
  readonly total: number | null;
}

interface StoredRow {
  readonly id: string;
  readonly definition: CustomDefinition;
  readonly is_whole: boolean;
  readonly started_at: Date;
  readonly pass: number;
  readonly place: readonly string[] | null;
  readonly done: string;
  readonly total: string | null;
}

export async function readCustomParameters(db: Queryable): Promise<readonly CustomParameter[]> {
  const rows = await db.query<StoredRow>({
    name: 'search-parameters',
    text: 'select definition, is_whole from search_parameter order by id',
    values: [],
  });
  return rows.map(({ definition, is_whole }) => ({ ...definition, isWhole: is_whole }));
}

export async function lockParameter(db: Queryable, id: string): Promise<ParameterRow | undefined> {
  const [row] = await db.query<StoredRow>({
    name: 'lock-search-parameter',
    text: 'select * from search_parameter where id = $1 for update',
    values: [id],
  });
  if (row === undefined) return undefined;
  const { definition, is_whole, started_at, done, total, ...rest } = row;
  return {
    ...{ ...rest, ...definition, isWhole: is_whole, startedAt: started_at, done: Number(done) },
    total: total === null ? null : Number(total),
  };
}

/** Answers whether the index must be built: the definition is new, or another one. */
export async function saveParameter(
  session: Pick<Session, 'query'>,
  parameter: CustomDefinition & { readonly id: string },
  nowMs: number,
): Promise<boolean> {
  const { id, definition, base } = parameter;
  const rows = await session.query({
    name: 'save-search-parameter',
    text: `insert into search_parameter (id, url, definition, started_at) values ($1, $2, $3, $4)
           on conflict (id) do update set url = excluded.url, definition = excluded.definition, is_whole = false,
             started_at = excluded.started_at, pass = 1, place = null, done = 0, total = null
           where search_parameter.definition <> excluded.definition
           returning id`,
    values: [id, definition.url, JSON.stringify({ definition, base }), new Date(nowMs)],
  });
  return rows.length > 0;
}

export async function dropParameter(session: Pick<Session, 'query'>, id: string): Promise<void> {
  await session.query({
    name: 'drop-search-parameter',
    text: 'delete from search_parameter where id = $1',
    values: [id],
  });
}

export type Progress = Pick<ParameterRow, 'id' | 'pass' | 'place' | 'done' | 'total' | 'isWhole'>;

export async function saveProgress(db: Queryable, { id, pass, place, done, total, isWhole }: Progress): Promise<void> {
  const isDone = isWhole ? ', is_whole = true' : '';
  await db.query({
    name: `search-parameter-progress-${isWhole}`,
    text: `update search_parameter set pass = $2, place = $3, done = $4, total = $5${isDone} where id = $1`,
    values: [id, pass, place === null ? null : JSON.stringify(place), done, total],
  });
}

export interface ResourceRow {
  readonly rid: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly updated: string;
  readonly raw: string;
}

const columns = `rid, type, id, version, (extract(epoch from last_updated) * 1000)::bigint::text as updated, raw`;

/** First pass: everything of these types, by type and id. */
export function readByIdentity(
  db: Queryable,
  types: readonly string[],
  { place, limit }: { readonly place: readonly string[] | null; readonly limit: number },
): Promise<readonly ResourceRow[]> {
  return db.query<ResourceRow>({
    name: 'reindex-by-identity',
    text: `select ${columns} from resource
           where type = any ($1) and (type, id) > ($2, $3) and not is_deleted order by type, id limit $4`,
    values: [types, place?.[0] ?? '', place?.[1] ?? '', limit],
  });
}

/** Second pass: what was written since the parameter was, by time. */
export function readByUpdate(
  db: Queryable,
  types: readonly string[],
  of: { readonly place: readonly string[] | null; readonly sinceMs: number; readonly limit: number },
): Promise<readonly ResourceRow[]> {
  const { place, sinceMs, limit } = of;
  return db.query<ResourceRow>({
    name: 'reindex-by-update',
    text: `select ${columns} from resource
           where type = any ($1) and (last_updated, rid) > ($2, $3) and not is_deleted order by last_updated, rid limit $4`,
    values: [types, new Date(Number(place?.[0] ?? sinceMs - 1)), place?.[1] ?? 0, limit],
  });
}

export async function countResources(db: Queryable, types: readonly string[]): Promise<number> {
  const [row] = await db.query<{ count: string }>({
    name: 'reindex-count',
    text: 'select count(*) as count from resource where type = any ($1) and not is_deleted',
    values: [types],
  });
  return Number(row?.count ?? 0);
}
