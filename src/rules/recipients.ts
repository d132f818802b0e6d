/**
 * Who is asked to act (design.md section 5, decision 3), and which references stand for the GP. The record names people
 * by role in four places: the focus itself (who asked, who performs, who wrote), the stay's participants, the care teams,
 * the patient's general practitioners.
 */
import { type DateReader, referenceKey, type Resource } from '../fhir/index.ts';
import { focusRoleSystem, pathwayCoordinator, primaryCarePhysician } from './code-systems.ts';
import type { Role } from './rule.ts';

export interface Circle {
  readonly focus: Resource;
  /** The part of the focus that is judged, where a rule judges parts. */
  readonly element?: unknown;
  readonly patient: Resource | undefined;
  /** Active care teams. */
  readonly teams: readonly Resource[];
  readonly nowMs: number;
  readonly dates: DateReader;
}

export interface Recipient {
  readonly reference: string;
  /** The role under which it was found; undefined for an organisation that answers when nobody does. */
  readonly role: Role | undefined;
}

/**
 * The holders of the roles, in the order of the roles, the owner first. When no role has a holder: the pathway
 * coordinator; when there is none either: the organisation of the stay, of the team, of the patient.
 */
export function resolveRecipients(roles: readonly Role[], circle: Circle): readonly Recipient[] {
  const people = listPeople(circle);
  const holders = roles.flatMap((role) => holdersOf(role, people));
  if (holders.length > 0) return unique(holders);
  const coordinators = holdersOf(coordinatorRole, people);
  return unique(coordinators.length > 0 ? coordinators : organisations(circle));
}

/**
 * `Type/id` of everybody who stands for the patient's GP: care team participants with that function whose time has not
 * ended, the general practitioners of the patient, and all known resources of the same RPPS or FINESS number.
 */
export function resolveGp(circle: Omit<Circle, 'focus'>, known: readonly Resource[]): readonly string[] {
  const people = listPeople({ ...circle, focus: noFocus });
  const found = new Set(holdersOf(gpRole, people).map(({ reference }) => reference));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    widen(found, known);
  }
  return [...found].sort();
}

const coordinatorRole: Role = { codings: [pathwayCoordinator], text: undefined };
const gpRole: Role = { codings: [primaryCarePhysician], text: undefined };
const noFocus: Resource = { resourceType: 'Basic' };

interface Coding {
  readonly system?: string;
  readonly code?: string;
}

interface Person {
  readonly reference: string;
  readonly roles: readonly Coding[];
}

interface Participant {
  readonly type?: readonly { readonly coding?: readonly Coding[] }[];
  readonly role?: readonly { readonly coding?: readonly Coding[] }[];
  readonly individual?: unknown;
  readonly member?: unknown;
  readonly period?: { readonly end?: string };
}

/** The focus first, then the stay, then teams, then general practitioners: the order in which a role is sought. */
function listPeople(circle: Circle): readonly Person[] {
  const { focus, patient, teams } = circle;
  const stays = focus.resourceType === 'Encounter' ? [focus] : [];
  const participants = [...stays, ...teamsOf(focus, teams)].flatMap((resource) =>
    listOf<Participant>(resource['participant']),
  );
  const practitioners = listOf<unknown>(patient?.['generalPractitioner']);
  return [
    ...peopleOfFocus(circle),
    ...participants.filter((participant) => !hasEnded(participant, circle)).flatMap(toPerson),
    ...practitioners.flatMap((reference) => personOf(reference, [primaryCarePhysician])),
  ];
}

/** Elements that name people, by the code of the role in CodeSystem focus-role. */
const elementsOfRoles: readonly (readonly [role: string, ...elements: readonly string[]])[] = [
  ['requester', 'requester'],
  ['performer', 'performer', 'resultsInterpreter'],
  ['author', 'author', 'recorder', 'asserter'],
  ['sender', 'sender'],
  ['recipient', 'recipient'],
  ['owner', 'owner'],
];
const professional = /^(?:Practitioner|PractitionerRole|Organization|CareTeam|HealthcareService)\//;

