/** DocumentReference/[id]/$xdm, end to end: what it gives, $ingest takes back to the same DocumentReference. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Bundle, DocumentReference } from 'fhir/r4.js';
import { readXdm, readZip } from '../../src/formats/index.ts';
import { fixture, richLetter } from '../letters/letters.ts';
import { xdmOf } from '../letters/xdm.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;
beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
});
afterAll(() => test?.close());

const xdmOfLetter = async (id: string) => {
  const reply = await client.get(`DocumentReference/${id}/$xdm`);
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/zip']);
  return reply.bytes;
};
const letterOf = (bundle: Bundle) => bundle.entry?.[0]?.resource as DocumentReference;
/** Without what names this server's version of it. */
const told = ({ id: _id, meta: _meta, ...rest }: DocumentReference) => rest;

it('gives an archive whose metadata describe the document byte for byte, the same bytes each time', async () => {
  const letter = letterOf((await client.ingest(richLetter('discharge'))).json);
  const archive = await xdmOfLetter(letter.id ?? '');
  expect((await xdmOfLetter(letter.id ?? '')).equals(archive)).toBe(true);
  const zip = await readZip(archive);
  const xdm = zip.kind === 'entries' ? readXdm(zip.entries) : undefined;
  expect(xdm).toMatchObject({
    documents: [
      {
        uniqueId: '1.2.250.1.999.7.3.40.1',
        patientId: '258059999900193^^^&1.2.250.1.213.1.4.10&ISO^NH',
        entry: { typeCode: { code: '11490-0' } },
      },
    ],
  });
  if (xdm?.kind === 'documents')
    expect(Buffer.from(xdm.documents[0]?.bytes ?? []).toString()).toBe(richLetter('discharge'));
  const metadata = zip.kind === 'entries' ? Buffer.from(zip.entries[2]?.bytes ?? []).toString() : '';
  for (const part of [
    '810009900011^DIARRA^Awa^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS',
    'CH Val d&#39;Arzon^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^1990000012',
    'PID-5|KERDONCUFF^SOLENE^^^^^L',
    'IPP-004217^^^&amp;1.2.250.1.999.7.1&amp;ISO^PI',
    '20260302150500',
    'urn:asip:ci-sis:ldl-ses:2017',
  ]) {
    expect(metadata).toContain(part);
  }
});

it('is taken back by $ingest: here it changes nothing, elsewhere it makes the same DocumentReference, masks included', async () => {
  const masked = await xdmOf([{ bytes: fixture('admission.xml'), mask: 'INVISIBLE_PATIENT' }]);
  const letter = letterOf((await client.ingest(masked, 'application/zip')).json);
  const archive = await xdmOfLetter(letter.id ?? '');
  const known = await client.ingest(archive, 'application/zip');
  expect([known.status, letterOf(known.json).id]).toEqual([200, letter.id]);
  const elsewhere = await startTestApp();
  try {
    const there = letterOf((await elsewhere.client.ingest(archive, 'application/zip')).json);
    const local = (text: string) =>
      text.replace(/"(?:Patient|Encounter|Organization|PractitionerRole|Practitioner)\/[^"]+"/g, '"x"');
    expect(local(JSON.stringify(told(there)))).toBe(local(JSON.stringify(told(letter))));
    expect(there.securityLabel).toHaveLength(2);
  } finally {
    await elsewhere.close();
  }
});

it('refuses what it cannot send: no such document, content elsewhere, a patient without any OID', async () => {
  expect((await client.get('DocumentReference/none/$xdm')).status).toBe(404);
  const base = { resourceType: 'DocumentReference', status: 'current', subject: { reference: 'Patient/bare' } };
  const attachment = { contentType: 'text/plain', data: 'Qm9uam91cg==' };
  await client.putAll(
    { resourceType: 'Patient', id: 'bare' },
    { ...base, id: 'bare', content: [{ attachment }] },
    { ...base, id: 'away', content: [{ attachment: { url: 'http://127.0.0.1:9/x' } }] },
  );
  for (const [id, text] of [
    ['bare', 'no identifier whose system is an OID'],
    ['away', 'its URL leads elsewhere'],
  ] as const) {
    const reply = await client.get(`DocumentReference/${id}/$xdm`, { 'accept-language': 'en' });
    expect([reply.status, reply.json.issue[0].details.text]).toEqual([422, expect.stringContaining(text)]);
  }
});
