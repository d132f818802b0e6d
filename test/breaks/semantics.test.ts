/**
 * Section 2 of design.md, "What a break is", line by line: each test is named by the line it holds. Rules of our own where a line is about
 * rules in general, the shipped ones where it names them. In memory; what needs a server stands at the end, by the file that holds it.
 */
import { describe, expect, it } from '@jest/globals';
import { readBreak } from '../../src/breaks/resources.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { judge, type JudgmentResult, type Rule } from '../../src/rules/index.ts';
import {
  caseOf,
  judgeScene,
  qualified,
  queriesOf,
  read,
  recorded,
  ruleOf,
  type Scene,
  someLetter,
  somePatient,
  someStay,
  someTeam,
  stateOf,
} from '../rules/support.ts';
import { bookOf, dayMs, replayOf, startStory, type Story } from './support.ts';

const fhirpath = (expression: string) => ({ language: 'text/fhirpath', expression });
const duration = (value: number, code: string) => ({ value, code, unit: code, system: 'http://unitsofmeasure.org' });
const pattern = 'http://hl7.org/fhir/StructureDefinition/cqf-fhirQueryPattern';

interface Own {
  readonly code?: string;
  readonly starts?: string;
  readonly met?: string;
  readonly applies?: string;
  /** Parts of the deadline, each undefined one left out; `null`: no deadline at all. */
  readonly parts?: Readonly<Record<string, readonly [number, string] | string | undefined>> | null;
  readonly input?: string;
  readonly more?: object;
}

const visits = 'Encounter?patient={{patient.id}}&class=AMB';
const usualParts = { anchor: 'period.end', delay: [1, 'd'], calendar: 'calendar-days' };

/** A finished stay needs a visit in town by the end of the next day. */
function action({ code = 'OWN-1', starts, met, applies, parts = {}, input = visits, more = {} }: Own): object {
  const all: Record<string, unknown> = { ...usualParts, ...parts };
  const extension = Object.entries(all).flatMap(([url, value]): readonly object[] => {
    if (value === undefined) return [];
    if (Array.isArray(value)) return [{ url, valueDuration: duration(value[0] as number, value[1] as string) }];
    return ['calendar', 'inhibits'].includes(url)
      ? [{ url, valueCode: value }]
      : [{ url, valueExpression: fhirpath(value as string) }];
  });
  return {
    id: code,
    prefix: code,
    title: `Visite absente (${code})`,
    priority: 'routine',
    code: [{ coding: [{ system: 'https://suture.example/fhir/CodeSystem/break-rule', code }] }],
    trigger: [{ type: 'data-changed', data: [{ type: 'Encounter' }] }],
    condition: [
      { kind: 'start', expression: fhirpath(starts ?? "class.code = 'IMP' and status = 'finished'") },
      { kind: 'stop', expression: fhirpath(met ?? '%visits.exists()') },
      ...(applies === undefined ? [] : [{ kind: 'applicability', expression: fhirpath(applies) }]),
    ],
    input: [{ id: 'visits', type: 'Encounter', extension: [{ url: pattern, valueString: input }] }],
    ...(parts === null
      ? {}
      : { extension: [{ url: 'https://suture.example/fhir/StructureDefinition/rule-deadline', extension }] }),
    ...more,
  };
}

function ruleSet(...actions: readonly object[]): Resource {
  return {
    resourceType: 'PlanDefinition',
    id: 'own',
    url: 'https://hopital.example/fhir/PlanDefinition/own',
    version: '1',
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
    action: actions,
  };
}

function ownRule(own: Own = {}): Rule {
  const reading = read(ruleSet(action(own)));
  if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
  return reading.ruleSet.rules[0] as Rule;
}

function judged(own: Own, scene: Partial<Scene> = {}): JudgmentResult {
  const rule = ownRule(own);
  return judge(rule, caseOf(rule, { now: '2026-03-20T00:00:00+01:00', focus: someStay(), ...scene }));
}

