/**
 * A read replica: a streaming standby of the primary, asked in its place by those who bear that its answer is some time old.
 *
 * How old it is nobody tells: the standby's own times compare clocks of two machines, grow while nothing is written, and stand still
 * when its line to the primary is cut. So it is found out: up to which point of the log the primary has written, with the moment
 * *before* it was asked, and later whether the standby has replayed that point. Then it has everything that was answered before that
 * moment, by the clock of this process alone. A standby that pauses, lags, is cut off or was promoted gets older by itself.
 *
 * Whatever fails on the standby is asked of the primary, and the standby is left alone until it has been seen again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Log, within } from '../base/index.ts';
import { type Database, openDatabase, type Queryable, type Row, type Statement } from './database.ts';
import { databaseFaultOf, isUndone } from './sql-state.ts';

export interface Replica {
  /**
   * Statements on the standby, and on the primary where the standby fails; transactions, listening and what writes on the primary. For
   * statements that only read.
   */
  readonly database: Database;
  /** How old the standby is at most, in ms; undefined: older than `ageMaxMs`, away, or no standby of this primary. */
  ageMs(): number | undefined;
  /** What it had until now is not to be asked for any more: statements read what was written just before, e.g. a new index. */
  renew(): void;
  close(): Promise<void>;
}

export interface ReplicaInput {
  readonly primary: Database;
  /** Asked how far it has written; may be the same. */
  readonly watch: Queryable;
  readonly url: string;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  /** Nobody is ever given anything older. */
  readonly ageMaxMs: number;
  readonly log: Log;
  readonly random: () => number;
  /** Statements that the primary had to answer in its place. */
  readonly onFailure?: () => void;
}

const replicaLimits = {
  /** Between two looks: no answer is known to be younger. */
  lookEveryMs: 250,
  /** In which a look must be over; the part of it that asks the primary, which may be away; in which a request has its connection. */
  lookTimeoutMs: 1000,
  primaryTimeoutMs: 500,
  acquireTimeoutMs: 500,
} as const;

export function openReplica(input: ReplicaInput): Replica {
  const { url, log, random, poolSize, statementTimeoutMs, ageMaxMs } = input;
  const { lookTimeoutMs, acquireTimeoutMs } = replicaLimits;
  const standby = openDatabase({ url, poolSize, statementTimeoutMs, acquireTimeoutMs, log, random });
  const lookTimes = { statementTimeoutMs: lookTimeoutMs, acquireTimeoutMs: lookTimeoutMs };
  const looking = openDatabase({ url, poolSize: 1, ...lookTimes, log, random });
  const marks = createMarks(ageMaxMs);
  const stopping = new AbortController();
  const following = follow({ look: createLook(input.watch, looking, marks), marks, log, signal: stopping.signal });
  return {
    database: { ...input.primary, query: standingIn(standby, input, marks) },
    ageMs: () => marks.ageMs(performance.now()),
    renew: () => marks.renew(performance.now()),
    async close() {
      stopping.abort();
      await following;
      // One that has gone silent is left behind.
      await within(
        lookTimeoutMs,
        Promise.all([standby.close(), looking.close()]).then(() => undefined),
      );
    },
  };
}

export interface Marks {
  /** Before the primary was asked how far it has written, it was `atMs`: everything that was answered until then stands before `position`. */
  add(atMs: number, position: bigint): void;
  /** The standby has replayed so far. */
  reached(position: bigint): void;
  /** From now on what was before `atMs` counts for nothing. */
  renew(atMs: number): void;
  /** Nothing is known of the standby any more. */
  lose(): void;
  ageMs(nowMs: number): number | undefined;
  /** Calls `lost` when the standby is lost, until it is told to forget it. */
  watch(lost: () => void): () => void;
}

