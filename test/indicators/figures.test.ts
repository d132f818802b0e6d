/**
 * Each of the twenty indicators against figures reckoned by hand. The records are the fixtures of the shipped rules, each as a
 * patient of its own: judged, kept and counted as the server does. How many fixtures wait, break, are met and repaired can be
 * read off the PlanDefinitions; the delays are reckoned from their dates.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keepJudgments } from '../../src/breaks/breaks.sql.ts';
import { judgeFixture } from '../../src/breaks/fixtures.ts';
import { judgmentRows } from '../../src/breaks/judgment-rows.ts';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { evaluateMeasure } from '../../src/indicators/evaluate.ts';
import { indicators } from '../../src/indicators/indicators.ts';
import { readFixtures, readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';
import { definitions, readProfiles } from '../rules/support.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const hourMs = 3_600_000;
const march = { from: Date.parse('2026-03-01T00:00:00+01:00'), to: Date.parse('2026-04-01T00:00:00+02:00') };
let opened: TestDatabase;

interface Quantity {
  readonly value: number;
  readonly unit?: string;
}

interface Group {
  readonly code: { readonly text: string };
  readonly population: readonly { readonly count?: number }[];
  readonly measureScore?: Quantity;
  readonly extension?: readonly {
    readonly valueInteger?: number;
    readonly extension?: readonly { readonly valueQuantity?: Quantity }[];
  }[];
  readonly stratifier: readonly {
    readonly code: readonly { readonly text: string }[];
    readonly stratum: readonly { readonly value: { readonly text: string }; readonly measureScore?: Quantity }[];
  }[];
}

async function groups(measure: string, period: { from: number; to: number } = march): Promise<readonly Group[]> {
  const report = await evaluateMeasure(opened.database, {
    measure,
    fromMs: period.from,
    toMs: period.to,
    nowMs: Date.parse('2026-06-01T12:00:00+02:00'),
    periodStart: '2026-03-01',
    periodEnd: '2026-03-31',
    reportType: 'population',
    visible: () => 'true',
  });
  return report['group'] as readonly Group[];
}

const counts = ({ population }: Group) => population.map(({ count }) => count);

/** They say of the same episodes when a thing was known, or which days count, and would only add to the sums. */
const alike = /quoique connue tard$|^ne compte ni samedi ni dimanche$|^compte aussi le samedi$/;

async function keepFixtures(): Promise<void> {
  const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://test/fhir' });
  const setting = { select: createSelect(search), places: createPlaces('Europe/Paris') };
  for (const resource of readProfiles('rules')) {
    const reading = readRuleSet(resource, { definitions, checkQuery: createQueryCheck(search) });
    if (reading.kind === 'faults') throw new Error('a shipped rule set cannot be read');
    for (const [index, fixture] of readFixtures(resource).fixtures.entries()) {
      if (alike.test(fixture.name)) continue;
      const judged = judgeFixture(reading.ruleSet, fixture, setting);
      const patient = `Patient/${fixture.rule}-${index}`;
      if (judged !== undefined) await keepJudgments(opened.database, patient, judgmentRows([judged], []));
    }
  }
}

/** Hours after its opening; `null` for what has not happened. */
interface Life {
  readonly state: string;
  readonly owner: string;
  readonly openedAt: string;
  readonly acknowledgedH: number | null;
  readonly closedH: number | null;
  readonly reopened?: number;
}

