/**
 * What a resource says about who stands in which relation to which patient, who somebody is here, and whose content a Binary is: the rows
 * of access_relation, access_identity, access_content (migrations/0034). Pure; the store keeps them with each write.
 *
 *     CareTeam, active      subject, each participant in [team's period, his period)        team
 *     Encounter, under way  subject, each participant in [stay's period, his period)        stay; serviceProvider: place
 *     Patient               generalPractitioner                                             doctor; managingOrganization: custody
 *     Consent, active       patient, actors of what is denied (none named: everybody)       objection, emergency-objection
 *                           actors of what is permitted                                     consent
 *     Practitioner, PractitionerRole, Organization                                          identities
 *     DocumentReference     content.attachment.url that is a Binary                         contents
 *
 * A ground that an organisation has is written `team-organisation`: policy counts it apart.
 */
import type { Resource } from '../fhir/index.ts';
import { readObjections } from './consent.ts';
import {
  always,
  createReading,
  type FactInput,
  groundOf,
  listOf,
  type Range,
  type Reading,
  type Relation,
} from './reading.ts';

export interface Identity {
  readonly known_as: string;
  readonly reference: string;
  readonly organisation: string;
  readonly lo: number;
  readonly hi: number;
}

export interface Facts {
  readonly relations: readonly Relation[];
  readonly identities: readonly Identity[];
  /** Ids of Binaries. */
  readonly contents: readonly string[];
}

/** Types whose resources say something; of all others there is nothing to keep. */
export const factTypes: ReadonlySet<string> = new Set([
  'CareTeam',
  'Consent',
  'DocumentReference',
  'Encounter',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
]);

export type FactReader = (resource: Resource) => Facts;

export const noFacts: Facts = { relations: [], identities: [], contents: [] };

export function createFactReader(input: FactInput): FactReader {
  const reading = createReading(input);
  return (resource) => {
    switch (resource.resourceType) {
      case 'CareTeam':
        return { ...noFacts, relations: ofCareTeam(reading, resource) };
      case 'Encounter':
        return { ...noFacts, relations: ofEncounter(reading, resource) };
      case 'Patient':
        return { ...noFacts, relations: ofPatient(reading, resource) };
      case 'Consent':
        return { ...noFacts, relations: readObjections(reading, resource) };
      case 'DocumentReference':
        return { ...noFacts, contents: contentsOf(reading, resource) };
      case 'Practitioner':
      case 'Organization':
        return { ...noFacts, identities: ofIdentified(reading, resource) };
      case 'PractitionerRole':
        return { ...noFacts, identities: ofRole(reading, resource) };
      default:
        return noFacts;
    }
  };
}

function ofCareTeam(reading: Reading, team: Resource): readonly Relation[] {
  const patient = reading.patient(team['subject']);
  const whole = reading.within(always, team['period']);
  if (team['status'] !== 'active' || patient === undefined || whole === undefined) return [];
  return listOf(team['participant']).flatMap((one) => {
    const { member, period } = one as { member?: unknown; period?: unknown };
    return relate({ patient, ground: 'team', who: reading.who(member), range: reading.within(whole, period) });
  });
}

interface Related {
  readonly patient: string;
  readonly ground: string;
  readonly who: string | undefined;
  readonly range: Range | undefined;
}

function relate({ patient, ground, who, range }: Related): readonly Relation[] {
  if (who === undefined || range === undefined) return [];
  return [{ patient, who, ground: groundOf(ground, who), ...range }];
}

const underWay: ReadonlySet<unknown> = new Set(['arrived', 'triaged', 'in-progress', 'onleave']);

function ofEncounter(reading: Reading, stay: Resource): readonly Relation[] {
  const patient = reading.patient(stay['subject']);
  const whole = rangeOfStay(reading, stay);
  if (patient === undefined || whole === undefined) return [];
  const people = listOf(stay['participant']).flatMap((one) => {
    const { individual, period } = one as { individual?: unknown; period?: unknown };
    const range = reading.within(whole, period);
    return relate({ patient, ground: 'stay', who: reading.who(individual), range });
  });
  const place = relate({ patient, ground: 'place', who: reading.who(stay['serviceProvider']), range: whole });
  return [...people, ...place];
}

/** A stay that is over has an end, or nobody knows how long it lasted. */
function rangeOfStay(reading: Reading, { status, period }: Resource): Range | undefined {
  if (underWay.has(status)) return reading.within(always, period);
  const { end } = (period ?? {}) as { end?: unknown };
  return status === 'finished' && end !== undefined ? reading.within(always, period) : undefined;
}

function ofPatient(reading: Reading, patient: Resource): readonly Relation[] {
  const reference = `Patient/${patient.id ?? ''}`;
  const relation = (ground: string, named: unknown) =>
    relate({ patient: reference, ground, who: reading.who(named), range: always });
  return [
    ...listOf(patient['generalPractitioner']).flatMap((one) => relation('doctor', one)),
    ...relation('custody', patient['managingOrganization']),
  ];
}

function ofIdentified(reading: Reading, resource: Resource): readonly Identity[] {
  if (resource['active'] === false) return [];
  const kind = resource.resourceType === 'Organization' ? 'finess|' : 'rpps|';
  const reference = `${resource.resourceType}/${resource.id ?? ''}`;
  return reading
    .numbers(resource['identifier'])
    .filter((number) => number.startsWith(kind))
    .map((known_as) => ({ known_as, reference, organisation: '', ...always }));
}

function ofRole(reading: Reading, role: Resource): readonly Identity[] {
  const range = reading.within(always, role['period']);
  const known_as = reading.who(role['practitioner']);
  if (role['active'] === false || range === undefined || known_as?.startsWith('Practitioner/') !== true) return [];
  const organisation = reading.who(role['organization']);
  const within = organisation?.startsWith('Organization/') === true ? organisation : '';
  return [{ known_as, reference: `PractitionerRole/${role.id ?? ''}`, organisation: within, ...range }];
}

function contentsOf(reading: Reading, document: Resource): readonly string[] {
  const urls = listOf(document['content']).map((one) => (one as { attachment?: { url?: unknown } }).attachment?.url);
  return [...new Set(urls.flatMap((url) => reading.binary(url) ?? []))];
}
