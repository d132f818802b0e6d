/** Plans of care: what is in them, the answers of a patient followed from afar, silence. */
import { calendarDays, dayMs, hourMs, midnight, parisDay, workingDays } from '../time.ts';
import type { Expected, FocusFact, Proof } from '../truth.ts';
import { answers, carePlan, message, own, task } from './resources.ts';
import { deliver, expect, type Focus, gp, send, settled, text, type World } from './support.ts';

interface Contact {
  readonly doneMs: number;
  readonly knownMs: number;
  readonly untilMs?: number;
}

/** What every plan asks for: RUP-14 and RUP-15 of the GP, RUP-30 of the contacts with the patient. */
export function expectPlan(world: World, of: Focus, contacts: readonly Contact[]): void {
  expect(world, {
    rule: 'RUP-14',
    focus: of,
    dueMs: workingDays(2),
    slackMs: 365 * dayMs,
    make: (at) => message(world, 'plan-sent', at, { about: of.reference }),
  });
  const approve = {
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'approve' }] },
    owner: { reference: gp },
  };
  expect(world, {
    rule: 'RUP-15',
    focus: of,
    dueMs: calendarDays(14),
    slackMs: 365 * dayMs,
    make: (at) => task(world, 'agreed', { focus: of.reference, atMs: at, more: approve }),
  });
  const facts = lastContacts(of, contacts);
  world.expected.push({
    rule: 'RUP-30',
    focus: of.reference,
    facts,
    dueMs: calendarDays(90),
    proofs: [],
    slackMs: 0,
    isUndated: true,
    isRolling: true,
  });
}

/** The anchor at each instant at which something became known: the last contact, or the plan's own date. */
function lastContacts({ facts }: Focus, contacts: readonly Contact[]): readonly FocusFact[] {
  const instants = [
    ...facts.map(({ knownMs }) => knownMs),
    ...contacts.flatMap(({ knownMs, untilMs = knownMs }) => [knownMs, untilMs]),
  ];
  return [...new Set(instants)].flatMap((atMs): FocusFact[] => {
    const plan = facts.filter(({ knownMs }) => knownMs <= atMs).at(-1);
    if (plan === undefined) return [];
    if (plan.anchorMs === 'none') return [{ knownMs: atMs, anchorMs: 'none' }];
    const known = contacts.filter(({ knownMs, untilMs = Infinity }) => knownMs <= atMs && atMs < untilMs);
    return [{ knownMs: atMs, anchorMs: Math.max(plan.anchorMs, ...known.map(({ doneMs }) => doneMs)) }];
  });
}

/** RUP-28: a patient who answers a questionnaire week by week, until he is silent; he may take it up again. */
export function monitored(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const detail = {
    status: 'in-progress',
    code: own('act', 'telesurveillance'),
    scheduledPeriod: { start: text(startMs) },
  };
  const activity = [{ id: 'monitoring', detail }];
  const knownMs = startMs + chance.whole(1, 3600) * 1000;
  send(world, knownMs, [carePlan(world, startMs, { activity })]);
  const facts: FocusFact[] = [{ knownMs, anchorMs: startMs }];
  const isEnded = chance.next() < 0.5;
  const endMs = startMs + chance.whole(30, 130) * dayMs;
  if (isEnded) {
    send(world, endMs, [carePlan(world, startMs, { activity, status: 'completed' })]);
    facts.push({ knownMs: endMs, anchorMs: 'none' });
  }
  const plan: Focus = { reference: `CarePlan/${world.id}-plan`, facts, anchorMs: startMs, isVoid: false };
  const given = giveAnswers(world, startMs);
  const object: Proof = { doneMs: 0, knownMs, ...(isEnded ? { untilMs: endMs } : {}) };
  const awaited = { rule: 'RUP-28', dueMs: calendarDays(10), isUndated: false, object: [object] };
  for (const one of given) {
    const of = { knownMs: one.knownMs, anchorMs: one.doneMs };
    const ends: FocusFact[] = one.untilMs === undefined ? [] : [{ knownMs: one.untilMs, anchorMs: 'none' }];
    const proofs = given.filter(({ doneMs }) => doneMs > one.doneMs);
    const focus = { reference: one.reference, facts: [of, ...ends], anchorMs: one.doneMs, isVoid: false };
    expect(world, { ...awaited, focus, proofs });
  }
  const first = { ...plan, reference: `${plan.reference}#monitoring` };
  const slackMs = startMs - midnight(parisDay(startMs));
  expect(world, { ...awaited, focus: first, proofs: given, slackMs });
  expectPlan(world, plan, given);
}

interface Given extends Contact {
  readonly reference: string;
}

