/**
 * Hospitals' messages (HL7 v2 ADT) through $ingest: patients and stays made, corrected, cancelled and merged; repeated and out of
 * order; what is in doubt goes to a person. Rows L8 and L10 of the hostile inputs.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle, Encounter, Patient, Task } from 'fhir/r4.js';
import { fixture } from '../letters/letters.ts';
import { adtOf, type AdtParts } from '../letters/admission/adt.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';

let test: TestApp;
let client: Client;
beforeAll(async () => {
  test = await startTestApp({ clock: '2026-03-10T08:00:00+01:00' });
  client = test.client;
});
afterAll(() => test?.close());

const type = 'x-application/hl7-v2+er7';
const send = (parts: AdtParts): Promise<Reply> => client.ingest(adtOf(parts), type);
async function take(...messages: AdtParts[]): Promise<void> {
  for (const parts of messages) {
    const reply = await send(parts);
    if (reply.status > 201) throw new Error(reply.text);
  }
}

const ippOf = (value: string) => `https://suture.example/fhir/sid/hl7v2/990000017/PI|${value}`;
const stayOf = async (number: string) => {
  const found = await client.search<Encounter>(`Encounter?identifier=${number}`);
  expect(found).toHaveLength(1);
  return found[0] as Encounter;
};

/** Numbers that pass the key of the INS. */
function insOf(serial: number): string {
  const number = `25805999980${String(serial).padStart(2, '0')}`;
  return `${number}${String(97 - (Number(number) % 97)).padStart(2, '0')}`;
}

const who = (serial: number, more: Partial<AdtParts> = {}) => ({
  ipp: `P${serial}`,
  ins: insOf(serial),
  stay: `S-${serial}`,
  family: `NOM${String.fromCharCode(64 + serial)}`,
  ...more,
});

describe('a stay told by its hospital', () => {
  it('is there with its patient, doctor and hospital after the admission, and over after the discharge', async () => {
    const reply = await send({ event: 'A01', recorded: '20260302094500', gp: '10100000025', ...who(1) });
    expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
    expect((reply.json as Bundle).entry?.map(({ resource }) => resource?.resourceType)).toEqual([
      'Patient',
      'Encounter',
    ]);
    const stay = await stayOf('S-1');
    const patient = await client.read<Patient>(stay.subject?.reference ?? '');
    expect(patient).toMatchObject({
      identifier: [{ value: 'P1' }, { system: 'urn:oid:1.2.250.1.213.1.4.10', value: insOf(1) }],
      name: [{ use: 'official', family: 'NOMA', given: ['SOLENE'] }],
      birthDate: '1958-05-14',
      gender: 'female',
      generalPractitioner: [{ display: "Yann CREAC'H" }],
      telecom: [{ system: 'phone', value: '0298000000' }],
    });
    expect(stay).toMatchObject({
      status: 'in-progress',
      class: { code: 'IMP' },
      period: { start: '2026-03-02T09:45:00+01:00' },
    });
    expect(await client.read(stay.serviceProvider?.reference ?? '')).toMatchObject({ name: 'CHVA' });
    await take({ event: 'A03', recorded: '20260306110000', ...who(1) });
    expect(await stayOf('S-1')).toMatchObject({ status: 'finished', period: { end: '2026-03-06T11:00:00+01:00' } });
    expect((await client.get(`Patient/${patient.id}/$breaks`)).text).toContain('RUP-20');
  });

  it('changes nothing the second time (L8)', async () => {
    const before = await stayOf('S-1');
    const reply = await send({ event: 'A03', recorded: '20260306110000', ...who(1) });
    expect(reply.status).toBe(200);
    expect((await stayOf('S-1')).meta).toEqual(before.meta);
  });

  it('is the same when its messages come backwards', async () => {
    const life: AdtParts[] = [
      { event: 'A01', recorded: '20260302094500', unit: '1001', ...who(2) },
      { event: 'A02', recorded: '20260303094500', unit: '2002', ...who(2) },
      { event: 'A03', recorded: '20260304094500', unit: '2002', ...who(2) },
      { event: 'A13', recorded: '20260304100000', unit: '2002', ...who(2) },
      { event: 'A08', recorded: '20260304110000', unit: '2002', movement: '', ...who(2), family: 'NOMCORRIGE' },
    ];
    await take(...life.toReversed());
    const stay = await stayOf('S-2');
    expect(stay).toMatchObject({ status: 'in-progress', location: [{ status: 'completed' }, { status: 'active' }] });
    expect(stay.period).toEqual({ start: '2026-03-02T09:45:00+01:00' });
    // The newest message has the name; the older ones that came later did not bring the old one back.
    const [patient] = await client.search<Patient>(`Patient?identifier=${ippOf('P2')}`);
    expect(patient?.name?.[0]?.family).toBe('NOMCORRIGE');
  });

  it('that was cancelled is cancelled, also when the admission comes later', async () => {
    await take(
      { event: 'A11', recorded: '20260302100000', ...who(3) },
      { event: 'A01', recorded: '20260302094500', ...who(3) },
    );
    expect((await stayOf('S-3')).status).toBe('cancelled');
  });

  it('is the one that a discharge letter speaks of, and the other way round', async () => {
    await take({ event: 'A01', recorded: '20260223074500', ipp: 'K1', ins: '258059999900193', stay: 'S-77' });
    const reply = await client.ingest(fixture('discharge.xml'));
    expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
    const patients = await client.search<Patient>('Patient?family=KERDONCUFF');
    expect(patients).toHaveLength(1);
    expect(await client.search(`DocumentReference?patient=Patient/${patients[0]?.id}`)).toHaveLength(1);
  });

  it('tells of a death', async () => {
    await take(
      { event: 'A01', recorded: '20260302094500', ...who(4) },
      { event: 'A03', recorded: '20260305094500', died: '20260305091000', left: 'D', ...who(4) },
    );
    const stay = await stayOf('S-4');
    expect(await client.read(stay.subject?.reference ?? '')).toMatchObject({
      deceasedDateTime: '2026-03-05T09:10:00+01:00',
    });
    expect(stay.hospitalization?.dischargeDisposition?.coding?.[0]?.code).toBe('exp');
  });
});

