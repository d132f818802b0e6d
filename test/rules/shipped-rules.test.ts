/** What each shipped rule says of a record: triggers, does not trigger, met, broken, repaired, cancelled. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import {
  codingOf,
  judgeScene,
  member,
  qualified,
  queriesOf,
  recorded,
  type Scene,
  someLetter,
  someMessage,
  somePatient,
  someStay,
  someTeam,
  stateOf,
} from './support.ts';

type Line = readonly [what: string, scene: Scene, state: string];

/** Discharged on Thursday 12 March 2026 at 14:30, judged on Friday at noon unless the line says otherwise. */
const stay = someStay();
const before = '2026-03-12T20:00:00+01:00';
const after = '2026-03-13T12:00:00+01:00';
const base = { focus: stay, now: after };
const withLetter = (letter: Resource): Scene => ({ ...base, inputs: { letters: [letter] } });
const dischargedTo = (code: string): Resource =>
  someStay({ hospitalization: { dischargeDisposition: { coding: [{ code }] } } });

describe('RUP-20, the discharge letter', () => {
  test.each<Line>([
    ['waits until the day is over', { ...base, now: before }, 'waiting'],
    ['breaks when the day is over', base, 'broken'],
    ['starts with acute stays', { ...base, focus: someStay({ class: { code: 'ACUTE' } }) }, 'broken'],
    ['starts with short stays', { ...base, focus: someStay({ class: { code: 'SS' } }) }, 'broken'],
    ['does not start with a consultation', { ...base, focus: someStay({ class: { code: 'AMB' } }) }, 'none'],
    ['does not start with a class without code', { ...base, focus: someStay({ class: { display: 'Stay' } }) }, 'none'],
    ['does not start while the patient is there', { ...base, focus: someStay({ status: 'in-progress' }) }, 'none'],
    ['does not start without an end', { ...base, focus: someStay({ period: { start: '2026-03-11' } }) }, 'none'],
    ['does not start on a stay entered in error', { ...base, focus: someStay({ status: 'entered-in-error' }) }, 'none'],
    ['is met by a letter of the afternoon', withLetter(someLetter('2026-03-12T18:00:00+01:00')), 'met'],
    ['is met by a letter written before discharge', withLetter(someLetter('2026-03-12T11:00:00+01:00')), 'met'],
    ['is met in the last millisecond', withLetter(someLetter('2026-03-12T23:59:59.999+01:00')), 'met'],
    ['is met by a letter that knows only its day', withLetter(someLetter('2026-03-12')), 'met'],
    ['is repaired by a letter at midnight', withLetter(someLetter('2026-03-13T00:00:00+01:00')), 'repaired'],
    ['is repaired by a letter of the next day', withLetter(someLetter('2026-03-13')), 'repaired'],
    ['ignores a letter from before the stay', withLetter(someLetter('2026-03-10T10:00:00+01:00')), 'broken'],
    [
      'takes any date when the stay has no start',
      {
        ...withLetter(someLetter('2026-03-10T10:00:00+01:00')),
        focus: someStay({ period: { end: '2026-03-12T14:30:00+01:00' } }),
      },
      'met',
    ],
    ['ignores a superseded letter', withLetter(someLetter('2026-03-12', { status: 'superseded' })), 'broken'],
    [
      'ignores a letter entered in error',
      withLetter(someLetter('2026-03-12', { status: 'entered-in-error' })),
      'broken',
    ],
    [
      'ignores the letter of another stay',
      withLetter(someLetter('2026-03-12', { context: { encounter: [{ reference: 'Encounter/another-stay-1' }] } })),
      'broken',
    ],
    [
      'knows its stay by an absolute and versioned reference too',
      withLetter(
        someLetter('2026-03-12', {
          context: { encounter: [{ reference: 'http://127.0.0.1:8080/fhir/Encounter/stay-1/_history/1' }] },
        }),
      ),
      'met',
    ],
    [
      'takes the date of the reference where the attachment has none',
      withLetter(someLetter(undefined, { date: '2026-03-12T17:00:00+01:00' })),
      'met',
    ],
    [
      'takes the time of recording where the letter has no date at all',
      withLetter(someLetter(undefined, { meta: recorded('1', '2026-03-13T09:00:00+01:00') })),
      'repaired',
    ],
    ['has no object when the patient died in hospital', { ...base, focus: dischargedTo('exp') }, 'cancelled'],
    [
      'has no object when the patient is dead',
      { ...base, patient: somePatient({ deceasedBoolean: true }) },
      'cancelled',
    ],
    [
      'has no object when the patient died since',
      { ...base, patient: somePatient({ deceasedDateTime: '2026-03-12' }) },
      'cancelled',
    ],
    ['knows "not deceased" from "deceased"', { ...base, patient: somePatient({ deceasedBoolean: false }) }, 'broken'],
  ])('%s', (_what, scene, state) => {
    expect(stateOf('RUP-20', scene)).toBe(state);
  });

  test('asks for the letters of the stay', () => {
    expect(queriesOf('RUP-20', base)).toEqual({
      letters: 'DocumentReference?patient=p1&type=http://loinc.org|11490-0&encounter=Encounter/stay-1',
    });
    expect(queriesOf('RUP-20', { ...base, focus: someStay({ status: 'planned' }) })).toEqual({});
  });

  test('tells anchor, due instant and notice', () => {
    expect(judgeScene('RUP-20', { ...base, now: before })).toMatchObject({
      reason: 'before-due',
      timing: {
        anchor: '2026-03-12T14:30:00+01:00',
        anchorMs: Date.parse('2026-03-12T14:30:00+01:00'),
        dueAtMs: Date.parse('2026-03-13T00:00:00+01:00'),
        noticeAtMs: Date.parse('2026-03-12T22:00:00+01:00'),
        delay: { value: 0, unit: 'd' },
      },
    });
  });

  test('gives its notice at once when the patient leaves late in the evening', () => {
    const period = { start: '2026-03-11T08:00:00+01:00', end: '2026-03-12T23:30:00+01:00' };
    expect(judgeScene('RUP-20', { focus: someStay({ period }), now: '2026-03-12T23:31:00+01:00' })).toMatchObject({
      timing: { noticeAtMs: Date.parse(period.end), dueAtMs: Date.parse('2026-03-13T00:00:00+01:00') },
    });
  });

  test('uses the delay that a site has set', () => {
    const parameters = { delaiLettreSortie: { value: 2, unit: 'd' as const } };
    expect(judgeScene('RUP-20', { ...base, parameters })).toMatchObject({
      state: 'waiting',
      timing: { dueAtMs: Date.parse('2026-03-15T00:00:00+01:00'), delay: { value: 2, unit: 'd' } },
    });
    const nonsense = { delaiLettreSortie: { value: 5, unit: 'h' as const } };
    expect(judgeScene('RUP-20', { ...base, parameters: nonsense })).toMatchObject({
      kind: 'error',
      message: 'the calendar end-of-day does not count in "h"',
    });
  });
});

