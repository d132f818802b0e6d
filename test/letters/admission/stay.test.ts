/** A stay as a function of all that was said of it (HL7 v2 ADT A01 to A03, A08, A11 to A13; PAM France). */
import { describe, expect, test } from '@jest/globals';
import type { Encounter } from 'fhir/r4.js';
import fc from 'fast-check';
import { parseHl7 } from '../../../src/formats/index.ts';
import { readAdmission, stayOf, type StoredReport } from '../../../src/letters/index.ts';
import { adtOf, type AdtParts } from './adt.ts';

const known: Encounter = {
  resourceType: 'Encounter',
  status: 'in-progress',
  class: { code: 'IMP' },
  subject: { reference: 'Patient/p' },
};

function reportOf(parts: AdtParts): StoredReport {
  const bytes = Buffer.from(adtOf(parts));
  const parsed = parseHl7(bytes);
  if (parsed.kind === 'refused') throw new Error(parsed.issue.text);
  let count = 0;
  const result = readAdmission(parsed.message, bytes, { zone: 'Europe/Paris', newId: () => `id-${++count}` });
  if (result.kind === 'review') throw new Error(JSON.stringify(result.reasons));
  const { key, recordedAtMs, stay } = result.admission;
  if (stay === undefined) throw new Error('no stay');
  return { key, recordedAtMs, report: stay.report };
}

/** Each time from the Encounter as the former left it, as the store does; a report is kept once. */
function oneByOne(reports: readonly StoredReport[]): Encounter {
  let stay = known;
  const seen = new Map<string, StoredReport>();
  for (const report of reports) {
    const former = [...seen.values()];
    seen.set(report.key, report);
    stay = stayOf(stay, [...seen.values()], former);
  }
  return stay;
}

const stayAfter = (...parts: AdtParts[]) => stayOf(known, parts.map(reportOf), []);
const brief = ({ status, period, location = [] }: Encounter) => [
  status,
  period?.start?.slice(5, 16),
  period?.end?.slice(5, 16),
  location.map(
    (one) =>
      `${one.location.identifier?.value} ${one.status} ${one.period?.start?.slice(5, 16)}-${one.period?.end?.slice(5, 16)}`,
  ),
];

const admit: AdtParts = { event: 'A01', recorded: '20260302100000', occurred: '20260302094500', unit: '1001' };
const transfer: AdtParts = { event: 'A02', recorded: '20260303150000', unit: '2002', movement: 'M2' };
const discharge: AdtParts = {
  event: 'A03',
  recorded: '20260306113000',
  occurred: '20260306110000',
  unit: '2002',
  left: '6',
};

