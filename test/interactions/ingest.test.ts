/**
 * Letters that cannot be taken as they are (design.md section 4, "Letter in"; section 5, decision 9): nothing is lost, a
 * person is told why, and the letter is taken once what stood in its way is corrected.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { dischargeLetter, episode, patient, person, professionals, stay } from '../support/builders.ts';
import type { Client, Reply } from '../support/client.ts';
import { richLetter } from '../letters/letters.ts';
import { counts, judgment } from '../flows/view.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
});
afterAll(() => test?.close());

const fixture = readFileSync(new URL('../letters/fixtures/discharge.xml', import.meta.url), 'utf8');
const discharge = '2026-02-27T16:20:00+01:00';
const written = '2026-02-27T17:00:00+01:00';

async function taskOf(reply: Reply): Promise<Task> {
  const location = reply.headers.get('location') ?? '';
  expect(location).toMatch(new RegExp(`^${client.baseUrl}/Task/[^/]+$`));
  return client.read<Task>(location.slice(client.baseUrl.length + 1));
}

function without(text: string, pattern: RegExp): string {
  expect(text).toMatch(pattern);
  return text.replace(pattern, '');
}

const clinical = ['Patient', 'Practitioner', 'PractitionerRole', 'Encounter', 'DocumentReference'];

describe('A letter that cannot be understood', () => {
  it.each([
    ['that is no XML', 'Chère consœur, votre patiente est sortie.', undefined],
    ['whose XML is not well formed', fixture.replace('</custodian>', '</custodia>'), undefined],
    ['that ends in the middle', fixture.slice(0, 3000), undefined],
    [
      'with a DOCTYPE',
      fixture.replace(
        '<ClinicalDocument',
        '<!DOCTYPE ClinicalDocument SYSTEM "file:///etc/passwd">\n<ClinicalDocument',
      ),
      undefined,
    ],
    [
      'that is another document',
      '<?xml version="1.0"?><Facture xmlns="urn:example"><total>12</total></Facture>',
      undefined,
    ],
    ['of an unknown type', fixture.replace('code="11490-0"', 'code="00000-0"'), '/ClinicalDocument/code'],
    ['without patient', without(fixture, /<recordTarget>[^]*<\/recordTarget>/), '/ClinicalDocument/recordTarget'],
    [
      'whose patient has no INS and no number',
      without(fixture, /<id root="1\.2\.250\.1\.213\.1\.4\.10"[^>]*>\s*<id root="1\.2\.250\.1\.999\.7\.1"[^>]*>/),
      '/ClinicalDocument/recordTarget',
    ],
    [
      'written on a day that does not exist',
      fixture.replace('<effectiveTime value="20260302160500+0100"/>', '<effectiveTime value="20261301160500+0100"/>'),
      '/ClinicalDocument/effectiveTime',
    ],
  ])('%s is refused by name, its bytes and a Task are kept', async (_what, text, path) => {
    const before = await counts(client, clinical);
    const bytes = Buffer.from(text);
    const reply = await client.ingest(bytes);
    expect([reply.status, reply.json.resourceType]).toEqual([422, 'OperationOutcome']);
    const [issue] = reply.json.issue;
    expect(issue).toMatchObject({ severity: 'error', details: { text: expect.any(String) } });
    if (path !== undefined) expect(issue.expression[0]).toContain(path);
    const task = await taskOf(reply);
    expect(task).toMatchObject({
      status: 'requested',
      code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/task', code: 'review-letter' }] },
      focus: { reference: `Binary/${createHash('sha256').update(bytes).digest('hex')}` },
    });
    expect(task.input?.[0]?.valueString).toContain(issue.details.text);
    const kept = await client.get(task.focus?.reference ?? '', { accept: '*/*' });
    expect(kept.bytes.equals(bytes)).toBe(true);
    expect(await counts(client, clinical)).toEqual(before);
  });

  it('has one Task however often it comes', async () => {
    const bytes = fixture.replace('code="11490-0"', 'code="00000-1"');
    const [first, second] = [await client.ingest(bytes), await client.ingest(bytes)];
    expect(second.status).toBe(422);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
  });

  it('comes in a carrier that is read, or not at all', async () => {
    const status = async (bytes: string, type: string) => (await client.ingest(bytes, type)).status;
    expect(await status(fixture, 'application/pdf')).toBe(415);
    expect(await status('{}', 'application/fhir+json')).toBe(415);
    expect(await status('%PDF-1.4', 'application/octet-stream')).toBe(415);
    expect((await client.send('POST', 'DocumentReference/$ingest', { type: 'application/xml' })).status).toBe(415);
    expect((await client.ingest('', 'application/xml')).status).toBeGreaterThanOrEqual(400);
  });

  it.each(['application/xml', 'text/xml; charset=utf-8', 'application/cda+xml', 'application/octet-stream'])(
    'that can be is taken as %s',
    async (type) => {
      const reply = await client.ingest(fixture, type);
      expect([200, 201]).toContain(reply.status);
    },
  );
});

