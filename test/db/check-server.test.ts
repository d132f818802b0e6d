import { describe, expect, it } from '@jest/globals';
import { createLog, createManualClock, createRealClock } from '../../src/base/index.ts';
import { judgeServer, type ServerFacts } from '../../src/db/check-server.ts';
import { checkServer } from '../../src/db/index.ts';
import { openTestDatabase } from '../support/db.ts';

const sound: ServerFacts = {
  version: 140_000,
  encoding: 'UTF8',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  now: new Date(1_000_000),
};
/** Differs from the facts by as much as is allowed. */
const clock = { kind: 'real', now: () => 1_005_000 } as const;

describe('judgeServer', () => {
  it('finds nothing in a sound one', () => {
    expect(judgeServer(sound, clock)).toEqual({ refusals: [], warnings: [] });
  });

  it.each([
    [{ version: 130_014 }, 'it is version 13, expected 14 or newer'],
    [{ encoding: 'SQL_ASCII' }, 'its database has the encoding SQL_ASCII, expected UTF8'],
  ])('refuses %j', (fact, refusal) => {
    expect(judgeServer({ ...sound, ...fact }, clock)).toEqual({ refusals: [refusal], warnings: [] });
  });

  it.each([
    [{ fsync: 'off' }, 'fsync is off: a crash may lose what was answered'],
    [{ full_page_writes: 'off' }, 'full_page_writes is off: a crash may lose what was answered'],
    [{ synchronous_commit: 'off' }, 'synchronous_commit is off: a crash may lose what was answered'],
    [{ now: new Date(900_000) }, 'its clock differs from ours by 105 s'],
  ])('warns of %j', (fact, warning) => {
    expect(judgeServer({ ...sound, ...fact }, clock)).toEqual({ refusals: [], warnings: [warning] });
  });

  it('compares no manual clock', () => {
    expect(judgeServer(sound, createManualClock(2_000_000_000)).warnings).toEqual([]);
  });
});

describe('checkServer', () => {
  it('passes the one that the tests run on', async () => {
    const { database, close } = await openTestDatabase('none');
    await checkServer(database, { clock: createRealClock(), log: createLog('silent') });
    await close();
  });
});