describe('RUP-21, the letter to the GP', () => {
  const letter = someLetter('2026-03-12T16:00:00+01:00');
  const sent = (message: Resource, scene: Partial<Scene> = {}): Scene => ({
    ...base,
    inputs: { letters: [letter], messages: [message] },
    ...scene,
  });

  test.each<Line>([
    ['has no object without a letter', base, 'cancelled'],
    ['waits while there is a letter and time', { ...base, now: before, inputs: { letters: [letter] } }, 'waiting'],
    ['breaks when the letter was not sent', { ...base, inputs: { letters: [letter] } }, 'broken'],
    ['breaks at once when the letter comes late', withLetter(someLetter('2026-03-13T09:00:00+01:00')), 'broken'],
    ['has no object without a GP', { ...base, inputs: { letters: [letter] }, team: [] }, 'cancelled'],
    [
      'finds the GP named on the patient',
      {
        ...base,
        inputs: { letters: [letter] },
        team: [],
        patient: somePatient({ generalPractitioner: [{ reference: 'Practitioner/gp' }] }),
      },
      'broken',
    ],
    ['is met by a message of the day', sent(someMessage('2026-03-12T18:10:00+01:00')), 'met'],
    ['is met by a message sent before the discharge', sent(someMessage('2026-03-12T14:00:00+01:00')), 'met'],
    ['is repaired by a message of the next day', sent(someMessage('2026-03-13T09:00:00+01:00')), 'repaired'],
    [
      'takes the time of recording where the message has none',
      sent(someMessage(undefined, { meta: recorded('1', '2026-03-13T08:00:00+01:00') })),
      'repaired',
    ],
    [
      'takes the letter as payload for the same',
      sent(
        someMessage('2026-03-12T18:10:00+01:00', {
          about: [],
          payload: [{ contentReference: { reference: 'DocumentReference/letter-1' } }],
        }),
      ),
      'met',
    ],
    [
      'ignores a message that is under way',
      sent(someMessage('2026-03-12T18:10:00+01:00', { status: 'in-progress' })),
      'broken',
    ],
    [
      'ignores a message to somebody else',
      sent(someMessage('2026-03-12T18:10:00+01:00', { recipient: [{ reference: 'Patient/p1' }] })),
      'broken',
    ],
    [
      'ignores a message about something else',
      sent(someMessage('2026-03-12T18:10:00+01:00', { about: [{ reference: 'CarePlan/c1' }] })),
      'broken',
    ],
    [
      'has no object when the patient is dead',
      sent(someMessage(undefined), { patient: somePatient({ deceasedBoolean: true }) }),
      'cancelled',
    ],
  ])('%s', (_what, scene, state) => {
    expect(stateOf('RUP-21', scene)).toBe(state);
  });
});

