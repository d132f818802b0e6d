/**
 * Hospitals' messages (HL7 v2 ADT) as no hospital should send them: emptied fields, times to come, numbers that cannot be asked
 * for, several at once, merges in chains and circles. Row L4 of the hostile inputs.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Encounter, Patient, Task } from 'fhir/r4.js';
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

const ingest = (text: string): Promise<Reply> => client.ingest(text, 'x-application/hl7-v2+er7');
const send = (parts: AdtParts): Promise<Reply> => ingest(adtOf(parts));
async function take(text: string): Promise<void> {
  const reply = await ingest(text);
  if (reply.status > 201) throw new Error(reply.text);
}

/** Numbers that pass the key of the INS. */
function insOf(serial: number): string {
  const number = `25805999970${String(serial).padStart(2, '0')}`;
  return `${number}${String(97 - (Number(number) % 97)).padStart(2, '0')}`;
}
const who = (serial: number): Pick<AdtParts, 'ipp' | 'ins' | 'stay'> => ({
  ipp: `V${serial}`,
  ins: insOf(serial),
  stay: `VS-${serial}`,
});
const unqualified = { ins: '', reliability: 'PROV' };
const patientsOf = (ipp: string) =>
  client.search<Patient>(`Patient?identifier=https://suture.example/fhir/sid/hl7v2/990000017/PI|${ipp}`);
const theStay = async (number: string) => (await client.search<Encounter>(`Encounter?identifier=${number}`))[0];

