/** Appointments: too late, cancelled, missed. */
import { calendarDays, dayMs, hourMs, parisDay, workingDays } from '../time.ts';
import type { FocusFact, Proof } from '../truth.ts';
import { answers, appointment, condition, message, own, request, visit } from './resources.ts';
import { deliver, deliverOnce, delayOf, drawOutcome, expect, focus, send, settled, type World } from './support.ts';

/**
 * RUP-02: the appointment of a referral lies more than two weeks after it. It is moved nearer, kept, cancelled, or
 * doubled by a nearer one; or nothing happens. RUP-01 and RUP-06 live along.
 */
export function lateAppointment(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const order = request(world, 'referral', startMs, { code: own('orientation', 'adressage-suspicion-cancer') });
  const referralKnownMs = deliver(world, startMs, order);
  const referral = `ServiceRequest/${order.id ?? ''}`;
  const basedOn = [{ reference: referral }];
  const createdMs = startMs + chance.whole(1, 24 * 9) * hourMs + 11;
  const distance = chance.pick([10, 13, 14, 15, 16, 25, 40]);
  const at = (days: number) => startMs + days * dayMs + chance.whole(-2, 2) * hourMs;
  const plannedMs = at(distance);
  const booked = (startsMs: number, status = 'booked', id = 'first') =>
    appointment(world, id, { status, startMs: startsMs, createdMs, more: { basedOn } });
  const isFar = (startsMs: number) => parisDay(startsMs) > parisDay(startMs) + 14;
  const knownMs = deliverOnce(world, createdMs, booked(plannedMs));
  const facts: FocusFact[] = [];
  const proofs: Proof[] = [];
  const seenMs = Math.max(knownMs, referralKnownMs);
  if (isFar(plannedMs)) facts.push({ knownMs: seenMs, anchorMs: seenMs });
  const fate = chance.pick(['moved', 'kept', 'cancelled', 'doubled', 'stays']);
  const laterMs = seenMs + chance.whole(1, 48) * hourMs + 13;
  let bookedUntilMs: number | undefined;
  if (fate === 'moved' || fate === 'doubled') {
    const nearerMs = at(12);
    send(world, laterMs, [fate === 'moved' ? booked(nearerMs) : booked(nearerMs, 'booked', 'second')]);
    facts.push({ knownMs: laterMs, anchorMs: 'none' });
  } else if (fate === 'cancelled') {
    send(world, laterMs, [booked(plannedMs, 'cancelled')]);
    facts.push({ knownMs: laterMs, anchorMs: 'none' });
    bookedUntilMs = laterMs;
  } else if (fate === 'kept') {
    const keptMs = Math.max(plannedMs + hourMs, laterMs);
    send(world, keptMs, [booked(plannedMs, 'fulfilled')]);
    proofs.push({ doneMs: keptMs, knownMs: keptMs });
  }
  const appointmentReference = `Appointment/${world.id}-first`;
  const late = { reference: appointmentReference, facts, anchorMs: seenMs, isVoid: false };
  if (facts.length > 0)
    expect(world, { rule: 'RUP-02', focus: late, dueMs: undefined, proofs, isUndated: true, slackMs: 0 });
  const whole = { reference: referral, facts: [{ knownMs: referralKnownMs, anchorMs: startMs }] };
  const of = { ...whole, anchorMs: startMs, isVoid: false };
  const taken = { doneMs: createdMs, knownMs, ...(bookedUntilMs === undefined ? {} : { untilMs: bookedUntilMs }) };
  expect(world, { rule: 'RUP-01', focus: of, dueMs: workingDays(3), slackMs: 0, proofs: [taken] });
  const make = (doneMs: number) => condition(world, 'answer', { code: 'D24', status: 'refuted', atMs: doneMs });
  expect(world, { rule: 'RUP-06', focus: of, dueMs: calendarDays(28), make });
}

