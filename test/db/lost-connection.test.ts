/** What happens when connections break: a proxy between the pool and PostgreSQL cuts them where the test says. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog, Problem } from '../../src/base/index.ts';
import { type Database, openDatabase } from '../../src/db/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let direct: TestDatabase;
let proxy: Server;
let database: Database;
/** The next message of a client that contains this is delivered, and its answer is not. */
let cutAfter: string | undefined;

beforeAll(async () => {
  direct = await openTestDatabase('none');
  await direct.database.query({ text: 'create table bed (number integer primary key)' });
  proxy = await listen(createProxy(new URL(direct.url)));
  const url = new URL(direct.url);
  url.searchParams.delete('host');
  url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  database = openDatabase({ url: url.toString(), poolSize: 2, log: createLog('silent'), random: () => 0 });
});

afterAll(async () => {
  await database.close();
  await new Promise((resolve) => proxy.close(resolve));
  await direct.close();
});

function createProxy(server: URL): Server {
  const socketFolder = server.searchParams.get('host');
  const port = Number(server.port || 5432);
  return createServer((client) => {
    const upstream = connect(
      socketFolder?.startsWith('/') ? { path: `${socketFolder}/.s.PGSQL.${port}` } : { host: server.hostname, port },
    );
    let isCut = false;
    client.on('data', (data) => {
      if (cutAfter !== undefined && data.includes(cutAfter)) {
        isCut = true;
        cutAfter = undefined;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => void (isCut ? client.destroy() : client.write(data)));
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.end());
    client.on('error', () => undefined);
    upstream.on('error', () => undefined);
  });
}

function listen(server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Problem) return outcome;
  throw new Error('expected a Problem', { cause: outcome });
}

const countBeds = (number: number) =>
  direct.database.query({ text: 'select count(*)::integer as beds from bed where number = $1', values: [number] });

describe('a connection that breaks', () => {
  it('before COMMIT undoes the transaction', async () => {
    cutAfter = 'values (1)';
    const failing = database.transaction((tx) => tx.query({ text: 'insert into bed values (1)' }));
    const problem = await problemOf(failing);
    expect(problem).toMatchObject({ category: 'unavailable', retryAfterMs: 1_000 });
    expect(problem.message).not.toContain('unknown');
    expect(await countBeds(1)).toEqual([{ beds: 0 }]);
  });

  it('during COMMIT leaves the outcome unknown, says so, and does not run it again', async () => {
    let runs = 0;
    cutAfter = 'commit\0'; // not the word inside BEGIN's isolation level
    const failing = database.transaction((tx) => {
      runs++;
      return tx.query({ text: 'insert into bed values (2)' });
    });
    const problem = await problemOf(failing);
    expect(problem.category).toBe('unavailable');
    expect(problem.message).toContain('outcome is unknown');
    expect(runs).toBe(1);
    expect(await countBeds(2)).toEqual([{ beds: 1 }]);
  });

  it('during a statement by itself leaves the outcome unknown too', async () => {
    cutAfter = 'values (3)';
    const problem = await problemOf(database.query({ text: 'insert into bed values (3)' }));
    expect(problem.message).toContain('outcome is unknown');
    expect(await countBeds(3)).toEqual([{ beds: 1 }]);
  });

  it('while nobody uses it is replaced', async () => {
    const [first] = await database.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
    await endBackend(first?.pid);
    const again = await database.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' }).catch(() => []);
    const [last] =
      again.length > 0 ? again : await database.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
    expect(last?.pid).not.toBe(first?.pid);
  });

  it('between two statements of a transaction fails the next one, not the process', async () => {
    const failing = database.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
      await endBackend(row?.pid);
      await tx.query({ text: 'insert into bed values (4)' });
    });
    expect((await problemOf(failing)).category).toBe('unavailable');
    expect(await countBeds(4)).toEqual([{ beds: 0 }]);
  });
});

async function endBackend(pid: number | undefined): Promise<void> {
  await direct.database.query({ text: 'select pg_terminate_backend($1, 5000)', values: [pid] });
}

describe('a dedicated connection', () => {
  it('tells its holder that it is lost, and what it locked is free', async () => {
    const lost = createSignal();
    const connection = await direct.database.dedicate(lost.give);
    await connection.query({ text: 'select pg_advisory_lock(1, 2)' });
    const [row] = await connection.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
    await endBackend(row?.pid);
    await lost.next();
    const tries = await direct.database.query({ text: 'select pg_try_advisory_lock(1, 2) as taken' });
    expect(tries).toEqual([{ taken: true }]);
    expect((await problemOf(connection.query({ text: 'select 1' }))).category).toBe('unavailable');
    await connection.close();
  });

  it('says nothing when its holder closes it', async () => {
    let isLost = false;
    const connection = await direct.database.dedicate(() => {
      isLost = true;
    });
    await connection.close();
    expect(isLost).toBe(false);
  });
});

describe('a listener', () => {
  it('is woken when it is connected, by each notification, and when it is connected again', async () => {
    const wakes = createSignal();
    const listener = direct.database.listen('Change', wakes.give);
    await wakes.next();
    await direct.database.query({ text: `select pg_notify('Change', '')` });
    await wakes.next();
    const [row] = await direct.database.query<{ pid: number }>({
      text: `select pid from pg_stat_activity where datname = current_database() and query like 'listen%'`,
    });
    await endBackend(row?.pid);
    await wakes.next();
    await listener.close();
  });

  it('ends when it is closed before it was connected', async () => {
    for (let round = 0; round < 3; round++) await direct.database.listen('Change', () => undefined).close();
    const listener = direct.database.listen('Change', () => undefined);
    for (let turn = 0; turn < 3; turn++) await new Promise((next) => setImmediate(next));
    await listener.close();
  });

  it('keeps trying while there is no server, and can be closed meanwhile', async () => {
    const nowhere = openDatabase({
      url: 'postgresql://x:x@127.0.0.1:1/x',
      poolSize: 2,
      log: createLog('silent'),
      random: () => 0,
    });
    await nowhere.listen('Change', () => undefined).close();
    expect((await problemOf(nowhere.query({ text: 'select 1' }))).category).toBe('unavailable');
    await nowhere.close();
  });
});

/** Counts what is given and hands it out one by one. */
function createSignal() {
  let given = 0;
  let waiting: (() => void) | undefined;
  return {
    give(this: void) {
      given++;
      waiting?.();
    },
    async next() {
      if (given === 0)
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
      given--;
    },
  };
}