describe('two records of one person', () => {
  const twice: AdtParts[] = [
    { event: 'A01', recorded: '20260302094500', ...who(5) },
    { event: 'A01', recorded: '20260303094500', ...who(6), ins: '', reliability: 'PROV', birthDate: '19580514' },
  ];
  const merge: AdtParts = { event: 'A40', recorded: '20260304094500', ...who(5), stay: '', prior: 'P6' };

  it('become one: what was of the former is the survivor’s, and the former stays findable', async () => {
    await take(...twice);
    const [former] = await client.search<Patient>(`Patient?identifier=${ippOf('P6')}`);
    await client.putAll({
      resourceType: 'Observation',
      id: 'of-the-former',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: `Patient/${former?.id}` },
    });
    await take(merge);
    const [survivor] = await client.search<Patient>(`Patient?identifier=${ippOf('P5')}`);
    expect(survivor).toMatchObject({
      identifier: [{ value: 'P5' }, {}, { use: 'old', value: 'P6' }],
      link: [{ other: { reference: `Patient/${former?.id}` }, type: 'replaces' }],
    });
    expect(await client.read(`Patient/${former?.id}`)).toMatchObject({
      active: false,
      link: [{ other: { reference: `Patient/${survivor?.id}` }, type: 'replaced-by' }],
    });
    const ids = async (path: string) => (await client.search(path)).map(({ id }) => id);
    expect(await ids(`Patient?identifier=${ippOf('P6')}`)).toEqual(expect.arrayContaining([former?.id, survivor?.id]));
    expect(await ids(`Patient?link=Patient/${survivor?.id}`)).toEqual([former?.id]);
    expect(await client.search(`Encounter?patient=Patient/${survivor?.id}`)).toHaveLength(2);
    expect(await ids(`Observation?patient=Patient/${survivor?.id}`)).toEqual(['of-the-former']);
  });

  it('stay one when the merge is said again, and when an old message comes late under the old number', async () => {
    const [before] = await client.search<Patient>(`Patient?identifier=${ippOf('P5')}`);
    await take(merge);
    const [after] = await client.search<Patient>(`Patient?identifier=${ippOf('P5')}`);
    expect(after?.meta).toEqual(before?.meta);
    await take({ event: 'A03', recorded: '20260303180000', ...who(6), ins: '', reliability: 'PROV' });
    expect(await stayOf('S-6')).toMatchObject({ status: 'finished', subject: { reference: `Patient/${after?.id}` } });
    expect((await client.read<Patient>(`Patient/${after?.id}`)).name?.[0]?.family).toBe('NOME');
  });

  it('are one from the beginning when the merge comes first', async () => {
    await take(
      { event: 'A40', recorded: '20260304094500', ...who(7), stay: '', prior: 'P8' },
      { event: 'A01', recorded: '20260303094500', ...who(8), ins: '', reliability: 'PROV', family: 'NOMG' },
    );
    const [survivor] = await client.search<Patient>(`Patient?identifier=${ippOf('P7')}`);
    expect((await stayOf('S-8')).subject?.reference).toBe(`Patient/${survivor?.id}`);
    expect(await client.search(`Patient?identifier=${ippOf('P8')}`)).toHaveLength(1);
  });

  it('are not made one by a message when they have two INS', async () => {
    await take(
      { event: 'A01', recorded: '20260302094500', ...who(9) },
      { event: 'A01', recorded: '20260302094500', ...who(10) },
    );
    const reply = await send({ event: 'A40', recorded: '20260304094500', ...who(9), stay: '', prior: 'P10' });
    expect([reply.status, reply.json.issue[0].expression, reply.json.issue[0].diagnostics]).toEqual([
      422,
      ['MRG-1'],
      '904',
    ]);
  });
});