/** Marks older than `ageMaxMs` tell nothing, and are forgotten. */
export function createMarks(ageMaxMs: number): Marks {
  let marks: readonly { readonly atMs: number; readonly position: bigint }[] = [];
  let freshAtMs: number | undefined;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  const watchers = new Set<() => void>();
  return {
    renew(atMs) {
      notBeforeMs = atMs;
      marks = [];
      freshAtMs = undefined;
    },
    add(atMs, position) {
      if (atMs < notBeforeMs) return;
      marks = [...marks.filter((mark) => mark.atMs >= atMs - ageMaxMs), { atMs, position }];
    },
    reached(replayed) {
      const last = marks.findLast(({ position }) => position <= replayed);
      freshAtMs = last?.atMs;
      if (last !== undefined) marks = marks.slice(marks.indexOf(last));
    },
    lose() {
      freshAtMs = undefined;
      for (const lost of watchers) lost();
    },
    watch(lost) {
      watchers.add(lost);
      return () => void watchers.delete(lost);
    },
    ageMs(nowMs) {
      const age = freshAtMs === undefined ? undefined : nowMs - freshAtMs;
      return age === undefined || age > ageMaxMs ? undefined : age;
    },
  };
}

/** One look at both. While the primary is away, the standby goes on to answer those who bear its age. */
export function createLook(primary: Queryable, standby: Queryable, marks: Marks): () => Promise<void> {
  let primaryCluster: string | undefined;
  return async () => {
    const atMs = performance.now();
    const written = await inTime(replicaLimits.primaryTimeoutMs, readPrimary(primary)).catch(() => undefined);
    const { replayed, cluster } = await readStandby(standby);
    if (written !== undefined) {
      primaryCluster = written.cluster;
      marks.add(atMs, written.position);
    }
    if (cluster !== primaryCluster) throw new Error('the replica is no copy of this primary');
    marks.reached(replayed);
  };
}

async function inTime<T>(timeoutMs: number, work: Promise<T>): Promise<T | undefined> {
  let found: T | undefined;
  const isDone = await within(
    timeoutMs,
    work.then((result) => void (found = result)),
  );
  return isDone ? found : undefined;
}

interface Follow {
  readonly look: () => Promise<void>;
  readonly marks: Marks;
  readonly log: Log;
  readonly signal: AbortSignal;
}

async function follow({ look, marks, log, signal }: Follow): Promise<void> {
  let wasSeen: boolean | undefined;
  while (!signal.aborted) {
    // A look that nobody ends is no look.
    const isSeen = await within(replicaLimits.lookTimeoutMs, look()).catch(() => false);
    if (!isSeen) marks.lose();
    if (isSeen !== wasSeen) tell(log, isSeen);
    wasSeen = isSeen;
    await wait(replicaLimits.lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** A statement on the standby; on the primary where the standby fails, or is lost while it is asked. */
function standingIn(standby: Queryable, { primary, onFailure }: ReplicaInput, marks: Marks): Queryable['query'] {
  return async <R extends object = Row>(statement: Statement): Promise<readonly R[]> => {
    let forget = (): void => undefined;
    const lost = new Promise<never>((_resolve, reject) => {
      forget = marks.watch(() => reject(new Error('the replica was lost')));
    });
    try {
      return await Promise.race([standby.query<R>(statement), lost]);
    } catch (error) {
      // As slow there as here: asking twice would only take twice as long.
      if (databaseFaultOf(error)?.sqlState === statementTimedOut) throw error;
      // One that refuses and lives may refuse this statement alone.
      if (!isUndone(error)) marks.lose();
      onFailure?.();
      return primary.query<R>(statement);
    } finally {
      forget();
    }
  };
}

const statementTimedOut = '57014';

function tell(log: Log, isSeen: boolean): void {
  const about = { component: 'replica' };
  if (isSeen) log.info(about, 'the read replica is there');
  else log.warn(about, 'the read replica cannot be used: the primary answers in its place');
}

/** Throws where this is no standby, or none that can be reached. */
async function readStandby(db: Queryable): Promise<{ readonly replayed: bigint; readonly cluster: string }> {
  const [row] = await db.query<{ replayed: string | null; cluster: string }>({
    text: `select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::text end as replayed,
             system_identifier::text as cluster from pg_control_system()`,
  });
  if (row === undefined || row.replayed === null) throw new Error('the replica is no standby');
  return { replayed: BigInt(row.replayed), cluster: row.cluster };
}

/** What was answered has been flushed. Throws where the primary is a standby itself. */
async function readPrimary(db: Queryable): Promise<{ readonly position: bigint; readonly cluster: string }> {
  const [row] = await db.query<{ position: string; cluster: string }>({
    text: `select (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text as position,
             system_identifier::text as cluster from pg_control_system()`,
  });
  return { position: BigInt(row?.position ?? 0), cluster: row?.cluster ?? '' };
}
