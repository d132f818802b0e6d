/** A document that is no CDA in an XDM archive, end to end: what $xdm gives, $ingest takes back; a stranger's becomes a DocumentReference. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle, DocumentReference, Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { readXdm, readZip, writeXdm, type XdmDocumentToWrite } from '../../src/formats/index.ts';
import { fixture } from '../letters/letters.ts';
import { archivePart, mailOf } from '../letters/mails.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;
beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
});
afterAll(() => test?.close());

const pdf = Buffer.from('%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');
const ins = { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '258059999900193' };
const solene: Resource = {
  resourceType: 'Patient',
  id: 'solene',
  identifier: [ins, { system: 'urn:oid:1.2.250.1.999.7.1', value: 'IPP-004217' }],
  name: [{ use: 'official', family: 'KERDONCUFF', given: ['SOLENE'] }],
  gender: 'female',
  birthDate: '1958-05-14',
};
const doctor: readonly Resource[] = [
  {
    resourceType: 'Practitioner',
    id: 'diarra',
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '10009900011' }],
    name: [{ family: 'DIARRA', given: ['Awa'] }],
  },
  {
    resourceType: 'Organization',
    id: 'chva',
    identifier: [{ system: 'https://finess.esante.gouv.fr', value: '990000012' }],
    name: 'CH Val d’Arzon',
  },
  {
    resourceType: 'PractitionerRole',
    id: 'diarra-chva',
    practitioner: { reference: 'Practitioner/diarra' },
    organization: { reference: 'Organization/chva' },
  },
];

const report = (id: string, attachment: object, more: object = {}): Resource => ({
  resourceType: 'DocumentReference',
  id,
  status: 'current',
  type: { coding: [{ system: 'http://loinc.org', code: '34112-3', display: 'Compte rendu hospitalier' }] },
  subject: { reference: 'Patient/solene' },
  date: '2026-03-02T15:05:00Z',
  author: [{ reference: 'PractitionerRole/diarra-chva' }],
  securityLabel: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N', display: 'normal' }] },
  ],
  content: [
    { attachment: { contentType: 'application/pdf', title: 'Compte rendu', language: 'fr-FR', ...attachment } },
  ],
  ...more,
});

const letterOf = (bundle: Bundle) => bundle.entry?.[0]?.resource as DocumentReference;
const archiveOf = async (id: string) => {
  const reply = await client.get(`DocumentReference/${id}/$xdm`);
  expect([reply.status, reply.text.slice(0, 200)]).toEqual([200, expect.anything()]);
  return reply.bytes;
};

describe('what $xdm gives of a PDF alone', () => {
  const named = { masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.7.3.60' } };
  it.each([
    ['with its bytes inside', 'inline', { data: pdf.toString('base64') }, named],
    ['with its bytes in a Binary', 'apart', { url: 'Binary/report' }, {}],
    ['without an identifier of its own', 'bare', { data: pdf.toString('base64') }, {}],
  ])('%s, $ingest takes back to the same DocumentReference, and changes nothing', async (_, id, attachment, more) => {
    const binary = {
      resourceType: 'Binary',
      id: 'report',
      contentType: 'application/pdf',
      data: pdf.toString('base64'),
    };
    await client.putAll(solene, ...doctor, binary, report(id, attachment, more));
    const before = await client.read<DocumentReference>(`DocumentReference/${id}`);
    const reply = await client.ingest(await archiveOf(id), 'application/zip');
    expect([reply.status, reply.json.issue]).toEqual([200, undefined]);
    expect(letterOf(reply.json)).toEqual(before);
    expect(await client.search(`DocumentReference?_id=${id}`)).toHaveLength(1);
  });

  it('elsewhere becomes a DocumentReference that says the same', async () => {
    const elsewhere = await startTestApp();
    try {
      const reply = await elsewhere.client.ingest(await archiveOf('inline'), 'application/zip');
      expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
      const there = letterOf(reply.json);
      const here = await client.read<DocumentReference>('DocumentReference/inline');
      expect(there).toMatchObject({
        masterIdentifier: here.masterIdentifier,
        status: 'current',
        type: here.type,
        securityLabel: here.securityLabel,
        author: [{ display: 'Awa DIARRA' }],
        date: '2026-03-02T15:05:00Z',
        content: [
          {
            attachment: { contentType: 'application/pdf', title: 'Compte rendu', language: 'fr-FR', size: pdf.length },
          },
        ],
      });
      const binary = await elsewhere.client.get(there.content[0]?.attachment.url ?? '', { accept: 'application/pdf' });
      expect(binary.bytes.equals(pdf)).toBe(true);
      const again = await elsewhere.client.get(`DocumentReference/${there.id}/$xdm`);
      const back = await elsewhere.client.ingest(again.bytes, 'application/zip');
      expect([back.status, letterOf(back.json).id]).toEqual([200, there.id]);
    } finally {
      await elsewhere.close();
    }
  });
});

describe('a CDA that was put in plain FHIR, without a master identifier,', () => {
  const cda = Buffer.from(fixture('discharge.xml'));
  const liaison = { type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] } };
  const put = () =>
    client.putAll(solene, ...doctor, report('cda', { contentType: 'text/xml', data: cda.toString('base64') }, liaison));

  it('goes out under the id that it gives itself, and comes back to the same DocumentReference', async () => {
    await put();
    const before = await client.search('DocumentReference?_count=100');
    const archive = await archiveOf('cda');
    const zip = await readZip(archive);
    const xdm = zip.kind === 'entries' ? readXdm(zip.entries) : undefined;
    expect(xdm).toMatchObject({ documents: [{ uniqueId: '1.2.250.1.999.7.3.40.1' }] });
    const reply = await client.ingest(archive, 'application/zip');
    expect([reply.status, reply.json.issue, letterOf(reply.json).id]).toEqual([200, undefined, 'cda']);
    expect(await client.search('DocumentReference?_count=100')).toEqual(before);
  });

  it('is a letter like any other where it was not', async () => {
    const elsewhere = await startTestApp();
    try {
      const reply = await elsewhere.client.ingest(await archiveOf('cda'), 'application/zip');
      expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
      expect(letterOf(reply.json).masterIdentifier?.value).toBe('urn:oid:1.2.250.1.999.7.3.40.1');
    } finally {
      await elsewhere.close();
    }
  });

  it('with other bytes than those that are here is for a person', async () => {
    const archive = await archiveOf('cda');
    const other = Buffer.from(`${fixture('discharge.xml')}\n`);
    await client.putAll(report('cda', { contentType: 'text/xml', data: other.toString('base64') }, liaison));
    const reply = await client.ingest(archive, 'application/zip');
    expect(reply.status).toBe(409);
  });
});

describe('a stranger’s PDF in an archive', () => {
  const entry: XdmDocumentToWrite = {
    bytes: pdf,
    mimeType: 'application/pdf',
    entryUuid: 'urn:uuid:5d7f5a7e-6b1c-4c7e-9d53-0a6f5b1f2c01',
    uniqueId: '1.2.250.1.999.8.1',
    patientId: '258059999900193^^^&1.2.250.1.213.1.4.10&ISO^NH',
    sourcePatientId: 'L-77^^^&1.2.250.1.999.8.9&ISO^PI',
    sourcePatientInfo: ['PID-5|KERDONCUFF^SOLENE^^^^^L', 'PID-7|19580514', 'PID-8|F'],
    title: 'Compte rendu d’imagerie',
    description: undefined,
    languageCode: 'fr-FR',
    creationTime: '20260302150500',
    serviceStartTime: '20260302090000',
    serviceStopTime: undefined,
    authors: [
      {
        person: '810009900037^LE GOFF^Maël^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS',
        institutions: ['Clinique du Ponant^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000053'],
        role: undefined,
        specialty: undefined,
      },
    ],
    legalAuthenticator: undefined,
    classCode: { code: '31', system: '1.2.250.1.213.1.1.4.1', display: 'Imagerie médicale' },
    typeCode: { code: '18748-4', system: '2.16.840.1.113883.6.1', display: 'CR d’imagerie médicale' },
    formatCode: { code: 'urn:ihe:iti:xds-sd:pdf:2008', system: '1.2.250.1.213.1.1.4.2.282', display: undefined },
    facilityType: undefined,
    practiceSetting: undefined,
    events: [],
    confidentiality: [
      { code: 'N', system: '2.16.840.1.113883.5.25', display: 'normal' },
      { code: 'MASQUE_PS', system: '1.2.250.1.213.1.1.4.13', display: undefined },
    ],
    replaces: [],
  };
  const archive = (change: Partial<XdmDocumentToWrite> = {}) =>
    writeXdm({
      submission: {
        uniqueId: '2.25.11',
        sourceId: '2.25.12',
        submissionTime: '20260302153000',
        contentType: undefined,
        author: undefined,
        intendedRecipients: [],
      },
      documents: [{ ...entry, ...change }],
      sender: ['Clinique du Ponant'],
      software: 'Autre logiciel 3.2',
      writtenAtMs: Date.parse('2026-03-02T15:30:00Z'),
    });
  const ingest = async (change: Partial<XdmDocumentToWrite> = {}) =>
    client.ingest(await archive(change), 'application/zip');

  it('becomes a DocumentReference of the patient whom INS and traits name, masked as it says', async () => {
    const reply = await ingest();
    expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
    const letter = letterOf(reply.json);
    expect(letter).toMatchObject({
      masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.8.1' },
      identifier: [{ system: 'urn:ietf:rfc:3986', value: entry.entryUuid }],
      subject: { reference: 'Patient/solene' },
      type: { coding: [{ system: 'http://loinc.org', code: '18748-4' }] },
      category: [{ coding: [{ code: '31' }] }],
      author: [{ display: 'Maël LE GOFF' }],
      custodian: { display: 'Clinique du Ponant' },
      securityLabel: [{ coding: [{ code: 'N' }] }, { coding: [{ code: 'MASQUE_PS' }] }],
      content: [{ attachment: { creation: '2026-03-02T15:05:00Z', size: pdf.length } }],
      context: { period: { start: '2026-03-02T09:00:00Z' } },
    });
    expect(letter.context?.encounter).toBeUndefined();
    expect((await ingest()).status).toBe(200);
  });

  it('by mail is taken as well, and known again', async () => {
    const reply = await client.ingest(mailOf({ parts: [archivePart(await archive())] }), 'message/rfc822');
    expect(reply.status).toBe(200);
  });

  it('replaces the one that it names by its entryUUID', async () => {
    const reply = await ingest({
      uniqueId: '1.2.250.1.999.8.2',
      entryUuid: 'urn:uuid:5d7f5a7e-6b1c-4c7e-9d53-0a6f5b1f2c02',
      replaces: [entry.entryUuid],
      bytes: Buffer.concat([pdf, Buffer.from('\n')]),
    });
    expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
    const [former] = await client.search<DocumentReference>('DocumentReference?identifier=urn:oid:1.2.250.1.999.8.1');
    expect(former?.status).toBe('superseded');
  });

  it('that replaces one which has not come yet is the current one also when that comes', async () => {
    const [later, earlier] = ['21', '22'].map((n) => `urn:uuid:5d7f5a7e-6b1c-4c7e-9d53-0a6f5b1f2c${n}`);
    const version = (n: string) => Buffer.concat([pdf, Buffer.from(n)]);
    const second = { uniqueId: '1.2.250.1.999.8.22', entryUuid: later ?? '', replaces: [earlier ?? ''] };
    expect((await ingest({ ...second, bytes: version('2') })).status).toBe(201);
    const first = { uniqueId: '1.2.250.1.999.8.21', entryUuid: earlier ?? '' };
    const reply = await ingest({ ...first, bytes: version('1') });
    expect([reply.status, letterOf(reply.json).status]).toEqual([201, 'superseded']);
    const [current] = await client.search<DocumentReference>('DocumentReference?identifier=urn:oid:1.2.250.1.999.8.22');
    expect(current?.status).toBe('current');
  });

  const other = { uniqueId: '1.2.250.1.999.8.9', entryUuid: 'urn:uuid:5d7f5a7e-6b1c-4c7e-9d53-0a6f5b1f2c09' };
  it.each<[string, Partial<XdmDocumentToWrite>, number]>([
    ['another birth date', { sourcePatientInfo: ['PID-5|KERDONCUFF^SOLENE^^^^^L', 'PID-7|19580515', 'PID-8|F'] }, 422],
    ['no traits', { sourcePatientInfo: [] }, 422],
    ['no INS, and a number that nobody has', { patientId: 'L-1^^^&1.2.250.1.999.8.9&ISO^PI' }, 422],
    ['a wrong INS key', { patientId: '258059999900194^^^&1.2.250.1.213.1.4.10&ISO^NH' }, 422],
    ['an id that is none', { uniqueId: 'x' }, 422],
    ['a type of media that may run', { mimeType: 'text/html' }, 422],
    [
      'a keeper who did not keep what it replaces',
      { authors: [], replaces: ['urn:uuid:5d7f5a7e-6b1c-4c7e-9d53-0a6f5b1f2c02'] },
      422,
    ],
    ['an id that is known with other bytes', { ...entry, bytes: Buffer.from('%PDF-1.4 x') }, 409],
  ])('with %s goes to a person, and nothing is linked', async (_, change, status) => {
    const before = await client.search('DocumentReference?_count=100');
    const reply = await ingest({ ...other, ...change });
    expect(reply.status).toBe(status);
    const task = await client.read<Task>((reply.headers.get('location') ?? '').slice(client.baseUrl.length + 1));
    expect(task).toMatchObject({ status: 'requested', focus: { reference: expect.stringMatching(/^Binary\//) } });
    expect(await client.search('DocumentReference?_count=100')).toEqual(before);
  });
});
