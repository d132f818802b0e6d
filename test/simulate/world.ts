/** One patient of the model: who is around, what chance has drawn, what has been sent and when it arrives. */
import type { ReplayedChange } from '../../src/breaks/replay.ts';
import { type Chance, createChance } from '../../src/demo/random.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { atHour, dayMs, hourMs, parisDay, text } from './time.ts';
import type { Expected, FocusFact, Proof } from './truth.ts';

export interface Arrival {
  readonly atMs: number;
  readonly changes: readonly ReplayedChange[];
}

export const suture = 'https://suture.example/fhir/CodeSystem';
export const gp = 'Practitioner/gp';
export const nurse = 'Practitioner/idec';
export const site = 'Organization/site';

const participation =
  'https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction';
const careRole = 'https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge';
const reliability = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability';

export interface World {
  readonly id: string;
  readonly patient: string;
  readonly chance: Chance;
  /** When what happens to this patient begins. */
  readonly startMs: number;
  readonly arrivals: Arrival[];
  readonly expected: Expected[];
  /** The patient as sent, once everything around is settled: whom a death may befall. */
  settled: Resource | undefined;
  /** Since when the GP is known: what is to be sent to him is awaited of nobody before. */
  circleKnownMs: number;
  deathKnownMs: number | undefined;
}

export interface WorldInput {
  readonly number: number;
  readonly seed: number;
  readonly fromMs: number;
  readonly days: number;
}

export function createWorld({ number, seed, fromMs, days }: WorldInput): World {
  const chance = createChance(seed * 1_000_003 + number);
  const id = `p${number}`;
  const startMs =
    atHour(parisDay(fromMs) + chance.whole(0, Math.max(0, days - 1)), 8) +
    chance.whole(0, 9 * 3600) * 1000 +
    chance.whole(1, 998);
  return {
    id,
    patient: `Patient/${id}`,
    chance,
    startMs,
    arrivals: [],
    expected: [],
    settled: undefined,
    circleKnownMs: 0,
    deathKnownMs: undefined,
  };
}

export function patientOf(world: World, more: object = {}, isQualified = true): Resource {
  const code = isQualified ? 'VALI' : 'PROV';
  return {
    resourceType: 'Patient',
    id: world.id,
    extension: [
      {
        url: reliability,
        extension: [
          {
            url: 'identityStatus',
            valueCoding: { system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445', code },
          },
        ],
      },
    ],
    identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: '160019900000000' }],
    active: true,
    birthDate: '1964-05-12',
    ...more,
  };
}

export function teamOf(world: World, startMs: number, hasDoctor = true): Resource {
  const member = (reference: string, system: string, code: string) => ({
    role: [{ coding: [{ system, code }] }],
    member: { reference },
  });
  return {
    resourceType: 'CareTeam',
    id: `${world.id}-team`,
    status: 'active',
    subject: { reference: world.patient },
    period: { start: text(startMs) },
    participant: [...(hasDoctor ? [member(gp, participation, 'PCP')] : []), member(nurse, careRole, '330')],
  };
}

export const surroundings: readonly Resource[] = [
  { resourceType: 'Organization', id: 'site', name: 'Centre hospitalier du modèle' },
  {
    resourceType: 'Practitioner',
    id: 'gp',
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '10100000301' }],
  },
  {
    resourceType: 'Practitioner',
    id: 'idec',
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '10100000302' }],
  },
];

/** A patient whose identity is sure and whose circle is whole, known long before anything happens. */
export function settled(world: World, more: object = {}): void {
  const atMs = world.startMs - 2 * dayMs;
  world.settled = patientOf(world, more);
  world.circleKnownMs = atMs;
  send(world, atMs, [...surroundings, world.settled, teamOf(world, atMs)]);
}

/** Few die on the way: nothing is awaited of them any more, once that is known. */
export function mayDie(world: World): void {
  const { chance, settled: patient, startMs } = world;
  if (patient === undefined || chance.next() >= 0.08) return;
  const atMs = startMs + chance.whole(1, 60 * 24) * hourMs;
  world.deathKnownMs = atMs + delayOf(world);
  send(world, world.deathKnownMs, [{ ...patient, deceasedDateTime: text(atMs) }]);
}

export function send(world: World, atMs: number, resources: readonly Resource[]): void {
  world.arrivals.push({ atMs, changes: resources.map((resource) => ({ resource })) });
}

/** Most messages come at once, some after hours, few after days; each at an instant of its own. */
export function delayOf({ chance }: World): number {
  const draw = chance.next();
  const most = draw < 0.6 ? 60_000 : draw < 0.85 ? 12 * hourMs : 6 * dayMs;
  return 1 + Math.floor(chance.next() * most);
}

/** Sends what was written at `writtenMs`; some messages come twice. Answers when it is known. */
export function deliver(world: World, writtenMs: number, resource: Resource): number {
  const atMs = writtenMs + delayOf(world);
  send(world, atMs, [resource]);
  if (world.chance.next() < 0.1) send(world, atMs + delayOf(world), [resource]);
  return atMs;
}

export type Outcome = 'in-time' | 'late' | 'never';