describe('RUP-23, a visit within seven days', () => {
  /** Due on Friday 20 March at 00:00. */
  const late = '2026-03-21T12:00:00+01:00';
  const visit = (start: string, parts: object = {}): Resource => ({
    resourceType: 'Encounter',
    id: 'visit-1',
    meta: recorded('1', start),
    status: 'finished',
    class: { code: 'AMB' },
    period: { start },
    ...parts,
  });
  const appointment = (start: string, status: string): Resource => ({
    resourceType: 'Appointment',
    id: 'appointment-1',
    meta: recorded('1', start),
    status,
    start,
    participant: [],
  });

  test.each<Line>([
    ['waits to the end of the seventh day', { ...base, now: '2026-03-19T23:59:59+01:00' }, 'waiting'],
    ['breaks then', { ...base, now: '2026-03-20T00:00:00+01:00' }, 'broken'],
    ['does not start after day surgery', { ...base, now: late, focus: someStay({ class: { code: 'SS' } }) }, 'none'],
    ['is met by a visit', { ...base, now: late, inputs: { visits: [visit('2026-03-16T10:00:00+01:00')] } }, 'met'],
    [
      'is met by a visit under way',
      { ...base, now: late, inputs: { visits: [visit('2026-03-16', { status: 'in-progress' })] } },
      'met',
    ],
    [
      'is repaired by a later visit',
      { ...base, now: late, inputs: { visits: [visit('2026-03-20T10:00:00+01:00')] } },
      'repaired',
    ],
    [
      'ignores a visit that is planned',
      { ...base, now: late, inputs: { visits: [visit('2026-03-16', { status: 'planned' })] } },
      'broken',
    ],
    [
      'ignores a visit from before',
      { ...base, now: late, inputs: { visits: [visit('2026-03-12T09:00:00+01:00')] } },
      'broken',
    ],
    [
      'ignores the stay itself',
      { ...base, now: late, inputs: { visits: [someStay({ class: { code: 'AMB' } })] } },
      'broken',
    ],
    [
      'is met by an appointment that was kept',
      { ...base, now: late, inputs: { appointments: [appointment('2026-03-17T10:00:00+01:00', 'fulfilled')] } },
      'met',
    ],
    [
      'ignores an appointment that was only booked',
      { ...base, now: late, inputs: { appointments: [appointment('2026-03-17T10:00:00+01:00', 'booked')] } },
      'broken',
    ],
    [
      'ignores an appointment that was missed',
      { ...base, now: late, inputs: { appointments: [appointment('2026-03-17T10:00:00+01:00', 'noshow')] } },
      'broken',
    ],
    ['has no object after a transfer', { ...base, now: late, focus: dischargedTo('rehab') }, 'cancelled'],
    [
      'has no object when the patient is dead',
      { ...base, now: late, patient: somePatient({ deceasedBoolean: true }) },
      'cancelled',
    ],
  ])('%s', (_what, scene, state) => {
    expect(stateOf('RUP-23', scene)).toBe(state);
  });

  test('bounds its queries by discharge and deadline, in UTC', () => {
    expect(queriesOf('RUP-23', base)).toEqual({
      visits: 'Encounter?patient=p1&class=AMB,HH&date=ge2026-03-12T13:30:00.000Z',
      appointments: 'Appointment?patient=p1&date=ge2026-03-12T13:30:00.000Z&date=lt2026-03-19T23:00:00.000Z',
      stays:
        'Encounter?patient=p1&class=IMP,ACUTE,NONAC,SS&date=ge2026-03-12T13:30:00.000Z&date=lt2026-03-19T23:00:00.000Z',
    });
  });
});

