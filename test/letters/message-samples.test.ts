/**
 * The official HL7 v2 messages, where they are at hand (../shared/samples, outside the project): what each of them is read into, as a
 * golden table.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { DocumentReference, Encounter, Identifier, Patient } from 'fhir/r4.js';
import { parseHl7 } from '../../src/formats/index.ts';
import { type Admission, isAdmission, openMessage, readAdmission, readLetter } from '../../src/letters/index.ts';
import { fixturePath, only, resources } from './letters.ts';

const samples = new URL('../../../shared/samples/hl7v2/', import.meta.url);
const files = existsSync(samples)
  ? readdirSync(samples, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:er7|hl7)$/.test(name))
      .sort()
  : [];

function counted(): () => string {
  let count = 0;
  return () => `id-${++count}`;
}

function countOf(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function nameOf(patient: Patient | undefined): string {
  const [name] = patient?.name ?? [];
  return [name?.family, name?.given?.[0]].join(' ');
}

/** What a hospital says of a person and a stay. */
function admissionSummary({ act, recordedAtMs, entries, stay, prior }: Admission): unknown {
  const of = <T>(type: string) =>
    entries.find(({ resource }) => resource.resourceType === type)?.resource as T | undefined;
  const [patient, encounter] = [of<Patient>('Patient'), of<Encounter>('Encounter')];
  const numbers = (identifiers: readonly Identifier[] = []) =>
    identifiers.map(({ system, value }) => `${system}|${value}`);
  return {
    act,
    recordedAt: new Date(recordedAtMs).toISOString(),
    patient: [nameOf(patient), patient?.birthDate, patient?.gender],
    identifiers: numbers(patient?.identifier),
    stay: encounter && {
      numbers: numbers(encounter.identifier),
      class: encounter.class.code,
      period: encounter.period,
    },
    movement: stay?.report.movement,
    prior: numbers(prior),
    made: countOf(entries.map(({ resource }) => resource.resourceType)),
  };
}

/** One line of the table: what the message and its documents say, and how much was made of them. */
function summary(name: string): unknown {
  const bytes = readFileSync(new URL(encodeURI(name), samples));
  const parsed = parseHl7(bytes);
  if (parsed.kind === 'refused') return { review: [parsed.issue.text] };
  const settings = { zone: 'Europe/Paris', newId: counted() };
  if (isAdmission(parsed.message)) {
    const read = readAdmission(parsed.message, bytes, settings);
    return read.kind === 'review'
      ? { review: read.reasons.map(({ expression }) => expression) }
      : admissionSummary(read.admission);
  }
  const opened = openMessage(parsed.message);
  if (opened.kind === 'review') return { review: opened.reasons.map(({ expression }) => expression) };
  return opened.letters.map(({ bytes: letter, claims, visibility, isWithdrawal }) => {
    const result = readLetter(letter, {
      ...settings,
      receivedAt: '2026-03-02T16:30:00Z',
      visibility,
      ...(claims && { claims }),
    });
    if (result.kind === 'review')
      return { isWithdrawal, review: result.reasons.map(({ text, expression }) => expression ?? text) };
    const { plan } = result;
    const { type, author, relatesTo, securityLabel } = only<DocumentReference>(plan, 'DocumentReference');
    return {
      isWithdrawal,
      type: type?.coding?.[0]?.code,
      patient: nameOf(only<Patient>(plan, 'Patient')),
      author: author?.[0]?.display,
      stay: resources<Encounter>(plan, 'Encounter')[0]?.period,
      replaces: relatesTo?.map(({ target }) => target.identifier?.value),
      labels: securityLabel?.map(({ coding }) => coding?.[0]?.code),
      made: countOf(plan.entries.map(({ resource }) => resource.resourceType)),
      findings: countOf(plan.findings.map(({ code }) => code)),
    };
  });
}

if (files.length === 0) test.skip('the sample messages are left out: they are not at hand', () => undefined);
else
  test('all official messages give the golden table', () => {
    const table = Object.fromEntries(files.map((name) => [name, summary(name)]));
    const plain = JSON.parse(JSON.stringify(table)) as unknown;
    const golden = fixturePath('message-samples.golden.json');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(plain, null, 1)}\n`);
    expect(plain).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
  });
