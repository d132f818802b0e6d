/** HL7 TS (ISO 21090, abstract data types 3.6) to FHIR dateTime (https://hl7.org/fhir/R4/datatypes.html#dateTime). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readDateTime } from '../../../src/formats/cda/time.ts';

const zone = 'Europe/Paris';

describe('a time', () => {
  test.each([
    ['2026', '2026'],
    ['202603', '2026-03'],
    ['20260302', '2026-03-02'],
    ['20240229', '2024-02-29'],
    ['20260302+0100', '2026-03-02'],
    ['20260302162000+0100', '2026-03-02T16:20:00+01:00'],
    ['202603021620+0100', '2026-03-02T16:20:00+01:00'],
    ['20260302162000.1234-0330', '2026-03-02T16:20:00.1234-03:30'],
    ['20260302162000+01', '2026-03-02T16:20:00+01:00'],
    ['20260302235959+1400', '2026-03-02T23:59:59+14:00'],
  ])('%s keeps its precision: %s', (ts, value) => {
    expect(readDateTime(ts, zone)).toMatchObject({ kind: 'dateTime', value, isOffsetAssumed: false });
  });

  test.each([
    ['20260302162000', '2026-03-02T16:20:00+01:00'],
    ['20260702162000', '2026-07-02T16:20:00+02:00'],
    ['20261025023000', '2026-10-25T02:30:00+02:00'],
    ['20260329023000', '2026-03-29T02:30:00+01:00'],
  ])('%s without offset is read on the clocks of the zone: %s', (ts, value) => {
    expect(readDateTime(ts, zone)).toMatchObject({ value, isOffsetAssumed: true });
  });

  test('of an overseas hospital is read on its own clocks', () => {
    expect(readDateTime('20260302162000', 'Indian/Reunion')).toMatchObject({ value: '2026-03-02T16:20:00+04:00' });
  });

  test('without minutes says so', () => {
    expect(readDateTime('2026030216+0100', zone)).toMatchObject({
      value: '2026-03-02T16:00:00+01:00',
      isHourOnly: true,
    });
  });

  test.each([
    ['X16: month 13', '20241301'],
    ['X16: an offset of 99 hours', '20240101101010+9999'],
    ['X16: a day with such an offset', '20240101+9999'],
    ['30 February', '20240230'],
    ['29 February of a common year', '20230229'],
    ['hour 24', '20240101240000+0100'],
    ['minute 60', '202401011060'],
    ['three digits of offset', '20230106113623+100'],
    ['year 0', '0000'],
    ['ISO form', '2026-03-02'],
    ['words', 'hier'],
    ['five digits', '20260'],
  ])('is refused: %s', (_, ts) => {
    expect(readDateTime(ts, zone)).toEqual({ kind: 'invalid' });
  });

  test('with an offset is the same instant in both forms', () => {
    const instants = fc.date({
      min: new Date('1900-01-01T00:00:00Z'),
      max: new Date('2199-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instants, fc.integer({ min: -14 * 60, max: 14 * 60 }), (instant, minutes) => {
        const local = new Date(instant.getTime() - (instant.getTime() % 1000) + minutes * 60_000).toISOString();
        const pad = (value: number) => String(Math.trunc(value)).padStart(2, '0');
        const size = Math.abs(minutes);
        const ts = `${local.slice(0, 19).replace(/[-T:]/g, '')}${minutes < 0 ? '-' : '+'}${pad(size / 60)}${pad(size % 60)}`;
        const result = readDateTime(ts, zone);
        expect(result.kind === 'dateTime' && Date.parse(result.value)).toBe(
          instant.getTime() - (instant.getTime() % 1000),
        );
      }),
    );
  });

  test('of any other shape never throws', () => {
    fc.assert(fc.property(fc.string(), (ts) => void readDateTime(ts, zone)));
    fc.assert(fc.property(fc.stringMatching(/^\d{0,16}[+-]?\d{0,5}$/), (ts) => void readDateTime(ts, zone)));
  });
});