describe('A letter whose patient is in doubt', () => {
  const known = person('r1', 41);
  let task: Task;

  it('is not linked: same INS, another birth date', async () => {
    await client.putAll(...episode(known), stay('r1', discharge));
    await client.settle();
    const before = await counts(client, clinical);
    const stranger = { ...known, birthDate: '1949-01-02' };
    const reply = await client.ingest(dischargeLetter(stranger, discharge, written));
    expect(reply.status).toBe(422);
    expect(reply.json.issue[0].details.text).toContain('date de naissance');
    expect(reply.text).not.toContain('1949');
    expect(await counts(client, clinical)).toEqual(before);
    task = await taskOf(reply);
    expect(task.status).toBe('requested');
  });

  it('is taken by $retry once the record was corrected: Task completed, letter linked, break closed', async () => {
    await client.settle();
    expect((await judgment(client, 'r1', 'RUP-20')).state).toBe('broken');
    const path = `Task/${task.id}/$retry`;
    const still = await client.send('POST', path);
    expect([still.status, still.headers.get('location')]).toEqual([422, `${client.baseUrl}/Task/${task.id}`]);
    await client.putAll(patient({ ...known, birthDate: '1949-01-02' }));
    const taken = await client.send('POST', path);
    expect(taken.status).toBe(201);
    expect(taken.json.entry[0].resource).toMatchObject({
      resourceType: 'DocumentReference',
      subject: { reference: 'Patient/r1' },
    });
    expect((await client.read<Task>(`Task/${task.id}`)).status).toBe('completed');
    await client.settle();
    expect(await judgment(client, 'r1', 'RUP-20')).toMatchObject({ state: 'met', reason: 'met-in-time-known-late' });
    expect((await client.send('POST', path)).status).toBe(422);
  });

  it('is refused when its identity is of the test domain and the server takes none', async () => {
    const strict = await startTestApp({ settings: { SUTURE_ALLOW_TEST_INS: 'false' } });
    const reply = await strict.client.ingest(fixture);
    expect(reply.status).toBe(422);
    expect(reply.json.issue[0].details.text).toContain('SUTURE_ALLOW_TEST_INS');
    await strict.close();
  });
});

