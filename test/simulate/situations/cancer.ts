/** Suspicion, diagnosis and treatment of a cancer. */
import { calendarDays, dayMs, hourMs, workingDays } from '../time.ts';
import {
  condition,
  document,
  message,
  observation,
  oralDrug,
  own,
  procedure,
  request,
  task,
  visit,
} from './resources.ts';
import { deliver, drawOutcome, expect, type Focus, focus, send, settled, text, type World } from './support.ts';

/** RUP-01, RUP-06: a referral is booked within days, and told right or wrong within weeks. */
export function referral(world: World): void {
  settled(world);
  const of = focus(world, world.startMs, (at) =>
    request(world, 'referral', at, { code: own('orientation', 'adressage-suspicion-cancer') }),
  );
  expect(world, {
    rule: 'RUP-01',
    focus: of,
    dueMs: workingDays(3),
    slackMs: 365 * dayMs,
    make: (at) => visit(world, 'first', at, { basedOn: [{ reference: of.reference }] }),
  });
  expect(world, {
    rule: 'RUP-06',
    focus: of,
    dueMs: calendarDays(28),
    make: (at) => condition(world, 'answer', { code: 'D24', status: 'refuted', atMs: at }),
  });
}

/** RUP-03: imaging that was asked for because of a suspicion. */
export function imaging(world: World): void {
  settled(world);
  send(world, world.startMs - dayMs, [
    condition(world, 'doubt', { code: 'D48.6', status: 'provisional', atMs: world.startMs - dayMs }),
  ]);
  const of = focus(world, world.startMs, (at) =>
    request(world, 'scan', at, { category: [{ coding: [{ code: 'imaging' }] }] }),
  );
  expect(world, {
    rule: 'RUP-03',
    focus: of,
    dueMs: calendarDays(20),
    slackMs: 365 * dayMs,
    make: (at) => ({
      resourceType: 'DiagnosticReport',
      id: `${world.id}-scan-report`,
      status: 'final',
      code: { text: 'Scanner' },
      basedOn: [{ reference: of.reference }],
      subject: { reference: world.patient },
      effectiveDateTime: text(at),
    }),
  });
}

/** RUP-04: a result that speaks of cancer is acted on. */
export function suspectResult(world: World): void {
  settled(world);
  const of = focus(world, world.startMs, (at) => ({
    resourceType: 'DiagnosticReport',
    id: `${world.id}-result`,
    status: 'final',
    code: { text: 'Mammographie' },
    subject: { reference: world.patient },
    issued: text(at),
    conclusionCode: [own('conclusion', 'suspicion-cancer')],
  }));
  expect(world, {
    rule: 'RUP-04',
    focus: of,
    dueMs: calendarDays(7),
    slackMs: 365 * dayMs,
    make: (at) => task(world, 'seen', { focus: of.reference, atMs: at }),
  });
}

/** RUP-05: the pathologist answers. */
export function biopsy(world: World): void {
  settled(world);
  const of = focus(world, world.startMs, (at) => procedure(world, 'biopsy', at, { code: own('act', 'biopsie') }));
  expect(world, {
    rule: 'RUP-05',
    focus: of,
    dueMs: calendarDays(14),
    make: (at) => document(world, 'pathology', '60568-3', at),
  });
}

/**
 * A confirmed cancer: RUP-07 (the meeting), RUP-12 (the treatment), RUP-09 for the old (the G8), RUP-31 where the outlook is
 * poor; and what the meeting's report starts: RUP-08, RUP-11, RUP-13.
 */
export function confirmed(world: World): void {
  const { chance, startMs } = world;
  const isOld = chance.next() < 0.4;
  const isPoor = chance.next() < 0.4;
  settled(world, { birthDate: isOld ? '1941-02-03' : '1964-05-12' });
  // A Condition has no status: an error is told in verificationStatus, which this situation leaves out.
  const of = focus(
    world,
    startMs,
    (at) => condition(world, 'cancer', { code: isPoor ? 'C25.0' : 'C50.9', status: 'confirmed', atMs: at }),
    false,
  );
  const meetingMs = meet(world, of);
  const treatments = treat(world, { of, meetingMs });
  expect(world, { rule: 'RUP-12', focus: of, dueMs: calendarDays(42), slackMs: 28 * dayMs, proofs: treatments });
  if (isOld) {
    const make = (at: number) => observation(world, 'g8', at, { score: 'g8', value: 16 });
    expect(world, { rule: 'RUP-09', focus: of, dueMs: calendarDays(14), slackMs: 90 * dayMs, make });
  }
  if (isPoor) {
    const make = (at: number) => visit(world, 'palliative', at, { type: [own('visit', 'soins-palliatifs')] });
    expect(world, { rule: 'RUP-31', focus: of, dueMs: calendarDays(56), slackMs: 3650 * dayMs, make });
  }
}