/**
 * RUP-19: a session is cancelled and another must be found within five working days. One that had been taken long before,
 * or of another kind, does not replace it.
 */
export function cancelledSession(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const serviceType = [own('visit', chance.pick(['chimiotherapie', 'radiotherapie', 'chirurgie']))];
  const takenMs = startMs - 30 * dayMs;
  const session = (status: string, sessionMs: number) =>
    appointment(world, 'session', { status, startMs: sessionMs, createdMs: takenMs, more: { serviceType } });
  const sessionMs = startMs + chance.whole(-24, 24 * 6) * hourMs;
  deliverOnce(world, startMs - 8 * dayMs, session('booked', sessionMs));
  if (chance.next() < 0.5) {
    const next = { status: 'booked', startMs: startMs + 21 * dayMs, createdMs: takenMs, more: { serviceType } };
    deliver(world, startMs - 20 * dayMs, appointment(world, 'next', next));
  }
  // Only the record tells when it was cancelled: at the latest when it should have begun.
  const knownMs = startMs + delayOf(world);
  send(world, knownMs, [session('cancelled', sessionMs)]);
  const facts: FocusFact[] = [{ knownMs, anchorMs: Math.min(sessionMs, knownMs) }];
  if (chance.next() < 0.12) {
    const errorMs = knownMs + chance.whole(1, 14) * dayMs;
    send(world, errorMs, [session('entered-in-error', sessionMs)]);
    facts.push({ knownMs: errorMs, anchorMs: 'none' });
  }
  const anchorMs = Math.min(sessionMs, knownMs);
  const reference = `Appointment/${world.id}-session`;
  if (chance.next() < 0.5) {
    const other = { serviceType: [own('visit', 'soins-palliatifs')] };
    const resource = { status: 'booked', startMs: knownMs + 9 * dayMs, createdMs: knownMs, more: other };
    deliver(world, knownMs, appointment(world, 'other', resource));
  }
  expect(world, {
    rule: 'RUP-19',
    focus: { reference, facts, anchorMs, isVoid: false },
    dueMs: workingDays(5),
    make: (at) =>
      appointment(world, 'again', { status: 'booked', startMs: at + 12 * dayMs, createdMs: at, more: { serviceType } }),
  });
}

/** RUP-29: the patient did not come; somebody finds him again, by a new appointment, a call or a visit. */
export function missed(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const createdMs = startMs - 20 * dayMs;
  if (chance.next() < 0.5) {
    const later = { status: 'booked', startMs: startMs + 30 * dayMs, createdMs };
    deliver(world, createdMs, appointment(world, 'already', later));
  }
  const of = focus(world, startMs, (at) => appointment(world, 'missed', { status: 'noshow', startMs: at, createdMs }));
  const kind = chance.pick(['appointment', 'call', 'visit', 'word']);
  expect(world, {
    rule: 'RUP-29',
    focus: of,
    dueMs: workingDays(2),
    outcome: drawOutcome(world),
    make: (at) => foundAgain(world, kind, at),
  });
  // A message to somebody else finds nobody.
  if (chance.next() < 0.5) deliver(world, startMs + hourMs, message(world, 'told', startMs + hourMs, {}));
}

function foundAgain(world: World, kind: string, atMs: number) {
  if (kind === 'call') return message(world, 'found', atMs, { to: world.patient });
  if (kind === 'visit') return visit(world, 'found', atMs);
  const sender = { sender: { reference: world.patient } };
  if (kind === 'word') return message(world, 'found', atMs, { more: sender });
  return appointment(world, 'found', { status: 'booked', startMs: atMs + 9 * dayMs, createdMs: atMs });
}

/** How somebody hears of a patient at home. */
export function contact(world: World, id: string, atMs: number) {
  const kind = world.chance.pick(['call', 'visit', 'answers']);
  if (kind === 'call') return message(world, id, atMs, { to: world.patient });
  return kind === 'visit' ? visit(world, id, atMs) : answers(world, id, atMs);
}
