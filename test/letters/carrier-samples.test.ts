/**
 * The sample mails, archives and ebRIM requests, where they are at hand (../shared/samples, outside the project), as a golden
 * table: what each of them is taken for and what it says, or why a person must look at it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readXdm, readZip, type XdmResult } from '../../src/formats/index.ts';
import { openArchive, openMail, readLetter } from '../../src/letters/index.ts';
import { fixturePath } from './letters.ts';

const samples = new URL('../../../shared/samples/', import.meta.url);
const files = existsSync(samples)
  ? ['mssante-mail', 'xdm-zip', 'xds-ebrim'].flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, samples))
        .sort()
        .map((name) => `${folder}/${name}`),
    )
  : [];

const settings = { zone: 'Europe/Paris', newId: () => 'id', receivedAt: '2026-03-02T16:30:00Z' };

async function summary(name: string): Promise<unknown> {
  const bytes = readFileSync(new URL(name, samples));
  if (name.endsWith('.eml')) return mailSummary(bytes);
  if (name.endsWith('.zip')) return archiveSummary(bytes);
  // A request as a whole is no letter; what it says is read as the METADATA.XML of an archive is.
  const alone = readLetter(bytes, settings);
  const document = { name: 'IHE_XDM/SUBSET01/DOC.XML', bytes: Buffer.from('<a/>') };
  return {
    alone: alone.kind === 'review' ? alone.reasons.map(({ text }) => text) : alone.kind,
    metadata: metadataSummary(readXdm([{ name: 'IHE_XDM/SUBSET01/METADATA.XML', bytes }, document])),
  };
}

async function mailSummary(bytes: Uint8Array): Promise<unknown> {
  const opened = await openMail(bytes, { senders: undefined });
  switch (opened.kind) {
    case 'review':
      return { review: opened.reasons.map(({ text }) => text) };
    case 'delivery-report':
      return { report: opened.report, sentAt: opened.sentAt };
    case 'letters':
    case 'mail-letters':
      return { letters: opened.letters.length };
    case 'automatic':
      return { kind: opened.kind };
  }
}

async function archiveSummary(bytes: Uint8Array): Promise<unknown> {
  const zip = await readZip(bytes);
  const opened = await openArchive(bytes);
  return {
    entries: zip.kind === 'entries' ? zip.entries.map((entry) => entry.name) : zip.issue.text,
    metadata: zip.kind === 'entries' ? metadataSummary(readXdm(zip.entries)) : undefined,
    opened:
      opened.kind === 'review'
        ? opened.reasons.map(({ text }) => text)
        : opened.letters.map(({ bytes: letter, claims, metadata: described }) => {
            const read = readLetter(letter, {
              ...settings,
              ...(claims && { claims }),
              ...(described && { metadata: described }),
            });
            return read.kind === 'review' ? read.reasons.map(({ text }) => text) : read.kind;
          }),
  };
}

function metadataSummary(result: XdmResult): unknown {
  if (result.kind === 'refused') return { refused: result.issues.map(({ text }) => text) };
  return result.documents.map(({ uniqueId, patientId, size, isReplacement, entry }) => ({
    ...{ uniqueId, patientId, typeCode: entry.typeCode?.code, size, isReplacement },
    mimeType: entry.mimeType,
    title: entry.title,
    authors: entry.authors.map(({ person }) => person),
    patient: entry.sourcePatientInfo.find((line) => line.startsWith('PID-5')),
    format: entry.formatCode?.code,
    confidentiality: entry.confidentiality.map(({ code }) => code),
    replaces: entry.replaces,
  }));
}

if (files.length === 0) test.skip('the sample carriers are left out: they are not at hand', () => undefined);
else
  test('all sample mails, archives and requests give the golden table', async () => {
    const rows: [string, unknown][] = [];
    for (const name of files) rows.push([name, await summary(name)]);
    const plain = JSON.parse(JSON.stringify(Object.fromEntries(rows))) as unknown;
    const golden = fixturePath('carrier-samples.golden.json');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(plain, null, 1)}\n`);
    expect(plain).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
  });
