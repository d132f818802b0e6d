/** The way out: what is written is read again as it was, and the same input gives the same bytes (ITI-32, RFC 5322, RFC 2047). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import {
  type MailToWrite,
  parseXml,
  readXdm,
  readZip,
  writeMail,
  writeXdm,
  type XdmDocumentToWrite,
  type XdmToWrite,
} from '../../src/formats/index.ts';

const document: XdmDocumentToWrite = {
  bytes: Buffer.from('<ClinicalDocument xmlns="urn:hl7-org:v3"/>'),
  mimeType: 'text/xml',
  entryUuid: 'urn:uuid:0b5c9a0e-6a2f-4b7e-8a43-7b7d4e7b1d11',
  uniqueId: '1.2.250.1.999.7.3.40.1',
  patientId: '258059999900193^^^&1.2.250.1.213.1.4.10&ISO^NH',
  sourcePatientId: 'IPP-1^^^&1.2.250.1.999.7.1&ISO^PI',
  sourcePatientInfo: ['PID-5|KERDONCUFF^SOLENE^^^^^L', 'PID-8|F'],
  title: 'Lettre de liaison',
  description: undefined,
  languageCode: 'fr-FR',
  creationTime: '20260302150500',
  serviceStartTime: '20260223064500',
  serviceStopTime: undefined,
  authors: [{ person: '810009900011^DIARRA^Awa', institutions: ['CH'], role: undefined, specialty: 'G15^x^1.2' }],
  legalAuthenticator: '810009900011^DIARRA^Awa',
  classCode: { code: '10', system: '1.2.250.1.213.1.1.4.1', display: 'Compte rendu' },
  typeCode: { code: '11490-0', system: '2.16.840.1.113883.6.1', display: undefined },
  formatCode: { code: 'urn:asip:ci-sis:ldl-ses:2017', system: '1.2', display: undefined },
  facilityType: undefined,
  practiceSetting: undefined,
  events: [],
  confidentiality: [
    { code: 'N', system: '2.16.840.1.113883.5.25', display: 'normal' },
    { code: 'INVISIBLE_PATIENT', system: '1.2.250.1.213.1.1.4.13', display: undefined },
  ],
  replaces: [],
};

const archive = (...documents: XdmDocumentToWrite[]): XdmToWrite => ({
  submission: {
    uniqueId: '2.25.1',
    sourceId: '2.25.2',
    submissionTime: '20260302153000',
    contentType: undefined,
    author: undefined,
    intendedRecipients: [],
  },
  documents,
  sender: ['Centre hospitalier du Val d’Arzon', '1 route des Tanneurs'],
  software: 'Suture 0.1.0',
  writtenAtMs: Date.parse('2026-03-02T15:30:00Z'),
});

async function entriesOf(bytes: Uint8Array) {
  const zip = await readZip(bytes);
  if (zip.kind === 'refused') throw new Error(zip.issue.text);
  return zip.entries;
}

describe('An archive', () => {
  test('has the names of the volet, and its metadata are read as they were written', async () => {
    const entries = await entriesOf(await writeXdm(archive(document)));
    expect(entries.map(({ name }) => name)).toEqual([
      'README.TXT',
      'INDEX.HTM',
      'IHE_XDM/SUBSET01/METADATA.XML',
      'IHE_XDM/SUBSET01/DOC0001.XML',
    ]);
    expect(readXdm(entries)).toMatchObject({
      kind: 'documents',
      documents: [
        {
          uniqueId: document.uniqueId,
          patientId: document.patientId,
          size: document.bytes.length,
          isReplacement: false,
          entry: {
            typeCode: { code: '11490-0' },
            confidentiality: [
              { code: 'N', system: '2.16.840.1.113883.5.25' },
              { code: 'INVISIBLE_PATIENT', system: '1.2.250.1.213.1.1.4.13' },
            ],
          },
        },
      ],
    });
  });

  test('says what it replaces, and keeps several documents apart', async () => {
    const other = {
      ...document,
      entryUuid: 'urn:uuid:1',
      uniqueId: '1.2.3',
      replaces: ['urn:uuid:0'],
      mimeType: 'application/pdf',
    };
    const entries = await entriesOf(await writeXdm(archive(document, other)));
    expect(entries.at(-1)?.name).toBe('IHE_XDM/SUBSET01/DOC0002.PDF');
    expect(readXdm(entries)).toMatchObject({ documents: [{ isReplacement: false }, { isReplacement: true }] });
    await expect(writeXdm(archive())).rejects.toThrow(RangeError);
    await expect(writeXdm(archive(...Array<XdmDocumentToWrite>(51).fill(document)))).rejects.toThrow(RangeError);
  });

  test('is the same bytes for the same input and time', async () => {
    const [one, again] = [await writeXdm(archive(document)), await writeXdm(archive(document))];
    expect(one.equals(again)).toBe(true);
    const later = await writeXdm({ ...archive(document), writtenAtMs: Date.parse('2026-03-02T15:30:02Z') });
    expect(one.equals(later)).toBe(false);
  });

  test('bears any text in titles, names and the sender: metadata and index stay well formed', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, text, fc.uint8Array({ maxLength: 300 }), async (title, sender, bytes) => {
        const input = { ...archive({ ...document, title, description: title, bytes }), sender: [sender] };
        const entries = await entriesOf(await writeXdm(input));
        const read = readXdm(entries);
        expect(read).toMatchObject({ kind: 'documents' });
        if (read.kind === 'documents') expect(Buffer.from(read.documents[0]?.bytes ?? [])).toEqual(Buffer.from(bytes));
        const index = Buffer.from(entries[1]?.bytes ?? [])
          .toString()
          .replace(/<!DOCTYPE[^>]*>/, '');
        expect(parseXml(Buffer.from(index))).toMatchObject({ kind: 'tree' });
      }),
      { numRuns: 100 },
    );
  });
});

const mail: MailToWrite = {
  messageId: '<0195-7@chu.mssante.example>',
  from: 'suture@chu.mssante.example',
  to: 'yann.lescop@medecin.mssante.example',
  subject: 'XDM/1.0/DDM+Lettre de liaison à la sortie KERDONCUFF SOLENE 14/05/1958',
  sentAtMs: Date.parse('2026-03-02T15:30:00Z'),
  text: 'Bonjour',
  headers: { 'X-MSS-CODECDA': '11490-0', 'X-MSS-INS': 'N' },
  attachments: [{ name: 'IHE_XDM.zip', contentType: 'application/zip', bytes: Buffer.from('PK') }],
};

describe('A mail', () => {
  test('has its headers, its text and its attachments, in pure ASCII', async () => {
    const bytes = await writeMail(mail);
    expect(bytes.every((byte) => byte < 128)).toBe(true);
    const read = await PostalMime.parse(bytes);
    expect(read).toMatchObject({ messageId: mail.messageId, subject: mail.subject, to: [{ address: mail.to }] });
    expect(read.headers).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: 'x-mss-codecda', value: '11490-0' })]),
    );
    expect(read.attachments).toMatchObject([{ filename: 'IHE_XDM.zip', mimeType: 'application/zip' }]);
    expect((await writeMail(mail)).equals(bytes)).toBe(true);
  });

  test('M5: takes no header that breaks its line, none that is endless', async () => {
    const wrong: Partial<MailToWrite>[] = [
      { subject: 'a\r\nBcc: x@y.fr' },
      { subject: 'a\u2028b' },
      { subject: 'x'.repeat(1000) },
      { headers: { 'X-MSS-CODECDA': '1\nBcc: x@y.fr' } },
      { headers: { 'X-MSS\r\nBcc': '1' } },
      { messageId: '<a@b>\r\nBcc: x@y.fr' },
    ];
    for (const one of wrong) await expect(writeMail({ ...mail, ...one })).rejects.toThrow('header of the mail');
  });

  test.each([
    'evil@attacker.fr x"@hopital.mssante.fr',
    '"evil@attacker.fr x"@hopital.mssante.fr',
    'a@b.fr,c@d.fr',
    'a@b.fr\r\nBcc: c@d.fr',
    '<a@b.fr>',
    'a@[127.0.0.1]',
    'a@b',
    'a..b@c.fr',
    `${'a'.repeat(65)}@b.fr`,
    'a@-b.fr',
    'a@b.fr\u0000',
    'é@b.fr',
  ])('M4: goes to one plain address, not to %j', async (to) => {
    await expect(writeMail({ ...mail, to })).rejects.toThrow('not one plain address');
  });

  test('of an archive of a document gives the document back: mail(xdm(x)) = x', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.string({ unit: 'grapheme', maxLength: 30 }),
        async (bytes, name) => {
          const packed = await writeXdm(archive({ ...document, bytes }));
          const subject = `XDM/1.0/DDM+${name.replace(/[\p{C}\u2028\u2029]/gu, '')}`;
          const sent = await writeMail({
            ...mail,
            subject,
            attachments: [{ name: 'IHE_XDM.zip', contentType: 'application/zip', bytes: packed }],
          });
          const read = await PostalMime.parse(sent);
          const xdm = readXdm(await entriesOf(Buffer.from(read.attachments[0]?.content as ArrayBuffer)));
          expect(xdm.kind === 'documents' && Buffer.from(xdm.documents[0]?.bytes ?? [])).toEqual(Buffer.from(bytes));
        },
      ),
      { numRuns: 50 },
    );
  });
});
