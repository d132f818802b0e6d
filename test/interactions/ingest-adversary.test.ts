/**
 * Letters that others could send to do harm, or that chance puts in a bad order: the wrong patient linked, a mask lost, somebody
 * else's letter hidden, two patients in one envelope, bytes changed on the way. Each was tried and found before it was mended.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Binary, DocumentReference, Task } from 'fhir/r4.js';
import { richLetter } from '../letters/letters.ts';
import { archivePart, mailOf } from '../letters/mails.ts';
import { messageOf } from '../letters/messages.ts';
import { type PackedDocument, xdmOf } from '../letters/xdm.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { dischargeLetter, letterAbout, person, type Person } from '../support/builders.ts';
import type { Client, Reply } from '../support/client.ts';
import { adaptLetter } from '../support/letter.ts';

let test: TestApp;
let client: Client;
beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
});
afterAll(() => test?.close());

const end = '2026-02-27T16:20:00+01:00';
const written = '2026-02-27T17:00:00+01:00';
const own = '<id root="1.2.250.1.999.7.1" extension="IPP-004217"/>';

function letterOf(
  who: Person,
  number: string,
  more: { version?: number; replaces?: string } = {},
  base = richLetter('discharge'),
): string {
  const setId = `1.2.250.1.999.7.30.${number.split('.')[0]}`;
  const document = { id: `1.2.250.1.999.7.30.${number}`, setId, effectiveTime: written, ...more };
  const numbered = base.replace(own, own.replace('IPP-004217', `IPP-${who.id}`));
  return new TextDecoder().decode(adaptLetter(numbered, { ...letterAbout(who, end), document }));
}

const send = async (...documents: PackedDocument[]): Promise<Reply> =>
  client.ingest(await xdmOf(documents), 'application/zip');
const stored = async (number: string): Promise<DocumentReference | undefined> => {
  const [one] = await client.search<DocumentReference>(
    `DocumentReference?identifier=urn:oid:1.2.250.1.999.7.30.${number}`,
  );
  return one;
};
const binaryAt = async (url = ''): Promise<Binary> =>
  (await client.get(url, { accept: 'application/fhir+json' })).json as Binary;
async function taskOf({ headers }: Reply): Promise<Task> {
  return client.read<Task>((headers.get('location') ?? '').slice(client.baseUrl.length + 1));
}

describe('A document that says to replace another', () => {
  it('of another patient hides nothing, though it comes first', async () => {
    const [victim, other] = [person('a1', 301), person('a2', 302)];
    const foreign = letterOf(other, '2.2', { version: 2, replaces: '1.2.250.1.999.7.30.1.1' });
    expect((await client.ingest(foreign)).status).toBe(201);
    expect((await client.ingest(letterOf(victim, '1.1'))).status).toBe(201);
    expect((await stored('1.1'))?.status).toBe('current');
    expect((await client.search(`Composition?patient=${(await stored('1.1'))?.subject?.reference}`)).length).toBe(1);
  });

  it('of another structure hides nothing, though it comes first', async () => {
    const victim = person('a3', 303);
    const custodian =
      /(<representedCustodianOrganization>\s*<id root="1\.2\.250\.1\.71\.4\.2\.2" extension=")1990000012/;
    const elsewhere = letterOf(victim, '3.2', { version: 2, replaces: '1.2.250.1.999.7.30.3.1' });
    expect(elsewhere).toMatch(custodian);
    expect((await client.ingest(elsewhere.replace(custodian, '$11990000038'))).status).toBe(201);
    expect((await client.ingest(letterOf(victim, '3.1'))).status).toBe(201);
    expect((await stored('3.1'))?.status).toBe('current');
  });

  it('of the same patient and structure is found by the former when that comes late', async () => {
    const who = person('a4', 304);
    expect((await client.ingest(letterOf(who, '4.2', { version: 2, replaces: '1.2.250.1.999.7.30.4.1' }))).status).toBe(
      201,
    );
    expect((await client.ingest(letterOf(who, '4.1'))).status).toBe(201);
    expect((await stored('4.1'))?.status).toBe('superseded');
  });
});

describe('A mask', () => {
  const masksOf = (one: DocumentReference | undefined): string[] =>
    (one?.securityLabel ?? []).flatMap(({ coding = [] }) => coding.flatMap(({ code }) => code ?? [])).sort();

  it('that comes with the letter’s second envelope lies on all that the first has left', async () => {
    const who = person('b1', 311);
    const letter = letterOf(who, '11.1');
    expect((await client.ingest(letter)).status).toBe(201);
    expect(masksOf(await stored('11.1'))).toEqual(['N']);
    expect((await send({ bytes: letter, mask: 'INVISIBLE_PATIENT' })).status).toBe(200);
    const masked = await stored('11.1');
    expect(masksOf(masked)).toEqual(['INVISIBLE_PATIENT', 'N']);
    const { reference = '' } = masked?.subject ?? {};
    for (const type of ['Composition', 'MedicationStatement', 'CarePlan', 'Encounter']) {
      const all = await client.search(`${type}?patient=${reference}`);
      const hidden = await client.search(`${type}?patient=${reference}&_security=INVISIBLE_PATIENT`);
      expect([type, hidden.length]).toEqual([type, all.length]);
      expect(all.length).toBeGreaterThan(0);
    }
    const binary = await binaryAt(masked?.content[0]?.attachment.url);
    expect(binary.meta?.security?.map(({ code }) => code)).toContain('INVISIBLE_PATIENT');
    expect(Buffer.from(binary.data ?? '', 'base64').toString()).toBe(letter);
  });

  it('that came once stays when the letter comes again without it', async () => {
    const letter = letterOf(person('b2', 312), '12.1');
    expect((await send({ bytes: letter, mask: 'MASQUE_PS' })).status).toBe(201);
    expect((await client.ingest(letter)).status).toBe(200);
    expect(masksOf(await stored('12.1'))).toEqual(['MASQUE_PS', 'N']);
    expect((await stored('12.1'))?.meta?.versionId).toBe('1');
  });
});

describe('Two patients', () => {
  const [one, two] = [person('c1', 321), person('c2', 322)];
  // The hospital has given both the same number.
  const letters = [one, two].map((who) => letterOf(who, `${who.id === 'c1' ? 21 : 22}.1`).replace(/IPP-c\d/, 'IPP-c'));

  it('do not come in one archive or mail, whatever number they share', async () => {
    const archive = await xdmOf(letters.map((bytes) => ({ bytes })));
    for (const [bytes, type] of [
      [archive, 'application/zip'],
      [mailOf({ parts: [archivePart(archive)] }), 'message/rfc822'],
      [mailOf({ parts: letters.map((bytes) => ({ type: 'text/xml', bytes })) }), 'message/rfc822'],
    ] as const) {
      const reply = await client.ingest(bytes, type);
      expect([type, reply.status, reply.json.issue?.[0].code]).toEqual([type, 422, 'conflict']);
      expect((await taskOf(reply)).status).toBe('requested');
    }
    expect(await stored('21.1')).toBeUndefined();
  });

  it('are not one by the number of a message: PID names another patient of the sender than the letter', async () => {
    const who = person('c3', 323);
    const message = messageOf(letterOf(who, '23.1'), {
      id: '1.2.250.1.999.7.30.23.1',
      birthDate: who.birthDate.replaceAll('-', ''),
    });
    const pid = /\|\|[^|]*\^INS~[^|]*\|/;
    expect(message).toMatch(pid);
    const foreign = message.replace(pid, '||IPP-other^^^CHVA&1.2.250.1.999.7.1&ISO^PI|');
    const reply = await client.ingest(foreign, 'x-application/hl7-v2+er7');
    expect([reply.status, reply.json.issue?.[0].code]).toEqual([422, 'conflict']);
    const same = message.replace(pid, '||IPP-c3^^^CHVA&1.2.250.1.999.7.1&ISO^PI|');
    expect((await client.ingest(same, 'x-application/hl7-v2+er7')).status).toBe(201);
  });
});

describe('What comes in a bad order, or twice', () => {
  it('a withdrawal before its document waits for a person, who takes it by $retry', async () => {
    const letter = letterOf(person('d1', 331), '31.1');
    const early = await send({ bytes: letter, action: 'D' });
    expect(early.status).toBe(422);
    expect((await client.ingest(letter)).status).toBe(201);
    expect((await stored('31.1'))?.status).toBe('current');
    const { id } = await taskOf(early);
    expect((await client.post(`Task/${id}/$retry`, { resourceType: 'Parameters' })).status).toBe(200);
    expect((await stored('31.1'))?.status).toBe('entered-in-error');
    expect((await client.read<Task>(`Task/${id}`)).status).toBe('completed');
    expect((await client.post(`Task/${id}/$retry`, { resourceType: 'Parameters' })).status).toBe(422);
  });

  it('one id with two contents in one archive stores neither', async () => {
    const letter = letterOf(person('d2', 332), '32.1');
    const reply = await send({ bytes: letter }, { bytes: letter.replace('<title>', '<title>Autre ') });
    expect(reply.status).toBe(409);
    expect(await stored('32.1')).toBeUndefined();
    expect((await taskOf(reply)).status).toBe('requested');
  });

  it('one letter twice in one archive is one', async () => {
    const letter = letterOf(person('d3', 333), '33.1');
    expect((await send({ bytes: letter }, { bytes: letter })).status).toBe(201);
    const found = await client.search('DocumentReference?identifier=urn:oid:1.2.250.1.999.7.30.33.1');
    expect(found).toHaveLength(1);
  });
});

describe('The bytes', () => {
  it.each([
    [
      'UTF-8 with a mark and line ends of Windows',
      41,
      (text: string) => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`),
    ],
    ['UTF-16', 42, (text: string) => Buffer.from(`\ufeff${text.replace('UTF-8', 'UTF-16')}`, 'utf16le')],
    [
      'ISO-8859-1',
      43,
      (text: string) => Buffer.from(text.replace('UTF-8', 'ISO-8859-1').replaceAll(/[^\0-\u00ff]/g, "'"), 'latin1'),
    ],
  ])('in %s come out of mail, archive and message as they went in', async (_, number, encode) => {
    for (const [place, carry] of [
      async (bytes: Buffer) =>
        client.ingest(
          mailOf({ messageId: `m${number}@chva.mssante.fr`, parts: [{ type: 'text/xml', bytes }] }),
          'message/rfc822',
        ),
      async (bytes: Buffer) => send({ bytes }),
      async (bytes: Buffer, who: Person, id: string) =>
        client.ingest(
          messageOf(bytes, { id, ins: who.ins.value, birthDate: who.birthDate.replaceAll('-', '') })
            .replace('1.2.250.1.213.1.4.10', who.ins.root)
            .replace('IPP-004217', `IPP-${who.id}`),
          'x-application/hl7-v2+er7',
        ),
    ].entries()) {
      const who = person(`e${number}${place}`, number * 10 + place);
      const bytes = encode(letterOf(who, `${number}${place}.1`));
      const reply = await carry(bytes, who, `1.2.250.1.999.7.30.${number}${place}.1`);
      expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
      const { attachment } = (await stored(`${number}${place}.1`))?.content[0] ?? {};
      expect(attachment?.hash).toBe(createHash('sha1').update(bytes).digest('base64'));
      const binary = await binaryAt(attachment?.url);
      expect(Buffer.from(binary.data ?? '', 'base64').equals(bytes)).toBe(true);
    }
  });
});

describe('What was taken', () => {
  it('stays byte for byte: its Binary is neither changed nor deleted, nor is its place taken before', async () => {
    const bytes = Buffer.from(letterOf(person('e1', 341), '41.1'));
    const id = createHash('sha256').update(bytes).digest('hex');
    const other = { resourceType: 'Binary', id, contentType: 'text/xml', data: Buffer.from('<a/>').toString('base64') };
    const refuse = async (): Promise<void> => {
      expect((await client.put(other)).status).toBe(422);
      expect((await client.put({ resourceType: 'Binary', id, contentType: 'text/xml' })).status).toBe(422);
      const entry = [{ resource: other, request: { method: 'PUT', url: `Binary/${id}` } }];
      expect((await client.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(422);
    };
    await refuse();
    const reply = await client.ingest(bytes);
    expect(reply.status).toBe(201);
    await refuse();
    expect((await client.remove(`Binary/${id}`)).status).toBe(405);
    const patch = [{ op: 'replace', path: '/data', value: other.data }];
    const type = 'application/json-patch+json';
    expect((await client.send('PATCH', `Binary/${id}`, { body: patch, type })).status).toBe(422);
    const kept = await client.get(`Binary/${id}`, { accept: '*/*' });
    expect(kept.bytes.equals(bytes)).toBe(true);
    // Labels may be added to it.
    const there = await binaryAt(`Binary/${id}`);
    const code = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };
    expect((await client.put({ ...there, meta: { security: [code] } } as never)).status).toBe(200);
  });

  it('in plain FHIR does not leave as something else than its hash and size say', async () => {
    const pdf = Buffer.from('%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');
    const hash = createHash('sha1').update(pdf).digest('base64');
    const binary = (content: Buffer) => ({
      resourceType: 'Binary',
      id: 'scan',
      contentType: 'application/pdf',
      data: content.toString('base64'),
    });
    const ins = { system: 'urn:oid:1.2.250.1.213.1.4.10', value: person('e2', 342).ins.value };
    const document = (attachment: object) => ({
      resourceType: 'DocumentReference',
      id: 'scan',
      status: 'current',
      type: { coding: [{ system: 'http://loinc.org', code: '34112-3' }] },
      subject: { reference: 'Patient/scanned' },
      date: '2026-03-02T15:05:00Z',
      content: [{ attachment: { contentType: 'application/pdf', ...attachment } }],
    });
    const patient = {
      resourceType: 'Patient',
      id: 'scanned',
      identifier: [ins],
      name: [{ family: 'A', given: ['B'] }],
    };
    await client.putAll(patient, binary(pdf), document({ url: 'Binary/scan', hash, size: pdf.length }));
    expect((await client.get('DocumentReference/scan/$xdm')).status).toBe(200);
    await client.putAll(binary(Buffer.from(pdf).fill('x', 10, 12)));
    const reply = await client.get('DocumentReference/scan/$xdm');
    expect([reply.status, reply.json.issue[0].expression]).toEqual([
      422,
      ['DocumentReference.content[0].attachment.hash'],
    ]);
    const inside = (more: object) => client.put(document({ data: pdf.toString('base64'), ...more }));
    expect((await inside({ hash: createHash('sha1').update('x').digest('base64') })).status).toBe(400);
    expect((await inside({ hash: createHash('sha1').update(pdf).digest('hex') })).status).toBe(400);
    expect((await inside({ hash })).status).toBe(200);
  });
});

it('A letter of a patient whom nobody knows by INS is linked by number and all traits, or by nothing', async () => {
  const who = person('f1', 351);
  const known = new TextDecoder().decode(dischargeLetter(who, end, written));
  expect((await client.ingest(known.replace(own, own.replace('IPP-004217', 'IPP-f1')))).status).toBe(201);
  const withoutIns = (text: string): string => text.replace(/<id root="1\.2\.250\.1\.213\.1\.4\.10"[^>]*>\s*/, '');
  const again = withoutIns(letterOf(who, '51.1'));
  expect((await client.ingest(again)).status).toBe(201);
  const traits = [/(<birthTime value=")\d{8}/, /(<administrativeGenderCode code=")[MF]/] as const;
  for (const [place, pattern] of traits.entries()) {
    const wrong = withoutIns(letterOf(who, `5${place + 2}.1`)).replace(pattern, place === 0 ? '$119010101' : '$1M');
    expect(wrong).not.toBe(withoutIns(letterOf(who, `5${place + 2}.1`)));
    const reply = await client.ingest(wrong);
    expect([place, reply.status]).toEqual([place, 422]);
  }
});