describe('a stay', () => {
  test.each([
    ['admitted', [admit], ['in-progress', '03-02T09:45', undefined, ['1001 active 03-02T09:45-undefined']]],
    [
      'transferred',
      [admit, transfer],
      [
        'in-progress',
        '03-02T09:45',
        undefined,
        ['1001 completed 03-02T09:45-03-03T15:00', '2002 active 03-03T15:00-undefined'],
      ],
    ],
    [
      'discharged',
      [admit, transfer, discharge],
      [
        'finished',
        '03-02T09:45',
        '03-06T11:00',
        ['1001 completed 03-02T09:45-03-03T15:00', '2002 completed 03-03T15:00-03-06T11:00'],
      ],
    ],
    [
      'whose discharge alone came',
      [{ ...discharge, admitted: '20260302094500' }],
      ['finished', '03-02T09:45', '03-06T11:00', []],
    ],
    [
      'whose admission was cancelled',
      [admit, { event: 'A11', recorded: '20260302110000' }],
      ['cancelled', '03-02T09:45', undefined, ['1001 active 03-02T09:45-undefined']],
    ],
    [
      'whose admission was cancelled and made again',
      [
        admit,
        { event: 'A11', recorded: '20260302110000' },
        { ...admit, recorded: '20260302120000', occurred: '20260302115000' },
      ],
      ['in-progress', '03-02T11:50', undefined, ['1001 active 03-02T11:50-undefined']],
    ],
    [
      'whose transfer was cancelled',
      [admit, transfer, { event: 'A12', recorded: '20260303160000', movement: 'M2', action: 'CANCEL' }],
      ['in-progress', '03-02T09:45', undefined, ['1001 active 03-02T09:45-undefined']],
    ],
    [
      'whose transfer was cancelled without saying which',
      [admit, transfer, { event: 'A12', recorded: '20260303160000', movement: '' }],
      ['in-progress', '03-02T09:45', undefined, ['1001 active 03-02T09:45-undefined']],
    ],
    [
      'whose discharge was cancelled',
      [admit, discharge, { event: 'A13', recorded: '20260306120000' }],
      ['in-progress', '03-02T09:45', undefined, ['1001 active 03-02T09:45-undefined']],
    ],
    [
      'whose discharge was cancelled and said again',
      [
        admit,
        discharge,
        { event: 'A13', recorded: '20260306120000' },
        { ...discharge, recorded: '20260307100000', occurred: '20260307095000' },
      ],
      ['finished', '03-02T09:45', '03-07T09:50', ['1001 completed 03-02T09:45-03-07T09:50']],
    ],
    [
      'whose movement was corrected (Z99)',
      [
        admit,
        transfer,
        {
          event: 'Z99',
          recorded: '20260304090000',
          occurred: '20260303140000',
          movement: 'M2',
          action: 'UPDATE',
          unit: '3003',
        },
      ],
      [
        'in-progress',
        '03-02T09:45',
        undefined,
        ['1001 completed 03-02T09:45-03-03T14:00', '3003 active 03-03T14:00-undefined'],
      ],
    ],
    [
      'whose admission was corrected (A08)',
      [admit, { event: 'A08', recorded: '20260302130000', admitted: '20260302093000', unit: '1002', movement: '' }],
      ['in-progress', '03-02T09:30', undefined, ['1002 active 03-02T09:45-undefined']],
    ],
  ] as [string, AdtParts[], unknown[]][])('%s', (_, parts, expected) => {
    expect(brief(stayAfter(...parts))).toEqual(expected);
  });

  test('has class, number, doctor, hospital, how it began and how it ended', () => {
    const stay = stayAfter({ ...admit, class: 'E' }, { ...discharge, class: 'E' });
    expect(stay).toMatchObject({
      class: { code: 'EMER' },
      identifier: [{ system: 'https://suture.example/fhir/sid/hl7v2/990000017/VN', value: 'S-77001' }],
      type: [{ coding: [{ code: 'R' }] }],
      participant: [{ type: [{ coding: [{ code: 'ATND' }] }], individual: { display: 'Nolwenn LE GOFF' } }],
      serviceProvider: { display: 'CHVA' },
      hospitalization: { dischargeDisposition: { coding: [{ code: '6' }] } },
    });
  });

  test('that somebody else has made keeps what no message speaks of', () => {
    const made = {
      ...known,
      status: 'finished',
      period: { start: '2026-03-02', end: '2026-03-06' },
      reasonCode: [{ text: 'x' }],
    } as Encounter;
    const stay = stayOf(made, [reportOf(admit)], []);
    expect(stay).toMatchObject({ status: 'finished', reasonCode: [{ text: 'x' }], period: { end: '2026-03-06' } });
  });

  const life: readonly AdtParts[] = [
    admit,
    transfer,
    { event: 'A02', recorded: '20260304080000', unit: '3003', movement: 'M3' },
    { event: 'A12', recorded: '20260304081500', movement: 'M3', action: 'CANCEL' },
    { event: 'A08', recorded: '20260304090000', unit: '2002', movement: '', class: 'I' },
    discharge,
    { event: 'A13', recorded: '20260306113000', unit: '2002', movement: '' },
    { ...discharge, recorded: '20260307113000', occurred: '20260307110000', movement: 'M9' },
  ];

  test('is the same whatever the order and repetition of its messages', () => {
    const reports = life.map(reportOf);
    const expected = stayOf(known, reports, []);
    expect(brief(expected).slice(0, 3)).toEqual(['finished', '03-02T09:45', '03-07T11:00']);
    const anyOrder = fc.shuffledSubarray(reports, { minLength: reports.length });
    fc.assert(
      fc.property(anyOrder, fc.array(fc.constantFrom(...reports), { maxLength: 4 }), (order, repeated) => {
        expect(oneByOne([...order, ...repeated])).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  /** From a few of everything, so that messages contradict each other: cancelled before begun, discharged twice, moved in one second. */
  const absurd: fc.Arbitrary<AdtParts> = fc.record({
    event: fc.constantFrom('A01', 'A02', 'A03', 'A08', 'A11', 'A12', 'A13', 'Z99'),
    recorded: fc.constantFrom('20260302100000', '20260303100000', '20260304100000', '20260305100000'),
    occurred: fc.constantFrom('20260301080000', '20260303080000', '20260306080000'),
    unit: fc.constantFrom('1001', '2002'),
    movement: fc.constantFrom('', 'M1', 'M2'),
    action: fc.constantFrom('INSERT', 'UPDATE', 'CANCEL'),
    admitted: fc.constantFrom('', '20260302094500'),
    discharged: fc.constantFrom('', '20260307110000'),
    left: fc.constantFrom('', '6', '""'),
  });

  test('is the same whatever the order of messages that no hospital should send', () => {
    const lives = fc
      .uniqueArray(absurd, { minLength: 2, maxLength: 6, selector: adtOf })
      .map((parts) => parts.map(reportOf))
      .chain((reports) => fc.tuple(fc.constant(reports), fc.shuffledSubarray(reports, { minLength: reports.length })));
    fc.assert(
      fc.property(lives, ([reports, order]) => {
        expect(oneByOne(order)).toEqual(stayOf(known, reports, []));
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, AdtParts[], unknown[]]>([
    [
      'discharged, cancelled and admitted again is under way, without what came of the first admission',
      [
        admit,
        transfer,
        discharge,
        { event: 'A11', recorded: '20260307100000' },
        { ...admit, recorded: '20260308100000', occurred: '20260308094500', unit: '4004' },
      ],
      ['in-progress', '03-08T09:45', undefined, ['4004 active 03-08T09:45-undefined']],
    ],
    [
      'loses no place when what is cancelled by name has not come yet',
      [admit, transfer, { event: 'A12', recorded: '20260303160000', movement: 'M9', action: 'CANCEL' }],
      [
        'in-progress',
        '03-02T09:45',
        undefined,
        ['1001 completed 03-02T09:45-03-03T15:00', '2002 active 03-03T15:00-undefined'],
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(brief(oneByOne(parts.map(reportOf)))).toEqual(expected);
  });

  test('forgets how it ended when that is emptied', () => {
    const again: AdtParts = { ...discharge, recorded: '20260306120000', left: '""' };
    expect(oneByOne([discharge, again].map(reportOf)).hospitalization).toBeUndefined();
    expect(oneByOne([again, discharge].map(reportOf)).hospitalization).toBeUndefined();
  });
});

describe('a message', () => {
  const reasonsOf = (text: string) => {
    const bytes = Buffer.from(text);
    const parsed = parseHl7(bytes);
    if (parsed.kind === 'refused') throw new Error(parsed.issue.text);
    const result = readAdmission(parsed.message, bytes, { zone: 'Europe/Paris', newId: () => 'x' });
    return result.kind === 'review' ? result.reasons.map(({ expression }) => expression) : result.kind;
  };

  test.each([
    ['of an event that is not handled', adtOf({ ...admit, event: 'A17' }), ['MSH-9']],
    ['without a stay number', adtOf(admit).replace('S-77001^^^CHVA&990000017&M^VN', ''), ['PV1-19']],
    ['without a patient', adtOf(admit).replace('\rPID', '\rPIE'), ['PID']],
    [
      'whose patient number nobody vouches for',
      adtOf({ ...admit, ins: '' }).replace('004217^^^CHVA&990000017&M^PI', '004217'),
      ['PID-3'],
    ],
    ['without a date', adtOf(admit).replaceAll('20260302100000', 'hier'), ['EVN-2']],
    ['of a merge that does not say of what', adtOf({ ...admit, event: 'A40' }), ['MRG-1']],
    ['with Z segments that nobody knows', `${adtOf(admit)}\rZZZ|1|2`, 'admission'],
  ])('%s', (_, text, expected) => {
    expect(reasonsOf(text)).toEqual(expected);
  });
});
