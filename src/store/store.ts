/**
 * The record: versions, current rows, index rows, history.
 *
 * Every write goes through `commit`, which is store_commit() in one round trip: all entries or none, each leaving its
 * change in the same transaction. Reads give the stored text as it is served. A `Visible` condition stands in every
 * statement that produces a resource, so that access is decided in the query and nowhere after it.
 */
import { hash } from 'node:crypto';
import type { FactReader, Visible } from '../access/index.ts';
import type { Database, Queryable, Statement, Transaction } from '../db/index.ts';
import type { IndexValues } from '../search/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type RecordRequest, recordStatement } from './patient-record.ts';
import { arePointedAt, keepPointers, missingOf, type Pointers } from './pointers.ts';
import { labelStatement, type LabelRow } from './labels.ts';
import { historyCountStatement, type HistoryRequest, historyStatement } from './history.ts';
import { accessQueries } from './access-facts.ts';
import { commitEntries, type Written } from './commit.ts';
import { isStaged } from './content.ts';
import { type ReadyEntry, readyEntry, type WriteEntry, type WriteMethod } from './entry.ts';
import { Groups } from './group.ts';

export interface StoredVersion {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly lastUpdated: Date;
  readonly method: WriteMethod;
  readonly isDeleted: boolean;
  /** The exact JSON text; '' for a deletion. */
  readonly raw: string;
  /** `Patient/id` of those whose record it is part of, where they came along. */
  readonly patients?: readonly string[];
}

export type { Visible };

/** Everything is visible: the caller is the server itself, or access control is off. */
export const everything: Visible = () => 'true';

export function seesAll(visible: Visible): boolean {
  return visible('r', () => '') === 'true';
}

/** The record as seen inside one transaction, or outside of any. */
export interface Session {
  read(type: string, id: string, visible: Visible): Promise<StoredVersion | undefined>;
  readVersion(type: string, id: string, version: number, visible: Visible): Promise<StoredVersion | undefined>;
  /** The versions of one resource, newest first. */
  history(type: string, id: string, page: { limit: number }, visible: Visible): Promise<readonly StoredVersion[]>;
  /** Versions of one resource, of types, of everything, newest first (history.ts). */
  versions(request: HistoryRequest, visible: Visible): Promise<readonly HistoryVersion[]>;
  /** How many versions there are. */
  versionCount(request: HistoryRequest, visible: Visible): Promise<number>;
  /** Profiles, tags and security labels in use on these types, or on all; at most `limit` of them (labels.ts). */
  labels(types: readonly string[] | undefined, limit: number, visible: Visible): Promise<readonly LabelRow[]>;
  /** A page of a compartment (patient-record.ts). */
  record(request: RecordRequest, visible: Visible): Promise<readonly HistoryVersion[]>;
  /** Current, undeleted resources by `Type/id`; what is not there is left out. */
  readMany(references: readonly string[], visible: Visible): Promise<readonly StoredVersion[]>;
  /**
   * All resources of these types that stand in the patient's compartment (`Patient/id`) now; with `knownAtMs` in the
   * version that was current then (what was deleted since is left out). Only what is `visible` where that is given.
   */
  compartment(
    patient: string,
    types: readonly string[],
    of?: { readonly knownAtMs?: number | undefined; readonly visible?: Visible | undefined },
  ): Promise<readonly StoredVersion[]>;
  /** Current resources of these types, or of all, in the order in which they first came. */
  scan(
    page: { readonly types: readonly string[] | undefined; readonly afterRid: string; readonly limit: number },
    visible: Visible,
  ): Promise<readonly HistoryVersion[]>;
  /** Those of these (`Type/id`) that are not there; the others stay until the end of this transaction. */
  missingOf(references: readonly string[]): Promise<readonly string[]>;
  /** Whether others refer to one of these; known while references are enforced. */
  arePointedAt(references: readonly string[]): Promise<boolean>;
  /** Whether the resource would be seen if it were there as it is; Binaries and Subscriptions are decided elsewhere. */
  sees(resource: Resource, visible: Visible): Promise<boolean>;
  /** All references that somebody with these national numbers has here at this instant, and the numbers (access-facts.ts). */
  knownAs(names: readonly string[], nowMs: number): Promise<readonly string[]>;
  /** On whose behalf a Subscription watches from now on. */
  keepOwner(subscription: string, owner: { readonly key: string; readonly caller: object }): Promise<void>;
  /** Writes all entries or none; `precondition` when a version is not the expected one, `conflict` when an id is taken. */
  commit(entries: readonly WriteEntry[]): Promise<readonly Written[]>;
  /** Any statement of the search compiler. */
  query<Row extends object>(statement: Statement): Promise<readonly Row[]>;
  /** Locks these rows (`Type/id`) until the end of this transaction, so that what is read next stays true. */
  lockResources(references: readonly string[]): Promise<void>;
  /** Serialises all who ask for the same criteria until the end of this transaction (conditional create, update, delete). */
  lockCriteria(criteria: readonly string[]): Promise<void>;
}