const [nurse, doctor] = ['Practitioner/nurse', 'Practitioner/doctor'];
const lives: readonly Life[] = [
  { state: 'repaired', owner: nurse, openedAt: '2026-03-03', acknowledgedH: 2, closedH: 10 },
  { state: 'repaired', owner: nurse, openedAt: '2026-03-04', acknowledgedH: 4, closedH: 30, reopened: 1 },
  { state: 'auto-closed', owner: doctor, openedAt: '2026-03-05', acknowledgedH: null, closedH: 5 },
  { state: 'rejected', owner: doctor, openedAt: '2026-03-06', acknowledgedH: 1, closedH: 1 },
  { state: 'open', owner: nurse, openedAt: '2026-03-07', acknowledgedH: null, closedH: null },
  { state: 'in-progress', owner: doctor, openedAt: '2026-03-08', acknowledgedH: 8, closedH: null },
  // Opened in February: one is open still, one was closed then, one only in April.
  { state: 'open', owner: nurse, openedAt: '2026-02-10', acknowledgedH: null, closedH: null },
  { state: 'repaired', owner: nurse, openedAt: '2026-02-11', acknowledgedH: 3, closedH: 48 },
  { state: 'repaired', owner: doctor, openedAt: '2026-02-12', acknowledgedH: 3, closedH: 60 * 24 },
];

async function keepBreaks(): Promise<void> {
  for (const [index, { state, owner, openedAt, acknowledgedH, closedH, reopened = 0 }] of lives.entries()) {
    const openedMs = Date.parse(`${openedAt}T08:00:00+01:00`);
    const after = (hours: number | null) => (hours === null ? null : new Date(openedMs + hours * hourMs));
    await opened.database.query({
      text: `insert into break (key, occurrence, issue_id, rule, patient, state, owner, opened_at, acknowledged_at, closed_at, reopened)
             values ($1, 1, $2, 'RUP-20', $3, $4, $5, $6, $7, $8, $9)`,
      values: [
        `RUP-20:Patient/b${index}:Encounter/b${index}`,
        ...[`issue-${index}`, `Patient/b${index}`, state, owner],
        ...[after(0), after(acknowledgedH), after(closedH), reopened],
      ],
    });
  }
}

beforeAll(async () => {
  opened = await openTestDatabase();
  await keepFixtures();
  await keepBreaks();
});
afterAll(() => opened?.close());

describe('Shares: all expectations, those decided, those met in time', () => {
  // waiting + broken + met + repaired, without waiting, met.
  it.each([
    ['ind-04', 'RUP-20: 1 waits, 2 break, 2 met, 1 repaired', [6, 5, 2]],
    ['ind-05', 'RUP-21: 1, 1, 1, 1', [4, 3, 1]],
    ['ind-06', 'RUP-13: 1, 2, 2, 1', [6, 5, 2]],
    ['ind-07', 'RUP-14: 2, 2, 1, 1', [6, 4, 1]],
    ['ind-08', 'RUP-15: of plans 1, 2, 2, 1, of refusals 0, 1, 0, 1', [8, 7, 2]],
    ['ind-09', 'RUP-22: 1, 2, 3, 1', [7, 6, 3]],
    ['ind-11', 'RUP-31: 1, 2, 1, 1', [5, 4, 1]],
    ['ind-12', 'RUP-23: 1, 2, 2, 1', [6, 5, 2]],
    ['ind-13', 'RUP-29: 1, 2, 3, 1', [7, 6, 3]],
    ['ind-15', 'RUP-33: 1, 3, 1, 1', [6, 5, 1]],
    ['ind-20', 'RUP-35: of messages 1, 2, 2, 1, of notes 1, 2, 1, 0; RUP-36: 1, 1, 2, 1', [15, 12, 5]],
  ])('%s (%s)', async (measure, _why, expected) => {
    const [group] = await groups(measure, { from: 0, to: Date.parse('2027-01-01T00:00:00Z') });
    const [, denominator = 0, numerator = 0] = expected;
    expect(group && [group.code.text, counts(group)]).toEqual(['share', expected]);
    expect(group?.measureScore?.value).toBeCloseTo(numerator / denominator, 3);
  });

  it('ind-04 tells apart the letter of the day that was learned of four days later', async () => {
    expect((await groups('ind-04'))[0]?.extension?.[0]?.valueInteger).toBe(1);
  });

  it('leave out what began in another month', async () => {
    const april = { from: march.to, to: Date.parse('2026-05-01T00:00:00+02:00') };
    const [group] = await groups('ind-04', april);
    expect(group && [counts(group), group.measureScore]).toEqual([[0, 0, 0], undefined]);
  });
});

