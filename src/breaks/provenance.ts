/**
 * Who moved a break, when, from which state to which, and why: a Provenance for each move, written with it
 * (https://hl7.org/fhir/R4/provenance.html). Its id is that of the DetectedIssue and of the version that the move made, so
 * that whoever has the one finds the other.
 */
import type { Resource } from '../fhir/index.ts';
import { type BreakReason, type BreakState, isClosed } from './machine.ts';
import { canonicalBase, engineAuthor, extensionUrl, type Reference } from './resources.ts';

export interface BreakMove {
  readonly issue: Resource;
  readonly task: Resource | undefined;
  /** `Patient/id` */
  readonly patient: string;
  /** Undefined: there was no break. */
  readonly from: BreakState | undefined;
  readonly to: BreakState;
  readonly reason: BreakReason | undefined;
  /** As dateTime and instant. */
  readonly at: string;
  /** The person who moved it by the Task; undefined: the engine. */
  readonly mover: Reference | undefined;
}

export function provenanceId(issueId: string, version: number): string {
  return `${issueId}.${version}`;
}

export function buildProvenance({ issue, task, patient, from, to, reason, at, mover }: BreakMove): Resource {
  const id = issue.id ?? '';
  const version = Number(issue.meta?.versionId ?? 0) + 1;
  const code = (system: string, value: string) => ({
    coding: [{ system: `${canonicalBase}/CodeSystem/${system}`, code: value }],
  });
  return {
    resourceType: 'Provenance',
    id: provenanceId(id, version),
    ...(from === undefined ? {} : { extension: [{ url: extensionUrl('break-from'), valueCode: from }] }),
    target: [
      { reference: `DetectedIssue/${id}/_history/${version}` },
      ...(task?.id === undefined ? [] : [{ reference: `Task/${task.id}` }]),
      // It stands in the record of the patient.
      { reference: patient },
    ],
    occurredDateTime: at,
    recorded: at,
    activity: code('break-state', to),
    ...(reason === undefined || !isClosed(to) ? {} : { reason: [code('break-reason', reason)] }),
    agent: [
      {
        type: { coding: [{ system: `${terminology}/provenance-participant-type`, code: 'performer' }] },
        who: mover ?? engineAuthor,
      },
    ],
    ...(version === 1
      ? {}
      : { entity: [{ role: 'revision', what: { reference: `DetectedIssue/${id}/_history/${version - 1}` } }] }),
  };
}

const terminology = 'http://terminology.hl7.org/CodeSystem';