/** Only professionals: neither the patient nor the family is asked to mend a break. */
function peopleOfFocus({ focus, element }: Circle): readonly Person[] {
  const { detail } = (element ?? {}) as { readonly detail?: Readonly<Record<string, unknown>> };
  return elementsOfRoles.flatMap(([code, ...names]) => {
    const roles = [{ system: focusRoleSystem, code }];
    const found = names.flatMap((name) => [...asList(detail?.[name]), ...asList(focus[name])]);
    return found.flatMap((one) => personOf(referenceOf(one), roles)).filter((one) => professional.test(one.reference));
  });
}

/** A reference, or the actor of a performer that is an element of its own. */
function referenceOf(value: unknown): unknown {
  return (value as { readonly actor?: unknown } | null)?.actor ?? value;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value];
}

function teamsOf(focus: Resource, teams: readonly Resource[]): readonly Resource[] {
  return focus.resourceType === 'CareTeam' && !teams.some((team) => team.id === focus.id) ? [focus, ...teams] : teams;
}

/** A period that ends on a day ends with that day. */
function hasEnded({ period }: Participant, { nowMs, dates }: Circle): boolean {
  const end = period?.end === undefined ? undefined : dates.range(period.end);
  if (end === undefined) return false;
  const isInstant = (period?.end ?? '').includes('T');
  return (isInstant ? end.lo : end.hi) <= nowMs;
}

function toPerson({ type = [], role = [], individual, member }: Participant): readonly Person[] {
  return personOf(
    individual ?? member,
    [...type, ...role].flatMap((concept) => concept.coding ?? []),
  );
}

function personOf(reference: unknown, roles: readonly Coding[]): readonly Person[] {
  const key = referenceKey(reference);
  return key === undefined ? [] : [{ reference: key, roles }];
}

function holdersOf(role: Role, people: readonly Person[]): readonly Recipient[] {
  const holds = (person: Person): boolean =>
    person.roles.some(({ system, code }) =>
      role.codings.some((sought) => sought.system === system && sought.code === code),
    );
  return people.filter(holds).map(({ reference }) => ({ reference, role }));
}

function organisations({ focus, patient, teams }: Circle): readonly Recipient[] {
  const provider = focus.resourceType === 'Encounter' ? [focus['serviceProvider']] : [];
  const managing = teamsOf(focus, teams).flatMap((team) => listOf<unknown>(team['managingOrganization']));
  return [...provider, ...managing, patient?.['managingOrganization']].flatMap((reference) => {
    const key = referenceKey(reference);
    return key === undefined ? [] : [{ reference: key, role: undefined }];
  });
}

function unique(recipients: readonly Recipient[]): readonly Recipient[] {
  return [
    ...new Map([...recipients].reverse().map((recipient) => [recipient.reference, recipient])).values(),
  ].reverse();
}

/** Adds the resources of the same number, the practitioners behind roles and the roles of practitioners. */
function widen(found: Set<string>, known: readonly Resource[]): void {
  const numbers = new Set(known.filter((resource) => found.has(keyOf(resource))).flatMap(nationalNumbers));
  for (const resource of known) {
    const practitioner = referenceKey(resource['practitioner']);
    const isFound = found.has(keyOf(resource));
    const isSame = nationalNumbers(resource).some((number) => numbers.has(number));
    if (isFound || isSame || (practitioner !== undefined && found.has(practitioner))) {
      found.add(keyOf(resource));
      if (practitioner !== undefined) found.add(practitioner);
    }
  }
}

function keyOf(resource: Resource): string {
  return `${resource.resourceType}/${resource.id ?? ''}`;
}

/** RPPS and FINESS, also inside the national identifiers that put a digit before them. */
export function nationalNumbers(resource: Resource): readonly string[] {
  return listOf<{ system?: string; value?: string }>(resource['identifier']).flatMap(({ system = '', value = '' }) => {
    switch (system.replace(/^http:/, 'https:')) {
      case 'https://rpps.esante.gouv.fr':
        return [`rpps ${value}`];
      case 'urn:oid:1.2.250.1.71.4.2.1':
        return value.startsWith('8') ? [`rpps ${value.slice(1)}`] : [];
      case 'https://finess.esante.gouv.fr':
        return [`finess ${value}`];
      case 'urn:oid:1.2.250.1.71.4.2.2':
        return value.startsWith('1') ? [`finess ${value.slice(1)}`] : [];
      default:
        return [];
    }
  });
}

function listOf<Item>(value: unknown): readonly Item[] {
  return Array.isArray(value) ? (value as Item[]) : [];
}