async function expectReview(reply: Reply): Promise<void> {
  expect(reply.status).toBe(422);
  const task = await client.read<Task>((reply.headers.get('location') ?? '').slice(client.baseUrl.length + 1));
  expect(task).toMatchObject({ status: 'requested', focus: { reference: expect.stringMatching(/^Binary\//) } });
}

describe('a field that is emptied ("")', () => {
  const address = '4 RUE DU PORT^^BREST^^29200^FRA^H~^^BREST^^^FRA^BDL^^29019';

  it('takes out what stood there, and is never taken for data', async () => {
    const left: AdtParts = { event: 'A03', recorded: '20260304094500', died: '20260304090000', left: '20', ...who(1) };
    await take(adtOf(left));
    const corrected = adtOf({ ...left, event: 'A08', recorded: '20260305094500', left: '""', movement: '' })
      .replace(address, '""')
      .replace('^PRN^PH^^^^^^^^^0298000000', '""')
      .replace('|20260304090000|Y|', '|""|""|');
    await take(corrected);
    const [patient] = await patientsOf('V1');
    expect(patient).not.toHaveProperty('deceasedDateTime');
    expect(patient).not.toHaveProperty('address');
    expect(patient).not.toHaveProperty('telecom');
    expect(patient?.name).toBeDefined();
    const stay = await theStay('VS-1');
    expect(stay?.status).toBe('finished');
    expect(stay).not.toHaveProperty('hospitalization');
    // What is said again later is there again, and older words do not come back.
    await take(adtOf({ ...left, recorded: '20260304094600', controlId: 'late' }));
    expect((await patientsOf('V1'))[0]).not.toHaveProperty('deceasedDateTime');
    expect(await theStay('VS-1')).not.toHaveProperty('hospitalization');
  });

  it('is nobody’s number: two such patients, or stays, are not one', async () => {
    const nobody: AdtParts = { event: 'A01', recorded: '20260302094500', ...who(2), ...unqualified, ipp: '""' };
    const replies = [await send(nobody), await send({ ...nobody, ...who(2), stay: '""' })];
    expect(replies.map(({ status, json }) => [status, json.issue[0].expression])).toEqual([
      [422, ['PID-3']],
      [422, ['PV1-19']],
    ]);
    expect(await client.search('Encounter?identifier=%22%22')).toEqual([]);
  });
});

it('a message of the next year goes to a person: it would have the last word for ever', async () => {
  const reply = await send({ event: 'A08', recorded: '20270301094500', ...who(3) });
  await expectReview(reply);
  expect(reply.json.issue[0].expression).toEqual(['EVN-2']);
  await take(adtOf({ event: 'A01', recorded: '20260310200000', ...who(3) }));
});

it('discharged, cancelled, and admitted again under the same number is under way', async () => {
  for (const [event, day] of [
    ['A01', '02'],
    ['A03', '03'],
    ['A11', '04'],
    ['A01', '05'],
  ] as const)
    await take(adtOf({ event, recorded: `202603${day}094500`, ...who(4) }));
  expect(await theStay('VS-4')).toMatchObject({
    status: 'in-progress',
    period: { start: '2026-03-05T09:45:00+01:00' },
  });
  expect((await theStay('VS-4'))?.period).not.toHaveProperty('end');
});

it.each<[string, Partial<AdtParts>]>([
  ['that holds what no database keeps', { ipp: 'V\\X00\\5' }],
  ['of a stay that does', { stay: 'S\\X00\\5' }],
  ['of a place that does', { unit: 'U\\X00\\5' }],
  ['longer than can be asked for', { ipp: 'V'.repeat(5000) }],
  ['said five hundred times', { ipp: 'V5^^^CHVA&990000017&M^PI~'.repeat(500) }],
])('L4: a number %s is kept for a person with the message', async (_, parts) => {
  await expectReview(await send({ event: 'A01', recorded: '20260302094500', ...who(5), ...parts }));
});

it('reads escaped bytes in the letters of the message', async () => {
  for (const [serial, family] of [
    [6, 'LEF\\XC388\\VRE'],
    [7, 'LEF\\XC8\\VRE'],
  ] as const) {
    await take(adtOf({ event: 'A28', recorded: '20260302094500', ...who(serial), stay: '', family }));
    expect((await patientsOf(`V${serial}`))[0]?.name?.[0]?.family).toBe('LEFÈVRE');
  }
});

it('one patient, however many messages name him for the first time at once, each by other numbers', async () => {
  for (const serial of [10, 11, 12]) {
    const base = { recorded: '20260302094500', ...who(serial) };
    const replies = await Promise.all(
      [
        { event: 'A01', ...base, ...unqualified },
        { event: 'A08', ...base, movement: '' },
        { event: 'A28', ...base, stay: '' },
        { event: 'A31', ...base, ...unqualified, stay: '' },
      ].map(send),
    );
    expect(replies.map(({ status }) => status < 300)).toEqual([true, true, true, true]);
    expect(await patientsOf(`V${serial}`)).toHaveLength(1);
  }
});

describe('a merge', () => {
  const merge = (day: string, survivor: number, prior: number, more: Partial<AdtParts> = {}): string =>
    adtOf({ event: 'A40', recorded: `202603${day}094500`, ...who(survivor), stay: '', prior: `V${prior}`, ...more });

  it('after another, and back again, leaves one open record that has everything', async () => {
    for (const serial of [20, 21, 22])
      await take(
        adtOf({ event: 'A01', recorded: '20260302094500', ...who(serial), ...(serial > 20 ? unqualified : {}) }),
      );
    await take(merge('04', 22, 21, unqualified));
    await take(merge('05', 20, 22));
    await take(merge('06', 21, 20, unqualified));
    await take(merge('06', 20, 20));
    await take(adtOf({ event: 'A03', recorded: '20260303094500', ...who(21), ...unqualified }));
    const open = [20, 21, 22].map(async (serial) => {
      const found = await patientsOf(`V${serial}`);
      return found.filter(({ active }) => active !== false).map(({ id }) => id);
    });
    const ids = (await Promise.all(open)).flat();
    expect([ids.length, new Set(ids).size]).toEqual([3, 1]);
    const stays = await client.search<Encounter>(`Encounter?patient=Patient/${ids[0]}`);
    expect(stays.map(({ status }) => status).toSorted()).toEqual(['finished', 'in-progress', 'in-progress']);
  });

  it('of somebody who is hidden hides the survivor, who has now what was hidden', async () => {
    for (const serial of [25, 26])
      await take(
        adtOf({ event: 'A01', recorded: '20260302094500', ...who(serial), ...(serial > 25 ? unqualified : {}) }),
      );
    const [former] = await patientsOf('V26');
    const code = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };
    await client.putAll({ ...former, meta: { security: [code] } } as never);
    await take(merge('04', 25, 26));
    const survivor = (await patientsOf('V25')).find(({ active }) => active !== false);
    expect(survivor?.meta?.security).toEqual([code]);
  });

  it('by the number of another hospital is for a person', async () => {
    await take(adtOf({ event: 'A01', recorded: '20260302094500', ...who(27) }));
    const strange = merge('04', 27, 28).replace('MRG|V28^^^CHVA&990000017&M', 'MRG|V28^^^AUTRE&990000099&M');
    const reply = await ingest(strange);
    await expectReview(reply);
    expect(reply.json.issue[0].expression).toEqual(['MRG-1']);
  });
});
