/** Stays and what follows them at home. */
import { calendarDays, dayMs, hourMs, hours, midnight, parisDay } from '../time.ts';
import type { FocusFact } from '../truth.ts';
import { deliver, drawOutcome, expect, type Focus, focus, send, settled, suture, type World } from './support.ts';
import { document, encounter, message, observation, own, request, visit } from './resources.ts';

const endOfDay = calendarDays(0);

/** RUP-20, RUP-21, RUP-23: the letter, its way to the GP, the visit within a week. */
export function discharge(world: World): void {
  settled(world);
  const { startMs } = world;
  const endMs = startMs + 4 * dayMs;
  const stay = focus(world, endMs, (at) =>
    encounter(world, 'stay', { kind: 'IMP', startMs: startMs - 5 * dayMs, endMs: at }),
  );
  followStay(world, stay, startMs - 5 * dayMs, {
    letter: drawOutcome(world),
    sent: drawOutcome(world),
    seen: drawOutcome(world),
  });
}

interface Course {
  readonly letter: 'in-time' | 'late' | 'never';
  readonly sent: 'in-time' | 'late' | 'never';
  readonly seen: 'in-time' | 'late' | 'never';
}

export function followStay(world: World, stay: Focus, admittedMs: number, course: Course): void {
  const context = { context: { encounter: [{ reference: stay.reference }] } };
  const letters = expect(world, {
    rule: 'RUP-20',
    focus: stay,
    dueMs: endOfDay,
    noticeMs: 2 * hourMs,
    slackMs: stay.anchorMs - admittedMs,
    outcome: course.letter,
    make: (at) => document(world, 'letter', '11490-0', at, context),
  });
  const about = `DocumentReference/${world.id}-letter`;
  const [letter] = letters;
  const proofs =
    letter === undefined || course.sent === 'never'
      ? []
      : sendOn(world, { about, letterMs: letter.doneMs, isLate: course.sent === 'late' });
  expect(world, { rule: 'RUP-21', focus: stay, dueMs: endOfDay, slackMs: 365 * dayMs, proofs, object: letters });
  expect(world, {
    rule: 'RUP-23',
    focus: stay,
    dueMs: calendarDays(7),
    outcome: course.seen,
    make: (at) => visit(world, 'visit', at),
  });
}

function sendOn(world: World, { about, letterMs, isLate }: { about: string; letterMs: number; isLate: boolean }) {
  const doneMs = letterMs + (isLate ? world.chance.whole(26, 90) * hourMs : world.chance.whole(1, 30) * 60_000);
  return [{ doneMs, knownMs: deliver(world, doneMs, message(world, 'sent', doneMs, { about })) }];
}

/** RUP-22: the call on the day after ambulatory surgery. */
export function surgery(world: World): void {
  settled(world);
  const { startMs } = world;
  const of = focus(world, startMs, (at) =>
    encounter(world, 'surgery', {
      kind: 'AMB',
      startMs: startMs - 60 * hourMs,
      endMs: at,
      more: { type: [own('visit', 'chirurgie-ambulatoire')] },
    }),
  );
  expect(world, {
    rule: 'RUP-22',
    focus: of,
    dueMs: calendarDays(1),
    make: (at) =>
      message(world, 'call', at, {
        to: world.patient,
        more: { category: [{ coding: [{ system: `${suture}/message`, code: 'appel-j1' }] }] },
      }),
  });
}

/** RUP-24: care at home begins within a day. */
export function homeCare(world: World): void {
  settled(world);
  const of = focus(world, world.startMs, (at) =>
    request(world, 'home', at, { category: [own('orientation', 'soins-domicile')] }),
  );
  expect(world, {
    rule: 'RUP-24',
    focus: of,
    dueMs: hours(24),
    noticeMs: 4 * hourMs,
    make: (at) => visit(world, 'home-visit', at, {}, 'HH'),
  });
}

/** RUP-25: back in the emergency room within thirty days of a stay that went well. Nothing repairs it. */
export function readmission(world: World): void {
  settled(world);
  const { startMs, chance } = world;
  const admittedMs = startMs - 5 * dayMs;
  const stayMs = startMs;
  const stay: Focus = {
    reference: `Encounter/${world.id}-stay`,
    facts: [{ knownMs: stayMs + 1000, anchorMs: stayMs }],
    anchorMs: stayMs,
    isVoid: false,
  };
  send(world, stayMs + 1000, [encounter(world, 'stay', { kind: 'IMP', startMs: admittedMs, endMs: stayMs })]);
  followStay(world, stay, admittedMs, { letter: 'in-time', sent: 'in-time', seen: 'in-time' });
  const backMs = stayMs + chance.whole(2, 50) * dayMs;
  // Thirty days by the clock on the wall.
  const limitMs = midnight(parisDay(stayMs) + 30) + (stayMs - midnight(parisDay(stayMs)));
  const make = (at: number) => encounter(world, 'emergency', { kind: 'EMER', startMs: at, endMs: at + 5 * hourMs });
  const back = focus(world, backMs, make);
  // A date that is corrected may bring it near for a while.
  const facts = back.facts.map(
    (fact): FocusFact => (fact.anchorMs !== 'none' && fact.anchorMs <= limitMs ? fact : { ...fact, anchorMs: 'none' }),
  );
  expect(world, { rule: 'RUP-25', focus: { ...back, facts }, dueMs: undefined });
}

/** RUP-26: left without having been seen; somebody calls. */
export function leftAlone(world: World): void {
  settled(world);
  const { startMs } = world;
  const disposition = {
    coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-circonstances-sortie', code: 'PSA' }],
  };
  const of = focus(world, startMs, (at) =>
    encounter(world, 'left', {
      kind: 'EMER',
      startMs: startMs - 60 * hourMs,
      endMs: at,
      more: { hospitalization: { dischargeDisposition: disposition } },
    }),
  );
  expect(world, {
    rule: 'RUP-26',
    focus: of,
    dueMs: undefined,
    outcome: drawOutcome(world) === 'never' ? 'never' : 'late',
    make: (at) => message(world, 'call', at, { to: world.patient }),
  });
}

/** RUP-27: a grade 3 toxicity is answered within a day. */
export function toxicity(world: World): void {
  settled(world);
  const of = focus(world, world.startMs, (at) => observation(world, 'grade', at, { score: 'ctcae-grade', value: 3 }));
  expect(world, {
    rule: 'RUP-27',
    focus: of,
    dueMs: hours(24),
    noticeMs: 24 * hourMs,
    make: (at) => message(world, 'answer', at, { to: world.patient }),
  });
}
