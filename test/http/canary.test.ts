/**
 * No patient data in logs, metrics or error texts (design.md section 6, invariant 7): a patient full of marker strings goes
 * everywhere that data can go, right and wrong, and nothing of it comes out sideways.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import {
  careTeam,
  dischargeLetter,
  patient,
  person,
  professionals,
  restHook,
  ruleSystem,
  stay,
} from '../support/builders.ts';
import type { Client, Reply } from '../support/client.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';

let test: TestApp;
let client: Client;
let receiver: Receiver;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  receiver = await openReceiver();
  await client.putAll(...professionals());
});
afterAll(async () => {
  await receiver?.close();
  await test?.close();
});

const markers = ['ZZCANARYFAMILY', 'ZZCANARYGIVEN', 'ZZCANARYTEXT', 'ZZCANARYPHONE', '251049999908149', 'zzcanaryid'];
const [family = '', given = '', note = '', phone = ''] = markers;
const who = { ...person('zzcanaryid', 81), family, given };
const canary = patient(who, { telecom: [{ system: 'phone', value: phone }], contact: [{ name: { text: note } }] });
const errors: Reply[] = [];

async function provoke(request: Promise<Reply>): Promise<void> {
  const reply = await request;
  if (reply.status >= 400) errors.push(reply);
}

/** Wrong in many ways, each time with markers as values; names of elements and parameters are told, for they are the place. */
function wrongBodies(): readonly (string | object)[] {
  const text = JSON.stringify(canary);
  return [
    text.slice(0, -20),
    text.replace('{', '{"x":NaN,'),
    `${text}${note}`,
    { ...canary, unknownElement: note },
    { ...canary, gender: note },
    { ...canary, birthDate: note },
    { ...canary, active: note },
    { ...canary, name: note },
    { ...canary, id: `${note} ${note}` },
    { ...canary, name: [{ unknownElement: note, family: [note] }] },
    { ...canary, deceasedDateTime: note, deceasedBoolean: true },
    {
      ...canary,
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><script>${note}</script></div>` },
    },
    { ...canary, extension: [{ url: note, valueString: note, valueCode: note }] },
  ];
}

describe('A patient full of markers', () => {
  it('is stored, searched, judged, written about, alerted about and sent', async () => {
    const value = who.ins.value;
    expect(markers).toContain(value);
    await client.putAll(
      restHook('hook', `DetectedIssue?code=${ruleSystem}|RUP-20`, `${receiver.url}/${note}`, 'application/fhir+json'),
    );
    await client.putAll(canary, careTeam(who.id), stay(who.id), stay(who.id, '2026-03-02T16:20:00+01:00'));
    await client.search(`Patient?family=${family}&given=${given}&phone=${phone}`);
    await client.search(`Patient?identifier=urn:oid:1.2.250.1.213.1.4.8|${value}`);
    await client.send('POST', 'Patient/_search', {
      body: `family=${family}`,
      type: 'application/x-www-form-urlencoded',
    });
    receiver.answer((_received, index) => (index === 0 ? { status: 500, body: note } : { status: 200 }));
    await client.moveClock('2026-03-03T12:00:00+01:00');
    expect(
      (await client.ingest(dischargeLetter(who, '2026-03-02T16:20:00+01:00', '2026-03-03T09:00:00+01:00'))).status,
    ).toBe(201);
    await client.settle();
    await client.get(`Patient/${who.id}/$breaks`);
    expect(receiver.received.length).toBeGreaterThan(1);
  });

  it('is refused wherever it is wrong', async () => {
    for (const body of wrongBodies()) {
      await provoke(client.send('POST', 'Patient', { body }));
      await provoke(client.send('PUT', `Patient/${who.id}`, { body }));
      const resource = typeof body === 'string' ? {} : body;
      const entry = [
        { resource, request: { method: 'POST', url: 'Patient', ifNoneExist: `family=${family}&nothing=${note}` } },
      ];
      await provoke(client.post('', { resourceType: 'Bundle', type: 'transaction', entry }));
    }
    for (const path of [
      `Patient?nothing=${note}`,
      `Patient?birthdate=${note}`,
      `Patient?family:nothing=${note}`,
      `Patient?_sort=${note}`,
      `Patient?_include=${note}`,
      `Patient?_cursor=${note}`,
      `Patient?_count=${note}`,
      `Patient?identifier=${who.ins.value}|${who.ins.value}|x`,
      `Patient/${note}`,
      `Patient/${note}/_history?nothing=${note}`,
      `Patient/${note}/_history/${note}`,
      `${note}/1`,
      `Patient/${note}%ff`,
      `Patient/${note.repeat(30)}`,
      `Patient/x/$${note}`,
      `/${note}`,
      `Patient/${who.id}/$breaks?at=${note}`,
      `Patient?_format=${note}`,
    ]) {
      await provoke(client.get(path));
    }
    await provoke(client.post('Patient', canary, { 'if-none-exist': `nothing=${note}` }));
    await provoke(client.put(canary, { 'if-match': note }));
    await provoke(client.send('POST', 'Patient', { body: canary, type: `text/${note}` }));
    await provoke(client.get('Patient/x', { accept: `text/${note}` }));
    await provoke(client.post('/admin/clock', { now: note }));
    await provoke(
      client.put({ ...restHook('bad', `Patient?nothing=${note}`, `http://${note}.example`), status: 'requested' }),
    );
    await provoke(client.put({ resourceType: 'PlanDefinition', id: 'bad', status: note }));
    expect(errors.length).toBeGreaterThan(50);
  });

  it('is refused in letters that are wrong', async () => {
    const letter = new TextDecoder().decode(
      dischargeLetter(who, '2026-03-02T16:20:00+01:00', '2026-03-03T09:00:00+01:00'),
    );
    const before = errors.length;
    await provoke(client.ingest(letter.slice(0, 3500)));
    await provoke(client.ingest(letter.replaceAll('</patient>', `</${note}>`)));
    await provoke(client.ingest(letter.replace('Colectomie', note)));
    await provoke(client.ingest(letter.replace('19510417', '19510418').replace('.1"/>', '.9"/>')));
    await provoke(client.ingest(letter.replace('code="11490-0"', `code="${note}"`).replace('.1"/>', '.8"/>')));
    expect(errors.length).toBe(before + 5);
  });

  it('leaves no marker in any error', () => {
    // The id is the client's own: it stands in the URL that he wrote.
    const secrets = markers.filter((marker) => marker !== 'zzcanaryid');
    const leaks = errors.filter(({ text, headers }) => {
      const told = `${text} ${[...headers.values()].join(' ')}`;
      return secrets.some((marker) => told.includes(marker));
    });
    expect(leaks.map(({ status, text }) => [status, text.slice(0, 300)])).toEqual([]);
    expect(errors.filter(({ status }) => status >= 500).map(({ status }) => status)).toEqual(
      errors.flatMap(({ status }) => (status === 501 ? [501] : [])),
    );
  });

  it('leaves no marker in the log and none in the metrics', async () => {
    expect(test.logged.length).toBeGreaterThan(100);
    const secrets = markers.filter((marker) => marker !== 'zzcanaryid');
    const isLeak = (line: string) => secrets.some((marker) => line.includes(marker));
    expect(test.logged.filter(isLeak)).toEqual([]);
    const { text } = await client.get('/metrics');
    expect(text.split('\n').filter((line) => markers.some((marker) => line.includes(marker)))).toEqual([]);
  });
});
