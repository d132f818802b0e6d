/** What a judgment was made on: each resource that the rule read, in which version. */
import type { Resource } from '../fhir/index.ts';
import type { Facts } from './evaluation.ts';
import type { Rule } from './rule.ts';

/** Everything a judgment depends on. */
export interface Case extends Facts {
  /** Results of the rule's input queries, by name. */
  readonly inputs: Readonly<Record<string, readonly Resource[]>>;
  /** For rules without `metAt`: when an earlier judgment first found it met. Else the time of recording counts. */
  readonly metSince?: string | undefined;
}

export interface Evidence {
  readonly reference: string;
  readonly versionId: string | undefined;
  /** `focus`, `patient`, `plan`, `team` or the name of an input. */
  readonly role: string;
  /** The one that shows when the expected thing happened. */
  readonly isDecisive: boolean;
}

const evidenceMax = 200;

/** The focus first, then what surrounds it, then the inputs; within one role by reference, whatever order they came in. */
export function collectEvidence(rule: Rule, facts: Case, decisive: Resource | undefined): readonly Evidence[] {
  const { focus, patient, plan, team } = facts;
  const surrounding: [string, readonly (Resource | undefined)[]][] = [
    ['patient', patient === focus || patient?.id === undefined ? [] : [patient]],
    ['plan', [plan]],
    ['team', team],
  ];
  const read: [string, readonly (Resource | undefined)[]][] = [
    ['focus', [focus]],
    ...surrounding.filter(([role]) => rule.uses.has(role)),
    ...rule.inputs.map(({ name }): [string, readonly Resource[]] => [name, facts.inputs[name] ?? []]),
  ];
  const evidence = read.flatMap(([role, resources]) =>
    resources
      .flatMap((resource) => (resource === undefined ? [] : toEvidence(role, resource, decisive)))
      .sort(byReference),
  );
  return evidence.slice(0, evidenceMax);
}

function toEvidence(role: string, resource: Resource, decisive: Resource | undefined): Evidence {
  return {
    reference: `${resource.resourceType}/${resource.id ?? ''}`,
    versionId: resource.meta?.versionId,
    role,
    isDecisive: resource === decisive,
  };
}

function byReference(left: Evidence, right: Evidence): number {
  return left.reference < right.reference ? -1 : left.reference > right.reference ? 1 : 0;
}
