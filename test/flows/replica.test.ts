/**
 * A read replica beside its primary, two real PostgreSQL (src/decisions/0060-read-replica.md): who is answered by it, what happens when
 * it lags, is killed, comes back, and when it becomes the primary. Staleness is asked for by RFC 9111 §5.2.1.2, told by §5.1.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createLog } from '../../src/base/index.ts';
import { openDatabase, openReplica } from '../../src/db/index.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { callersBy, patientUser } from '../access/callers.ts';
import { openProxy, type Proxy } from '../faults/proxy.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';
import { ask, type StandbyPair, standbyName, startPair } from '../support/standby.ts';

// It waits for other processes, and for nothing else.
jest.setTimeout(120_000);

let pair: StandbyPair;
/** Between the server and the standby. */
let line: Proxy;
let test: TestApp;
/** May everything; `own` is the patient `seen-0`. */
let client: Client;
let own: Client;

const anyAge = { 'cache-control': 'max-stale' };

beforeAll(async () => {
  pair = await startPair();
  line = await openProxy({ path: join(pair.standbyFolder, '.s.PGSQL.5432') });
  test = await startTestApp({
    clock: 'real',
    settings: settingsFor(pair, line),
    callerOf: callersBy({ own: patientUser('Patient/seen-0') }),
  });
  client = test.client.with({ authorization: 'Bearer system' });
  own = test.client.with({ authorization: 'Bearer own' });
});
afterAll(async () => {
  await test?.close();
  await line?.close();
  await pair?.close();
});

function settingsFor({ primaryUrl, standbyUrl }: StandbyPair, { port }: Proxy): Record<string, string> {
  const { username, password } = new URL(standbyUrl);
  return {
    DATABASE_URL: primaryUrl,
    SUTURE_REPLICA_URL: `postgresql://${username}:${password}@127.0.0.1:${port}/postgres`,
    SUTURE_REPLICA_AGE_MAX: '600',
    SUTURE_AUDIT: 'on',
    SUTURE_POOL_SIZE: '4',
  };
}

function patient(id: string): Resource {
  return { resourceType: 'Patient', id, active: true, name: [{ family: 'Delorme' }], birthDate: '1961-05-04' };
}

const ids = ({ json }: Reply): readonly string[] =>
  ((json.entry ?? []) as { resource: { id: string } }[]).map(({ resource }) => resource.id).sort();

