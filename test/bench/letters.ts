/**
 * Letters of the two sizes that hospitals send, each about a patient who is there: 75 kB of level 3 (sections and entries) and
 * 5 MB of level 1 (one PDF). Also what they cost in memory: how much the resident memory of the server, warmed up, grows at most
 * while it takes twenty in turn.
 */
import { readFileSync } from 'node:fs';
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
const dayMs = 24 * 3_600_000;
const kB = 1024;
const fixtures = new URL('../../../../test/letters/fixtures/', import.meta.url);

export async function measureLetters(bench: Bench, isAsked: (name: string) => boolean): Promise<readonly ResultRow[]> {
  const { world } = bench;
  const makers: readonly (() => () => HttpRequest)[] = [
    () => newLetters(world),
    () => lettersOf(world, 3, level3(75 * kB)),
    () => lettersOf(world, 1, level1(5 * kB * kB)),
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
  const letters = growth === undefined ? '' : ((growth * 2 ** 20) / bytes).toFixed(1);
  const remark =
    growth === undefined
      ? undefined
      : `${lettersInTurn} in turn: ${growth} MB more at most, ${letters} times one of ${(bytes / 2 ** 20).toFixed(2)} MB`;
  return { name, unit: 'letters', perSecond: figures.perSecond, figures, cost, ...(remark && { remark }) };
}

/** The fixture with as many entries as an official sample of that size has (about thirty); the rest is narrative. */
function level3(size: number): string {
  const letter = fixture('discharge.xml');
  const sections = /<structuredBody>([^]*)<\/structuredBody>/;
  const [, body = ''] = sections.exec(fixture('discharge-body.xml')) ?? [];
  const again = body.replaceAll('3b1f0c3e-0000-4000', '3b1f0c3e-0001-4000').replaceAll(/ID="|value="#/g, '$&b-');
  const paragraph = `<paragraph>Suites opératoires simples, reprise du transit au troisième jour, plaie propre et sèche. </paragraph>`;
  const words = paragraph.repeat(Math.ceil((size - letter.length - 2 * body.length) / paragraph.length));
  const text = `<component><section><code code="42545-4" codeSystem="2.16.840.1.113883.6.1"/><title>Suites</title><text>${words}</text></section></component>`;
  return letter.replace(sections, () => `<structuredBody>${body}${again}${text}</structuredBody>`);
}

/** The fixture around a file that only its size makes a PDF worth reading. */
function level1(size: number): string {
  const letter = fixture('discharge-pdf.xml');
  const line = `${Buffer.from('%PDF-1.7 numérisation d’un compte rendu, sans texte').toString('base64').padEnd(76, 'A').slice(0, 76)}\n`;
  const file = line.repeat(Math.floor((size - letter.length) / line.length));
  return letter.replace(
    /(<text [^>]*representation="B64"[^>]*>)[^]*(<\/text>)/,
    (_all, open, close) => open + file + close,
  );
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