describe('L10: what is in doubt', () => {
  it.each<[string, AdtParts, string]>([
    [
      'a number under another INS',
      { event: 'A08', recorded: '20260309100000', ...who(1), ins: insOf(30), stay: '' },
      '904',
    ],
    [
      'an INS whose key is wrong',
      { event: 'A01', recorded: '20260309100000', ...who(31), ins: '258059999900100' },
      '905',
    ],
    [
      'an INS of an identity that is not validated',
      { event: 'A01', recorded: '20260309100000', ...who(32), reliability: 'PROV' },
      '905',
    ],
    ['the stay of another patient', { event: 'A03', recorded: '20260309100000', ...who(33), stay: 'S-1' }, '904'],
    [
      'a number that suddenly is of somebody else',
      {
        event: 'A08',
        recorded: '20260309100000',
        ...who(1),
        ins: '',
        stay: '',
        given: 'PAUL',
        birthDate: '19990101',
        gender: 'M',
        reliability: 'PROV',
      },
      '904',
    ],
  ])('%s goes to a person, and nothing is stored', async (_, parts, code) => {
    const before = await client.search('Encounter?_count=1000');
    const reply = await send(parts);
    expect([reply.status, reply.json.issue[0].diagnostics]).toEqual([422, code]);
    expect(reply.text).not.toMatch(/NOM[A-Z]|25805999/);
    expect(await client.search('Encounter?_count=1000')).toHaveLength(before.length);
    const task = await client.read<Task>((reply.headers.get('location') ?? '').slice(client.baseUrl.length + 1));
    expect(task.code?.coding?.[0]?.code).toBe('review-letter');
  });

  it('is taken by $retry once the record was put right', async () => {
    await client.putAll({
      resourceType: 'Patient',
      id: 'twin',
      identifier: [{ system: ippOf('').slice(0, -1), value: 'P40' }],
      gender: 'male',
      birthDate: '1999-01-01',
      name: [{ family: 'AUTRE', given: ['PAUL'] }],
    });
    const reply = await send({ event: 'A01', recorded: '20260309100000', ...who(40) });
    expect(reply.status).toBe(422);
    const task = (reply.headers.get('location') ?? '').slice(client.baseUrl.length + 1);
    await client.putAll({ resourceType: 'Patient', id: 'twin', active: false });
    const retried = await client.post(`${task}/$retry`, {});
    expect([retried.status, retried.json.issue]).toEqual([201, undefined]);
    expect((await client.read<Task>(task)).status).toBe('completed');
  });
});