/** State and due instant in UTC, or the kind of what is no judgment. */
function outcome(result: JudgmentResult): readonly unknown[] {
  if (result.kind !== 'judgment') return [result.kind, result.kind === 'error' ? result.expression : undefined];
  const due = result.timing?.dueAtMs;
  return [result.state, due === undefined ? undefined : new Date(due).toISOString()];
}

function visit(start: string, more: object = {}): Resource {
  return someStay({
    id: 'visit',
    class: { code: 'AMB' },
    period: { start },
    meta: recorded('1', start.length > 10 ? start : `${start}T12:00:00Z`),
    ...more,
  });
}

const circle = [somePatient(qualified), someTeam()];
const known = '2026-03-12T15:30:00+01:00';
const midnight = '2026-03-13T00:00:00+01:00';
const inTime = someLetter('2026-03-12T18:00:00+01:00');

async function ofLetter(...steps: readonly (readonly [instant: string, ...resources: Resource[]])[]): Promise<Story> {
  const story = startStory();
  await story.at(known, ...circle, someStay());
  for (const [instant, ...resources] of steps) await story.at(instant, ...resources);
  return story;
}

const opened = (story: Story): readonly string[] =>
  story.moves('RUP-20').filter((line) => !line.endsWith('pre-alert') && !line.endsWith('moot met'));

describe('judge(rule, focus, inputs, now)', () => {
  it('level, not edge: any order, repetition and lateness of arrival end in the same', async () => {
    const resources = [...circle, someStay(), inTime];
    const orders = [resources, [...resources].reverse(), [inTime, inTime, ...circle, someStay(), inTime]];
    const ends = await Promise.all(
      orders.map(async (order) => {
        const story = startStory();
        for (const [n, one] of order.entries()) await story.at(`2026-03-12T19:0${n}:00+01:00`, one);
        await story.at('2026-04-01T00:00:00+02:00');
        return [opened(story), story.moves('RUP-23').slice(-1)];
      }),
    );
    expect(ends).toEqual([ends[0], ends[0], ends[0]]);
    expect(ends[0]?.[0]).toEqual([]);
  });

  it('effective time decides, not arrival time: met-in-time-known-late', async () => {
    const story = await ofLetter(['2026-03-16T09:00:00+01:00', inTime]);
    expect(opened(story)).toEqual([`${midnight} open`, '2026-03-16T09:00:00+01:00 auto-closed met-in-time-known-late']);
  });

  it.each<readonly [string, object, string]>([
    ['entered in error', { status: 'entered-in-error' }, 'moot entered-in-error'],
    [
      'a moved discharge',
      { period: { start: '2026-03-11T08:00:00+01:00', end: '2026-03-20T10:00:00+01:00' } },
      'moot premise-changed',
    ],
    [
      'a stay that goes on',
      { status: 'in-progress', period: { start: '2026-03-11T08:00:00+01:00' } },
      'moot premise-changed',
    ],
  ])('a correction is only another present: %s', async (_name, changes, last) => {
    const story = await ofLetter(['2026-03-13T09:00:00+01:00', someStay({ ...changes })]);
    expect(opened(story)).toEqual([`${midnight} open`, `2026-03-13T09:00:00+01:00 ${last}`]);
  });

  it('a correction is only another present: a deleted document', async () => {
    const story = await ofLetter(['2026-03-12T18:00:00+01:00', inTime], ['2026-03-13T09:00:00+01:00']);
    expect(opened(story)).toEqual([]);
    await story.delete('2026-03-13T09:30:00+01:00', 'DocumentReference/letter-1');
    expect(opened(story)).toEqual(['2026-03-13T09:30:00+01:00 open']);
  });

  it('explain and back-test for free: with now in the past it says what it would have said', () => {
    const at = (now: string): string => stateOf('RUP-20', { now, focus: someStay() });
    expect([at('2026-03-12T23:59:59.999+01:00'), at(midnight)]).toEqual(['waiting', 'broken']);
  });
});

