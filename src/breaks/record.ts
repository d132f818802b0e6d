/** A patient's record as the rules see it: all current resources of the compartment that they name, parsed once. */
import type { Resource } from '../fhir/index.ts';
import { asSurvivor, type Group } from './merged.ts';
import { isOwn } from './resources.ts';
import { withSingleStays } from './stays.ts';
import { everything, type Session, type StoredVersion, type Visible } from '../store/index.ts';

export interface PatientRecord {
  /** `Patient/id`. */
  readonly reference: string;
  /** Undefined while only others speak of the patient: feeds arrive in any order. */
  readonly patient: Resource | undefined;
  readonly byType: ReadonlyMap<string, readonly Resource[]>;
  /** Practitioners and roles that the record names: needed to know who stands for whom. */
  readonly professionals: readonly Resource[];
  /** Of stays that are told twice, by `Encounter/id` of those that are read as another: that one, and the stay (stays.ts). */
  readonly sameStays?: ReadonlyMap<string, { readonly kept: string; readonly resource: Resource }>;
}

/**
 * The record without what the engine itself wrote into it: its breaks, their Tasks and alerts are no part of the pathway,
 * and a rule that read them would judge its own words.
 */
export function withoutOwn(record: PatientRecord): PatientRecord {
  const byType = new Map([...record.byType].map(([type, resources]) => [type, resources.filter((one) => !isOwn(one))]));
  return { ...record, byType };
}

/** Types that every judgment needs, whatever the rules name. */
export const basicTypes: readonly string[] = ['Basic', 'Patient', 'CareTeam', 'CarePlan', 'DetectedIssue', 'Task'];

export interface RecordQuery {
  readonly patient: string;
  /** Patients that it replaced: their records are part of this one (merged.ts). */
  readonly members?: readonly string[];
  readonly types: ReadonlySet<string>;
  /** The record as it was known then; undefined: now. */
  readonly knownAtMs?: number;
  /** Only what somebody may see; undefined: everything. */
  readonly visible?: Visible;
}

export async function loadRecord(session: Session, query: RecordQuery): Promise<PatientRecord> {
  const types = [...new Set([...query.types, ...basicTypes])].sort();
  const { members = [] } = query;
  const stored = await session.compartment(query.patient, types, query);
  const others = [];
  for (const one of members) others.push(...(await session.compartment(one, types, query)));
  const byType: Map<string, readonly Resource[]> = groupByType(unique([...stored, ...others]), {
    survivor: query.patient,
    members,
  });
  // Another Patient that links to this one stands in its compartment too.
  const patient = byType.get('Patient')?.find(({ id }) => `Patient/${id}` === query.patient);
  byType.set('Patient', patient === undefined ? [] : [patient]);
  const named = professionalReferences(byType, patient);
  const professionals =
    named.length === 0 ? [] : (await session.readMany(named, query.visible ?? everything)).map(parse);
  return withSingleStays({ reference: query.patient, patient, byType, professionals });
}

function parse(stored: StoredVersion): Resource {
  return JSON.parse(stored.raw) as Resource;
}

/** What stands in the records of both stands there once. */
function unique(stored: readonly StoredVersion[]): readonly StoredVersion[] {
  return [...new Map(stored.map((one) => [`${one.type}/${one.id}`, one])).values()];
}

function groupByType(stored: readonly StoredVersion[], group: Group): Map<string, Resource[]> {
  const byType = new Map<string, Resource[]>();
  for (const one of stored) {
    const found = byType.get(one.type) ?? [];
    found.push(JSON.parse(asSurvivor(one.raw, group)) as Resource);
    byType.set(one.type, found);
  }
  return byType;
}

interface Reference {
  readonly reference?: string;
}

const professionalForm = /^(?:Practitioner|PractitionerRole|Organization)\/[A-Za-z0-9\-.]{1,64}$/;

function professionalReferences(byType: PatientRecord['byType'], patient: Resource | undefined): readonly string[] {
  const members = (byType.get('CareTeam') ?? []).flatMap((team) =>
    ((team['participant'] ?? []) as readonly { member?: Reference }[]).map(({ member }) => member),
  );
  const doctors = (patient?.['generalPractitioner'] ?? []) as readonly Reference[];
  const recipients = (byType.get('Communication') ?? []).flatMap(
    (message) => (message['recipient'] ?? []) as readonly Reference[],
  );
  const places = ['Encounter', 'CareTeam'].flatMap((type) => (byType.get(type) ?? []).flatMap(organisationsOf));
  const own = patient === undefined ? [] : organisationsOf(patient);
  const named = [...members, ...doctors, ...recipients, ...places, ...own].map((one) => one?.reference ?? '');
  return [...new Set(named.filter((reference) => professionalForm.test(reference)))];
}

/** Who answers for it: zones of sites are read from them. */
function organisationsOf(resource: Resource): readonly Reference[] {
  const found = [resource['serviceProvider'], resource['managingOrganization']].flat();
  return found.filter((one): one is Reference => typeof one === 'object' && one !== null);
}
