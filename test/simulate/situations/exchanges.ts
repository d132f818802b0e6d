/** Questions that somebody asks somebody else: an advice, support, a social referral. */
import { calendarDays, dayMs, hourMs, workingDays } from '../time.ts';
import type { FocusFact, Proof } from '../truth.ts';
import { document, message, own, request, task } from './resources.ts';
import {
  deliver,
  deliverOnce,
  drawOutcome,
  expect,
  focus,
  gp,
  nurse,
  send,
  settled,
  suture,
  text,
  type World,
} from './support.ts';

/** RUP-35: an advice that was asked for, by message or by a note of the liaison book. */
export function advice(world: World): void {
  settled(world);
  if (world.chance.next() < 0.5) return adviceByNote(world);
  const of = focus(world, world.startMs, (at) =>
    message(world, 'question', at, { more: { category: [{ coding: [{ code: 'demande-avis' }] }] } }),
  );
  const isAnswered = world.chance.next() < 0.6;
  // An answer to something else.
  const other = { inResponseTo: [{ reference: `Communication/${world.id}-other` }] };
  if (world.chance.next() < 0.4)
    deliver(
      world,
      world.startMs + hourMs,
      message(world, 'elsewhere', world.startMs + hourMs, { to: nurse, more: other }),
    );
  expect(world, {
    rule: 'RUP-35',
    focus: of,
    dueMs: workingDays(3),
    slackMs: 365 * dayMs,
    make: (at) =>
      isAnswered
        ? message(world, 'reply', at, { to: nurse, more: { inResponseTo: [{ reference: of.reference }] } })
        : task(world, 'by-phone', { focus: of.reference, atMs: at }),
  });
}

function adviceByNote(world: World): void {
  const type = { type: { coding: [{ code: 'DEM-AVIS' }] } };
  const of = focus(world, world.startMs, (at) => document(world, 'note', '', at, type));
  const relatesTo = [{ code: 'appends', target: { reference: of.reference } }];
  expect(world, {
    rule: 'RUP-35',
    focus: of,
    dueMs: workingDays(3),
    slackMs: 365 * dayMs,
    make: (at) => document(world, 'note-reply', '68608-9', at, { relatesTo }),
  });
}

/** RUP-36: support that was asked of the coordination service: taken, refused, withdrawn, or nothing. */
export function support(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const ask = (status: string) => ({
    resourceType: 'Task',
    id: `${world.id}-support`,
    status,
    intent: 'order',
    code: own('orientation', 'demande-appui-dac'),
    for: { reference: world.patient },
    authoredOn: text(startMs),
    requester: { reference: gp },
  });
  const knownMs = deliverOnce(world, startMs, ask('requested'));
  const dueMs = workingDays(2);
  const outcome = drawOutcome(world);
  const facts: FocusFact[] = [{ knownMs, anchorMs: startMs }];
  const proofs: Proof[] = [];
  const limitMs = Math.max(dueMs(startMs), knownMs);
  const doneMs =
    outcome === 'late'
      ? limitMs + chance.whole(1, 300) * hourMs + 19
      : Math.round(knownMs + (limitMs - knownMs) * 0.6) + 1;
  if (outcome !== 'never') {
    const status = chance.pick(['received', 'accepted', 'rejected', 'cancelled', 'in-progress']);
    send(world, doneMs, [ask(status)]);
    if (status === 'cancelled') facts.push({ knownMs: doneMs, anchorMs: 'none' });
    else proofs.push({ doneMs, knownMs: doneMs });
    // What comes after the answer moves nothing.
    if (status === 'accepted') send(world, doneMs + 9 * dayMs, [ask('completed')]);
  }
  const of = { reference: `Task/${world.id}-support`, facts, anchorMs: startMs, isVoid: false };
  expect(world, { rule: 'RUP-36', focus: of, dueMs, proofs, slackMs: 365 * dayMs, isUndated: true });
}

/** RUP-37: a social weakness was found; a referral follows, or the patient does not want it. */
export function vulnerable(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const of = focus(world, startMs, (at) => ({
    resourceType: 'Observation',
    id: `${world.id}-social`,
    status: 'final',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'social-history' }] },
    ],
    code: { coding: [{ system: `${suture}/score`, code: 'epices' }] },
    interpretation: [{ coding: [{ code: chance.pick(['POS', 'A', 'H']) }] }],
    subject: { reference: world.patient },
    effectiveDateTime: text(at),
  }));
  const social = { category: [own('orientation', 'social')] };
  // Done with long before: no answer to what is found now.
  if (chance.next() < 0.4) {
    const formerMs = startMs - 200 * dayMs;
    deliver(world, startMs - 5 * dayMs, request(world, 'former', formerMs, { ...social, status: 'completed' }));
  }
  const object: Proof = { doneMs: 0, knownMs: 0 };
  if (chance.next() < 0.2) {
    const refusedMs = startMs + chance.whole(24, 24 * 25) * hourMs + 3;
    const note = { ...social, status: 'revoked', note: [{ text: 'refus du patient' }] };
    send(world, refusedMs, [request(world, 'refused', refusedMs, note)]);
    const objects = [{ ...object, untilMs: refusedMs }];
    return void expect(world, { rule: 'RUP-37', focus: of, dueMs: calendarDays(14), proofs: [], object: objects });
  }
  const make = (at: number) => request(world, 'social', at, social);
  expect(world, { rule: 'RUP-37', focus: of, dueMs: calendarDays(14), slackMs: 365 * dayMs, make });
}
