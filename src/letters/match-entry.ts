/** Which decision answers whether the store knows a resource of a plan already: one for each kind of rule. */
import type { Encounter, Organization, Patient, Practitioner, PractitionerRole } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import { matchAdmittedPatient, matchAdmittedStay } from './admission/match.ts';
import { matchDerived } from './derived.ts';
import { type MatchContext, matchEncounter, matchOrganization, matchPractitioner, matchRole } from './match.ts';
import { type Match, matchPatient } from './match-patient.ts';
import type { PlanEntry } from './plan.ts';

/** `candidates`: all that the searches of the entry's rule gave, included resources too. */
export function matchEntry(entry: PlanEntry, candidates: readonly Resource[], context: MatchContext): Match {
  const of = <T extends { resourceType: string }>(type: T['resourceType']) =>
    candidates.filter(({ resourceType }) => resourceType === type) as unknown as readonly T[];
  const resource = entry.resource as unknown;
  switch (entry.match.kind) {
    case 'content':
    case 'new':
    case 'provenance':
      return { kind: 'create', findings: [] };
    case 'derived':
    case 'composition':
      return matchDerived(entry.resource, candidates, patientIn(context));
    case 'patient':
      return matchPatient(resource as Patient, of<Patient>('Patient'), context);
    case 'organization':
      return matchOrganization(resource as Organization, of<Organization>('Organization'));
    case 'practitioner':
      return matchPractitioner(resource as Practitioner, of<Practitioner>('Practitioner'));
    case 'practitioner-role':
      return matchRole(resource as PractitionerRole, of<PractitionerRole>('PractitionerRole'), context);
    case 'encounter':
      return matchEncounter(
        resource as Encounter,
        { encounters: of<Encounter>('Encounter'), organizations: of<Organization>('Organization') },
        context,
      );
    case 'admitted-patient':
      return matchAdmittedPatient(resource as Patient, of<Patient>('Patient'), context);
    case 'admitted-stay':
      return matchAdmittedStay(
        resource as Encounter,
        { encounters: of<Encounter>('Encounter'), organizations: of<Organization>('Organization') },
        context,
      );
  }
}

function patientIn({ plan, found }: MatchContext): string | undefined {
  const patient = plan.entries.find(({ match }) => match.kind === 'patient');
  return patient && found.get(patient.fullUrl);
}