describe('A judgment', () => {
  const due = '2026-03-13T23:00:00.000Z';
  const dated = { parts: { metAt: '%visits.period.start' } };
  it.each<readonly [string, string, string | undefined, string]>([
    ['waiting before due', '2026-03-13T23:59:59.999+01:00', undefined, 'waiting'],
    ['broken when due has passed without evidence', '2026-03-14T00:00:00+01:00', undefined, 'broken'],
    [
      'met when metAt is before the due instant, even if learned late',
      '2026-03-30T00:00:00+02:00',
      '2026-03-13T23:59:59.999+01:00',
      'met',
    ],
    [
      'repaired when it is later; at the instant itself it is late',
      '2026-03-30T00:00:00+02:00',
      '2026-03-14T00:00:00+01:00',
      'repaired',
    ],
  ])('%s', (_name, now, start, state) => {
    const inputs = { visits: start === undefined ? [] : [visit(start)] };
    expect(outcome(judged(dated, { now, inputs }))).toEqual([state, due]);
  });

  it('cancelled when the expectation no longer exists', () => {
    expect(
      outcome(judged({ applies: '%patient.deceased.empty()' }, { patient: somePatient({ deceasedBoolean: true }) })),
    ).toEqual(['cancelled', due]);
    expect(judged({}, { focus: someStay({ status: 'in-progress' }) })).toMatchObject({
      kind: 'none',
      reason: 'premise-changed',
    });
  });
});

describe('A break', () => {
  const letterOn = (instant: string) => someLetter(instant, { meta: recorded('1', instant) });

  it('moot goes back to open when the rule is judged broken again, however late', async () => {
    const story = await ofLetter(
      ['2026-03-13T09:00:00+01:00', someStay({ status: 'entered-in-error' })],
      ['2026-03-29T09:00:00+02:00', someStay()],
    );
    expect(opened(story).at(-1)).toBe('2026-03-29T09:00:00+02:00 open');
    expect(story.issues('RUP-20').map((issue) => [issue['status'], readBreak(issue)?.occurrence])).toEqual([
      ['amended', 1],
    ]);
  });

  it.each([
    ['within the reopening window: the same DetectedIssue, open again', '2026-03-20T08:59:59+01:00', [['amended', 1]]],
    [
      'after the window: another one, occurrence + 1',
      '2026-03-20T09:00:01+01:00',
      [
        ['final', 1],
        ['final', 2],
      ],
    ],
  ])('broken again %s', async (_name, again, expected) => {
    const story = await ofLetter(['2026-03-13T09:00:00+01:00', letterOn('2026-03-13T08:00:00+01:00')]);
    await story.delete(again, 'DocumentReference/letter-1');
    const issues = story.issues('RUP-20').map((issue) => [issue['status'], readBreak(issue)?.occurrence] as const);
    expect([...issues].sort((a, b) => Number(a[1]) - Number(b[1]))).toEqual(expected);
    expect(new Set(story.issues('RUP-20').map((issue) => readBreak(issue)?.key)).size).toBe(1);
  });

  it('a warning is sent before the deadline (notice), and the same DetectedIssue goes on', async () => {
    const story = await ofLetter(['2026-03-14T00:00:00+01:00']);
    expect(story.moves('RUP-20')).toEqual(['2026-03-12T22:00:00+01:00 pre-alert', `${midnight} open`]);
    expect(story.issues('RUP-20')).toHaveLength(1);
  });
});

