/**
 * What happens to the synthetic patients over three weeks, as the systems around them would send it. The plan of each
 * patient is drawn first (what goes well, what does not), then told as dated requests; it knows nothing of the rules.
 */
import type { Resource } from '../fhir/index.ts';
import { type Letter, letterText } from './letter.ts';
import { careTeam, createPerson, hospital, patient, type Person } from './people.ts';
import type { Chance } from './random.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** One request to the server at its time. */
export interface DemoEvent {
  readonly atMs: number;
  readonly person: Person;
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly contentType: string;
  readonly body: (letters: ReadonlyMap<string, string>) => string;
  /** Remember the reference of the answer's first resource under this name. */
  readonly keepAs?: string;
}

/** A step of the pathway: done in time, made up for when somebody has been told, or never. */
type Step = 'in-time' | 'late' | 'never';

interface Course {
  readonly letter: Step;
  readonly isSent: boolean;
  readonly visit: Step;
  readonly doctor: Step;
  readonly identity: Step;
  readonly planSent: Step;
  readonly planValidated: Step;
  readonly message: 'none' | 'bounced' | 'bounced-then-sent';
}

const goodCourse: Course = {
  letter: 'in-time',
  isSent: true,
  visit: 'in-time',
  doctor: 'in-time',
  identity: 'in-time',
  planSent: 'in-time',
  planValidated: 'in-time',
  message: 'none',
};

/** Two patients in three do well; the others meet one or two of the troubles that the rules look for. */
function drawCourse(number: number, chance: Chance): Course {
  if (number % 3 !== 0) return goodCourse;
  const troubles: readonly [Partial<Course>, ...Partial<Course>[]] = [
    { message: 'bounced-then-sent' },
    { letter: 'late' },
    { letter: 'never', isSent: false },
    { isSent: false },
    { visit: 'late' },
    { doctor: 'late' },
    { identity: 'late' },
    { visit: 'never' },
    { doctor: 'never', isSent: false },
    { identity: 'never' },
    { planSent: 'late' },
    { planValidated: 'late' },
    { planSent: 'never', planValidated: 'never' },
    { message: 'bounced' },
  ];
  const certain = troubles[Math.floor(number / 3) % troubles.length] ?? {};
  return { ...goodCourse, ...certain, ...(chance.next() < 0.3 ? chance.pick(troubles) : {}) };
}

export interface DemoPlan {
  readonly people: readonly Person[];
  readonly events: readonly DemoEvent[];
}

export function planTerritory(count: number, startMs: number, chance: Chance): DemoPlan {
  const people = Array.from({ length: count }, (_one, index) => createPerson(index, chance));
  const events = people.flatMap((person, number) => tellCourse(person, drawCourse(number, chance), startMs, chance));
  return { people, events: [...events].sort((a, b) => a.atMs - b.atMs) };
}

function tellCourse(person: Person, course: Course, startMs: number, chance: Chance): readonly DemoEvent[] {
  const admitted = startMs + chance.whole(0, 6) * dayMs + chance.whole(0, 8) * hourMs;
  const discharged = startOfDay(admitted) + chance.whole(2, 5) * dayMs + chance.whole(9, 17) * hourMs;
  const teamStart = instant(admitted);
  return [
    ...tellSoonOrLate(admitted, course.identity, (atMs, isDone) => put(person, atMs, patient(person, isDone))),
    ...tellSoonOrLate(admitted, course.doctor, (atMs, isDone) =>
      put(person, atMs, careTeam(person, teamStart, isDone)),
    ),
    put(person, admitted, carePlan(person, teamStart)),
    ...tellPlan(person, course, admitted),
    put(person, admitted, stay(person, admitted, undefined)),
    put(person, discharged, stay(person, admitted, discharged)),
    ...tellLetter(person, course, { admitted, discharged }),
    ...tellMessage(person, course.message, discharged + 2 * dayMs),
    ...tellVisit(person, course.visit, discharged + chance.whole(2, 6) * dayMs),
  ];
}

/** The plan goes to the GP on the next morning, who approves it two days later; or after they were called. */
function tellPlan(person: Person, { doctor, planSent, planValidated }: Course, admitted: number): DemoEvent[] {
  if (doctor === 'never') return [];
  const next = startOfDay(admitted) + dayMs + 8 * hourMs;
  const sentMs = planSent === 'late' ? next + 7 * dayMs : next;
  const validatedMs = planValidated === 'late' ? next + 14 * dayMs : next + 2 * dayMs;
  const of = { about: `CarePlan/${person.id}-plan`, sentMs, status: 'completed' } as const;
  return [
    ...(planSent === 'never' ? [] : [put(person, sentMs, message(person, `${person.id}-plan-sent`, of))]),
    ...(planValidated === 'never' ? [] : [put(person, validatedMs, approval(person, validatedMs))]),
  ];
}

function approval(person: Person, atMs: number): Resource {
  return {
    resourceType: 'Task',
    id: `${person.id}-approval`,
    status: 'completed',
    intent: 'order',
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'approve' }] },
    focus: { reference: `CarePlan/${person.id}-plan` },
    for: { reference: `Patient/${person.id}` },
    owner: { reference: person.doctor },
    lastModified: instant(atMs),
  };
}

