/**
 * mail(xdm(cda(x))) = cda(x): a letter about anybody, written by what `$xdm` and `$mssante` write with and read by what `$ingest`
 * of message/rfc822 reads with, is the same bytes, and says the same of itself.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DocumentReference } from 'fhir/r4.js';
import { describeArchive, describeDocument, describeMail, type OutgoingDocument } from '../../src/documents/index.ts';
import { type MailToWrite, readXdm, readZip, writeMail, writeXdm } from '../../src/formats/index.ts';
import { type LetterPlan, openMail, readLetter } from '../../src/letters/index.ts';
import { adaptLetter } from '../support/letter.ts';
import { fixture, only, planOf } from './letters.ts';

const discharge = fixture('discharge.xml');
const nowMs = Date.parse('2026-03-02T16:30:00Z');

/** With what XML, MIME, HL7 v2 and mail headers each have to escape, and letters of many alphabets. */
const name = fc
  .string({
    unit: fc.oneof(fc.constantFrom(...'^|~\\&<>"\'é œÉß=?-'), fc.string({ unit: 'grapheme', maxLength: 1 })),
    maxLength: 25,
  })
  .map((text) => text.replace(/[\p{C}\p{Z}\uFFFE\uFFFF]+/gu, ' ').trim())
  .filter((text) => text !== '');
const escaped = (text: string) => text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
const day = fc.date({ min: new Date('1905-01-01'), max: new Date('2025-12-31'), noInvalidDate: true });

interface Person {
  readonly family: string;
  readonly given: string;
  readonly title: string;
  readonly born: Date;
  readonly number: number;
  readonly mask: string | undefined;
}

const person: fc.Arbitrary<Person> = fc.record({
  family: name,
  given: name,
  title: name,
  born: day,
  number: fc.integer({ min: 1, max: 2 ** 31 }),
  mask: fc.constantFrom(undefined, 'MASQUE_PS', 'INVISIBLE_PATIENT'),
});

function cda({ family, given, title, born, number }: Person): Buffer {
  const own = adaptLetter(discharge, {
    traits: {
      family: escaped(family),
      given: escaped(given),
      birthDate: born.toISOString().slice(0, 10),
      gender: number % 2 === 0 ? 'female' : 'male',
    },
    document: {
      id: `1.2.250.1.999.7.3.41.${number}`,
      setId: `1.2.250.1.999.7.3.42.${number}`,
      effectiveTime: '2026-03-02T16:05:00+01:00',
    },
  });
  return Buffer.from(
    Buffer.from(own)
      .toString('utf8')
      .replace(/<title>[^<]*<\/title>/, () => `<title>${escaped(title)}</title>`),
  );
}

/** As the store would hand it to `$mssante`: the references of a plan are the names of its entries. */
function outgoing(bytes: Uint8Array, { entries, ...plan }: LetterPlan): OutgoingDocument {
  const reference = { ...only<DocumentReference>({ entries, ...plan }, 'DocumentReference'), id: 'letter' };
  return { reference, bytes, resources: new Map(entries.map(({ fullUrl, resource }) => [fullUrl, resource])) };
}

const archiveSetting = { software: 'Suture', sourceId: '2.25.1', baseUrl: 'http://127.0.0.1/fhir', nowMs };

const xdm = (document: OutgoingDocument): Promise<Buffer> => writeXdm(describeArchive([document], archiveSetting));

function mailOf(document: OutgoingDocument, archive: Uint8Array): MailToWrite {
  return describeMail(document, {
    messageId: '<1@chva.mssante.example>',
    from: 'suture@chva.mssante.example',
    to: 'yann.lescop@medecin.mssante.example',
    sentAtMs: nowMs,
    softwareNumber: 'NIL-42',
    text: undefined,
    isLast: false,
    archive,
    pdf: undefined,
  });
}

const counted = () => {
  let count = 0;
  return () => `id-${++count}`;
};

test('mail(xdm(cda(x))) = cda(x): bytes and metadata, whatever names and titles hold', async () => {
  await fc.assert(
    fc.asyncProperty(person, async (who) => {
      const bytes = cda(who);
      const sent = planOf(bytes, who.mask === undefined ? [] : [who.mask]);
      const document = outgoing(bytes, sent);
      const opened = await openMail(await writeMail(mailOf(document, await xdm(document))), { senders: undefined });
      if (opened.kind !== 'mail-letters') throw new Error(JSON.stringify(opened));
      const [letter, ...others] = opened.letters;
      if (letter === undefined) throw new Error('no letter');
      expect(others).toEqual([]);
      expect(Buffer.from(letter.bytes).equals(bytes)).toBe(true);
      // The whole plan: every resource, link, label and finding. Claims and hints that differ would show in it.
      const settings = { zone: 'Europe/Paris', newId: counted(), receivedAt: '2026-03-02T16:30:00Z' };
      const { visibility, claims, hints } = letter;
      const read = readLetter(letter.bytes, {
        ...settings,
        visibility,
        ...(claims && { claims }),
        ...(hints && { hints }),
      });
      if (read.kind === 'review') throw new Error(JSON.stringify(read.reasons));
      expect(read.plan).toEqual(sent);
    }),
    { numRuns: 40 },
  );
});

test('what METADATA.XML says is what was described', async () => {
  await fc.assert(
    fc.asyncProperty(person, async (who) => {
      const bytes = cda(who);
      const document = outgoing(bytes, planOf(bytes, who.mask === undefined ? [] : [who.mask]));
      const zip = await readZip(await xdm(document));
      const read = zip.kind === 'entries' ? readXdm(zip.entries) : undefined;
      if (read?.kind !== 'documents') throw new Error(JSON.stringify(read));
      const { bytes: _bytes, uniqueId, patientId, ...described } = describeDocument(document);
      expect(read.documents).toMatchObject([{ uniqueId, patientId, size: bytes.length }]);
      const { origin, ...entry } = read.documents[0]?.entry ?? {};
      expect([entry, origin]).toEqual([described, 'http://127.0.0.1/fhir/DocumentReference/letter']);
    }),
    { numRuns: 30 },
  );
});