describe('A letter that is known under its id', () => {
  const who = person('r2', 42);

  it('is 409 with other bytes, and a Task for a person; what is stored stays', async () => {
    await client.putAll(...episode(who), stay('r2', discharge));
    const bytes = dischargeLetter(who, discharge, written);
    const first = await client.ingest(bytes);
    expect(first.status).toBe(201);
    const changed = new TextDecoder().decode(bytes).replace('Colectomie droite', 'Colectomie gauche');
    const reply = await client.ingest(changed);
    expect([reply.status, reply.json.issue[0].expression]).toEqual([409, ['/ClinicalDocument/id']]);
    expect((await taskOf(reply)).code?.coding?.[0]?.code).toBe('review-letter');
    const letters = await client.search('DocumentReference?patient=Patient/r2');
    expect(letters.map(({ meta }) => meta?.versionId)).toEqual(['1']);
  });

  it('is stored once when ten send it at the same time', async () => {
    const other = person('r3', 43);
    await client.putAll(...episode(other), stay('r3', discharge));
    const bytes = dischargeLetter(other, discharge, written);
    const replies = await Promise.all(Array.from({ length: 10 }, () => client.ingest(bytes)));
    expect(replies.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(await client.search('DocumentReference?patient=Patient/r3')).toHaveLength(1);
  });

  it('supersedes the version that it replaces', async () => {
    const other = person('r4', 44);
    await client.putAll(...episode(other), stay('r4', discharge));
    const first = dischargeLetter(other, discharge, written);
    await client.ingest(first);
    const id = '1.2.250.1.999.7.3.1044';
    const second = new TextDecoder()
      .decode(first)
      .replace(`<id root="${id}.1"/>`, `<id root="${id}.2"/>`)
      .replace('<versionNumber value="1"/>', '<versionNumber value="2"/>')
      .replace(
        '<componentOf',
        `<relatedDocument typeCode="RPLC"><parentDocument><id root="${id}.1"/></parentDocument></relatedDocument><componentOf`,
      );
    const reply = await client.ingest(second);
    expect(reply.status).toBe(201);
    const letters = await client.search<{ status: string; masterIdentifier: { value: string } } & Task>(
      'DocumentReference?patient=Patient/r4',
    );
    const told = letters.map(({ status, masterIdentifier }) => [masterIdentifier.value.slice(-1), status]).sort();
    expect(told).toEqual([
      ['1', 'superseded'],
      ['2', 'current'],
    ]);
  });
});

describe('The answer to a letter', () => {
  it('has the resource of each entry, and the Binary without the data that was just sent', async () => {
    const who = person('r9', 90);
    await client.putAll(...episode(who), stay('r9', discharge));
    const bytes = dischargeLetter(who, discharge, written);
    const { json } = await client.ingest(bytes);
    const entries = json.entry as { resource: Resource; response: { location: string } }[];
    const binary = entries.find(({ resource }) => resource.resourceType === 'Binary');
    expect(binary?.resource).toEqual({
      resourceType: 'Binary',
      id: createHash('sha256').update(bytes).digest('hex'),
      meta: expect.objectContaining({ versionId: '1', tag: [expect.objectContaining({ code: 'SUBSETTED' })] }),
      contentType: 'text/xml',
      securityContext: { reference: `DocumentReference/${entries[0]?.resource.id}` },
    });
    for (const { resource, response } of entries)
      expect(response.location).toContain(`/${resource.resourceType}/${resource.id}/_history/`);
    const stored = await client.send('GET', `Binary/${binary?.resource.id}`, { headers: { accept: 'text/xml' } });
    expect(stored.text).toBe(Buffer.from(bytes).toString());
    expect(stored.text.length).toBeGreaterThan(1000);
  });
});

describe('The body of a letter, over its versions', () => {
  const first = richLetter('discharge');
  const second = richLetter('discharge-v2')
    .replace(/ *<entry>\s*<encounter classCode="ENC" moodCode="ARQ">[^]*?<\/entry>\n/, '')
    .replace(/ *<entry>\s*<substanceAdministration[^>]*>\s*<id root="[^"]*22"\/>[^]*?<\/entry>\n/, '')
    .replace('<value xsi:type="BL" value="true"/>', '<value xsi:type="BL" value="false"/>');
  const key = (value: string) => `https://suture.example/fhir/sid/letter-entry|urn:oid:1.2.250.1.999.7.3.40%23${value}`;
  const entry = (number: string) => `urn:uuid:3b1f0c3e-0000-4000-8000-0000000000${number}`;
  const only = async (
    query: string,
  ): Promise<Record<string, unknown> & { id: string; meta: { versionId: string } }> => {
    const found = await client.search(query);
    expect([query, found.length]).toEqual([query, 1]);
    return found[0] as never;
  };
  const types = [
    'MedicationStatement',
    'Observation',
    'ServiceRequest',
    'CarePlan',
    'Appointment',
    'Condition',
    'Device',
  ];
  let own: TestApp;
  let shared: Client;

  beforeAll(async () => {
    shared = client;
    own = await startTestApp();
    client = own.client;
  });
  afterAll(async () => {
    await own.close();
    client = shared;
  });

  it('is read into resources that point at the letter', async () => {
    const reply = await client.ingest(first);
    expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
    const drug = await only(`MedicationStatement?identifier=${key(`10183-2%23${entry('21')}`)}`);
    expect(drug).toMatchObject({
      status: 'active',
      derivedFrom: [{ reference: expect.stringMatching(/^DocumentReference\//) }],
    });
    const provenance = await only(`Provenance?target=MedicationStatement/${drug.id}`);
    expect(provenance['entity']).toMatchObject([{ what: (drug['derivedFrom'] as object[])[0] }]);
    await client.read(`Composition/${(await only('Composition')).id}`);
  });

  it('is updated by the version that replaces it, and what that no longer says is ended', async () => {
    const before = await counts(client, types);
    const appointment = await only('Appointment');
    const observation = await only(`Observation?identifier=${key(`42545-4%23${entry('12')}~2`)}`);
    expect((await client.ingest(second)).status).toBe(201);
    expect(await counts(client, types)).toEqual(before);
    const changed = await only(`Observation?identifier=${key(`42545-4%23${entry('12')}~2`)}`);
    expect(changed).toMatchObject({ id: observation.id, valueBoolean: false, meta: { versionId: '2' } });
    expect(await only('Appointment')).toMatchObject({ id: appointment.id, status: 'cancelled' });
    const withdrawn = await only(`MedicationStatement?identifier=${key(`10183-2%23${entry('22')}`)}`);
    expect(withdrawn).toMatchObject({ status: 'entered-in-error', meta: { versionId: '2' } });
    expect((await client.search(`Provenance?target=Appointment/${appointment.id}`)).length).toBe(2);
    const states = (await client.search<{ status: string } & Task>('DocumentReference')).map(({ status }) => status);
    expect(states.sort()).toEqual(['current', 'superseded']);
  });

  it('is the same when the versions arrive the other way round', async () => {
    const other = await startTestApp();
    try {
      for (const letter of [second, first]) expect((await other.client.ingest(letter)).status).toBe(201);
      expect(await other.client.search('Appointment')).toEqual([]);
      const [observation] = await other.client.search<never>(
        `Observation?identifier=${key(`42545-4%23${entry('12')}~2`)}`,
      );
      expect(observation).toMatchObject({ valueBoolean: false, meta: { versionId: '1' } });
    } finally {
      await other.close();
    }
  });

  it('leaves an appointment that somebody has made meanwhile', async () => {
    const third = second
      .replaceAll('1.2.250.1.999.7.3.40.2"', '1.2.250.1.999.7.3.40.3"')
      .replace(
        '<parentDocument>\n      <id root="1.2.250.1.999.7.3.40.1"/>',
        '<parentDocument>\n      <id root="1.2.250.1.999.7.3.40.2"/>',
      )
      .replace('<versionNumber value="2"/>', '<versionNumber value="3"/>');
    const request = await only(`ServiceRequest?identifier=${key(`18776-5%23${entry('30')}`)}`);
    await client.putAll({ ...request, status: 'completed' } as never);
    expect((await client.ingest(third)).status).toBe(201);
    expect(await client.read(`ServiceRequest/${request.id}`)).toMatchObject({ status: 'completed' });
  });
});

describe('The stay of a letter', () => {
  const start = '2026-02-23T09:30:00+01:00';
  const bare = (id: string, name = `${id}-stay`, more: object = {}) => {
    const { identifier: _identifier, ...rest } = stay(id, discharge);
    return { ...rest, id: name, period: { start, end: discharge }, ...more } as ReturnType<typeof stay>;
  };
  const encounters = async (id: string) => (await client.search(`Encounter?patient=Patient/${id}`)).length;
  const linked = (reply: Reply) => reply.json.entry[0].resource.context.encounter[0].reference as string;

  it('is the one of the same patient, hospital and day of admission when its number is not known', async () => {
    const who = person('r5', 45);
    await client.putAll(patient(who), bare('r5'));
    expect(linked(await client.ingest(dischargeLetter(who, discharge, written)))).toBe('Encounter/r5-stay');
    expect(await encounters('r5')).toBe(1);
  });

  it('is a new one when two could be meant, and when none could', async () => {
    const [two, none] = [person('r6', 46), person('r7', 47)];
    await client.putAll(patient(two), bare('r6'), bare('r6', 'r6-other'));
    await client.putAll(
      patient(none),
      bare('r7', 'r7-stay', { serviceProvider: { reference: 'Organization/elsewhere' } }),
    );
    expect(linked(await client.ingest(dischargeLetter(two, discharge, written)))).not.toMatch(/r6/);
    expect(linked(await client.ingest(dischargeLetter(none, discharge, written)))).not.toMatch(/r7/);
    expect([await encounters('r6'), await encounters('r7')]).toEqual([3, 2]);
  });
});

describe('$retry', () => {
  it('is for letters under review only', async () => {
    const task = { resourceType: 'Task', id: 'other', status: 'requested', intent: 'order' };
    await client.putAll(task);
    expect((await client.send('POST', 'Task/other/$retry')).status).toBe(422);
    expect((await client.get('Task/other/$retry')).status).toBe(405);
  });
});
