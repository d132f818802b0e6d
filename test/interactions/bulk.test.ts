/**
 * $export and $import (http://hl7.org/fhir/uv/bulkdata; https://hl7.org/fhir/R4/async.html): kick-off, state, files by signed links,
 * cancellation, expiry, and going on after a restart.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Reply } from '../support/client.ts';

let test: TestApp;

beforeAll(async () => {
  test = await startTestApp({ clock: '2026-03-02T08:00:00Z' });
  await test.client.putAll(
    patient('p1'),
    patient('p2'),
    patient('p3'),
    weight('w1', 'p1', '72.50'),
    weight('w2', 'p2', '80'),
    {
      resourceType: 'Group',
      id: 'g1',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: 'Patient/p1' } }, { entity: { reference: 'Patient/p3' }, inactive: true }],
    },
  );
});
afterAll(() => test?.close());

const patient = (id: string) => ({ resourceType: 'Patient', id, active: true });
const weight = (id: string, of: string, value: string) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'Poids' },
  subject: { reference: `Patient/${of}` },
  valueQuantity: { value: Number(value), unit: 'kg' },
});

const asynchronously = { prefer: 'respond-async' };
const below = (url: string | null): string => (url ?? '').slice(test.client.baseUrl.length + 1);

async function start(path: string): Promise<string> {
  const reply = await test.client.get(path, asynchronously);
  expect([reply.status, reply.text]).toEqual([202, '']);
  return below(reply.headers.get('content-location'));
}

interface Manifest {
  readonly transactionTime: string;
  readonly output: readonly { readonly type: string; readonly url: string; readonly count: number }[];
  readonly error: readonly { readonly url: string }[];
}

async function finished(place: string): Promise<Manifest> {
  await test.client.settle();
  const reply = await test.client.get(place);
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(reply.headers.get('expires')).not.toBeNull();
  return reply.json as Manifest;
}

async function lines(url: string): Promise<readonly Record<string, unknown>[]> {
  const reply = await test.client.get(below(url), { accept: 'application/fhir+ndjson' });
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/fhir+ndjson']);
  return reply.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function exported(path: string): Promise<string[]> {
  const { output } = await finished(await start(path));
  const all: string[] = [];
  for (const { type, url, count } of output) {
    const found = await lines(url);
    expect([found.length, new Set(found.map(({ resourceType }) => resourceType))]).toEqual([count, new Set([type])]);
    all.push(...found.map(({ resourceType, id }) => `${String(resourceType)}/${String(id)}`));
  }
  return all.sort();
}

describe('$export', () => {
  it('of everything has every resource of the types asked for, once, as it is stored', async () => {
    const found = await exported('$export?_type=Patient,Observation,Group');
    expect(found).toEqual(['Group/g1', 'Observation/w1', 'Observation/w2', 'Patient/p1', 'Patient/p2', 'Patient/p3']);
    expect(await exported('$export')).toEqual(expect.arrayContaining(found));
  });

  it('of patients has their compartments, of a Group those of its active members', async () => {
    const all = await exported('Patient/$export');
    expect(all).toEqual(
      expect.arrayContaining(['Observation/w1', 'Observation/w2', 'Patient/p1', 'Patient/p2', 'Patient/p3']),
    );
    expect(all.some((one) => one.startsWith('PlanDefinition/'))).toBe(false);
    expect(await exported('Group/g1/$export?_type=Patient,Observation')).toEqual(['Observation/w1', 'Patient/p1']);
    expect(await exported('Patient/$export?patient=Patient/p2&_type=Patient')).toEqual(['Patient/p2']);
  });

  it('has the record as it was when it was asked for, and with _since what changed after', async () => {
    const place = await start('$export?_type=Patient');
    await test.client.moveClock('2026-03-02T09:00:00Z');
    const later = await finished(place);
    expect(later.transactionTime).toBe('2026-03-02T08:00:00.000Z');
    await test.client.putAll({ ...patient('p2'), active: false }, patient('p4'));
    expect(await exported('$export?_type=Patient&_since=2026-03-02T08:30:00Z')).toEqual(['Patient/p2', 'Patient/p4']);
    expect(await exported('$export?_type=Patient&_since=2027-01-01')).toEqual([]);
  });

  it.each([
    ['without Prefer: respond-async', '$export', {}, 400],
    ['with an unknown type', '$export?_type=Nothing', asynchronously, 400],
    ['with an unknown parameter', '$export?_typeFilter=Patient', asynchronously, 400],
    ['in another format', '$export?_outputFormat=csv', asynchronously, 400],
    ['of a Group that is not there', 'Group/none/$export', asynchronously, 404],
  ])('%s is refused', async (_what, path, headers, status) => {
    expect((await test.client.get(path, headers)).status).toBe(status);
  });

  it('gives files to those who have the link, unchanged, and to nobody else', async () => {
    const { output } = await finished(await start('$export?_type=Patient'));
    const url = below(output[0]?.url ?? '');
    expect((await test.client.get(url)).status).toBe(200);
    expect((await test.client.get(url.replace(/signature=.*/, ''))).status).toBe(403);
    expect((await test.client.get(url.replace(/\/1\?/, '/2?'))).status).toBe(403);
    expect((await test.client.get(url.replace(/expires=\d/, 'expires=9'))).status).toBe(403);
  });

  it('can be cancelled, and is gone then; its files go when their time is over', async () => {
    const place = await start('$export?_type=Patient');
    const { output } = await finished(place);
    expect((await test.client.remove(place)).status).toBe(202);
    expect((await test.client.get(place)).status).toBe(404);
    expect((await test.client.get(below(output[0]?.url ?? ''))).status).toBe(404);
    const other = await start('$export?_type=Patient');
    const kept = await finished(other);
    await test.client.moveClock('2026-03-04T10:00:00Z');
    expect((await test.client.get(other)).status).toBe(404);
    expect((await test.client.get(below(kept.output[0]?.url ?? ''))).status).toBe(404);
    expect((await test.client.get('_bulk/never')).status).toBe(404);
  });
});