describe('Calendars', () => {
  it.each<readonly [string, string, readonly [number, string], string, string]>([
    [
      'end of day: the day itself for N = 0, at 23:59:59',
      'end-of-day',
      [0, 'd'],
      '2026-03-12T23:59:59+01:00',
      '2026-03-12T23:00:00Z',
    ],
    ['end of day: the N-th day', 'end-of-day', [2, 'd'], '2026-03-12T23:59:59+01:00', '2026-03-14T23:00:00Z'],
    ['calendar days', 'calendar-days', [7, 'd'], '2026-03-12T14:30:00+01:00', '2026-03-19T23:00:00Z'],
    ['calendar days over a leap day', 'calendar-days', [1, 'd'], '2028-02-28T14:30:00+01:00', '2028-02-29T23:00:00Z'],
    ['into the day of 23 hours', 'calendar-days', [1, 'd'], '2026-03-28T14:30:00+01:00', '2026-03-29T22:00:00Z'],
    ['into the day of 25 hours', 'calendar-days', [1, 'd'], '2026-10-24T14:30:00+02:00', '2026-10-25T23:00:00Z'],
    ['working days over a weekend', 'working-days', [1, 'd'], '2026-03-13T14:30:00+01:00', '2026-03-16T23:00:00Z'],
    [
      'working days over a public holiday',
      'working-days',
      [1, 'd'],
      '2026-04-30T14:30:00+02:00',
      '2026-05-04T22:00:00Z',
    ],
    [
      'hours are exact over the change of the clocks',
      'hours',
      [24, 'h'],
      '2026-03-28T14:30:00+01:00',
      '2026-03-29T13:30:00Z',
    ],
  ])('%s', (_name, calendar, delay, end, due) => {
    const focus = someStay({ period: { start: '2026-01-01T08:00:00+01:00', end } });
    const result = judged({ parts: { calendar, delay } }, { focus, now: end });
    expect(outcome(result)).toEqual(['waiting', new Date(due).toISOString()]);
  });
});