/** `rid` is for the position of the next page. */
export interface HistoryVersion extends StoredVersion {
  readonly rid: string;
}

export interface Store extends Session {
  /** The record as a transaction of the caller sees it. */
  within(tx: Transaction): Session;
  transaction<T>(work: (session: Session, tx: Transaction) => Promise<T>): Promise<T>;
}

export interface StoreInput {
  readonly db: Database;
  readonly index: (resource: Resource) => IndexValues;
  /** Keys of the token index under which resources of these types stand in the compartment (`Patient/id`, `Encounter/id`). */
  readonly compartmentKeys: (of: string, types: readonly string[]) => readonly bigint[];
  /** What a resource says of who may see what (access-facts.ts); without it nobody stands in any relation to a patient. */
  readonly facts?: FactReader;
  /** `enforced`: who points at whom is kept with each write (pointers.ts). */
  readonly references?: 'recorded' | 'enforced';
  readonly now: () => number;
  /** Called after each commit outside a transaction, and after each transaction: a hint that there is work. */
  readonly onCommit: () => void;
}

export function createStore(input: StoreInput): Store {
  const session = createSession(input, input.db);
  const groups = new Groups(input);
  async function commitAlone(entries: readonly WriteEntry[]): Promise<readonly Written[]> {
    if (input.references === 'enforced' || entries.some(isStaged))
      return input.db.transaction((tx) => createSession(input, tx).commit(entries));
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) return session.commit(entries);
    return [await groups.commit(readyEntry(entry, input.index))];
  }
  return {
    ...session,
    within: (tx) => createSession(input, tx),
    async commit(entries) {
      const written = await commitAlone(entries);
      input.onCommit();
      return written;
    },
    async transaction(work) {
      const result = await input.db.transaction((tx) => work(createSession(input, tx), tx));
      input.onCommit();
      return result;
    },
  };
}

interface StoredRow {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly last_updated: Date;
  readonly method: WriteMethod;
  readonly is_deleted: boolean;
  readonly raw: string;
  readonly patients?: readonly string[];
}

const columns = (alias: string) =>
  `${alias}.type, ${alias}.id, ${alias}.version, ${alias}.last_updated, ${alias}.method, ${alias}.raw`;

