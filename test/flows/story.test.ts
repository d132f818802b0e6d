/**
 * The main job, as a black box sees it: a stay ends, its discharge letter does not come, somebody is told, the letter
 * comes in as bytes, the break closes by itself (design.md sections 2 and 4).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type {
  DetectedIssue,
  DocumentReference,
  Encounter,
  Parameters,
  Patient,
  PractitionerRole,
  Subscription,
  Task,
} from 'fhir/r4.js';
import { startTestApp, type TestApp } from '../support/app.ts';
import {
  careTeam,
  dischargeLetter,
  episode,
  gp,
  hospital,
  letterAbout,
  letterIds,
  nurse,
  patient,
  type Person,
  person,
  practitioner,
  professionals,
  restHook,
  ruleSystem,
  stay,
  transmission,
} from '../support/builders.ts';
import { type Client } from '../support/client.ts';
import { adaptLetter } from '../support/letter.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { breaks, counts, extension, judgment, judgments, theBreak } from './view.ts';

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

const people = ['Patient', 'Practitioner', 'PractitionerRole', 'Organization', 'Encounter'];
const everything = [...people, 'DocumentReference', 'Binary', 'DetectedIssue', 'Task', 'Communication'];

/** The DocumentReference of an answer of $ingest. */
function letterOf(reply: { readonly json: { entry?: { resource: DocumentReference }[] } }): DocumentReference {
  return reply.json.entry?.[0]?.resource as DocumentReference;
}