describe('The parts of a rule', () => {
  const now = '2026-03-20T00:00:00+01:00';

  it('starts: no %previous', () => {
    expect(read(ruleSet(action({ starts: "%previous.status = 'planned'" }))).kind).toBe('faults');
  });

  it('starts: when it turns false again, the judgment is cancelled', async () => {
    const story = startStory(bookOf([ruleSet(action({}))]));
    await story.at(known, ...circle, someStay());
    await story.at('2026-03-15T00:00:00+01:00', someStay({ class: { code: 'EMER' } }));
    expect(story.moves('OWN-1')).toEqual([
      '2026-03-14T00:00:00+01:00 open',
      '2026-03-15T00:00:00+01:00 moot premise-changed',
    ]);
  });

  it('anchor: from an input, for rolling rules', () => {
    const rolling = { parts: { anchor: '%visits.period.start.max()' }, met: 'false', starts: "status = 'finished'" };
    const inputs = { visits: [visit('2026-03-01'), visit('2026-03-17', { id: 'later' })] };
    expect(outcome(judged(rolling, { inputs, now }))).toEqual(['broken', '2026-03-18T23:00:00.000Z']);
  });

  it('anchor: never meta.lastUpdated', () => {
    expect(read(ruleSet(action({ parts: { anchor: 'meta.lastUpdated' } }))).kind).toBe('faults');
  });

  it('anchor: where no clinical date exists, %since', () => {
    const since = '2026-03-17T09:00:00+01:00';
    expect(outcome(judged({ parts: { anchor: '%since' } }, { since, now }))).toEqual([
      'broken',
      '2026-03-18T23:00:00.000Z',
    ]);
  });

  it('anchor: %since is the first version of the present unbroken run in which starts held', async () => {
    const story = startStory(bookOf([ruleSet(action({ parts: { anchor: '%since' } }))]));
    await story.at('2026-03-10T10:00:00+01:00', ...circle, someStay());
    await story.at('2026-03-10T11:00:00+01:00', someStay({ status: 'in-progress' }));
    await story.at('2026-03-12T10:00:00+01:00', someStay());
    await story.at('2026-03-13T10:00:00+01:00', someStay({ priority: { text: 'other' } }));
    await story.at('2026-03-20T00:00:00+01:00');
    expect(story.moves('OWN-1')).toEqual(['2026-03-14T00:00:00+01:00 open']);
  });

  it.each<readonly [string, string]>([
    ['iif(a.exists(), a, b)', 'iif(period.end.exists(), period.end, period.start)'],
    ['one date', 'period.end'],
  ])('anchor: %s', (_name, anchor) => {
    expect(outcome(judged({ parts: { anchor } }, { now }))).toEqual(['broken', '2026-03-13T23:00:00.000Z']);
  });

  it.each<readonly [string, Own, string]>([
    [
      'an anchor that yields nothing',
      { parts: { anchor: 'hospitalization.extension.value.ofType(dateTime)' } },
      'anchor',
    ],
    ['an anchor that yields several dates', { parts: { anchor: 'period.start | period.end' } }, 'anchor'],
    ['a met that yields nothing', { met: "%visits.where(id = 'x').length.value > 3" }, 'met'],
    ['a starts that fails', { starts: 'identifier.single().exists()' }, 'starts'],
  ])('an empty or failing expression is an error, never false or met: %s', (_name, own, part) => {
    expect(outcome(judged(own, { now, focus: someStay({ identifier: [{ value: '1' }, { value: '2' }] }) }))).toEqual([
      'error',
      part,
    ]);
  });

  it('an error leaves its break as it is', async () => {
    const book = bookOf([ruleSet(action({ met: 'identifier.single().exists()' }))]);
    const story = startStory(book);
    await story.at(known, ...circle, someStay({ identifier: [] }));
    await story.at('2026-03-15T00:00:00+01:00');
    const before = story.moves('OWN-1');
    expect(before).toEqual(['2026-03-14T00:00:00+01:00 open']);
    await story.at('2026-03-15T01:00:00+01:00', someStay({ identifier: [{ value: '1' }, { value: '2' }] }));
    expect([story.moves('OWN-1'), story.errors().length > 0]).toEqual([before, true]);
  });

  it.each<readonly [string, Resource, string]>([
    [
      'for a document: the earliest content.attachment.creation',
      someLetter(undefined, {
        content: ['2026-03-13T09:00:00+01:00', '2026-03-12T20:00:00+01:00'].map((creation) => ({
          attachment: { creation },
        })),
      }),
      'met',
    ],
    ['else date', someLetter(undefined, { date: '2026-03-12T20:00:00+01:00' }), 'met'],
    ['else date, which is late', someLetter(undefined, { date: midnight }), 'repaired'],
    ['one written before the focus began is no evidence', someLetter('2026-03-11T07:59:00+01:00'), 'broken'],
  ])('metAt: %s', (_name, letter, state) => {
    expect(stateOf('RUP-20', { now, focus: someStay(), inputs: { letters: [letter] } })).toBe(state);
  });

  it.each([
    ['2026-03-13T22:59:59.999Z', 'met'],
    ['2026-03-13T23:00:00.000Z', 'repaired'],
  ])('metAt: without it the time of recording counts: %s', (lastUpdated, state) => {
    const inputs = { visits: [visit('2026-03-13', { meta: recorded('1', lastUpdated) })] };
    expect(outcome(judged({}, { now, inputs }))[0]).toBe(state);
  });

  it.each<readonly [string, Scene['patient'], object, string]>([
    ['death', somePatient({ deceasedDateTime: '2026-03-12T20:00:00+01:00' }), {}, 'deceased'],
    ['entered in error', somePatient(), { status: 'entered-in-error' }, 'entered-in-error'],
  ])('moot: %s', (_name, patient, changes, reason) => {
    const own = { starts: 'true', applies: "%patient.deceased.empty() and status = 'finished'" };
    expect(judged(own, { now, patient: patient as Resource, focus: someStay({ ...changes }) })).toMatchObject({
      state: 'cancelled',
      reason,
    });
  });

  it.each<readonly [string, Own]>([
    ['no rule-deadline', { parts: null }],
    ['no delay', { parts: { delay: undefined, calendar: undefined } }],
  ])('broken: start true and stop false opens at once: %s', async (_name, own) => {
    const story = startStory(bookOf([ruleSet(action(own))]));
    await story.at(known, ...circle, someStay());
    expect(story.moves('OWN-1')).toEqual([`${known} open`]);
  });

  it('review: judged again when time alone can change the result', async () => {
    const own = {
      met: 'period.end > %now',
      parts: { anchor: 'period.start', delay: undefined, calendar: undefined, review: 'period.end' },
    };
    const story = startStory(bookOf([ruleSet(action(own))]));
    const end = '2026-03-18T10:00:00+01:00';
    await story.at(known, ...circle, someStay({ period: { start: '2026-03-11T08:00:00+01:00', end } }));
    await story.at('2026-03-20T00:00:00+01:00');
    expect(story.moves('OWN-1').slice(-1)).toEqual([`${end} open`]);
  });

  it('inputs: their types say which changes wake the rule', () => {
    expect([...ruleOf('RUP-34').wakes].sort()).toEqual(['Communication']);
    expect([...ownRule({ met: '%visits.exists() and %gp.exists()' }).wakes]).toContain('CareTeam');
  });

  it('templates: focus.id, patient.id, anchor, due; a bound before the due instant uses lt', () => {
    const [query] = Object.values(queriesOf('RUP-23', { now, focus: someStay() }));
    expect(query).toMatch(/patient=p1/);
    const input = 'Encounter?patient={{patient.id}}&part-of={{focus.id}}&date=ge{{anchor}}&date=lt{{due}}';
    expect(read(ruleSet(action({ input }))).kind).toBe('ok');
    expect(read(ruleSet(action({ input: 'Encounter?patient={{note.id}}' }))).kind).toBe('faults');
  });
});