describe('Delays: the expectations, those that have ended, their median in days', () => {
  it.each([
    // 2 March 10:00 to 20 March 00:00, to 3 April 00:00 in summer time.
    ['ind-01', 'RUP-06', [7, 2], (17 + 14 / 24 + 31 + 13 / 24) / 2],
    // 2 March 00:00 to 20 March 09:00, to 20 April 09:00; the operation of 20 February came before the diagnosis: no day.
    ['ind-02', 'RUP-12', [6, 3], 18 + 9 / 24],
    // 2 March 10:00 to 20 March 09:00, twice, to 7 April 09:00.
    ['ind-03', 'RUP-11', [7, 3], 17 + 23 / 24],
    // 2 March 10:00 to 3 March 09:00, twice, to 9 March 09:00.
    ['ind-20', 'RUP-36', [5, 3], 23 / 24],
  ])('%s (%s)', async (measure, _rule, expected, median) => {
    const all = await groups(measure, { from: 0, to: Date.parse('2027-01-01T00:00:00Z') });
    const group = all.find(({ code }) => code.text === 'delay');
    expect(group && counts(group)).toEqual(expected);
    expect([group?.measureScore?.value, group?.measureScore?.unit]).toEqual([expect.closeTo(median, 2), 'd']);
  });

  it('ind-03 tells the quartiles and the ninth decile', async () => {
    const [group] = await groups('ind-03');
    const ranks = group?.extension?.map(({ extension = [] }) => extension[1]?.valueQuantity?.value);
    // Of 17.958, 17.958 and 35.917 days.
    expect(ranks?.map((value) => value?.toFixed(1))).toEqual(['18.0', '18.0', '26.9', '32.3']);
  });

  it('ind-02 counts no day where the treatment came before the diagnosis', async () => {
    const [group] = await groups('ind-02');
    const [first] = group?.extension ?? [];
    // The first quartile of 0, 18.375 and 49.333.
    expect(first?.extension?.[1]?.valueQuantity?.value).toBeCloseTo(9.188, 2);
  });
});

describe('Returns', () => {
  it('ind-10 counts stays that were followed within 30 and within 7 days, the 30th day too', async () => {
    const july = { from: Date.parse('2026-07-01T00:00:00+02:00'), to: Date.parse('2026-08-01T00:00:00+02:00') };
    const dischargeMs = Date.parse('2026-07-05T12:00:00+02:00');
    const days = [3, 20, 30.4, 31.1, undefined];
    for (const [index, after] of days.entries()) {
      const row = (rule: string, focus: string, atMs: number, state: string) => ({
        ...{ rule, focus, state, focusVersion: 1, anchorAt: new Date(atMs).toISOString() },
        ...{ dueAt: undefined, since: undefined, metSince: undefined },
      });
      await keepJudgments(opened.database, `Patient/returns-${index}`, [
        row('RUP-20', `Encounter/stay-${index}`, dischargeMs, 'met'),
        ...(after === undefined
          ? []
          : [row('RUP-25', `Encounter/back-${index}`, dischargeMs + after * 24 * hourMs, 'broken')]),
      ]);
    }
    const found = await groups('ind-10', july);
    expect(found.map((group) => [group.code.text, counts(group), group.measureScore?.value])).toEqual([
      ['return-30', [5, 5, 3], 0.6],
      ['return-7', [5, 5, 1], 0.2],
    ]);
  });
});