function createSession(input: StoreInput, db: Queryable): Session {
  async function stored(statement: Statement): Promise<readonly StoredVersion[]> {
    return (await db.query<StoredRow>(statement)).map(({ last_updated, is_deleted, ...row }) => ({
      ...row,
      lastUpdated: last_updated,
      isDeleted: is_deleted,
    }));
  }
  async function readUsual(...of: Parameters<typeof usualStatement>): Promise<StoredVersion | undefined> {
    const statement = usualStatement(...of);
    return statement && (await stored(statement))[0];
  }
  return {
    query: (statement) => db.query(statement),
    labels: (types, limit, visible) => db.query<LabelRow>(labelStatement(types, limit, visible)),
    async read(type, id, visible) {
      const found = await readUsual({ type, id }, visible);
      if (found !== undefined) return found;
      const values: unknown[] = [type, id];
      const condition = visible('r', (value) => `$${values.push(value)}`, 'stored', [type]);
      const rows = await stored({
        name: nameOf('read', condition),
        text: `select ${columns('r')}, r.is_deleted from resource r where r.type = $1 and r.id = $2 and ${condition}`,
        values,
      });
      return rows[0];
    },
    async readVersion(type, id, version, visible) {
      const found = await readUsual({ type, id, version }, visible);
      return found ?? (await stored(versionStatement({ type, id, version }, visible)))[0];
    },
    history: (type, id, { limit }, visible) => stored(historyStatement({ of: { type, id }, limit }, visible)),
    ...pages(input, db, stored),
    ...locks(db),
    ...accessQueries(db, input.index),
    readMany: (references, visible) => stored(manyStatement(references, visible)),
    compartment(patient, types, { knownAtMs, visible = everything } = {}) {
      const keys = input.compartmentKeys(patient, types).map(String);
      return stored(compartmentStatement({ keys, patient, knownAtMs, visible }));
    },
    async commit(entries) {
      const ready = entries.map((entry) => readyEntry(entry, input.index));
      const written = await commitEntries(db, ready, { nowMs: input.now(), facts: input.facts });
      if (input.references === 'enforced') await keepPointers(db, ready.map(pointersOf));
      return written;
    },
  };
}

type Stored = (statement: Statement) => Promise<readonly StoredVersion[]>;

/** Whose rows carry a rid as the key of the next page. */
function pages(
  input: StoreInput,
  db: Queryable,
  stored: Stored,
): Pick<Session, 'versions' | 'versionCount' | 'record' | 'scan'> {
  return {
    versions: async (request, visible) =>
      (await stored(historyStatement(request, visible))) as readonly HistoryVersion[],
    async versionCount(request, visible) {
      const rows = await db.query<{ count: number }>(historyCountStatement(request, visible));
      return rows[0]?.count ?? 0;
    },
    async record(request, visible) {
      const keys = input.compartmentKeys(request.of, request.types).map(String);
      return (await stored(recordStatement(request, keys, visible))) as readonly HistoryVersion[];
    },
    async scan({ types, afterRid, limit }, visible) {
      const values: unknown[] = [types ?? null, afterRid, limit];
      const condition = visible('r', (value) => `$${values.push(value)}`);
      const text = `select r.rid::text as rid, ${columns('r')}, r.is_deleted from resource r
                    where ($1::text[] is null or r.type = any ($1)) and r.rid > $2::bigint and not r.is_deleted and ${condition}
                    order by r.rid limit $3`;
      return (await stored({ text, values })) as readonly HistoryVersion[];
    },
  };
}

function locks(db: Queryable): Pick<Session, 'missingOf' | 'arePointedAt' | 'lockResources' | 'lockCriteria'> {
  return {
    missingOf: (references) => missingOf(db, references),
    arePointedAt: (references) => arePointedAt(db, references),
    async lockResources(references) {
      const pairs = references.map((reference) => reference.split('/'));
      await db.query({
        name: 'lock-resources',
        text: `select 1 from resource r join unnest($1::text[], $2::text[]) as w(type, id) on r.type = w.type and r.id = w.id
               order by r.type, r.id for update of r`,
        values: [pairs.map(([type]) => type), pairs.map(([, id]) => id)],
      });
    },
    async lockCriteria(criteria) {
      await db.query({
        name: 'lock-criteria',
        text: `select pg_advisory_xact_lock(k) from (
                 select distinct hashtextextended(c, 0) as k from unnest($1::text[]) as c order by 1) as keys`,
        values: [criteria],
      });
    },
  };
}

/** The same for all statements with this condition: they can be prepared under it. */
function nameOf(name: string, condition: string): string {
  return condition === 'true' ? name : `${name}-${hash('sha256', condition).slice(0, 24)}`;
}

/**
 * The current row, if it is one as most are; what is not found may still be there, and is sought by the whole condition. Undefined where
 * the whole condition is as short.
 */