export interface Focus {
  readonly reference: string;
  readonly facts: readonly FocusFact[];
  /** The anchor that is right in the end. */
  readonly anchorMs: number;
  readonly isVoid: boolean;
}

/**
 * A focus, sometimes corrected (its date was wrong at first) or withdrawn as an error. A correction is made after the
 * first version was sent, and arrives after it.
 */
export function focus(world: World, anchorMs: number, make: (anchorMs: number) => Resource, canBeVoid = true): Focus {
  const { chance } = world;
  const draw = chance.next();
  const wrongMs = anchorMs - chance.whole(1, 40) * hourMs;
  const right = make(anchorMs);
  const reference = `${right.resourceType}/${right.id ?? ''}`;
  if (draw < 0.1) {
    const firstMs = deliverOnce(world, anchorMs, make(wrongMs));
    const laterMs = firstMs + delayOf(world);
    send(world, laterMs, [right]);
    const facts = [
      { knownMs: firstMs, anchorMs: wrongMs },
      { knownMs: laterMs, anchorMs },
    ];
    return { reference, facts, anchorMs, isVoid: false };
  }
  if (draw < 0.15 && canBeVoid) {
    const firstMs = deliverOnce(world, anchorMs, right);
    const laterMs = firstMs + chance.whole(1, 20) * dayMs + delayOf(world);
    send(world, laterMs, [{ ...right, status: 'entered-in-error' }]);
    return {
      reference,
      facts: [
        { knownMs: firstMs, anchorMs },
        { knownMs: laterMs, anchorMs: 'none' },
      ],
      anchorMs,
      isVoid: true,
    };
  }
  return { reference, facts: [{ knownMs: deliver(world, anchorMs, right), anchorMs }], anchorMs, isVoid: false };
}

/** For what changes later: no duplicate comes after the next version. */
export function deliverOnce(world: World, writtenMs: number, resource: Resource): number {
  const atMs = writtenMs + delayOf(world);
  send(world, atMs, [resource]);
  return atMs;
}

export interface Awaited {
  readonly rule: string;
  readonly focus: Focus;
  readonly dueMs: Expected['dueMs'];
  readonly noticeMs?: number;
  readonly slackMs?: number;
  readonly outcome?: Outcome;
  /** What is done at `doneMs`; undefined where the model brings the proofs itself. */
  readonly make?: (doneMs: number) => Resource;
  readonly proofs?: readonly Proof[];
  readonly object?: readonly Proof[];
  readonly isUndated?: boolean;
  readonly outlivesDeath?: boolean;
}

/** Draws whether the thing is done in time, late or never, sends it, and writes down what is then true. */
export function expect(world: World, awaited: Awaited): readonly Proof[] {
  const { rule, focus: of, dueMs, make, noticeMs, object, isUndated, outlivesDeath } = awaited;
  const proofs = awaited.proofs ?? (make === undefined ? [] : bring(world, awaited, make));
  world.expected.push({
    rule,
    focus: of.reference,
    facts: of.facts,
    dueMs,
    proofs,
    slackMs: awaited.slackMs ?? 0,
    ...(noticeMs === undefined ? {} : { noticeMs }),
    ...(object === undefined ? {} : { object }),
    ...(isUndated === undefined ? {} : { isUndated }),
    ...(outlivesDeath === undefined ? {} : { outlivesDeath }),
  });
  return proofs;
}

export function drawOutcome({ chance }: World): Outcome {
  const draw = chance.next();
  return draw < 0.5 ? 'in-time' : draw < 0.75 ? 'late' : 'never';
}

function bring(
  world: World,
  { focus: of, dueMs, outcome = drawOutcome(world) }: Awaited,
  make: (doneMs: number) => Resource,
): readonly Proof[] {
  const { anchorMs } = of;
  if (world.chance.next() < 0.15) deliver(world, anchorMs + 5000, voided(make(anchorMs + 5000)));
  if (outcome === 'never') return [];
  const limitMs = dueMs?.(anchorMs) ?? anchorMs;
  const spanMs = Math.max(limitMs - anchorMs, hourMs);
  const share = 0.02 + world.chance.next() * 0.96;
  const doneMs = Math.round(outcome === 'in-time' ? anchorMs + share * (limitMs - anchorMs) : limitMs + share * spanMs);
  const resource = make(doneMs);
  const knownMs = deliver(world, doneMs, resource);
  if (world.chance.next() >= 0.06) return [{ doneMs, knownMs }];
  // Withdrawn: deleted some days later, after its last duplicate has come.
  const untilMs = knownMs + 7 * dayMs + delayOf(world);
  world.arrivals.push({ atMs: untilMs, changes: [{ deleted: `${resource.resourceType}/${resource.id ?? ''}` }] });
  return [{ doneMs, knownMs, untilMs }];
}

/** The expected thing, in time, but entered in error: it proves nothing. */
function voided(resource: Resource): Resource {
  const id = `${resource.id ?? ''}-error`;
  if (resource.resourceType !== 'Condition') return { ...resource, id, status: 'entered-in-error' };
  const system = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';
  const { clinicalStatus: _none, ...rest } = resource;
  return {
    ...rest,
    id,
    resourceType: 'Condition',
    verificationStatus: { coding: [{ system, code: 'entered-in-error' }] },
  };
}