describe('Rules that the design names', () => {
  const message = (id: string, more: object): Resource => ({
    resourceType: 'Communication',
    id,
    status: 'completed',
    meta: recorded('1', '2026-03-13T09:00:00Z'),
    subject: { reference: 'Patient/p1' },
    about: [{ reference: 'DocumentReference/letter-1' }],
    recipient: [{ reference: 'PractitionerRole/gp' }],
    ...more,
  });
  const failed = message('failed', {
    status: 'stopped',
    medium: [{ coding: [{ code: 'MSSANTE' }] }],
    sent: '2026-03-12T18:00:00+01:00',
    statusReason: { text: 'NDN' },
  });

  it('RUP-34 is met by a later completed Communication with the same about and recipient', async () => {
    const story = startStory();
    await story.at(known, ...circle, inTime, failed);
    const states: (string | undefined)[] = [story.moves('RUP-34').at(-1)];
    await story.at(
      '2026-03-12T20:00:00+01:00',
      message('other', { sent: '2026-03-12T20:00:00+01:00', recipient: [{ reference: 'PractitionerRole/nurse' }] }),
    );
    states.push(story.moves('RUP-34').at(-1));
    await story.at('2026-03-12T21:00:00+01:00', message('again', { sent: '2026-03-12T21:00:00+01:00' }));
    states.push(story.moves('RUP-34').at(-1));
    expect(states.map((line) => line?.split(' ')[1])).toEqual(['open', 'open', 'auto-closed']);
  });

  it('RUP-21 is moot while no letter exists, and breaks at once when one comes after the due instant untransmitted', async () => {
    const story = await ofLetter(['2026-03-14T09:00:00+01:00']);
    expect(story.moves('RUP-21')).toEqual([]);
    await story.at('2026-03-14T10:00:00+01:00', someLetter('2026-03-14T09:30:00+01:00'));
    expect(story.moves('RUP-21')).toEqual(['2026-03-14T10:00:00+01:00 open']);
  });

  it('RUP-32 has one judgment for each activity', async () => {
    const activity = ['bilan', 'scanner'].map((id) => ({
      id,
      detail: { status: 'scheduled', kind: 'Appointment', scheduledPeriod: { start: '2026-03-01', end: '2026-03-05' } },
    }));
    const plan = {
      resourceType: 'CarePlan',
      id: 'plan-1',
      status: 'active',
      intent: 'plan',
      subject: { reference: 'Patient/p1' },
      period: { start: '2026-02-20' },
      activity,
    };
    const story = startStory();
    await story.at('2026-03-02T09:00:00+01:00', ...circle, plan);
    await story.at('2026-03-12T00:00:00+01:00');
    expect(
      story
        .issues('RUP-32')
        .map((issue) => readBreak(issue)?.key.split(':').at(-1))
        .sort(),
    ).toEqual(['CarePlan/plan-1#bilan', 'CarePlan/plan-1#scanner']);
  });

  it('RUP-20 has a notice of two hours', () => {
    const result = judgeScene('RUP-20', { now: known, focus: someStay() });
    expect(result.kind === 'judgment' && result.timing?.noticeAtMs).toBe(Date.parse('2026-03-12T22:00:00+01:00'));
  });
});

