/** XDM archives: what they claim is held against what they carry (rows Z9, Z10 and X15 of the hostile inputs). */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { openArchive, readLetter } from '../../src/letters/index.ts';
import { fixture } from './letters.ts';
import { metadataOf, type PackedDocument, xdmOf, zipOf } from './xdm.ts';

const discharge = fixture('discharge.xml');
const patientId = '258059999900193^^^&1.2.250.1.213.1.4.10&ISO^NH';
const honest: PackedDocument = { bytes: discharge, uniqueId: '1.2.250.1.999.7.3.40.1', patientId, typeCode: '11490-0' };

async function reasonsOf(archive: Buffer): Promise<string[]> {
  const result = await openArchive(archive);
  return result.kind === 'review' ? result.reasons.map(({ text }) => text) : [];
}

/** What reading the letters of an archive says against its metadata. */
async function conflictsOf(documents: readonly PackedDocument[]): Promise<(string | undefined)[]> {
  const opened = await openArchive(await xdmOf(documents));
  if (opened.kind === 'review') return opened.reasons.map(({ text }) => text);
  return opened.letters.flatMap(({ bytes, claims }) => {
    const result = readLetter(bytes, {
      zone: 'Europe/Paris',
      newId: () => 'x',
      receivedAt: '2026-03-02T16:30:00Z',
      ...(claims && { claims }),
    });
    return result.kind === 'review' ? result.reasons.map(({ expression }) => expression) : [];
  });
}

describe('an archive', () => {
  test.each([
    ['as the guide has it', (name: string) => name],
    ['wrapped in a folder', (name: string) => `export/${name}`],
    ['in lower case', (name: string) => name.toLowerCase()],
    ['without IHE_XDM', (name: string) => name.replace('IHE_XDM/', '')],
  ])('%s gives its letter, byte for byte', async (_, rename) => {
    const opened = await openArchive(await xdmOf([honest], rename));
    expect(opened).toMatchObject({ kind: 'letters', letters: [{ isWithdrawal: false, visibility: [] }] });
    if (opened.kind === 'letters') expect(Buffer.from(opened.letters[0]?.bytes ?? []).toString()).toBe(discharge);
    expect(await conflictsOf([honest])).toEqual([]);
  });

  test('says masks and withdrawals beside the document', async () => {
    const opened = await openArchive(await xdmOf([{ ...honest, mask: 'INVISIBLE_PATIENT', action: 'D' }]));
    expect(opened).toMatchObject({ letters: [{ visibility: ['INVISIBLE_PATIENT'], isWithdrawal: true }] });
  });

  test('may hold several documents of one patient, X15: not of two', async () => {
    const admission = { ...honest, bytes: fixture('admission.xml') };
    expect(await openArchive(await xdmOf([honest, admission]))).toMatchObject({ letters: [{}, {}] });
    const other = { ...admission, patientId: '1^^^&1.2.250.1.213.1.4.10&ISO^NH' };
    expect(await reasonsOf(await xdmOf([honest, other]))).toEqual([
      'l’archive porte les documents de plusieurs patients',
    ]);
  });
});

describe('Z9: what contradicts its metadata goes to review:', () => {
  test.each([
    [
      'the hash',
      { hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' },
      'le document n’a pas l’empreinte que METADATA.XML dit',
    ],
    ['the size', { size: 12 }, 'le document n’a pas la taille que METADATA.XML dit'],
    ['the id', { uniqueId: '1.2.3' }, '/ClinicalDocument/id'],
    ['the type', { typeCode: '34112-3' }, '/ClinicalDocument/code/@code'],
    [
      'X15: the patient',
      { patientId: '299999999999999^^^&1.2.250.1.213.1.4.10&ISO^NH' },
      '/ClinicalDocument/recordTarget',
    ],
    [
      'X15: the authority',
      { patientId: '258059999900193^^^&1.2.250.1.213.1.4.8&ISO^NH' },
      '/ClinicalDocument/recordTarget',
    ],
  ])('%s', async (_, lie, told) => {
    expect(await conflictsOf([{ ...honest, ...lie }])).toEqual([told]);
  });

  test('a document that is not there, Z10: or lies outside of its folder', async () => {
    for (const uri of ['DOC0009.XML', '../../README.TXT', '..\\..\\README.TXT', '/etc/passwd', 'http://127.0.0.1:9/']) {
      expect(await reasonsOf(await xdmOf([{ ...honest, uri }]))).toEqual([
        'un document décrit par METADATA.XML n’est pas dans l’archive',
      ]);
    }
  });

  test('two submission sets, no metadata, no document, too many of them', async () => {
    const set =
      '<RegistryPackage id="S2"><Classification classifiedObject="S2" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/></RegistryPackage>';
    const at = (metadata: string) =>
      zipOf([
        ['SUBSET01/METADATA.XML', metadata],
        ['SUBSET01/DOC0001.XML', discharge],
      ]);
    expect(await reasonsOf(await at(metadataOf([honest], set)))).toEqual([
      'plus d’un lot de soumission dans METADATA.XML',
    ]);
    expect(await reasonsOf(await zipOf([['DOC.XML', discharge]]))).toHaveLength(1);
    expect(await reasonsOf(await at(metadataOf([])))).toEqual(['l’archive ne décrit aucun document']);
    const many = Array.from({ length: 60 }, () => ({ ...honest, uri: 'DOC0001.XML' }));
    expect(await reasonsOf(await at(metadataOf(many)))).toEqual(['plus de 50 documents']);
  });

  test('Z10: metadata with a DOCTYPE, or not well formed', async () => {
    for (const metadata of ['<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x/>', '<x>']) {
      expect(await reasonsOf(await zipOf([['SUBSET01/METADATA.XML', metadata]]))).toHaveLength(1);
    }
  });
});

const samples = new URL('../../../shared/samples/xdm-zip/', import.meta.url);
const names = ['direct_samplexdm_wrapped-folder.zip', 'direct_samplexdm_backslash-paths.zip'];
if (!existsSync(samples)) test.skip('the sample archives are left out: they are not at hand', () => undefined);
else
  test.each(names)('%s is opened, or refused for what its metadata say', async (name) => {
    const opened = await openArchive(readFileSync(new URL(name, samples)));
    const told = opened.kind === 'review' ? opened.reasons.map(({ text }) => text) : opened.letters.length;
    expect(told).toEqual(1);
  });
