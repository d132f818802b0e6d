/** Oral drugs at home, and treatments that begin too early. */
import type { Resource } from '../../../src/fhir/index.ts';
import { calendarDays, dayMs, hourMs, midnight, parisDay } from '../time.ts';
import type { FocusFact, Proof } from '../truth.ts';
import { contact } from './appointments.ts';
import { followMeeting, reportOf } from './cancer.ts';
import { dispense, document, oralDrug, own, procedure } from './resources.ts';
import {
  deliver,
  deliverOnce,
  delayOf,
  drawOutcome,
  expect,
  type Focus,
  focus,
  send,
  settled,
  text,
  type World,
} from './support.ts';

/**
 * RUP-17: somebody hears of the patient within ten days of the first dispense. RUP-18: the next dispense comes within a week
 * of the last pill, unless the prescription is stopped.
 */
export function oralTreatment(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const prescription = (status: string) => ({
    resourceType: 'MedicationRequest',
    id: `${world.id}-oral`,
    status,
    intent: 'order',
    medicationCodeableConcept: oralDrug,
    subject: { reference: world.patient },
    authoredOn: text(startMs - hourMs),
  });
  deliverOnce(world, startMs - hourMs, prescription('active'));
  const days = chance.pick([14, 21, 28, 30]);
  const authorizingPrescription = [{ reference: `MedicationRequest/${world.id}-oral` }];
  const supply = { daysSupply: { value: days, unit: 'jours', system: 'http://unitsofmeasure.org', code: 'd' } };
  const of = focus(
    world,
    startMs,
    (at) => dispense(world, 'dispense', at, { ...supply, authorizingPrescription }),
    false,
  );
  const make = (at: number) => contact(world, 'contact', at);
  expect(world, { rule: 'RUP-17', focus: of, dueMs: calendarDays(10), make });
  const stoppedMs = startMs + chance.whole(15, 60) * dayMs;
  const isStopped = chance.next() < 0.3;
  if (isStopped) send(world, stoppedMs, [prescription('stopped')]);
  const object: Proof = { doneMs: 0, knownMs: 0, ...(isStopped ? { untilMs: stoppedMs } : {}) };
  const outcome = drawOutcome(world);
  const dueMs = calendarDays(days + 7);
  const limitMs = dueMs(of.anchorMs);
  const nextMs =
    outcome === 'late' ? limitMs + chance.whole(1, 30 * 24) * hourMs : limitMs - chance.whole(1, 240) * hourMs;
  const proofs =
    outcome === 'never' ? [] : [{ doneMs: nextMs, knownMs: deliver(world, nextMs, dispense(world, 'next', nextMs)) }];
  expect(world, { rule: 'RUP-18', focus: of, dueMs, proofs, object: [object] });
}

type Begin = (world: World, id: string, atMs: number) => Resource;

const category = [own('act', 'traitement-anticancereux')];

const begins: readonly [Begin, Begin, Begin] = [
  (world, id, at) => procedure(world, id, at, { category: category[0], code: { text: 'Radiothérapie' } }),
  (world, id, at) => ({
    resourceType: 'MedicationAdministration',
    id: `${world.id}-${id}`,
    status: 'completed',
    category: category[0],
    medicationCodeableConcept: { text: 'Cure' },
    subject: { reference: world.patient },
    effectiveDateTime: text(at),
  }),
  (world, id, at) => ({
    resourceType: 'MedicationRequest',
    id: `${world.id}-${id}`,
    status: 'active',
    intent: 'order',
    category,
    medicationCodeableConcept: { text: 'Cure' },
    subject: { reference: world.patient },
    authoredOn: text(at),
  }),
];

/**
 * RUP-10: a first treatment must have a meeting's report of the two years before it. A meeting afterwards puts it right; an
 * emergency that is marked asks for none; the second treatment asks for nothing, unless it is heard of first.
 */
export function treated(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const first = chance.pick(begins)(world, 'first-cure', startMs);
  const firstKnownMs = deliver(world, startMs, first);
  const nextMs = startMs + chance.whole(1, 5) * dayMs + 7;
  const next = chance.pick(begins)(world, 'next-cure', nextMs);
  const nextKnownMs = deliver(world, nextMs, next);
  const isUrgent = chance.next() < 0.2;
  const flaggedMs = startMs + delayOf(world) + 2 * dayMs;
  if (isUrgent) send(world, flaggedMs, [urgency(world)]);
  const object: Proof = { doneMs: 0, knownMs: 0, ...(isUrgent ? { untilMs: flaggedMs } : {}) };
  const begun = [
    { resource: first, doneMs: startMs, knownMs: firstKnownMs },
    { resource: next, doneMs: nextMs, knownMs: nextKnownMs },
  ].filter(({ resource }) => resource.resourceType !== 'MedicationRequest');
  const proofs = meetAround(world, begun);
  const expected = { rule: 'RUP-10', dueMs: undefined, proofs, object: [object], slackMs: 730 * dayMs };
  const whole: FocusFact[] = [{ knownMs: firstKnownMs, anchorMs: startMs }];
  expect(world, { ...expected, focus: begunOf(first, startMs, whole) });
  if (nextKnownMs < firstKnownMs) {
    const facts: FocusFact[] = [
      { knownMs: nextKnownMs, anchorMs: nextMs },
      { knownMs: firstKnownMs, anchorMs: 'none' },
    ];
    expect(world, { ...expected, focus: begunOf(next, nextMs, facts) });
  }
}

function begunOf({ resourceType, id = '' }: Resource, anchorMs: number, facts: FocusFact[]): Focus {
  return { reference: `${resourceType}/${id}`, facts, anchorMs, isVoid: false };
}

function urgency(world: World): Resource {
  return {
    resourceType: 'Flag',
    id: `${world.id}-urgent`,
    status: 'active',
    code: { coding: [{ code: 'traitement-urgent' }] },
    subject: { reference: world.patient },
  };
}

/** The meeting: before the treatment, afterwards, three years ago, or never. What its report starts lives along. */
function meetAround(world: World, begun: readonly Proof[]): readonly Proof[] {
  const { chance, startMs } = world;
  const when = chance.pick(['before', 'before', 'after', 'long-ago', 'never']);
  if (when === 'never') return [];
  const distanceMs = chance.whole(3, 600) * hourMs + 23;
  const doneMs = startMs + (when === 'before' ? -distanceMs : when === 'after' ? distanceMs : -1000 * dayMs);
  const resource = document(world, 'meeting', '34794-8', doneMs);
  const knownMs = when === 'long-ago' ? startMs - dayMs : deliver(world, doneMs, resource);
  if (when === 'long-ago') send(world, knownMs, [resource]);
  followMeeting(world, doneMs, knownMs);
  // A treatment that began on the day of the meeting follows it.
  const slackMs = doneMs - midnight(parisDay(doneMs));
  const report = reportOf(world, doneMs, knownMs);
  expect(world, { rule: 'RUP-11', focus: report, dueMs: calendarDays(28), slackMs, proofs: begun });
  return [{ doneMs, knownMs }];
}