describe('Identities', () => {
  it('ind-14 counts the active patients whose identity is qualified, and those that became so in time', async () => {
    const identity = (code: string) => ({
      extension: [
        {
          url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
          extension: [{ url: 'identityStatus', valueCoding: { code } }],
        },
      ],
    });
    const national = { identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.8', value: '270031234567890' }] };
    const at = (site: string) => ({ managingOrganization: { reference: `Organization/${site}` } });
    const patients = [
      { id: 'q1', ...identity('VALI'), ...national, ...at('a') },
      { id: 'q2', active: true, ...identity('VALI'), ...national, ...at('b') },
      {
        id: 'q3',
        ...identity('VALI'),
        identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.80', value: '1' }],
        ...at('b'),
      },
      { id: 'q4', ...identity('PROV'), ...national, ...at('b') },
      { id: 'q5', ...at('b') },
      { id: 'q6', active: false, ...at('b') },
    ];
    await opened.database.query({ text: `delete from resource where type = 'Patient'` });
    for (const [index, patient] of patients.entries()) {
      await opened.database.query({
        text: `insert into resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
               values ($1, 'Patient', $2, 1, '2026-03-01', 'PUT', false, 0, '{}', '{}', $3)`,
        values: [900_000 + index, patient.id, JSON.stringify({ resourceType: 'Patient', ...patient })],
      });
    }
    const [qualified, inTime] = await groups('ind-14');
    expect(qualified && [qualified.code.text, counts(qualified), qualified.measureScore?.value]).toEqual([
      'identities',
      [5, 5, 2],
      0.4,
    ]);
    const sites = qualified?.stratifier.find(({ code }) => code[0]?.text === 'site')?.stratum;
    expect(sites?.map(({ value, measureScore }) => [value.text, measureScore?.value])).toEqual([
      ['Organization/a', 1],
      ['Organization/b', 0.25],
    ]);
    // RUP-38: 1 waits, 5 break; what meets it ends its start, so no fixture is met.
    expect(inTime && counts(inTime)).toEqual([6, 5, 0]);
  });
});

describe('The life of breaks', () => {
  it('ind-16: four of the six that opened in March were answered by somebody', async () => {
    const [group] = await groups('ind-16');
    expect(group && [counts(group), group.measureScore?.value]).toEqual([[6, 6, 4], 0.667]);
  });

  it('ind-17: 1, 2, 4 and 8 hours until somebody answered; 5, 10 and 30 until it was repaired', async () => {
    const found = await groups('ind-17');
    expect(found.map((group) => [group.code.text, counts(group)[1], group.measureScore])).toEqual([
      ['hours-to-acknowledge', 4, expect.objectContaining({ value: 3, unit: 'h' })],
      ['hours-to-repair', 3, expect.objectContaining({ value: 10, unit: 'h' })],
    ]);
  });

  it('ind-18: of four that were closed one had come back, one was false, one closed by itself', async () => {
    const found = await groups('ind-18');
    expect(found.map((group) => [group.code.text, counts(group), group.measureScore?.value])).toEqual([
      ['reopened', [6, 4, 1], 0.25],
      ['false-positive', [6, 4, 1], 0.25],
      ['auto-closed', [6, 4, 1], 0.25],
    ]);
    expect(found[1]?.stratifier.find(({ code }) => code[0]?.text === 'rule')?.stratum).toMatchObject([
      { value: { text: 'RUP-20' }, measureScore: { value: 0.25 } },
    ]);
  });

  it('ind-19: what was open at the end of March, whenever it had opened, by who answers for it', async () => {
    const [group] = await groups('ind-19');
    expect(group?.measureScore?.value).toBe(4);
    const owners = group?.stratifier.find(({ code }) => code[0]?.text === 'owner')?.stratum;
    expect(owners?.map(({ value, measureScore }) => [value.text, measureScore?.value])).toEqual([
      [doctor, 2],
      [nurse, 2],
    ]);
  });
});

describe('All twenty', () => {
  it('are looked at here', () => {
    expect(indicators).toHaveLength(20);
  });
});