describe('RUP-33, a complete care team', () => {
  /** Begun on Monday 2 March at 09:00, due on Friday 6 March at 00:00. */
  const late = '2026-03-09T12:00:00+01:00';
  const team = (...participant: readonly object[]): Resource => someTeam({ participant });
  const scene = (focus: Resource, more: Partial<Scene> = {}): Scene => ({
    now: late,
    since: '2026-03-02T09:01:00+01:00',
    focus,
    team: [focus],
    ...more,
  });
  const gp = member('gp', 'PractitionerRole/gp');
  const nurse = member('coordinator', 'PractitionerRole/nurse');

  test.each<Line>([
    ['waits three working days', scene(team(gp), { now: '2026-03-05T23:59:59+01:00' }), 'waiting'],
    ['breaks without a coordinator', scene(team(gp)), 'broken'],
    ['breaks without a GP', scene(team(nurse)), 'broken'],
    ['breaks without anybody', scene(someTeam({ participant: undefined })), 'broken'],
    ['is met by both', scene(team(gp, nurse)), 'met'],
    ['is met by both in another active team', scene(team(), { team: [team(), someTeam({ id: 'team-2' })] }), 'met'],
    [
      'ignores a GP who has left',
      scene(team(member('gp', 'PractitionerRole/gp', { period: { end: '2026-03-08' } }), nurse)),
      'broken',
    ],
    [
      'counts a GP on the last day',
      scene(team(member('gp', 'PractitionerRole/gp', { period: { end: '2026-03-09' } }), nurse)),
      'met',
    ],
    ['does not start for a proposed team', scene(someTeam({ status: 'proposed' })), 'none'],
    [
      'has no object when the patient is dead',
      scene(team(), { patient: somePatient({ deceasedBoolean: true }) }),
      'cancelled',
    ],
    [
      'counts from the first recording where the team has no start',
      scene(someTeam({ period: undefined, participant: [] }), { since: '2026-03-05T09:00:00+01:00' }),
      'waiting',
    ],
    [
      'is repaired when the team was completed late',
      scene(someTeam({ meta: recorded('2', '2026-03-07T10:00:00+01:00') })),
      'repaired',
    ],
    [
      'stays met when the team is changed later, if the engine remembers since when',
      scene(someTeam({ meta: recorded('3', '2026-03-08T10:00:00+01:00') }), { metSince: '2026-03-04T10:00:00+01:00' }),
      'met',
    ],
  ])('%s', (_what, line, state) => {
    expect(stateOf('RUP-33', line)).toBe(state);
  });

  test('asks to be judged again when a participation ends', () => {
    const leaving = [
      member('gp', 'PractitionerRole/gp', { period: { end: '2026-03-20' } }),
      member('coordinator', 'PractitionerRole/nurse', { period: { end: '2026-03-15T10:00:00+01:00' } }),
      member('secretary', 'PractitionerRole/office', { period: { end: '2026-03-01' } }),
    ];
    expect(judgeScene('RUP-33', scene(team(...leaving)))).toMatchObject({
      state: 'met',
      reviewAtMs: [Date.parse('2026-03-15T10:00:00+01:00'), Date.parse('2026-03-21T00:00:00+01:00')],
    });
  });
});

