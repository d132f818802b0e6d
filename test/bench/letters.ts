/**
 * Letters of the two sizes that hospitals send, each about a patient who is there: 75 kB of level 3 (sections and entries) and
 * 5 MB of level 1 (one PDF). Also what they cost in memory, in times the letter: what lives at most while one is in work (collected
 * again and again: garbage is no need), and by how much the resident memory of the server, warmed up, grows while it takes twenty.
 */
import { readFileSync } from 'node:fs';
import { level1, level3 } from '../support/large-letter.ts';
import { adaptLetter } from '../support/letter.ts';
import { settle } from './client.ts';
import { type Bench, costOfServer } from './compare.ts';
import { newLetters, tryLetter } from './engine.ts';
import { driveHttp, type HttpRequest } from './measure.ts';
import type { World } from './operations.ts';
import type { ResultRow } from './table.ts';

export const letterNames = ['letters by $ingest', 'letters of 75 kB, level 3', 'letters of 5 MB, level 1'] as const;

const lettersAtOnce = 4;
/** One after the other, when it is measured what one costs in memory. */
const lettersInTurn = 20;
/** One after the other, while what lives is looked at. */
const lettersWatched = 5;
const dayMs = 24 * 3_600_000;
const kB = 1024;
const fixtures = new URL('../../../../test/letters/fixtures/', import.meta.url);

export async function measureLetters(bench: Bench, isAsked: (name: string) => boolean): Promise<readonly ResultRow[]> {
  const { world } = bench;
  const makers: readonly (() => () => HttpRequest)[] = [
    () => newLetters(world),
    () => lettersOf(world, 3, level3(75 * kB, fixture)),
    () => lettersOf(world, 1, level1(5 * kB * kB, fixture)),
  ];
  const rows: ResultRow[] = [];
  for (const [place, name] of letterNames.entries()) {
    const next = isAsked(name) ? makers[place]?.() : undefined;
    if (next !== undefined) rows.push(await measure(bench, name, next));
  }
  return rows;
}

async function measure(bench: Bench, name: string, next: () => HttpRequest): Promise<ResultRow> {
  const { world, served } = bench;
  await tryLetter(world.origin, next());
  const drive = (seconds: number) => driveHttp(world.origin, next, { connections: lettersAtOnce, seconds });
  const { figures, cost } = await costOfServer(bench, { drive, rest: () => settle(world.origin) });
  const bytes = Buffer.byteLength(next().body ?? '');
  const growth = await served?.growth(async () => {
    for (let count = 0; count < lettersInTurn; count++) await tryLetter(world.origin, next());
  });
  const living = await served?.living(async () => {
    for (let count = 0; count < lettersWatched; count++) await tryLetter(world.origin, next());
  });
  const times = (grown: number) => (grown / bytes).toFixed(1);
  const remark =
    growth === undefined || living === undefined
      ? undefined
      : `${(bytes / 2 ** 20).toFixed(2)} MB each; living in work: ${times(living.growthBytes)} times one (${living.samples} looks); ` +
        `resident: ${lettersInTurn} in turn take ${growth} MB more, ${times(growth * 2 ** 20)} times`;
  return { name, unit: 'letters', perSecond: figures.perSecond, figures, cost, ...(remark && { remark }) };
}

function fixture(name: string): string {
  return readFileSync(new URL(name, fixtures), 'utf8');
}

/** One letter after another of the territory's patients, each a new document about a new stay. */
function lettersOf({ territory, basePath }: World, level: number, base: string): () => HttpRequest {
  // Its own number of the hospital would make all patients one.
  const letter = base.replace(/<id root="1\.2\.250\.1\.999\.7\.1"[^>]*>/, '');
  let turn = 0;
  return () => {
    const number = turn++;
    const { family, given, birthDate, gender, ins } = territory.person(number % territory.people.length);
    const at = (days: number) => new Date(territory.todayMs - days * dayMs).toISOString().replace(/\.\d+/, '');
    const setId = `1.2.250.1.999.7.8.${level}.${number}`;
    const bytes = adaptLetter(letter, {
      ins: { root: '1.2.250.1.213.1.4.10', value: ins },
      traits: { family, given, birthDate, gender },
      stay: { id: { root: '1.2.250.1.999.7.9', extension: `${level}-${number}` }, start: at(9), end: at(4) },
      document: { id: `${setId}.1`, setId, effectiveTime: at(4) },
    });
    const headers = { 'content-type': 'application/cda+xml' };
    return {
      method: 'POST',
      path: `${basePath}/DocumentReference/$ingest`,
      headers,
      body: Buffer.from(bytes).toString(),
    };
  };
}