/** What should be there from the beginning: it is, or a week later, or never. */
function tellSoonOrLate(
  atMs: number,
  step: Step,
  tell: (atMs: number, isDone: boolean) => DemoEvent,
): readonly DemoEvent[] {
  const first = tell(atMs, step === 'in-time');
  return step === 'late' ? [first, tell(atMs + 7 * dayMs, true)] : [first];
}

/** A week late, the nurse has called and the doctor has come. */
function tellVisit(person: Person, step: Step, inTimeMs: number): readonly DemoEvent[] {
  if (step === 'never') return [];
  const atMs = step === 'late' ? inTimeMs + 7 * dayMs : inTimeMs;
  return [put(person, atMs, visit(person, atMs))];
}

interface Stay {
  readonly admitted: number;
  readonly discharged: number;
}

function tellLetter(person: Person, course: Course, { admitted, discharged }: Stay): readonly DemoEvent[] {
  if (course.letter === 'never') return [];
  const written = course.letter === 'in-time' ? discharged + hourMs : discharged + 3 * dayMs;
  const letter: Letter = { person, admitted, discharged, written };
  const sent = { atMs: written + hourMs, person };
  const received: DemoEvent = {
    ...sent,
    method: 'POST',
    path: 'DocumentReference/$ingest',
    contentType: 'application/cda+xml',
    body: () => letterText(letter),
    keepAs: person.id,
  };
  if (!course.isSent) return [received];
  const told = (letters: ReadonlyMap<string, string>) =>
    message(person, `${person.id}-letter`, { about: letters.get(person.id), sentMs: sent.atMs, status: 'completed' });
  return [
    received,
    {
      ...putLater(person, sent.atMs, `Communication/${person.id}-letter`),
      body: (letters) => JSON.stringify(told(letters)),
    },
  ];
}

function tellMessage(person: Person, kind: Course['message'], atMs: number): readonly DemoEvent[] {
  if (kind === 'none') return [];
  const about = `CarePlan/${person.id}-plan`;
  const bounced = put(
    person,
    atMs,
    message(person, `${person.id}-plan-1`, { about, sentMs: atMs, status: 'not-done' }),
  );
  if (kind === 'bounced') return [bounced];
  const later = atMs + dayMs;
  return [
    bounced,
    put(person, later, message(person, `${person.id}-plan-2`, { about, sentMs: later, status: 'completed' })),
  ];
}

function put(person: Person, atMs: number, resource: Resource): DemoEvent {
  return { ...putLater(person, atMs, `${resource.resourceType}/${resource.id}`), body: () => JSON.stringify(resource) };
}

function putLater(person: Person, atMs: number, path: string): Omit<DemoEvent, 'body'> {
  return { atMs, person, method: 'PUT', path, contentType: 'application/fhir+json' };
}

function carePlan(person: Person, start: string): Resource {
  return {
    resourceType: 'CarePlan',
    id: `${person.id}-plan`,
    status: 'active',
    intent: 'plan',
    title: 'Programme personnalisé de soins',
    subject: { reference: `Patient/${person.id}` },
    period: { start },
    careTeam: [{ reference: `CareTeam/${person.id}-team` }],
  };
}

function stay(person: Person, admitted: number, discharged: number | undefined): Resource {
  const end = discharged === undefined ? {} : { end: instant(discharged) };
  return {
    resourceType: 'Encounter',
    id: `${person.id}-stay`,
    identifier: [{ system: 'urn:oid:1.2.250.1.999.1.1', value: `${person.id}-stay` }],
    status: discharged === undefined ? 'in-progress' : 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: `Patient/${person.id}` },
    period: { start: instant(admitted), ...end },
    serviceProvider: { reference: hospital, display: 'CH de la Valserine' },
  };
}

function visit(person: Person, atMs: number): Resource {
  return {
    resourceType: 'Encounter',
    id: `${person.id}-visit`,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${person.id}` },
    participant: [{ individual: { reference: person.doctor } }],
    period: { start: instant(atMs), end: instant(atMs + hourMs) },
  };
}

function message(
  person: Person,
  id: string,
  of: { about: string | undefined; sentMs: number; status: 'completed' | 'not-done' },
): Resource {
  const mailbox = {
    coding: [
      {
        system: 'https://mos.esante.gouv.fr/NOS/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie',
        code: 'MSSANTE',
      },
    ],
  };
  return {
    resourceType: 'Communication',
    id,
    status: of.status,
    ...(of.status === 'not-done' ? { statusReason: { text: 'boîte aux lettres inconnue' } } : {}),
    medium: [mailbox],
    subject: { reference: `Patient/${person.id}` },
    ...(of.about === undefined ? {} : { about: [{ reference: of.about }] }),
    sent: instant(of.sentMs),
    recipient: [{ reference: person.doctor }],
    sender: { reference: hospital },
  };
}

export function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

function startOfDay(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs;
}
