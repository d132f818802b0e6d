/** $evaluate-measure: figures of a period from what the engine keeps (src/indicators). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Measure, MeasureReport } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, hospital, patient, person, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { theBreak } from './view.ts';

let test: TestApp;
let client: Client;

const discharge = '2026-03-02T16:20:00+01:00';

function letter(id: string, at: string): Resource {
  return {
    resourceType: 'DocumentReference',
    id: `${id}-letter`,
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
    subject: { reference: `Patient/${id}` },
    date: at,
    content: [{ attachment: { contentType: 'application/pdf', creation: at } }],
    context: { encounter: [{ reference: `Encounter/${id}-stay` }] },
  };
}

async function evaluate(id: string, more = ''): Promise<MeasureReport> {
  return client.read<MeasureReport>(
    `Measure/${id}/$evaluate-measure?periodStart=2026-03-01&periodEnd=2026-03-31${more}`,
  );
}

const counts = (group: { population?: readonly { count?: number | undefined }[] | undefined } | undefined) =>
  group?.population?.map(({ count }) => count);

/** Four stays: a letter in time, one in time that is learned late, one late, none. One break is false. */
beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
  const people = ['in-time', 'known-late', 'late', 'never'].map((id, index) => person(id, index + 1));
  for (const who of people) {
    await client.putAll(...episode(who), patient(who, { address: [{ postalCode: '01200' }] }), stay(who.id, discharge));
  }
  await client.putAll(letter('in-time', '2026-03-02T17:00:00+01:00'));
  await client.moveClock('2026-03-03T10:00:00+01:00');
  await client.putAll(letter('known-late', '2026-03-02T18:00:00+01:00'), letter('late', '2026-03-03T09:00:00+01:00'));
  await client.settle();
  const { tasks } = await theBreak(client, 'never', 'RUP-20');
  const [task] = tasks as unknown as Resource[];
  await client.moveClock('2026-03-03T14:00:00+01:00');
  await client.putAll({ ...(task as Resource), status: 'accepted' });
  await client.settle();
});
afterAll(() => test?.close());

