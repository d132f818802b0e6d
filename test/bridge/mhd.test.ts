/** IHE MHD and PDSm as another system meets them: publish, find, retrieve, replace, archive; and $publish to such a server. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle, CapabilityStatement, DocumentReference, List, Task } from 'fhir/r4.js';
import { richLetter } from '../letters/letters.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/';
let there: TestApp;
let here: TestApp;
beforeAll(async () => {
  there = await startTestApp();
  here = await startTestApp({ settings: { SUTURE_DMP_URL: there.client.baseUrl, SUTURE_DMP_TOKEN: 'secret' } });
  const patient = {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: '258059999900193' }],
  };
  await there.client.putAll({ ...patient, id: 'p1' }, { resourceType: 'Patient', id: 'p2' });
});
afterAll(async () => {
  await here?.close();
  await there?.close();
});

const sha1 = (text: string) => createHash('sha1').update(text).digest('base64');

interface Submitted {
  readonly id: string;
  readonly text?: string;
  readonly document?: object;
  readonly attachment?: object;
  readonly flavour?: string;
  readonly more?: readonly object[];
}

function submission({
  id,
  text = 'Bonjour',
  document = {},
  attachment = {},
  flavour = 'Minimal',
  more = [],
}: Submitted) {
  const subject = { reference: 'Patient/p1' };
  const entry = (fullUrl: string, resource: { resourceType: string }) => ({
    fullUrl: `urn:uuid:00000000-0000-4000-8000-00000000000${fullUrl}`,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  });
  const list = {
    resourceType: 'List',
    extension: [{ url: `${mhd}ihe-sourceId`, valueIdentifier: { value: 'urn:oid:1.2.3.4' } }],
    identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:1.2.3.${id}.0` }],
    status: 'current',
    mode: 'working',
    code: { coding: [{ system: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', code: 'submissionset' }] },
    subject,
    date: '2026-03-02T08:00:00Z',
    entry: [{ item: { reference: 'urn:uuid:00000000-0000-4000-8000-000000000002' } }],
  };
  const fiche = {
    resourceType: 'DocumentReference',
    meta: { profile: [`${mhd}IHE.MHD.${flavour}.DocumentReference`] },
    masterIdentifier: { use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:1.2.3.${id}` },
    status: 'current',
    subject,
    content: [
      {
        attachment: {
          contentType: 'text/plain',
          url: 'urn:uuid:00000000-0000-4000-8000-000000000003',
          creation: '2026-03-01',
          ...attachment,
        },
      },
    ],
    ...document,
  };
  const binary = { resourceType: 'Binary', contentType: 'text/plain', data: Buffer.from(text).toString('base64') };
  return {
    resourceType: 'Bundle',
    meta: { profile: [`${mhd}IHE.MHD.${flavour}.ProvideBundle`] },
    type: 'transaction',
    entry: [entry('1', list), entry('2', fiche), entry('3', binary), ...more],
  };
}

const send = (submitted: Submitted) => there.client.post('', submission(submitted));
const locations = (bundle: Bundle) =>
  bundle.entry?.map(({ response }) => response?.location?.replace(/.*\/fhir\/|\/_history.*/g, '') ?? '') ?? [];
const toldOf = (json: { issue?: { details?: { text?: string } }[] }) => json.issue?.map(({ details }) => details?.text);

