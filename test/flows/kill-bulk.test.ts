/**
 * $import and $export (http://hl7.org/fhir/uv/bulkdata) with the process killed in the middle, several times, once together with its
 * database: both go on where they were, and no line is lost or there twice. Lines without an id are creates: done twice, they would show.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Basic, Practitioner } from 'fhir/r4.js';
import type { Reply } from '../support/client.ts';
import { createServerProcess, requireBuild, type ServerProcess } from './process.ts';

const system = 'urn:oid:1.2.250.1.999.7.4';
/** More than one step of an export takes, and many steps of an import. */
const count = 5600;
const lines = Array.from({ length: count }, (_one, index) => {
  const value = `k${index}`;
  return index % 2 === 0
    ? JSON.stringify({ resourceType: 'Basic', code: { text: 'sans id' }, identifier: [{ system, value }] })
    : JSON.stringify({ resourceType: 'Practitioner', id: value, identifier: [{ system, value }], active: true });
});
const refused = new Map([
  [7, '{"resourceType":"Practitioner","nmae":1}'],
  [1234, 'not json'],
  [count - 1, '{"resourceType":"Nothing"}'],
]);
for (const [at, text] of refused) lines[at] = text;
const expected = lines.map((_line, index) => `k${index}`).filter((_value, index) => !refused.has(index));

let server: ServerProcess;
beforeAll(async () => {
  requireBuild();
  server = await createServerProcess({ SUTURE_LOG_LEVEL: 'warn' });
  await server.start();
}, 300_000);
afterAll(() => server?.close());

/** Paths without the base: each start has a port of its own. */
const below = (url: string | null): string => (url ?? '').replace(/^.*\/fhir\//, '');
const progressOf = (reply: Reply): string => reply.headers.get('x-progress') ?? '';

/** Asks until the job has got further than it was, or is done. */
async function moved(place: string, from: string): Promise<Reply> {
  for (;;) {
    const reply = await server.client.get(place);
    if (reply.status !== 202 || progressOf(reply) !== from) return reply;
  }
}

/** Kills as soon as the job has moved, and starts again; answers how often that was in the middle of the job. */
async function killInTheMiddle(place: string, kinds: readonly ('server' | 'server and database')[]): Promise<number> {
  let kills = 0;
  for (const kind of kinds) {
    const before = await server.client.get(place);
    const reply = before.status === 202 ? await moved(place, progressOf(before)) : before;
    if (reply.status !== 202) break;
    await server.kill(kind);
    await server.start();
    kills++;
  }
  return kills;
}

interface Manifest {
  readonly output: readonly { readonly type: string; readonly url: string; readonly count: number }[];
  readonly error: readonly { readonly url: string }[];
}

async function finished(place: string): Promise<Manifest> {
  for (;;) {
    const reply = await server.client.get(place);
    if (reply.status === 202) continue;
    expect(reply.status).toBe(200);
    return reply.json as Manifest;
  }
}

async function linesOf(url: string): Promise<readonly Record<string, unknown>[]> {
  const { text } = await server.client.get(below(url), { accept: 'application/fhir+ndjson' });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const versionsOf = async (type: string): Promise<number> =>
  (await server.client.get(`${type}/_history?_summary=count`)).json.total as number;

describe('A server that is killed with -9', () => {
  it('goes on with its import: each line once, each refusal with its line', async () => {
    const before = { Basic: await versionsOf('Basic'), Practitioner: await versionsOf('Practitioner') };
    const body = lines.join('\n');
    const reply = await server.client.send('POST', '$import', { body, type: 'application/fhir+ndjson' });
    expect(reply.status).toBe(202);
    const place = below(reply.headers.get('content-location'));
    expect(await killInTheMiddle(place, ['server', 'server and database', 'server'])).toBeGreaterThan(1);
    const { error } = await finished(place);
    const told = (await Promise.all(error.map(({ url }) => linesOf(url)))).flat();
    const places = told.map(({ issue }) => (issue as { diagnostics: string }[])[0]?.diagnostics);
    expect(places.sort()).toEqual([...refused.keys()].map((at) => `line ${at + 1}`).sort());
    for (const [type, rest] of [
      ['Basic', 0],
      ['Practitioner', 1],
    ] as const) {
      const wanted = expected.filter((value) => Number(value.slice(1)) % 2 === rest).length;
      const { json } = await server.client.get(`${type}?identifier=${system}|&_summary=count`);
      // As many versions as resources: nothing was written twice.
      expect([type, json.total, (await versionsOf(type)) - before[type]]).toEqual([type, wanted, wanted]);
    }
  }, 300_000);

  it('goes on with its export: every resource once, in files that say how many they have', async () => {
    const reply = await server.client.get('$export?_type=Basic,Practitioner', { prefer: 'respond-async' });
    expect(reply.status).toBe(202);
    const place = below(reply.headers.get('content-location'));
    await server.kill(); // accepted, perhaps not begun
    await server.start();
    await killInTheMiddle(place, ['server and database']);
    const { output } = await finished(place);
    const found: string[] = [];
    for (const { type, url, count: said } of output) {
      const resources = (await linesOf(url)) as unknown as readonly (Basic | Practitioner)[];
      expect([resources.length, new Set(resources.map((one) => one.resourceType))]).toEqual([said, new Set([type])]);
      found.push(...resources.flatMap(({ identifier }) => valueOf(identifier)));
    }
    expect(found.sort()).toEqual([...expected].sort());
  }, 300_000);
});

function valueOf(identifier: Basic['identifier']): readonly string[] {
  return (identifier ?? []).filter((one) => one.system === system).flatMap(({ value }) => value ?? []);
}