describe('The indicators', () => {
  it('are twenty Measures', async () => {
    const measures = await client.search<Measure>('Measure?_count=100');
    expect(measures.map(({ id }) => id).sort()).toEqual(
      Array.from({ length: 20 }, (_one, index) => `ind-${String(index + 1).padStart(2, '0')}`),
    );
    for (const { id } of measures) expect((await evaluate(id ?? '')).resourceType).toBe('MeasureReport');
  });

  it('count the letters of the day of discharge; what was in time and learned late counts as in time, and apart', async () => {
    const { group, type } = await evaluate('ind-04');
    expect([type, counts(group?.[0]), group?.[0]?.measureScore?.value]).toEqual(['summary', [4, 4, 2], 0.5]);
    expect(group?.[0]?.extension?.[0]?.valueInteger).toBe(1);
  });

  it('are told by site, territory and rule', async () => {
    const { group } = await evaluate('ind-04');
    const strata = group?.[0]?.stratifier?.map(({ code, stratum }) => [
      code?.[0]?.text,
      stratum?.map(({ value, measureScore }) => [value?.text, measureScore?.value]),
    ]);
    expect(strata).toEqual([
      ['site', [[hospital, 0.5]]],
      ['territory', [['01', 0.5]]],
      ['rule', [['RUP-20', 0.5]]],
    ]);
  });

  it('name the patients when asked, each population apart', async () => {
    const { contained, type, group } = await evaluate('ind-04', '&reportType=subject-list');
    const lists = (contained ?? []) as unknown as { id: string; entry?: { item: { reference: string } }[] }[];
    expect(type).toBe('subject-list');
    expect(lists.map(({ id, entry = [] }) => [id, entry.map(({ item }) => item.reference)])).toEqual([
      ['share-initial-population', ['Patient/in-time', 'Patient/known-late', 'Patient/late', 'Patient/never']],
      ['share-denominator', ['Patient/in-time', 'Patient/known-late', 'Patient/late', 'Patient/never']],
      ['share-numerator', ['Patient/in-time', 'Patient/known-late']],
    ]);
    expect(group?.[0]?.population?.[2]?.subjectResults?.reference).toBe('#share-numerator');
  });

  it('look at the life of breaks: who acted, how long it took, what closed by itself', async () => {
    const acted = (await evaluate('ind-16')).group?.[0];
    const byRule = acted?.stratifier?.find(({ code }) => code?.[0]?.text === 'rule')?.stratum;
    const letters = byRule?.find(({ value }) => value?.text === 'RUP-20');
    expect(counts(letters)).toEqual([3, 3, 1]);
    const hours = (await evaluate('ind-17')).group?.find(({ code }) => code?.text === 'hours-to-acknowledge');
    expect([hours?.measureScore?.value, hours?.measureScore?.unit]).toEqual([14, 'h']);
  });

  it('tell the breaks by their state, and false positives by rule', async () => {
    const strataOf = async (id: string, figure: string, by: string) => {
      const group = (await evaluate(id)).group?.find(({ code }) => code?.text === figure);
      const found = group?.stratifier?.find(({ code }) => code?.[0]?.text === by)?.stratum;
      return found?.map((one) => [one.value?.text, ...(counts(one) ?? [])]) ?? [];
    };
    expect(await strataOf('ind-18', 'false-positive', 'rule')).toContainEqual(['RUP-20', 3, 2, 0]);
    expect(await strataOf('ind-18', 'auto-closed', 'state')).toEqual(
      expect.arrayContaining([expect.arrayContaining(['acknowledged']), expect.arrayContaining(['auto-closed'])]),
    );
  });

  it('count returns by the day of the return, within 30 and within 7 days', async () => {
    const back = (id: string, start: string): Resource => ({
      ...stay(id),
      id: `${id}-back`,
      status: 'in-progress',
      identifier: [{ value: `RET-${id}` }],
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'EMER' },
      period: { start },
    });
    await client.moveClock('2026-03-25T10:00:00+01:00');
    await client.putAll(back('late', '2026-03-06T09:00:00+01:00'), back('never', '2026-03-20T09:00:00+01:00'));
    await client.settle();
    const { group } = await evaluate('ind-10');
    expect(group?.map(({ code, measureScore }) => [code?.text, measureScore?.value])).toEqual([
      ['return-30', 0.5],
      ['return-7', 0.25],
    ]);
  });

  it('leave out figures about fewer than eleven patients where they are published', async () => {
    const { group } = await evaluate('ind-04', '&published=true');
    expect([group?.[0]?.measureScore, counts(group?.[0])]).toEqual([undefined, [undefined, undefined, undefined]]);
    const [population] = group?.[0]?.population ?? [];
    expect(population?._count?.extension?.[0]?.valueCode).toBe('masked');
    const path = 'Measure/ind-04/$evaluate-measure?periodStart=2026-03-01&periodEnd=2026-03-31';
    expect((await client.get(`${path}&published=true&reportType=subject-list`)).status).toBe(400);
  });

  it('refuse a period that cannot be read, and a Measure that is none of theirs', async () => {
    expect((await client.get('Measure/ind-04/$evaluate-measure?periodStart=2026-03&periodEnd=never')).status).toBe(400);
    expect((await client.get('Measure/ind-99/$evaluate-measure?periodStart=2026&periodEnd=2026')).status).toBe(404);
  });

  it('are zero in a period without anything', async () => {
    const { group } = await client.read<MeasureReport>(
      'Measure/ind-04/$evaluate-measure?periodStart=2020&periodEnd=2020',
    );
    expect([counts(group?.[0]), group?.[0]?.measureScore]).toEqual([[0, 0, 0], undefined]);
  });
});
