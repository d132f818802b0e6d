/** Plans, teams, messages, identities. */
import { dayMs, hourMs, workingDays } from '../time.ts';
import { expectPlan } from './plans.ts';
import { message } from './resources.ts';
import {
  drawOutcome,
  expect,
  type Focus,
  focus,
  patientOf,
  send,
  settled,
  surroundings,
  teamOf,
  text,
  type World,
} from './support.ts';

/** RUP-14, RUP-15: the plan goes to the GP, who agrees; then nobody hears of the patient for three months: RUP-30. */
export function plan(world: World): void {
  settled(world);
  const of = focus(world, world.startMs, (at) => ({
    resourceType: 'CarePlan',
    id: `${world.id}-plan`,
    status: 'active',
    intent: 'plan',
    subject: { reference: world.patient },
    created: text(at),
  }));
  expectPlan(world, of, []);
}

/** RUP-33: the circle lacks its doctor. It has no date of completion but that of its recording. */
export function team(world: World): void {
  const { startMs } = world;
  send(world, startMs - dayMs, [...surroundings, patientOf(world)]);
  const knownMs = startMs + world.chance.whole(1, 300) * 60_000;
  send(world, knownMs, [teamOf(world, startMs, false)]);
  const of: Focus = {
    reference: `CareTeam/${world.id}-team`,
    facts: [{ knownMs, anchorMs: startMs }],
    anchorMs: startMs,
    isVoid: false,
  };
  complete(world, { rule: 'RUP-33', of, knownMs, make: () => teamOf(world, startMs) });
}

/** RUP-38: the identity is not sure yet; the delay runs from when it was first recorded. */
export function identity(world: World): void {
  const { startMs } = world;
  send(world, startMs, [...surroundings, patientOf(world, {}, false)]);
  send(world, startMs + 1, [teamOf(world, startMs)]);
  const of: Focus = {
    reference: world.patient,
    facts: [{ knownMs: startMs, anchorMs: startMs }],
    anchorMs: startMs,
    isVoid: false,
  };
  complete(world, { rule: 'RUP-38', of, knownMs: startMs, make: () => patientOf(world) });
}

interface Incomplete {
  readonly rule: string;
  readonly of: Focus;
  readonly knownMs: number;
  readonly make: () => ReturnType<typeof teamOf>;
}

function complete(world: World, { rule, of, knownMs, make }: Incomplete): void {
  const dueMs = workingDays(3);
  const outcome = drawOutcome(world);
  const limitMs = dueMs(of.anchorMs);
  const doneMs =
    outcome === 'late'
      ? limitMs + world.chance.whole(1, 200) * hourMs + 7
      : Math.round(knownMs + (limitMs - knownMs) * 0.7);
  if (outcome !== 'never') send(world, doneMs, [make()]);
  const proofs = outcome === 'never' ? [] : [{ doneMs, knownMs: doneMs }];
  expect(world, { rule, focus: of, dueMs, proofs, slackMs: 365 * dayMs, isUndated: true });
}

const mssante = {
  coding: [
    { system: 'https://mos.esante.gouv.fr/NOS/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie', code: 'MSSANTE' },
  ],
};

/** RUP-34: a message bounces; it is sent again, or not. */
export function bounced(world: World): void {
  settled(world);
  const about = `Patient/${world.id}`;
  const more = { status: 'not-done', medium: [mssante], statusReason: { text: 'boîte inconnue' } };
  const of = focus(world, world.startMs, (at) => message(world, 'bounced', at, { about, more }));
  expect(world, {
    rule: 'RUP-34',
    focus: of,
    dueMs: undefined,
    outlivesDeath: true,
    outcome: drawOutcome(world) === 'never' ? 'never' : 'late',
    make: (at) => message(world, 'again', at, { about, more: { medium: [mssante] } }),
  });
}
