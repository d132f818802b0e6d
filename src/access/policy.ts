/**
 * The policy, as data: by which relation each role comes to a patient, and which types its work needs. Whatever stands in no table
 * here is not allowed.
 */
import type { Caller, Role } from './caller.ts';

interface RolePolicy {
  /** Grounds of access_relation (facts.ts) that count. */
  readonly grounds: readonly string[];
  /** The types of the record that the role works with; `*`: all. */
  readonly types: '*' | readonly string[];
  /** Stands for the patient himself. */
  readonly isPatient: boolean;
}

/**
 * A professional comes to a patient by his own place in the care team, the stay or the practice, or by that of his organisation where it was
 * named as a member (équipe de soins); never because the patient stays in the same hospital. That counts for the
 * hospital's own applications and its administration.
 */
export const rolePolicies: Readonly<Record<Role, RolePolicy>> = {
  professional: {
    grounds: [
      'team',
      'team-organisation',
      'stay',
      'stay-organisation',
      'doctor',
      'doctor-organisation',
      'consent',
      'consent-organisation',
    ],
    types: '*',
    isPatient: false,
  },
  administrative: {
    grounds: ['team-organisation', 'place-organisation', 'custody-organisation'],
    types: ['Account', 'Appointment', 'AppointmentResponse', 'Coverage', 'Encounter', 'Patient', 'RelatedPerson'],
    isPatient: false,
  },
  patient: { grounds: [], types: '*', isPatient: true },
  representative: { grounds: [], types: '*', isPatient: true },
  application: {
    grounds: [
      'team-organisation',
      'stay-organisation',
      'place-organisation',
      'custody-organisation',
      'doctor-organisation',
      'consent-organisation',
    ],
    types: '*',
    isPatient: false,
  },
};

/** Of nobody's record: who and where care is given, and knowledge. A scope is enough to see them. */
export const openTypes: readonly string[] = [
  'ActivityDefinition',
  'CapabilityStatement',
  'CodeSystem',
  'CompartmentDefinition',
  'ConceptMap',
  'Endpoint',
  'GraphDefinition',
  'HealthcareService',
  'ImplementationGuide',
  'InsurancePlan',
  'Library',
  'Location',
  'Measure',
  'Medication',
  'MedicationKnowledge',
  'MessageDefinition',
  'NamingSystem',
  'OperationDefinition',
  'Organization',
  'OrganizationAffiliation',
  'PlanDefinition',
  'Practitioner',
  'PractitionerRole',
  'Questionnaire',
  'SearchParameter',
  'StructureDefinition',
  'StructureMap',
  'Substance',
  'TerminologyCapabilities',
  'ValueSet',
];

/** How long after its end a stay still relates those who took part in it to the patient. */
export const graceDefaultMs = 30 * 24 * 3_600_000;

export function rolesOf({ kind, subject }: Caller): readonly Role[] {
  return subject?.roles ?? (kind === 'client' ? ['application'] : []);
}

/** Asked for each statement, and the same for the same roles: reckoned once for each, and the same list ever after. */
export function byRoles<T>(reckon: (roles: readonly Role[]) => T): (roles: readonly Role[]) => T {
  const known = new Map<string, { readonly value: T }>();
  return (roles) => {
    const key = roles.join(' ');
    const found = known.get(key) ?? { value: reckon(roles) };
    known.set(key, found);
    return found.value;
  };
}

const groundsByRoles = byRoles((roles) => [...new Set(roles.flatMap((role) => rolePolicies[role].grounds))]);

export function groundsOf(caller: Caller): readonly string[] {
  return groundsByRoles(rolesOf(caller));
}

const typesByRoles = byRoles((roles) => {
  const lists = roles.map((role) => rolePolicies[role].types);
  return lists.includes('*') ? undefined : [...new Set([...lists.flat(), ...openTypes])];
});

/** Undefined: all. */
export function typesOfRoles(caller: Caller): readonly string[] | undefined {
  return typesByRoles(rolesOf(caller));
}

/** The patient whom the caller is, or represents. */
export function ownPatient(caller: Caller): string | undefined {
  return rolesOf(caller).some((role) => rolePolicies[role].isPatient) ? caller.subject?.patient : undefined;
}