describe('No storm', () => {
  const two = bookOf([ruleSet(action({ code: 'OWN-1' }), action({ code: 'OWN-2' }))]);

  it('a rule activated over an old record opens the breaks silently', async () => {
    const replay = replayOf('Patient/p1', two);
    const atMs = Date.parse('2026-03-20T00:00:00+01:00');
    replay.recall(
      [...circle, someStay()].map((resource) => ({ resource })),
      atMs - dayMs,
    );
    await replay.begin(atMs);
    expect([replay.moves.map(({ to }) => to), replay.alerts]).toEqual([['open', 'open'], []]);
  });

  it('breaks of one patient at one moment are grouped in one alert', async () => {
    const story = startStory(two);
    await story.at(known, ...circle, someStay());
    await story.at('2026-03-15T00:00:00+01:00');
    expect([story.moves('OWN-1'), story.moves('OWN-2')]).toEqual([
      ['2026-03-14T00:00:00+01:00 open'],
      ['2026-03-14T00:00:00+01:00 open'],
    ]);
    expect([story.calls('OWN-1'), story.calls('OWN-2')]).toEqual([1, 1]);
    const replay = replayOf('Patient/p1', two);
    await replay.write(
      [...circle, someStay()].map((resource) => ({ resource })),
      Date.parse(known),
    );
    await replay.advanceTo(Date.parse('2026-03-15T00:00:00+01:00'));
    expect(replay.alerts).toHaveLength(1);
  });

  it('a rule is inhibited by another', async () => {
    const story = startStory(
      bookOf([ruleSet(action({ code: 'OWN-1', parts: { inhibits: 'OWN-2' } }), action({ code: 'OWN-2' }))]),
    );
    await story.at(known, ...circle, someStay());
    await story.at('2026-03-15T00:00:00+01:00');
    expect([story.moves('OWN-1'), story.moves('OWN-2')]).toEqual([['2026-03-14T00:00:00+01:00 open'], []]);
  });
});