describe('A discharge letter that comes a day late', () => {
  const p1 = person('p1', 1);
  const discharge = '2026-03-02T16:20:00+01:00';
  const midnight = '2026-03-03T00:00:00+01:00';
  const bytes = dischargeLetter(p1, discharge, '2026-03-03T09:30:00+01:00');
  let letter: DocumentReference;

  beforeAll(async () => {
    const criteria = `DetectedIssue?code=${ruleSystem}|RUP-20`;
    await client.putAll(restHook('told', criteria, `${receiver.url}/told`));
    await client.putAll(restHook('sent', criteria, `${receiver.url}/sent`, 'application/fhir+json'));
    await client.putAll(...episode(p1));
    await client.putAll(stay('p1', discharge));
    await client.settle();
  });

  it('is expected by the end of the local day, and a visit in town by the end of the seventh day', async () => {
    expect(await judgment(client, 'p1', 'RUP-20')).toMatchObject({ state: 'waiting', dueAt: midnight });
    expect(await judgment(client, 'p1', 'RUP-20')).toMatchObject({ focus: 'Encounter/p1-stay' });
    expect(await judgment(client, 'p1', 'RUP-23')).toMatchObject({
      state: 'waiting',
      dueAt: '2026-03-10T00:00:00+01:00',
    });
    expect(await breaks(client, 'p1', 'RUP-20')).toEqual([]);
  });

  it('raises nothing else about a patient whose care is complete', async () => {
    const issues = await client.search<DetectedIssue>('DetectedIssue?patient=Patient/p1');
    expect(issues.map(({ identifier }) => identifier?.[0]?.value)).toEqual([]);
  });

  it('is announced to its owner two hours before, without a call', async () => {
    await client.moveClock('2026-03-02T21:59:59+01:00');
    expect(await breaks(client, 'p1', 'RUP-20')).toEqual([]);
    await client.moveClock('2026-03-02T22:00:00+01:00');
    const { issue, state, tasks, alerts } = await theBreak(client, 'p1', 'RUP-20');
    expect([issue.status, state, tasks.map(({ status }) => status), alerts]).toEqual([
      'preliminary',
      'pre-alert',
      ['draft'],
      [],
    ]);
    expect(await judgment(client, 'p1', 'RUP-20')).toMatchObject({ state: 'waiting' });
  });

  it('breaks at midnight: one DetectedIssue that says what, for which stay and since when', async () => {
    const fired = await client.moveClock('2026-03-03T00:00:01+01:00');
    expect(fired).toBeGreaterThan(0);
    const { issue, state, due } = await theBreak(client, 'p1', 'RUP-20');
    expect({ state, due }).toEqual({ state: 'open', due: midnight });
    expect(issue).toMatchObject({
      status: 'final',
      severity: 'high',
      patient: { reference: 'Patient/p1' },
      identifiedDateTime: midnight,
      identifier: [{ system: 'https://suture.example/fhir/sid/break', value: 'RUP-20:Patient/p1:Encounter/p1-stay' }],
      implicated: [{ reference: 'Encounter/p1-stay' }],
    });
    const codes = issue.code?.coding?.map(({ system, code }) => `${system}|${code}`);
    expect(codes).toEqual(['http://terminology.hl7.org/CodeSystem/v3-ActCode|CAREGAP', `${ruleSystem}|RUP-20`]);
    expect(extension(issue, 'break-occurrence')?.valuePositiveInt).toBe(1);
    expect(await judgment(client, 'p1', 'RUP-20')).toMatchObject({
      state: 'broken',
      issue: `DetectedIssue/${issue.id}`,
    });
  });

  it('is one Task in the list of the coordinating nurse, who stands in when nobody has the role of the rule', async () => {
    const { issue, tasks } = await theBreak(client, 'p1', 'RUP-20');
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/task', code: 'repair-break' }] },
      businessStatus: { coding: [{ code: 'open' }] },
      focus: { reference: `DetectedIssue/${issue.id}` },
      for: { reference: 'Patient/p1' },
      encounter: { reference: 'Encounter/p1-stay' },
      owner: { reference: nurse },
      restriction: { period: { end: midnight } },
    });
  });

  it('is told in one alert, in French, that names the missing letter, the stay and the time', async () => {
    const { issue, alerts } = await theBreak(client, 'p1', 'RUP-20');
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatchObject({
      status: 'completed',
      category: [{ coding: [{ code: 'alert' }] }],
      subject: { reference: 'Patient/p1' },
      about: [{ reference: `DetectedIssue/${issue.id}` }],
      recipient: [{ reference: nurse }],
      sent: midnight,
    });
    const text = alerts[0]?.payload?.[0]?.contentString ?? '';
    expect(text).toContain('lettre de liaison');
    expect(text).toContain("séjour du 23/02/2026 au 02/03/2026 (CH du Val d'Arzon)");
    expect(text).toContain('depuis le 03/03/2026 à 00:00');
  });

  it('calls the subscribers: an empty POST without payload, a PUT of the resource with it', async () => {
    const { issue } = await theBreak(client, 'p1', 'RUP-20');
    const told = receiver.received.filter(({ path }) => path === '/told');
    const sent = receiver.received.filter(({ path }) => path.startsWith('/sent'));
    expect(told.map(({ method, body }) => [method, body])).toEqual([
      ['POST', ''],
      ['POST', ''],
    ]);
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(
      Array(2).fill(`PUT /sent/DetectedIssue/${issue.id}`),
    );
    expect(sent.map(({ body }) => (JSON.parse(body) as DetectedIssue).status)).toEqual(['preliminary', 'final']);
    expect((await client.read<Subscription>('Subscription/told')).status).toBe('active');
  });

  it('is told once: more time brings no second break, Task or alert', async () => {
    await client.moveClock('2026-03-03T10:00:00+01:00');
    const { tasks, alerts } = await theBreak(client, 'p1', 'RUP-20');
    expect([tasks.length, alerts.length]).toEqual([1, 1]);
  });

  it('comes in as bytes and is stored with everything that its header says', async () => {
    const reply = await client.ingest(bytes);
    expect(reply.status).toBe(201);
    letter = letterOf(reply);
    expect(reply.headers.get('location')).toContain(`/DocumentReference/${letter.id}/_history/1`);
    expect(letter).toMatchObject({
      status: 'current',
      type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
      category: [{ coding: [{ code: '10' }] }],
      masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.7.3.1001.1' },
      subject: { reference: 'Patient/p1' },
      date: '2026-03-03T09:30:00+01:00',
      author: [{ reference: expect.stringMatching(/^PractitionerRole\//) }],
      authenticator: { reference: expect.stringMatching(/^PractitionerRole\//) },
      custodian: { reference: hospital },
      securityLabel: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] }],
      context: {
        encounter: [{ reference: 'Encounter/p1-stay' }],
        period: { start: '2026-02-23T07:45:00+01:00', end: discharge },
        facilityType: { coding: [{ code: 'SA01' }] },
        practiceSetting: { coding: [{ code: 'ETABLISSEMENT' }] },
        sourcePatientInfo: { reference: expect.stringMatching(/^#/) },
      },
    });
    expect(letter.content).toHaveLength(1);
    expect(letter.content[0]).toMatchObject({
      attachment: {
        contentType: 'text/xml',
        size: bytes.length,
        hash: createHash('sha1').update(bytes).digest('base64'),
        creation: '2026-03-03T09:30:00+01:00',
        url: expect.stringContaining('Binary/'),
      },
      format: { code: 'urn:asip:ci-sis:ldl-ses:2017' },
    });
  });

  it('answers with each resource that it found or made, the letter first', async () => {
    const reply = await client.ingest(dischargeLetter(person('p1', 1), discharge, '2026-03-03T09:30:00+01:00'));
    expect(reply.json).toMatchObject({ resourceType: 'Bundle', type: 'transaction-response' });
    for (const entry of reply.json.entry) {
      expect(entry.response).toMatchObject({ status: expect.any(String), location: expect.stringContaining('http') });
    }
  });

  it('gives back its bytes as they came', async () => {
    const url = letter.content[0]?.attachment.url ?? '';
    const raw = await client.get(url.replace(`${client.baseUrl}/`, ''));
    expect(raw.headers.get('content-type')).toMatch(/^text\/xml/);
    expect(raw.bytes.equals(Buffer.from(bytes))).toBe(true);
    const asResource = await client.get(url, { accept: 'application/fhir+json' });
    expect(Buffer.from(asResource.json.data as string, 'base64').equals(Buffer.from(bytes))).toBe(true);
  });

  it('finds patient, stay, doctor and hospital by their national identifiers and makes only who is unknown', async () => {
    const rpps = async (number: string) =>
      client.search<Patient>(`Practitioner?identifier=https://rpps.esante.gouv.fr|${number}`);
    expect((await rpps('10009900029')).map(({ id }) => `Practitioner/${id}`)).toEqual([gp]);
    const [author] = await rpps('10009900011');
    const role = await client.read<PractitionerRole>(letter.author?.[0]?.reference ?? '');
    expect(role).toMatchObject({
      practitioner: { reference: `Practitioner/${author?.id}` },
      organization: { reference: hospital },
    });
    const finess = 'Organization?identifier=https://finess.esante.gouv.fr|990000012';
    expect((await client.search(finess)).map(({ id }) => `Organization/${id}`)).toEqual([hospital]);
    expect(await client.search(`Patient?identifier=urn:oid:${p1.ins.root}|${p1.ins.value}`)).toHaveLength(1);
    expect(await client.search('Encounter?patient=Patient/p1')).toHaveLength(1);
  });

  it('changes nothing when it comes a second time', async () => {
    await client.settle();
    const before = await counts(client, everything);
    const reply = await client.ingest(bytes);
    expect(reply.status).toBe(200);
    expect(letterOf(reply)).toMatchObject({ id: letter.id, meta: { versionId: '1' } });
    await client.settle();
    expect(await counts(client, everything)).toEqual(before);
    expect((await client.read<Patient>('Patient/p1')).meta?.versionId).toBe('1');
    expect((await client.read<Encounter>('Encounter/p1-stay')).meta?.versionId).toBe('2');
  });

  it('closes the break by itself with the reason late, completes the Task and tells the subscribers', async () => {
    const { issue, state, reason, tasks, alerts } = await theBreak(client, 'p1', 'RUP-20');
    expect({ state, reason, status: issue.status }).toEqual({ state: 'auto-closed', reason: 'late', status: 'final' });
    expect(tasks.map(({ status, statusReason }) => [status, statusReason?.coding?.[0]?.code])).toEqual([
      ['completed', 'late'],
    ]);
    expect(alerts).toHaveLength(1);
    expect(issue.mitigation).toMatchObject([{ action: { coding: [{ code: 'late' }] } }]);
    expect(receiver.received.filter(({ path }) => path === '/told')).toHaveLength(3);
    const last = receiver.received.filter(({ path }) => path.startsWith('/sent')).at(-1);
    expect(extension(JSON.parse(last?.body ?? '{}') as DetectedIssue, 'break-state')?.valueCode).toBe('auto-closed');
    expect(await judgment(client, 'p1', 'RUP-20')).toMatchObject({
      state: 'repaired',
      metAt: '2026-03-03T09:30:00+01:00',
      reason: 'late',
    });
  });

  it('is now missed by the GP: the transmission breaks at once', async () => {
    expect(await judgment(client, 'p1', 'RUP-21')).toMatchObject({ state: 'broken', dueAt: midnight });
    const { state, tasks, alerts, issue } = await theBreak(client, 'p1', 'RUP-21');
    expect({ state, tasks: tasks.length, alerts: alerts.length }).toEqual({ state: 'open', tasks: 1, alerts: 1 });
    expect(issue.identifiedDateTime).toBe('2026-03-03T10:00:00+01:00');
  });

  it('is not sent by a message that is not completed, to somebody else, or about something else', async () => {
    const sent = transmission('p1', `DocumentReference/${letter.id}`, '2026-03-03T10:30:00+01:00');
    await client.putAll(
      { ...sent, id: 'p1-sent-1', status: 'in-progress' },
      { ...sent, id: 'p1-sent-2', recipient: [{ reference: nurse }] },
      { ...sent, id: 'p1-sent-3', about: [{ reference: 'CarePlan/p1-plan' }] },
    );
    await client.settle();
    expect(await judgment(client, 'p1', 'RUP-21')).toMatchObject({ state: 'broken' });
  });

  it('is repaired by a completed message to the GP about the letter', async () => {
    await client.moveClock('2026-03-03T11:00:00+01:00');
    await client.putAll(transmission('p1', `DocumentReference/${letter.id}`, '2026-03-03T10:55:00+01:00'));
    await client.settle();
    expect(await judgment(client, 'p1', 'RUP-21')).toMatchObject({
      state: 'repaired',
      metAt: '2026-03-03T10:55:00+01:00',
    });
    const { state, reason, tasks } = await theBreak(client, 'p1', 'RUP-21');
    expect({ state, reason, tasks: tasks.map(({ status }) => status) }).toEqual({
      state: 'auto-closed',
      reason: 'late',
      tasks: ['completed'],
    });
  });

  it('explains each break: expressions with their values, the evidence with its versions, the time line', async () => {
    const { issue } = await theBreak(client, 'p1', 'RUP-20');
    const { parameter = [] } = await client.read<Parameters>(`DetectedIssue/${issue.id}/$explain`);
    const named = (name: string) => parameter.filter((one) => one.name === name);
    const part = (one: (typeof parameter)[number], name: string) => one.part?.find((inner) => inner.name === name);
    expect(named('rule')[0]?.valueCode).toBe('RUP-20');
    const expressions = named('expression').map((one) => [
      part(one, 'name')?.valueString,
      part(one, 'value')?.valueString,
    ]);
    expect(expressions).toEqual(
      expect.arrayContaining([
        ['starts', 'true'],
        ['anchor', discharge],
        ['met', 'true'],
        ['metAt', '2026-03-03T09:30:00+01:00'],
      ]),
    );
    for (const one of named('expression')) expect(part(one, 'expression')?.valueString).toEqual(expect.any(String));
    const evidence = named('evidence').map((one) => part(one, 'reference')?.valueReference?.reference);
    expect(evidence).toEqual(
      expect.arrayContaining(['Encounter/p1-stay/_history/2', `DocumentReference/${letter.id}/_history/1`]),
    );
    for (const reference of evidence) expect((await client.get(reference ?? '')).status).toBe(200);
    const line = named('timeline').map((one) => [part(one, 'at')?.valueInstant, part(one, 'state')?.valueCode]);
    expect(line).toEqual([
      ['2026-03-02T21:00:00.000Z', 'pre-alert'],
      ['2026-03-02T23:00:00.000Z', 'open'],
      ['2026-03-03T09:00:00.000Z', 'auto-closed'],
    ]);
  });

  it('tells the whole life of the break in the history of its DetectedIssue and of its Task', async () => {
    const { issue, tasks } = await theBreak(client, 'p1', 'RUP-20');
    const { json } = await client.get(`DetectedIssue/${issue.id}/_history`);
    const versions = (json.entry as { resource: DetectedIssue }[]).map(({ resource }) => resource);
    expect(versions.map((one) => [one.meta?.versionId, one.status, extension(one, 'break-state')?.valueCode])).toEqual([
      ['3', 'final', 'auto-closed'],
      ['2', 'final', 'open'],
      ['1', 'preliminary', 'pre-alert'],
    ]);
    const history = await client.get(`Task/${tasks[0]?.id}/_history`);
    const work = (history.json.entry as { resource: Task }[]).map(({ resource }) => resource.status);
    expect(work).toEqual(['completed', 'requested', 'draft']);
  });

  it('answers what it would have said at a past instant, with what was known then', async () => {
    const at = async (instant: string) => (await judgment(client, 'p1', 'RUP-20', instant)).state;
    expect(await at('2026-03-02T23:59:59.999+01:00')).toBe('waiting');
    expect(await at(midnight)).toBe('broken');
    expect(await at('2026-03-03T09:59:00+01:00')).toBe('broken');
    expect(await at('2026-03-03T10:00:00+01:00')).toBe('repaired');
    expect((await client.get('Patient/p1/$breaks?at=yesterday')).status).toBe(400);
  });

  it('doubles nobody when another letter names the same people', async () => {
    const before = await counts(client, people);
    const ids = {
      ...letterIds(p1, '2026-03-03T11:30:00+01:00'),
      id: '1.2.250.1.999.7.4.1',
      setId: '1.2.250.1.999.7.4',
    };
    const base = new TextDecoder().decode(bytes);
    const reply = await client.ingest(adaptLetter(base, { ...letterAbout(p1, discharge), document: ids }));
    expect(reply.status).toBe(201);
    expect(letterOf(reply).id).not.toBe(letter.id);
    expect(await counts(client, people)).toEqual(before);
  });

  it('does not start again with the second letter', async () => {
    await client.settle();
    expect((await theBreak(client, 'p1', 'RUP-20')).state).toBe('auto-closed');
    expect(await judgment(client, 'p1', 'RUP-21')).toMatchObject({ state: 'repaired' });
  });
});

describe('A discharge letter that was written in time and comes late', () => {
  const p2 = person('p2', 2);
  const discharge = '2026-03-04T15:00:00+01:00';

  it('closes the break with the reason met-in-time-known-late', async () => {
    await client.putAll(...episode(p2), stay('p2', discharge));
    await client.moveClock('2026-03-05T09:00:00+01:00');
    expect((await theBreak(client, 'p2', 'RUP-20')).state).toBe('open');
    const reply = await client.ingest(dischargeLetter(p2, discharge, '2026-03-04T18:05:00+01:00'));
    expect(reply.status).toBe(201);
    await client.settle();
    expect(await judgment(client, 'p2', 'RUP-20')).toMatchObject({
      state: 'met',
      metAt: '2026-03-04T18:05:00+01:00',
      reason: 'met-in-time-known-late',
    });
    const { state, reason, tasks } = await theBreak(client, 'p2', 'RUP-20');
    expect({ state, reason, tasks: tasks.map(({ status }) => status) }).toEqual({
      state: 'auto-closed',
      reason: 'met-in-time-known-late',
      tasks: ['completed'],
    });
  });

  it('closes it as repaired when somebody had accepted the Task', async () => {
    const p3 = person('p3', 3);
    await client.putAll(...episode(p3), stay('p3', '2026-03-05T12:00:00+01:00'));
    await client.moveClock('2026-03-06T08:00:00+01:00');
    const { tasks } = await theBreak(client, 'p3', 'RUP-20');
    expect((await client.put({ ...(tasks[0] as object), status: 'accepted' } as never)).status).toBe(200);
    await client.settle();
    expect((await theBreak(client, 'p3', 'RUP-20')).state).toBe('acknowledged');
    await client.ingest(dischargeLetter(p3, '2026-03-05T12:00:00+01:00', '2026-03-05T19:00:00+01:00'));
    await client.settle();
    const after = await theBreak(client, 'p3', 'RUP-20');
    expect([after.state, after.reason, after.tasks[0]?.status]).toEqual([
      'repaired',
      'met-in-time-known-late',
      'completed',
    ]);
  });

  it('raises no break when it is learned before anybody was told', async () => {
    const p4 = person('p4', 4);
    const end = '2026-03-01T10:00:00+01:00';
    await client.putAll(patient(p4), careTeam('p4'));
    const reply = await client.ingest(dischargeLetter(p4, end, '2026-03-01T11:00:00+01:00'));
    expect(reply.status).toBe(201);
    await client.settle();
    expect((await judgments(client, 'p4')).find(({ rule }) => rule === 'RUP-20')).toMatchObject({ state: 'met' });
    expect(await breaks(client, 'p4', 'RUP-20')).toEqual([]);
  });
});

describe('The deadline of a discharge letter', () => {
  const discharge = '2026-03-06T17:00:00+01:00';

  function withFraction(who: Person, effectiveTime: string, fraction: string): Uint8Array {
    const text = new TextDecoder().decode(dischargeLetter(who, discharge, effectiveTime));
    const time = `${effectiveTime.slice(0, 19).replace(/[-:T]/g, '')}`;
    return new TextEncoder().encode(text.replaceAll(`"${time}+0100"`, `"${time}${fraction}+0100"`));
  }

  it.each([
    ['met', 'in the last millisecond of the day', '2026-03-06T23:59:59+01:00', '.999', 11],
    ['repaired', 'at midnight', '2026-03-07T00:00:00+01:00', '', 12],
  ])('is half-open: it is %s by a letter written %s', async (state, _when, effectiveTime, fraction, number) => {
    const who = person(`half-${number}`, number);
    await client.putAll(...episode(who), stay(who.id, discharge));
    await client.settle();
    const reply = await client.ingest(withFraction(who, effectiveTime, fraction));
    expect(reply.status).toBe(201);
    await client.settle();
    expect(await judgment(client, who.id, 'RUP-20')).toMatchObject({ state, dueAt: '2026-03-07T00:00:00+01:00' });
  });

  it('lets a letter of the last millisecond prevent the break, and breaks at midnight sharp without one', async () => {
    const [early, never] = [person('edge-1', 21), person('edge-2', 22)];
    await client.putAll(...episode(early), ...episode(never));
    await client.putAll(stay('edge-1', discharge), stay('edge-2', discharge));
    await client.moveClock('2026-03-06T23:59:59.999+01:00');
    const reply = await client.ingest(withFraction(early, '2026-03-06T23:59:59+01:00', '.999'));
    expect(reply.status).toBe(201);
    await client.settle();
    expect(await judgment(client, 'edge-2', 'RUP-20')).toMatchObject({ state: 'waiting' });
    await client.moveClock('2026-03-07T00:00:00+01:00');
    expect((await theBreak(client, 'edge-1', 'RUP-20')).reason).toBe('met');
    expect((await theBreak(client, 'edge-1', 'RUP-20')).state).toBe('moot');
    expect((await theBreak(client, 'edge-2', 'RUP-20')).state).toBe('open');
    expect((await theBreak(client, 'edge-1', 'RUP-20')).alerts).toEqual([]);
  });
});

describe('The owner of a break', () => {
  const discharge = '2026-03-09T10:00:00+01:00';
  const surgeon = 'Practitioner/dr-diarra';
  const secretary = 'Practitioner/ama-petit';
  const members = { gp, coordinator: nurse };
  const onStay = {
    participant: [{ type: [{ coding: [disphys()] }], individual: { reference: 'Practitioner/dr-ward' } }],
  };

  function disphys(): object {
    return { system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'DIS' };
  }

  it.each([
    ['the discharge physician of the care team', { ...members, dischargePhysician: surgeon, secretary }, {}, surgeon],
    ['the secretary when no physician is named', { ...members, secretary }, {}, secretary],
    [
      'the discharger of the stay before the care team',
      { ...members, dischargePhysician: surgeon },
      onStay,
      'Practitioner/dr-ward',
    ],
    ['the coordinator when nobody has a role of the rule', members, {}, nurse],
    ['the hospital when there is no coordinator either', { gp }, {}, hospital],
  ])('is %s', async (_who, team, more, owner) => {
    const number = 30 + (await client.search('Patient?_count=1000')).length;
    const who = person(`owner-${number}`, number);
    await client.putAll(
      practitioner('dr-diarra', 'DIARRA', 'Awa', '10009900011'),
      practitioner('ama-petit', 'PETIT', 'Lise', '10009900045'),
      practitioner('dr-ward', 'SALLES', 'Ida', '10009900052'),
      ...episode(who, team),
      stay(who.id, discharge, more),
    );
    await client.moveClock('2026-03-10T00:00:00+01:00');
    const { tasks } = await theBreak(client, who.id, 'RUP-20');
    expect(tasks.map((task) => task.owner?.reference)).toEqual([owner]);
  });
});

const sample = '/work/shared/samples/ldl/LDL-SES_2022.01.xml';
const samplesAreHere = existsSync(new URL('../../../shared/samples/ldl/', import.meta.url)) && existsSync(sample);
const withSample = samplesAreHere ? describe : describe.skip;

withSample('The sample letter of the agency (left out where ../shared is not there)', () => {
  const text = () => readFileSync(sample, 'utf8');

  it('is taken unchanged, and changes nothing the second time', async () => {
    const bytes = readFileSync(sample);
    const reply = await client.ingest(bytes);
    expect(reply.status).toBe(201);
    expect(letterOf(reply)).toMatchObject({
      type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
      content: [{ attachment: { size: bytes.length }, format: { code: 'urn:asip:ci-sis:ldl-ses:2017' } }],
    });
    await client.settle();
    const before = await counts(client, everything);
    expect((await client.ingest(bytes)).status).toBe(200);
    await client.settle();
    expect(await counts(client, everything)).toEqual(before);
    const raw = await client.get(letterOf(reply).content[0]?.attachment.url ?? '');
    expect(raw.bytes.equals(bytes)).toBe(true);
  });

  it('is linked to the stay of a known patient once it is made about him', async () => {
    const who = person('p9', 90);
    const discharge = '2026-03-11T16:20:00+01:00';
    await client.putAll(...episode(who), stay('p9', discharge));
    await client.moveClock('2026-03-12T00:00:01+01:00');
    expect((await theBreak(client, 'p9', 'RUP-20')).state).toBe('open');
    const before = await counts(client, ['Patient', 'Encounter']);
    const reply = await client.ingest(dischargeLetter(who, discharge, '2026-03-11T18:00:00+01:00', text()));
    expect(reply.status).toBe(201);
    expect(letterOf(reply)).toMatchObject({
      subject: { reference: 'Patient/p9' },
      context: { encounter: [{ reference: 'Encounter/p9-stay' }] },
    });
    expect(await counts(client, ['Patient', 'Encounter'])).toEqual(before);
    await client.settle();
    expect((await theBreak(client, 'p9', 'RUP-20')).reason).toBe('met-in-time-known-late');
  });
});