/** Asks again until it is so: an event of another process, that no clock of ours announces. */
async function until<T>(ask: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (isSo(found)) return found;
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

async function metric(name: string): Promise<number> {
  const { text } = await client.get('/metrics');
  return Number(new RegExp(`^${name.replace(/[{}]/g, String.raw`\$&`)} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** As the replica answers; a look at it that a slow machine did not end in time makes the primary answer, once in a while. */
function fromReplica(path: string, by: Client = client): Promise<Reply> {
  return until(
    () => by.get(path, anyAge),
    ({ headers }) => headers.has('age'),
  );
}

const byReplica = () => metric('suture_replica_reads_total{answered_by="replica"}');
const byPrimary = () => metric('suture_replica_reads_total{answered_by="primary"}');

/** Until the replica has what was written so far. */
async function caughtUp(): Promise<void> {
  const [row] = await ask<{ at: string }>(pair.primaryUrl, 'select pg_current_wal_flush_lsn()::text as at');
  await until(
    () => ask<{ is: boolean }>(pair.standbyUrl, `select pg_last_wal_replay_lsn() >= '${row?.at}'::pg_lsn as is`),
    ([found]) => found?.is === true,
  );
  await until(
    () => metric('suture_replica_usable'),
    (usable) => usable === 1,
  );
}

const pause = () => ask(pair.standbyUrl, 'select pg_wal_replay_pause()');
const resume = () => ask(pair.standbyUrl, 'select pg_wal_replay_resume()');

describe('A replica that follows', () => {
  it('answers a search that bears any age, which says how old it may be', async () => {
    await client.putAll(...Array.from({ length: 5 }, (_one, n) => patient(`seen-${n}`)));
    await caughtUp();
    expect(await byReplica()).toBeNaN();
    const reply = await fromReplica('Patient?name=delorme');
    expect([reply.status, ids(reply).length]).toEqual([200, 5]);
    expect(Number(reply.headers.get('age'))).toBeGreaterThan(0);
    expect(await byReplica()).toBe(1);
    const ready = await until(
      () => test.client.get('/health/ready'),
      ({ json }) => json.replica === 'ok',
    );
    expect([ready.status, ready.json.status]).toEqual([200, 'ready']);
  });

  it('is not asked by those who say nothing, nor by those who want it fresh, nor for a bundle', async () => {
    const before = await byReplica();
    for (const headers of [{}, { 'cache-control': 'max-stale, no-cache' }, { 'cache-control': 'max-age=60' }]) {
      expect((await client.get('Patient?name=delorme', headers)).headers.get('age')).toBeNull();
    }
    const entry = [{ request: { method: 'GET', url: 'Patient/seen-0' } }];
    const batch = await client.post('', { resourceType: 'Bundle', type: 'batch', entry }, anyAge);
    expect([batch.status, batch.headers.get('age')]).toEqual([200, null]);
    expect(await byReplica()).toBe(before);
  });

  it.each(['Patient/seen-0', 'Patient/seen-0/_history', 'Patient/_history?_count=2', 'Patient/seen-0/_history/1'])(
    'answers %s too',
    async (path) => {
      const reply = await fromReplica(path);
      const fresh = await client.get(path);
      expect([reply.status, reply.json.id]).toEqual([200, fresh.json.id]);
    },
  );

  it('shows nobody more than the primary does, and what it shows is noted on the primary', async () => {
    const count = async () =>
      (await ask<{ n: number }>(pair.primaryUrl, 'select count(*)::integer as n from audit_event'))[0]?.n ?? 0;
    const before = await count();
    expect(ids(await fromReplica('Patient?name=delorme', own))).toEqual(['seen-0']);
    expect((await own.get('Patient/seen-1', anyAge)).status).toBe(404);
    expect((await test.client.get('Patient', anyAge)).status).toBe(401);
    expect(await count()).toBeGreaterThan(before);
  });

  it('shares its page links with the primary: pages of both make one list without gap or repeat', async () => {
    const found: string[] = [];
    let path: string | undefined = 'Patient?name=delorme&_count=1&_sort=-birthdate';
    for (let page = 0; path !== undefined; page++) {
      const reply: Reply = page % 2 === 0 ? await fromReplica(path) : await client.get(path);
      found.push(...ids(reply));
      const next = (reply.json.link as { relation: string; url: string }[]).find(({ relation }) => relation === 'next');
      path = next?.url.replace(`${client.baseUrl}/`, '');
    }
    expect(found.sort()).toEqual([0, 1, 2, 3, 4].map((n) => `seen-${n}`));
  });
});

describe('A replica that lags', () => {
  it('misses the latest write for those who bear its age, and for nobody else', async () => {
    await caughtUp();
    await pause();
    await client.putAll(patient('late'));
    await until(
      () => client.get('Patient/late', anyAge),
      ({ status }) => status === 404,
    );
    expect((await client.get('Patient/late')).status).toBe(200);
    expect(ids(await client.get('Patient?name=delorme'))).toContain('late');
  });

  it('leaves those to the primary who bear less than its age', async () => {
    await until(
      () => metric('suture_replica_age_seconds'),
      (age) => age > 1,
    );
    const before = (await byPrimary()) || 0;
    const reply = await client.get('Patient?name=delorme', { 'cache-control': 'max-stale=1' });
    expect([ids(reply).includes('late'), reply.headers.get('age')]).toEqual([true, null]);
    expect((await byPrimary()) - before).toBe(1);
  });

  it('is not asked by a search parameter whose index it does not have', async () => {
    const parameter = {
      resourceType: 'SearchParameter',
      id: 'born-as',
      url: 'https://hopital.example/fhir/SearchParameter/born-as',
      name: 'BornAs',
      status: 'active',
      description: 'Le nom de famille',
      code: 'born-as',
      base: ['Patient'],
      type: 'string',
      expression: 'Patient.name.family',
    };
    expect((await client.put(parameter)).status).toBe(201);
    await client.settle();
    const reply = await client.get('Patient?born-as=delorme', anyAge);
    expect([reply.status, reply.headers.get('age'), ids(reply).length]).toEqual([200, null, 6]);
  });

  it('has it once it goes on', async () => {
    await resume();
    const reply = await until(
      () => client.get('Patient/late', anyAge),
      ({ status }) => status === 200,
    );
    expect(reply.json.id).toBe('late');
  });
});

describe('A replica that falls silent', () => {
  it('holds nobody: who waits for it is answered by the primary', async () => {
    const failures = async () => (await metric('suture_replica_failures_total')) || 0;
    // Asked while it counts as young: on a machine that is slow just then, once more.
    await until(
      async () => {
        line.setMood('open');
        await fromReplica('Patient/late');
        const before = await failures();
        line.setMood('silent');
        const replies = await Promise.all([1, 2, 3].map(() => client.get('Patient?name=delorme', anyAge)));
        expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
        return (await failures()) - before;
      },
      (more) => more > 0,
    );
    const ready = await until(
      () => test.client.get('/health/ready'),
      ({ json }) => json.replica === 'unusable',
    );
    expect(ready.status).toBe(200);
    line.setMood('open');
    line.cut(() => true);
    expect((await fromReplica('Patient/late')).status).toBe(200);
  });
});

describe('A replica that is killed', () => {
  it('is not missed by anybody: the primary answers, and the server stays ready', async () => {
    await caughtUp();
    let isOver = false;
    const statuses: number[] = [];
    const asking = (async () => {
      while (!isOver) statuses.push((await client.get('Patient?name=delorme', anyAge)).status);
    })();
    await pair.kill('standby');
    const ready = await until(
      () => test.client.get('/health/ready'),
      ({ json }) => json.replica === 'unusable',
    );
    isOver = true;
    await asking;
    expect([ready.status, ready.json.status]).toEqual([200, 'ready']);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await client.get('Patient/late', anyAge)).headers.get('age')).toBeNull();
  });

  it('is asked again when it is back', async () => {
    await pair.startStandby();
    await caughtUp();
    expect((await fromReplica('Patient/late')).status).toBe(200);
  });
});

describe('What is no standby', () => {
  it('is not asked, and the log says so', async () => {
    const logged: string[] = [];
    const log = createLog('info', (line) => logged.push(line));
    const options = { url: pair.primaryUrl, poolSize: 1, statementTimeoutMs: 1000, log, random: () => 0.5 };
    const primary = openDatabase(options);
    const replica = openReplica({ ...options, primary, watch: primary, ageMaxMs: 600_000 });
    await until(
      () => Promise.resolve(logged),
      (lines) => lines.some((line) => line.includes('the read replica cannot be used')),
    );
    expect(replica.ageMs()).toBeUndefined();
    await replica.close();
    await primary.close();
  });
});

describe('A replica that becomes the primary', () => {
  it('has everything that was answered, where the primary waited for it', async () => {
    await ask(pair.primaryUrl, `alter system set synchronous_standby_names = '${standbyName}'`);
    await ask(pair.primaryUrl, 'select pg_reload_conf()');
    await until(
      () => ask<{ state: string }>(pair.primaryUrl, 'select sync_state as state from pg_stat_replication'),
      ([one]) => one?.state === 'sync',
    );
    const answered: string[] = [];
    let isOver = false;
    const writing = [1, 2, 3, 4].map(async (writer) => {
      for (let n = 0; !isOver; n++) {
        const id = `written-${writer}-${n}`;
        const { status } = await client.put(patient(id)).catch(() => ({ status: 0 }));
        if (status === 201) answered.push(id);
        else isOver = true;
      }
    });
    await until(
      () => Promise.resolve(answered.length),
      (count) => count >= 50 || isOver,
    );
    await pair.kill('primary');
    await Promise.all(writing);
    await ask(pair.standbyUrl, 'select pg_promote()');
    // What an operator does: the server is started on the other one, which has no standby yet.
    test = await test.restart({ DATABASE_URL: pair.standbyUrl, SUTURE_REPLICA_URL: '', SUTURE_AUDIT: 'off' });
    client = test.client.with({ authorization: 'Bearer system' });
    expect(answered.length).toBeGreaterThanOrEqual(50);
    const there = await ask<{ id: string }>(pair.standbyUrl, `select id from resource where id like 'written-%'`);
    const kept = new Set(there.map(({ id }) => id));
    expect(answered.filter((id) => !kept.has(id))).toEqual([]);
    expect((await client.put(patient('after'))).status).toBe(201);
  });
});