describe('ITI-65', () => {
  it('stores document, fiche and submission set, completes hash and size, and answers in the order of the entries', async () => {
    const reply = await send({ id: '1' });
    expect([reply.status, (reply.json as Bundle).entry?.map(({ response }) => response?.status)]).toEqual([
      200,
      ['201', '201', '201'],
    ]);
    const [list = '', fiche = '', binary = ''] = locations(reply.json);
    const stored = await there.client.read<DocumentReference>(fiche);
    expect(stored.content[0]?.attachment).toMatchObject({ url: binary, size: 7, hash: sha1('Bonjour') });
    expect((await there.client.read<List>(list)).entry?.[0]?.item.reference).toBe(fiche);
    // ITI-68
    const retrieved = await there.client.get(stored.content[0]?.attachment.url ?? '', { accept: 'text/plain' });
    expect([retrieved.headers.get('content-type'), retrieved.text]).toEqual([
      expect.stringContaining('text/plain'),
      'Bonjour',
    ]);
  });

  it('sent again changes nothing; the same id with other bytes is a conflict', async () => {
    const first = await send({ id: '2' });
    const again = await send({ id: '2' });
    expect([again.status, (again.json as Bundle).entry?.map(({ response }) => response?.status)]).toEqual([
      200,
      ['200', '200', '200'],
    ]);
    expect(locations(again.json)).toEqual(locations(first.json));
    expect((await send({ id: '2', text: 'Autre' })).status).toBe(409);
  });

  it.each([
    ['a wrong size', { attachment: { size: 6 } }, 'the size is not that of the document'],
    ['a wrong hash', { attachment: { hash: sha1('x') } }, 'the hash is not the SHA-1 of the document'],
    [
      'no document',
      { attachment: { url: 'urn:uuid:00000000-0000-4000-8000-000000000009' } },
      'the document is not in the Bundle',
    ],
    [
      'a status that MHD has not',
      { document: { status: 'entered-in-error' } },
      'the status of a shared document is current or superseded',
    ],
    [
      'two patients',
      { document: { subject: { reference: 'Patient/p2' } } },
      'a submission is about one patient, found several',
    ],
    [
      'less than it claims',
      { flavour: 'UnContained.Comprehensive' },
      'the profile that the submission claims asks for this element',
    ],
    [
      'another entry',
      {
        more: [{ resource: { resourceType: 'Basic', code: { text: 'x' } }, request: { method: 'POST', url: 'Basic' } }],
      },
      'a submission has no entry of this kind',
    ],
    [
      'what it replaces unknown',
      { document: { relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/none' } }] } },
      'the document that is to be replaced is not here',
    ],
  ])('is refused with %s, and nothing is stored', async (_title, changed, text) => {
    const before = (await there.client.search('Binary')).length;
    const reply = await send({ id: '3', ...changed });
    expect([reply.status, toldOf(reply.json)]).toEqual([422, expect.arrayContaining([text])]);
    expect((await there.client.search('Binary')).length).toBe(before);
  });

  it('accepts a hash spelt as in the examples of IHE, and a document that is assembled later', async () => {
    const hex = Buffer.from(createHash('sha1').update('Bonjour').digest('hex')).toString('base64');
    expect((await send({ id: '4', attachment: { hash: hex, size: 7 } })).status).toBe(200);
    const delayed = { size: 0, hash: sha1(''), url: 'urn:uuid:00000000-0000-4000-8000-000000000009' };
    expect((await send({ id: '5', attachment: delayed })).status).toBe(200);
  });

  it('replaces: the former is superseded by the server, and only its latest version can be replaced', async () => {
    const [, former = ''] = locations((await send({ id: '6' })).json);
    const replaces = (id: string) => ({ relatesTo: [{ code: 'replaces', target: { reference: id } }] });
    const reply = await send({ id: '7', text: 'Mieux', document: replaces(former) });
    expect([reply.status, locations(reply.json)]).toEqual([
      200,
      [expect.anything(), expect.anything(), expect.anything()],
    ]);
    expect((await there.client.read<DocumentReference>(former)).status).toBe('superseded');
    expect(toldOf((await send({ id: '8', document: replaces(former) })).json)).toEqual([
      'the document that is to be replaced is not the latest version',
    ]);
  });

  it('without the claim is an ordinary transaction', async () => {
    const plain = { ...submission({ id: '9', attachment: { size: 6 } }), meta: undefined };
    expect((await there.client.post('', plain)).status).toBe(200);
  });
});

describe('a shared document', () => {
  const patch = (path: string, name: string, value: object) => ({
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'operation',
        part: [
          { name: 'type', valueCode: 'replace' },
          { name: 'path', valueString: path },
          { name, ...value },
        ],
      },
    ],
  });

  it('is patched by its identifier in its status, and in nothing else; it is not deleted', async () => {
    const [, fiche = ''] = locations((await send({ id: '10' })).json);
    const byId = `DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:1.2.3.10`;
    const status = await there.client.send('PATCH', byId, {
      body: patch('DocumentReference.status', 'value', { valueCode: 'superseded' }),
    });
    expect([status.status, status.json.status]).toEqual([200, 'superseded']);
    const wrong = await there.client.send('PATCH', fiche, {
      body: patch('DocumentReference.status', 'value', { valueCode: 'entered-in-error' }),
    });
    expect(wrong.status).toBe(422);
    const other = await there.client.send('PATCH', fiche, {
      body: patch('DocumentReference.subject.reference', 'value', { valueString: 'Patient/p2' }),
    });
    expect(other.status).toBe(405);
    expect((await there.client.remove(fiche)).status).toBe(405);
  });

  it('is found by the parameters of MHD and PDSm', async () => {
    const archived = {
      url: 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived',
      valueBoolean: true,
    };
    const context = { period: { start: '2026-02-01', end: '2026-02-09' } };
    await send({ id: '11', document: { extension: [archived], context } });
    const found = async (query: string) =>
      (await there.client.search<DocumentReference>(`DocumentReference?${query}`)).map(
        ({ masterIdentifier }) => masterIdentifier?.value,
      );
    for (const query of [
      'isArchived=true',
      'period-start=2026-02-01',
      'period-end=le2026-02-10',
      'patient.identifier=258059999900193&status=current&period-start=lt2026-02-02',
    ]) {
      expect([query, await found(query)]).toEqual([query, ['urn:oid:1.2.3.11']]);
    }
    expect((await found('creation=2026-03-01')).length).toBeGreaterThan(3);
    const lists =
      'List?patient=Patient/p1&code=https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes|submissionset&status=current';
    expect((await there.client.search(`${lists}&sourceId=urn:oid:1.2.3.4&identifier=urn:oid:1.2.3.11.0`)).length).toBe(
      1,
    );
  });

  it('is announced by the capability statement', async () => {
    const statement = await there.client.read<CapabilityStatement>('metadata');
    expect(statement.instantiates).toEqual(
      expect.arrayContaining([
        'https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentResponder',
        'https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.Comprehensive',
        'https://interop.esante.gouv.fr/ig/fhir/pdsm/CapabilityStatement/PDSm-GestionnaireDePartageDeDocuments',
      ]),
    );
    const names = (type: string) =>
      statement.rest?.[0]?.resource?.find((one) => one.type === type)?.searchParam?.map(({ name }) => name);
    expect(names('DocumentReference')).toEqual(
      expect.arrayContaining(['creation', 'isArchived', 'period-start', 'period-end']),
    );
    expect(names('List')).toEqual(expect.arrayContaining(['designationType', 'sourceId', 'authorOrg', 'isArchived']));
  });
});