describe('An adversary', () => {
  const inhibiting = (pairs: Readonly<Record<string, string>>) =>
    startStory(
      bookOf([ruleSet(...Object.entries(pairs).map(([code, inhibits]) => action({ code, parts: { inhibits } })))]),
    );

  it.each<readonly [string, Readonly<Record<string, string>>, string]>([
    ['and another that silence each other', { 'OWN-1': 'OWN-2', 'OWN-2': 'OWN-1' }, 'OWN-1'],
    ['of a circle of three', { 'OWN-1': 'OWN-2', 'OWN-2': 'OWN-3', 'OWN-3': 'OWN-1' }, 'OWN-1'],
  ])('a rule %s: one of them speaks', async (_name, pairs, speaks) => {
    const story = inhibiting(pairs);
    await story.at(known, ...circle, someStay());
    await story.at('2026-03-15T00:00:00+01:00');
    expect(Object.keys(pairs).filter((code) => story.moves(code).length > 0)).toEqual([speaks]);
  });

  it('a rule that silences itself is refused', () => {
    expect(read(ruleSet(action({ parts: { inhibits: 'OWN-1' } }))).kind).toBe('faults');
  });

  it('a stay that is deleted while its deadline waits breaks nothing; there again, it breaks at once', async () => {
    const story = await ofLetter();
    await story.delete('2026-03-12T20:00:00+01:00', 'Encounter/stay-1');
    await story.at('2026-03-13T10:00:00+01:00');
    expect(opened(story)).toEqual([]);
    await story.at('2026-03-13T11:00:00+01:00', someStay());
    expect(opened(story)).toEqual(['2026-03-13T11:00:00+01:00 open']);
  });

  it('a stay that is deleted after its break, and there again: the same break', async () => {
    const story = await ofLetter(['2026-03-13T09:00:00+01:00']);
    await story.delete('2026-03-13T10:00:00+01:00', 'Encounter/stay-1');
    await story.at('2026-04-20T11:00:00+02:00', someStay());
    expect(opened(story).map((line) => line.slice('2026-03-13T00:00:00+01:00 '.length))).toEqual([
      'open',
      'moot entered-in-error',
      'open',
    ]);
    expect(story.issues('RUP-20')).toHaveLength(1);
  });

  it.each([
    [
      'an hour before it was due, to an hour ago: at once',
      '2026-03-12T23:00:00+01:00',
      '2026-03-11T22:00:00+01:00',
      '2026-03-12T23:00:00+01:00',
    ],
    [
      'an hour before it was due, to the next day: a day later',
      '2026-03-12T23:00:00+01:00',
      '2026-03-13T08:00:00+01:00',
      '2026-03-14T00:00:00+01:00',
    ],
    [
      'at the due instant itself, to the next day: a day later',
      midnight,
      '2026-03-13T08:00:00+01:00',
      '2026-03-14T00:00:00+01:00',
    ],
  ])('a discharge that is corrected %s', async (_name, corrected, end, opens) => {
    const story = await ofLetter([corrected, someStay({ period: { start: '2026-03-11T08:00:00+01:00', end } })]);
    await story.at('2026-03-16T00:00:00+01:00');
    expect(opened(story).at(-1)).toBe(`${opens} open`);
    expect(story.issues('RUP-20')).toHaveLength(1);
  });

  it('a letter that comes at the due instant itself, in one write with a correction, is judged as the record then stands', async () => {
    const moved = someStay({ period: { start: '2026-03-11T08:00:00+01:00', end: '2026-03-13T08:00:00+01:00' } });
    const story = await ofLetter([midnight, moved, someLetter(midnight)], ['2026-03-20T00:00:00+01:00']);
    expect(
      opened(story)
        .filter((line) => line.endsWith(' open'))
        .slice(1),
    ).toEqual([]);
    expect(story.moves('RUP-20').at(-1)).toMatch(/moot|auto-closed/);
  });
});

/**
 * With a server: deadlines are durable (flows/kill.test.ts, flows/dated-scenarios.test.ts 25 to 27), merged patients
 * (flows/merged.test.ts), nothing is erased (flows/corrections.test.ts), unique on (key, occurrence) with two instances
 * (flows/dated-scenarios.test.ts 27), escalation by steps and digests (flows/calls.test.ts), moves by Task updates
 * (flows/tasks.test.ts; the table of states: breaks/machine.test.ts), zones of patients and sites (breaks/sites.test.ts).
 */