describe('RUP-34, a message that did not arrive', () => {
  const failed = someMessage('2026-03-12T18:10:00+01:00', {
    status: 'not-done',
    medium: [{ coding: [{ code: 'MSSANTE' }] }],
  });
  const retry = (sent: string, parts: object = {}): Resource => someMessage(sent, { id: 'message-2', ...parts });
  const scene = (retries: readonly Resource[], focus = failed): Scene => ({
    now: after,
    since: '2026-03-12T18:20:00+01:00',
    focus,
    inputs: { retries },
  });

  test.each<Line>([
    ['breaks at once', scene([]), 'broken'],
    [
      'breaks when stopped for a reason',
      scene([], { ...failed, status: 'stopped', statusReason: { text: 'refused' } }),
      'broken',
    ],
    ['does not start when stopped without a reason', scene([], { ...failed, status: 'stopped' }), 'none'],
    [
      'does not start with a message by other means',
      scene([], { ...failed, medium: [{ coding: [{ code: 'PHONE' }] }] }),
      'none',
    ],
    ['does not start with a message that arrived', scene([], { ...failed, status: 'completed' }), 'none'],
    ['is repaired by a later message', scene([retry('2026-03-12T19:00:00+01:00')]), 'repaired'],
    ['ignores an earlier message', scene([retry('2026-03-12T12:00:00+01:00')]), 'broken'],
    [
      'ignores a message to another',
      scene([retry('2026-03-12T19:00:00+01:00', { recipient: [{ reference: 'Patient/p1' }] })]),
      'broken',
    ],
    [
      'ignores a message about another thing',
      scene([retry('2026-03-12T19:00:00+01:00', { about: [{ reference: 'CarePlan/c1' }] })]),
      'broken',
    ],
    [
      'takes any subject where the first had none',
      scene([retry('2026-03-12T19:00:00+01:00')], { ...failed, about: undefined }),
      'repaired',
    ],
    ['does not repair itself', scene([{ ...failed, status: 'completed' }]), 'broken'],
  ])('%s', (_what, line, state) => {
    expect(stateOf('RUP-34', line)).toBe(state);
  });

  test('has no due instant, and counts from the sending', () => {
    expect(judgeScene('RUP-34', scene([]))).toMatchObject({
      reason: 'at-once',
      timing: { anchor: '2026-03-12T18:10:00+01:00', dueAtMs: undefined, noticeAtMs: undefined },
    });
    expect(judgeScene('RUP-34', scene([], { ...failed, sent: undefined }))).toMatchObject({
      timing: { anchor: '2026-03-12T18:20:00+01:00' },
    });
  });
});

describe('RUP-38, a qualified identity', () => {
  /** Known since Thursday 12 March, due on Wednesday 18 March at 00:00. */
  const late = '2026-03-20T12:00:00+01:00';
  const scene = (patient: Resource, more: Partial<Scene> = {}): Scene => ({
    now: late,
    since: '2026-03-12T10:00:00+01:00',
    focus: patient,
    patient,
    ...more,
  });

  test.each<Line>([
    ['waits three working days', scene(somePatient(), { now: '2026-03-17T23:59:59+01:00' }), 'waiting'],
    ['breaks then', scene(somePatient(), { now: '2026-03-18T00:00:00+01:00' }), 'broken'],
    ['does not start with a qualified identity', scene(somePatient(qualified)), 'none'],
    ['does not start with an inactive record', scene(somePatient({ active: false })), 'none'],
    ['starts with an active record', scene(somePatient({ active: true })), 'broken'],
    ['takes a provisional status for what it is', scene(somePatient({ identifier: qualified.identifier })), 'broken'],
    [
      'takes a validated status without a number for no qualification',
      scene(somePatient({ extension: qualified.extension })),
      'broken',
    ],
    ['has no object when the patient is dead', scene(somePatient({ deceasedBoolean: true })), 'cancelled'],
  ])('%s', (_what, line, state) => {
    expect(stateOf('RUP-38', line)).toBe(state);
  });

  test('tells by which recording the identity was qualified when it is', () => {
    const patient = somePatient({ ...qualified, meta: recorded('2', '2026-03-16T10:00:00+01:00') });
    expect(judgeScene('RUP-38', scene(patient))).toMatchObject({
      kind: 'none',
      fulfilment: { metAtMs: Date.parse('2026-03-16T10:00:00+01:00') },
    });
  });

  test('cannot be judged without knowing since when', () => {
    expect(judgeScene('RUP-38', { ...scene(somePatient()), since: undefined as unknown as string })).toMatchObject({
      kind: 'error',
      expression: 'since',
    });
  });
});

test('the codes of roles in the fixtures are those of the rules', () => {
  expect(Object.values(codingOf).map(({ code }) => code)).toEqual(['PCP', 'DISPHYS', '331', '330']);
});