it('ITI-105 makes document, fiche and submission set of one DocumentReference, and answers it', async () => {
  const simplified = {
    resourceType: 'DocumentReference',
    meta: { profile: [`${mhd}IHE.MHD.SimplifiedPublish.DocumentReference`] },
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3.12' },
    status: 'current',
    subject: { reference: 'Patient/p1' },
    content: [{ attachment: { contentType: 'text/plain', data: Buffer.from('Simple').toString('base64') } }],
  };
  const reply = await there.client.post('DocumentReference', simplified);
  expect([reply.status, toldOf(reply.json)]).toEqual([201, undefined]);
  const { attachment } = (reply.json as DocumentReference).content[0] ?? {};
  expect(attachment).toMatchObject({ size: 6, hash: sha1('Simple'), url: expect.stringMatching(/^Binary\//) });
  expect(attachment?.data).toBeUndefined();
  const lists = await there.client.search<List>(`List?item=DocumentReference/${reply.json.id}`);
  expect(lists).toHaveLength(1);
  expect((await there.client.post('DocumentReference', simplified)).status).toBe(200);
  const wrong = { ...simplified, identifier: [{ value: 'x' }] };
  expect((await there.client.post('DocumentReference', wrong)).status).toBe(422);
});

describe('$publish', () => {
  it('submits a letter to the bridge, keeps the answer, and the letter is there byte for byte', async () => {
    const letter = ((await here.client.ingest(richLetter('discharge'))).json as Bundle).entry?.[0]
      ?.resource as DocumentReference;
    const asked = await here.client.post(`DocumentReference/${letter.id}/$publish`, { resourceType: 'Parameters' });
    expect([asked.status, asked.json.status]).toEqual([201, 'requested']);
    await here.client.settle();
    const task = await here.client.read<Task>(`Task/${asked.json.id}`);
    expect([task.status, task.output?.[0]?.valueInteger]).toEqual(['completed', 200]);
    const [published] = await there.client.search<DocumentReference>(
      'DocumentReference?identifier=urn:oid:1.2.250.1.999.7.3.40.1',
    );
    expect(published).toMatchObject({
      subject: { reference: 'Patient/p1' },
      content: [{ attachment: { hash: letter.content[0]?.attachment.hash } }],
    });
    expect(JSON.stringify(published)).not.toContain('suture.example');
    const bytes = await there.client.get(published?.content[0]?.attachment.url ?? '', { accept: '*/*' });
    expect(bytes.text).toBe(richLetter('discharge'));
    const kept = await here.client.get(
      task.output?.find(({ valueReference }) => valueReference)?.valueReference?.reference ?? '',
      { accept: '*/*' },
    );
    expect(kept.text).toContain('transaction-response');
    expect(here.logged.join()).not.toContain('secret');
  });

  it('is failed where the bridge refuses for good, with its answer', async () => {
    await here.client.putAll({
      resourceType: 'Patient',
      id: 'x',
      identifier: [{ system: 'urn:oid:1.2.250.1.999.9', value: 'nobody' }],
    });
    const content = [{ attachment: { contentType: 'text/plain', data: 'Qm9uam91cg==' } }];
    const masterIdentifier = { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3.99' };
    const fiche = {
      resourceType: 'DocumentReference',
      id: 'd9',
      status: 'current',
      masterIdentifier,
      subject: { reference: 'Patient/x' },
      content,
    };
    await here.client.putAll(fiche);
    const asked = await here.client.post('DocumentReference/d9/$publish', { resourceType: 'Parameters' });
    await here.client.settle();
    expect(await here.client.read(`Task/${asked.json.id}`)).toMatchObject({
      status: 'failed',
      statusReason: { text: 'refusé par le connecteur (412)' },
    });
  });

  it('is not served where no bridge is named', async () => {
    const [{ id } = { id: '' }] = await there.client.search<DocumentReference>(
      'DocumentReference?identifier=urn:oid:1.2.3.1',
    );
    expect((await there.client.post(`DocumentReference/${id}/$publish`, { resourceType: 'Parameters' })).status).toBe(
      501,
    );
  });
});