function send(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return test.client.send('POST', '$import', { body, type: 'application/fhir+ndjson', headers });
}

describe('$import', () => {
  it('writes each line, keeps digits, tells what it refuses with its line, and goes on', async () => {
    const text = [
      JSON.stringify(patient('i1')),
      '{"resourceType":"Observation","id":"i2","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}',
      '{"resourceType":"Patient","nmae":1}',
      'not json',
      '',
      '{"resourceType":"Basic","code":{"text":"sans id"},"language":"br"}',
      JSON.stringify({ ...patient('i1'), active: false }),
      '{"resourceType":"Task","id":"t","status":"requested","intent":"nothing"}',
    ].join('\n');
    const reply = await send(text);
    expect(reply.status).toBe(202);
    const { error, output } = await finished(below(reply.headers.get('content-location')));
    expect(output).toEqual([]);
    const told: string[] = [];
    for (const { url } of error) {
      for (const { issue } of await lines(url)) told.push((issue as { diagnostics: string }[])[0]?.diagnostics ?? '');
    }
    expect(told.sort()).toEqual(['line 3', 'line 4', 'line 8']);
    expect((await test.client.get('Patient/i1')).json).toMatchObject({ active: false, meta: { versionId: '2' } });
    expect((await test.client.get('Observation/i2')).text).toContain('"value":1.50');
    expect(await test.client.search('Basic?_language=br').catch(() => ['one'])).toHaveLength(1);
  });

  it('goes on after a restart in the middle, each line once', async () => {
    const count = 2000;
    const text = Array.from({ length: count }, (_one, index) =>
      JSON.stringify({ ...patient(`many-${index}`), resourceType: 'Practitioner' }),
    ).join('\n');
    const reply = await send(gzipSync(text), { 'content-encoding': 'gzip' });
    const place = below(reply.headers.get('content-location'));
    test = await test.restart();
    await finished(place);
    const { json } = await test.client.get('Practitioner?_summary=count&active=true');
    expect(json.total).toBe(count);
    expect((await test.client.get(`Practitioner/many-${count - 1}/_history`)).json.entry).toHaveLength(1);
    expect((await test.client.get('Practitioner/many-0/_history')).json.entry).toHaveLength(1);
  });

  it('is refused for what is no NDJSON', async () => {
    expect((await test.client.post('$import', patient('x'))).status).toBe(415);
    expect((await send(Uint8Array.of(0xff, 0xfe))).status).toBe(400);
  });
});
