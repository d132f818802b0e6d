/**
 * What carries letters, through $ingest: IHE XDM archives (all their letters or none, replaced, taken back, looked at by a
 * person) and HL7 v2 messages.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Bundle, DocumentReference, Task } from 'fhir/r4.js';
import { fixture, richLetter } from '../letters/letters.ts';
import { messageOf } from '../letters/messages.ts';
import { type PackedDocument, xdmOf } from '../letters/xdm.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;
beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
});
afterAll(() => test?.close());

const patientId = '258059999900193^^^&1.2.250.1.213.1.4.10&ISO^NH';
const packed = (bytes: string, more: Partial<PackedDocument> = {}): PackedDocument => ({ bytes, patientId, ...more });
const send = async (...documents: PackedDocument[]) => client.ingest(await xdmOf(documents), 'application/zip');
const letters = async () =>
  (await client.search<DocumentReference>('DocumentReference')).map(({ status }) => status).sort();

it('stores nothing of an archive whose last letter is refused, and keeps the archive for a person', async () => {
  const broken = fixture('admission.xml').replace('<birthTime value="19580514"/>', '<birthTime value="19590514"/>');
  const reply = await send(packed(richLetter('discharge')), packed(broken));
  expect(reply.status).toBe(422);
  expect(await letters()).toEqual([]);
  expect(await client.search('Patient')).toEqual([]);
  const task = await client.read<Task>((reply.headers.get('location') ?? '').slice(client.baseUrl.length + 1));
  const kept = await client.get(task.focus?.reference ?? '', { accept: '*/*' });
  expect(kept.headers.get('content-type')).toContain('application/zip');
});

it('stores all letters of an archive in one go, and nothing the second time', async () => {
  const documents = [packed(richLetter('discharge'), { mask: 'INVISIBLE_PATIENT' }), packed(fixture('admission.xml'))];
  const reply = await send(...documents);
  expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
  const types = (reply.json as Bundle).entry?.map(({ resource }) => resource?.resourceType) ?? [];
  expect(types.filter((type) => type === 'DocumentReference')).toHaveLength(2);
  expect(await client.search('Patient')).toHaveLength(1);
  const [masked] = await client.search<DocumentReference>('DocumentReference?security-label=INVISIBLE_PATIENT');
  expect(masked?.type?.coding?.[0]?.code).toBe('11490-0');
  expect((await send(...documents)).status).toBe(200);
  expect(await letters()).toEqual(['current', 'current']);
});

it('is sniffed, and refused as something else', async () => {
  const archive = await xdmOf([packed(richLetter('discharge'))]);
  expect((await client.ingest(archive, 'application/octet-stream')).status).toBe(200);
  expect((await client.ingest('PK nothing', 'application/zip')).status).toBe(422);
});

it('takes a letter back: it and what was read from it are in error, nothing is erased', async () => {
  const reply = await send(packed(richLetter('discharge'), { action: 'D' }));
  expect([reply.status, reply.json.issue]).toEqual([200, undefined]);
  expect(await letters()).toEqual(['current', 'entered-in-error']);
  const drugs = await client.search<DocumentReference>('MedicationStatement');
  // The active one is of the admission letter, which stays.
  expect(drugs.map(({ status }) => status).sort()).toEqual(['active', ...Array(3).fill('entered-in-error')]);
  expect((await send(packed(richLetter('discharge'), { action: 'D' }))).status).toBe(200);
});

it('takes back nothing that it does not know, or that another structure keeps', async () => {
  const unknown = fixture('discharge.xml').replace(
    '<id root="1.2.250.1.999.7.3.40.1"/>',
    '<id root="1.2.250.1.999.7.3.40.9"/>',
  );
  const foreign = fixture('admission.xml').replaceAll('399000000600017', '399000000600025');
  for (const letter of [unknown, foreign]) expect((await send(packed(letter, { action: 'D' }))).status).toBe(422);
  expect(await letters()).toEqual(['current', 'entered-in-error']);
});

it('takes a letter in an HL7 v2 message, with its masks on all that was read from it', async () => {
  const letter = richLetter('discharge')
    .replace('<id root="1.2.250.1.999.7.3.40.1"/>', '<id root="1.2.250.1.999.7.3.41.1"/>')
    .replace('<setId root="1.2.250.1.999.7.3.40"/>', '<setId root="1.2.250.1.999.7.3.41"/>');
  const message = messageOf(letter, { id: '1.2.250.1.999.7.3.41.1', flags: { MASQUE_PS: 'Y' } });
  const reply = await client.ingest(message, 'x-application/hl7-v2+er7');
  expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
  const masked = await client.search('CarePlan?_security=MASQUE_PS');
  expect(masked).toHaveLength(1);
  expect((await client.ingest(message, 'application/octet-stream')).status).toBe(200);
  const appointment = messageOf(letter, { type: 'SIU^S12^SIU_S12' });
  expect((await client.ingest(appointment, 'application/hl7-v2')).json.issue[0].expression).toEqual(['MSH-9']);
});
