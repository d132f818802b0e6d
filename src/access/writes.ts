/**
 * What a caller may write beyond what he may see: relations, labels, refusals, the directory, what defines others' rules. Decided from
 * what a resource says before and after, by the same reading as the decision itself: whatever would relate the caller to a patient
 * is found, wherever it is written.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Caller, clientIdPrefix, hasRight, mayEverything, type Right } from './caller.ts';
import type { Facts } from './facts.ts';
import { isObjection, type Relation } from './reading.ts';
import { forbidden } from './routes.ts';

export interface PlannedWrite {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
  readonly factsBefore: Facts;
  readonly factsAfter: Facts;
  readonly labelsBefore: readonly string[];
  readonly labelsAfter: readonly string[];
  /** All that the caller is known as on this server. */
  readonly who: readonly string[];
}

/** The right that writing a type asks for besides its scope. */
const rightsOfTypes: ReadonlyMap<string, Right> = new Map([
  ['CareTeam', 'care-team-manage'],
  ['Consent', 'consent-manage'],
  ['AuditEvent', 'audit-write'],
  ...[
    'Practitioner',
    'PractitionerRole',
    'Organization',
    'OrganizationAffiliation',
    'Location',
    'HealthcareService',
    'Endpoint',
  ].map((type) => [type, 'directory-write'] as const),
  ...[
    'ActivityDefinition',
    'CapabilityStatement',
    'CodeSystem',
    'CompartmentDefinition',
    'ConceptMap',
    'GraphDefinition',
    'ImplementationGuide',
    'Library',
    'Measure',
    'MessageDefinition',
    'NamingSystem',
    'OperationDefinition',
    'PlanDefinition',
    'Questionnaire',
    'SearchParameter',
    'StructureDefinition',
    'StructureMap',
    'TerminologyCapabilities',
    'ValueSet',
  ].map((type) => [type, 'definition-write'] as const),
]);

/** Throws `forbidden`, or `unsupported-interaction` where nobody may. */
export function requireWritable(caller: Caller, type: string, write: PlannedWrite): void {
  if (mayEverything(caller)) return;
  const { before, after, factsBefore, factsAfter } = write;
  if (type === 'AuditEvent' && before !== undefined) {
    throw new Problem('unsupported-interaction', 'an AuditEvent is never changed');
  }
  const right = isClient(type, write) ? 'client-manage' : rightsOfTypes.get(type);
  if (right !== undefined && !hasRight(caller, right)) throw forbidden();
  if (gains(write, factsBefore.relations, factsAfter.relations) && !isFreeToRelate(caller, type)) throw forbidden();
  const isLabelLost = after !== undefined && write.labelsBefore.some((label) => !write.labelsAfter.includes(label));
  if (isLabelLost && !hasRight(caller, 'label-remove')) throw forbidden();
}

function isClient(type: string, { after, before }: PlannedWrite): boolean {
  return type === 'Basic' && ((after ?? before)?.id ?? '').startsWith(clientIdPrefix);
}

/** Nobody adds himself to a care team; whoever sees every patient gains nothing by a stay or a practice. */
function isFreeToRelate(caller: Caller, type: string): boolean {
  return type !== 'CareTeam' && type !== 'Consent' && hasRight(caller, 'patient-all');
}

/** A relation of the caller that was not there, or reaches further; or a refusal of him, or of everybody, that is no longer there. */
function gains({ who }: PlannedWrite, before: readonly Relation[], after: readonly Relation[]): boolean {
  const isOwn = (relation: Relation) => who.includes(relation.who);
  const covers = (wide: Relation, one: Relation) =>
    wide.patient === one.patient &&
    wide.who === one.who &&
    wide.ground === one.ground &&
    wide.lo <= one.lo &&
    wide.hi >= one.hi;
  const isNew = after.some(
    (one) => isOwn(one) && !isObjection(one.ground) && !before.some((former) => covers(former, one)),
  );
  const isFreed = before.some(
    (one) => (isOwn(one) || one.who === '*') && isObjection(one.ground) && !after.some((later) => covers(later, one)),
  );
  return isNew || isFreed;
}

interface Coding {
  readonly system?: string;
  readonly code?: string;
}

/** As access_labels() of migrations/0034 reads them. */
export function labelsOf(resource: Resource | undefined): readonly string[] {
  if (resource === undefined) return [];
  const text = ({ system, code }: Coding) => `${system ?? ''}|${code ?? ''}`;
  const concepts =
    resource.resourceType === 'Consent' ? [] : ((resource['securityLabel'] ?? []) as { coding?: Coding[] }[]);
  const found = [
    ...((resource.meta?.['security'] ?? []) as Coding[]).map(text),
    ...concepts.flatMap(({ coding }) => coding?.map(text) ?? ['|']),
  ];
  return [...new Set(found)];
}