function usualStatement(
  of: { readonly type: string; readonly id: string; readonly version?: number },
  visible: Visible,
): Statement | undefined {
  const values: unknown[] = [of.type, of.id];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const ofVersion = of.version === undefined ? '' : ` and r.version = ${bind(of.version)}::integer`;
  const condition = visible('r', bind, 'usual', [of.type]);
  if (condition === 'true' || condition === 'false') return undefined;
  return {
    name: nameOf('read-usual', ofVersion + condition),
    text: `select ${columns('r')}, r.is_deleted, r.patients from resource r where r.type = $1 and r.id = $2${ofVersion} and ${condition}`,
    values,
  };
}

/** The current row stands in `resource`, the former ones in `version`: one look at each, and at the texts of one alone. */
function versionStatement(of: { type: string; id: string; version: number }, visible: Visible): Statement {
  const values: unknown[] = [of.type, of.id, of.version];
  const types = [of.type];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const either = (column: string) => `case when v.rid is null then r.${column} else v.${column} end as ${column}`;
  return {
    text: `select r.type, r.id, $3::integer as version, ${either('last_updated')}, ${either('method')}, ${either('raw')},
             case when v.rid is null then r.is_deleted else v.method = 'DELETE' end as is_deleted
           from resource r left join version v on v.rid = r.rid and v.version = $3 and r.version <> $3
           where r.type = $1 and r.id = $2
             and ((r.version = $3 and ${visible('r', bind, 'stored', types)}) or (v.version = $3 and ${visible('v', bind, 'former', types)}))`,
    values,
  };
}

/**
 * The patient is in his own compartment, by identity; everything else by reference. Each member is looked up by itself (`offset 0`
 * keeps it so): PostgreSQL takes one compartment for a tenth of everything, and would walk through all resources beside it.
 */
function compartmentStatement(of: {
  keys: readonly string[];
  patient: string;
  knownAtMs: number | undefined;
  visible: Visible;
}): Statement {
  const members = `select rid from token_index where k = any ($1::bigint[])
                   union select rid from resource where type = 'Patient' and id = $2`;
  const values: unknown[] = [of.keys, of.patient.replace('Patient/', '')];
  const bind = (value: unknown) => `$${values.push(value)}`;
  if (of.knownAtMs === undefined) {
    const condition = of.visible('r', bind);
    return {
      name: nameOf('compartment', condition),
      text: `select found.* from (${members}) as member
             cross join lateral (
               select ${columns('r')}, r.is_deleted from resource r
               where r.rid = member.rid and not r.is_deleted and ${condition} offset 0) as found
             order by member.rid`,
      values,
    };
  }
  const at = bind(new Date(of.knownAtMs));
  const [ofCurrent, ofFormer] = [of.visible('r', bind, 'stored'), of.visible('v', bind, 'former')];
  return {
    name: nameOf('compartment-then', ofCurrent + ofFormer),
    text: `with member as materialized (${members})
           select * from (
             select distinct on (h.rid) h.* from (
               select found.* from member cross join lateral (
                 select r.rid, ${columns('r')}, r.is_deleted, ${ofCurrent} as is_seen
                 from resource r where r.rid = member.rid offset 0) as found
               union all
               select found.* from member cross join lateral (
                 select v.rid, ${columns('v')}, v.method = 'DELETE', ${ofFormer}
                 from version v where v.rid = member.rid offset 0) as found
             ) as h where h.last_updated <= ${at} order by h.rid, h.version desc
           ) as past where not is_deleted and is_seen order by rid`,
    values,
  };
}

function manyStatement(references: readonly string[], visible: Visible): Statement {
  const pairs = references.map((reference) => reference.split('/'));
  const values: unknown[] = [pairs.map(([type]) => type), pairs.map(([, id]) => id)];
  const condition = visible('r', (value) => `$${values.push(value)}`);
  return {
    name: nameOf('read-many', condition),
    text: `select ${columns('r')}, r.is_deleted
           from unnest($1::text[], $2::text[]) as wanted(type, id)
           join resource r on r.type = wanted.type and r.id = wanted.id
           where not r.is_deleted and ${condition}`,
    values,
  };
}

function pointersOf({ entry: { type, id }, values }: ReadyEntry): Pointers {
  return { source: { type, id }, references: values?.references ?? [] };
}