function giveAnswers(world: World, startMs: number): readonly Given[] {
  const { chance } = world;
  const given: Given[] = [];
  let atMs = startMs;
  for (let index = 0; index < chance.whole(0, 7); index++) {
    // Mostly a week, sometimes two or more; rarely months.
    const draw = chance.next();
    const days = draw < 0.6 ? chance.whole(5, 9) : draw < 0.9 ? chance.whole(9, 25) : chance.whole(80, 110);
    atMs += days * dayMs + chance.whole(-5, 5) * hourMs + index;
    const resource = answers(world, `answers-${index}`, atMs);
    const reference = `QuestionnaireResponse/${resource.id ?? ''}`;
    const knownMs = deliver(world, atMs, resource);
    if (chance.next() >= 0.08) {
      given.push({ reference, doneMs: atMs, knownMs });
      continue;
    }
    const untilMs = knownMs + 7 * dayMs + chance.whole(1, 3600) * 1000;
    send(world, untilMs, [{ ...resource, status: 'entered-in-error' }]);
    given.push({ reference, doneMs: atMs, knownMs, untilMs });
  }
  return given;
}

interface Step {
  readonly atMs: number;
  readonly id: string;
  readonly detail: object;
}

/** RUP-32: three activities of one plan, each with its own end: done, late, put off, given up, forgotten. */
export function activities(world: World): void {
  const { chance, startMs } = world;
  settled(world);
  const steps: Step[] = [];
  const expected: Expected[] = [];
  const plan = { reference: `CarePlan/${world.id}-plan`, anchorMs: startMs, isVoid: false };
  const knownMs = startMs + chance.whole(1, 3600) * 1000;
  for (const id of ['physio', 'diet', 'social']) {
    const dueDay = parisDay(startMs) + chance.whole(3, 40);
    const { facts, proofs } = liveActivity(world, { id, dueDay, knownMs, steps });
    expected.push({
      rule: 'RUP-32',
      focus: `${plan.reference}#${id}`,
      facts,
      proofs,
      dueMs: workingDays(2),
      slackMs: 365 * dayMs,
      isUndated: true,
    });
  }
  world.expected.push(...expected);
  tellVersions(world, steps);
  expectPlan(world, { ...plan, facts: [{ knownMs, anchorMs: startMs }] }, []);
}

interface Activity {
  readonly id: string;
  readonly dueDay: number;
  readonly knownMs: number;
  readonly steps: Step[];
}

/** What becomes of one activity, told as steps of the plan; ends are known to the day or to the minute. */
function liveActivity(world: World, { id, dueDay, knownMs, steps }: Activity) {
  const { chance } = world;
  const endOf = (day: number) => {
    const atMs = midnight(day) + 17 * hourMs;
    return chance.next() < 0.5 ? { atMs, end: text(atMs) } : { atMs, end: text(atMs).slice(0, 10) };
  };
  const { atMs, end } = endOf(dueDay);
  const detail = (status: string, until: string) => ({ status, description: id, scheduledPeriod: { end: until } });
  steps.push({ atMs: knownMs, id, detail: detail('scheduled', end) });
  const facts: FocusFact[] = [{ knownMs, anchorMs: atMs }];
  const proofs: Proof[] = [];
  const changeMs = Math.max(
    knownMs + hourMs,
    atMs + chance.whole(-2 * 24, 12 * 24) * hourMs + chance.whole(1, 3_000_000),
  );
  const fate = chance.pick(['done', 'done', 'put-off', 'given-up', 'forgotten']);
  if (fate === 'done') {
    steps.push({ atMs: changeMs, id, detail: detail('completed', end) });
    proofs.push({ doneMs: changeMs, knownMs: changeMs });
  } else if (fate === 'given-up') {
    steps.push({ atMs: changeMs, id, detail: detail('cancelled', end) });
    facts.push({ knownMs: changeMs, anchorMs: 'none' });
  } else if (fate === 'put-off') {
    const next = endOf(dueDay + 20);
    steps.push({ atMs: changeMs, id, detail: detail('scheduled', next.end) });
    facts.push({ knownMs: changeMs, anchorMs: next.atMs });
  }
  return { facts, proofs };
}

/** Each step is a new version of the whole plan. */
function tellVersions(world: World, steps: readonly Step[]): void {
  const now = new Map<string, object>();
  const instants = [...new Set(steps.map(({ atMs }) => atMs))].sort((a, b) => a - b);
  for (const atMs of instants) {
    for (const { id, detail } of steps.filter((one) => one.atMs === atMs)) now.set(id, detail);
    const activity = [...now].map(([id, detail]) => ({ id, detail }));
    send(world, atMs, [carePlan(world, world.startMs, { activity })]);
  }
}