/** When the meeting was, by its report; undefined when there was none. */
function meet(world: World, of: Focus): number | undefined {
  const outcome = drawOutcome(world);
  if (outcome === 'never') {
    expect(world, { rule: 'RUP-07', focus: of, dueMs: calendarDays(14), slackMs: 28 * dayMs });
    return undefined;
  }
  const doneMs =
    of.anchorMs + (outcome === 'in-time' ? world.chance.whole(20, 300) : world.chance.whole(400, 700)) * hourMs + 17;
  const knownMs = deliver(world, doneMs, document(world, 'meeting', '34794-8', doneMs));
  expect(world, {
    rule: 'RUP-07',
    focus: of,
    dueMs: calendarDays(14),
    slackMs: 28 * dayMs,
    proofs: [{ doneMs, knownMs }],
  });
  followMeeting(world, doneMs, knownMs);
  return doneMs;
}

export function reportOf(world: World, doneMs: number, knownMs: number): Focus {
  return {
    reference: `DocumentReference/${world.id}-meeting`,
    facts: [{ knownMs, anchorMs: doneMs }],
    anchorMs: doneMs,
    isVoid: false,
  };
}

/** What the report of a meeting starts: it goes to the GP (RUP-08), the patient gets a programme (RUP-13). */
export function followMeeting(world: World, doneMs: number, knownMs: number): void {
  const of = reportOf(world, doneMs, knownMs);
  expect(world, {
    rule: 'RUP-08',
    focus: of,
    dueMs: workingDays(3),
    object: [{ doneMs: 0, knownMs: world.circleKnownMs }],
    slackMs: 365 * dayMs,
    make: (at) => message(world, 'meeting-sent', at, { about: of.reference }),
  });
  expect(world, {
    rule: 'RUP-13',
    focus: of,
    dueMs: calendarDays(14),
    make: (at) => document(world, 'programme', '18776-5', at),
  });
}

interface Treated {
  readonly of: Focus;
  readonly meetingMs: number | undefined;
}

function treat(world: World, { of, meetingMs }: Treated) {
  const outcome = drawOutcome(world);
  const fromMs = Math.max(of.anchorMs, meetingMs ?? 0);
  const doneMs =
    fromMs + (outcome === 'in-time' ? world.chance.whole(30, 500) : world.chance.whole(1100, 1600)) * hourMs;
  const make = procedure(world, 'treatment', doneMs, { code: own('act', 'chimiotherapie') });
  const proofs = outcome === 'never' ? [] : [{ doneMs, knownMs: deliver(world, doneMs, make) }];
  const meeting = world.expected.find(({ rule }) => rule === 'RUP-08');
  if (meetingMs !== undefined && meeting !== undefined) {
    const report = reportOf(world, meetingMs, meeting.facts[0]?.knownMs ?? 0);
    expect(world, { rule: 'RUP-11', focus: report, dueMs: calendarDays(28), slackMs: dayMs, proofs });
  }
  return proofs;
}

/** RUP-16: the first prescription of an oral drug comes with two talks, with a nurse and with a pharmacist. */
export function firstPrescription(world: World): void {
  settled(world);
  const route = { coding: [{ system: 'http://snomed.info/sct', code: '26643006' }] };
  const of = focus(world, world.startMs, (at) => ({
    resourceType: 'MedicationRequest',
    id: `${world.id}-prescription`,
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: oralDrug,
    subject: { reference: world.patient },
    authoredOn: text(at),
    dosageInstruction: [{ route }],
  }));
  const dueMs = calendarDays(7);
  const outcome = drawOutcome(world);
  if (outcome === 'never') return void expect(world, { rule: 'RUP-16', focus: of, dueMs });
  const span = dueMs(of.anchorMs) - of.anchorMs;
  const lastMs = Math.round(of.anchorMs + (outcome === 'late' ? span * 1.3 : span * 0.9)) + 3;
  const firstMs = Math.round(of.anchorMs + span * 0.2);
  const talks = [
    { kind: 'temps-infirmier-primo', doneMs: firstMs },
    { kind: 'temps-pharmaceutique-primo', doneMs: lastMs },
  ].map(({ kind, doneMs }) => deliver(world, doneMs, visit(world, kind, doneMs, { type: [own('visit', kind)] })));
  expect(world, {
    rule: 'RUP-16',
    focus: of,
    dueMs,
    slackMs: 7 * dayMs,
    proofs: [{ doneMs: lastMs, knownMs: Math.max(...talks) }],
  });
}
