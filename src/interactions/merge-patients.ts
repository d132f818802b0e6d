/**
 * Two records of one person made one (HL7 v2 A40): what is of the former patient becomes the survivor's, in the same
 * transaction, so that a rule that looks at the survivor sees the whole pathway. The former stays readable, inactive, with a
 * link; the versions of what was moved say where it was. Breaks and their tasks and alerts are not moved: the engine closes
 * them and judges anew. Traces (Provenance, AuditEvent) say what was, and stay.
 */
import type { Identifier, Patient } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import { type Resource, rewriteLinks } from '../fhir/index.ts';
import { identifierSearch, mergePatients } from '../letters/index.ts';
import { find, type Ingest } from './letter-store.ts';

/** Resources that one merge may move; a record of ten years has a few thousand. */
const movedMax = 20_000;

const traces: ReadonlySet<string> = new Set(['Patient', 'Provenance', 'AuditEvent', 'DetectedIssue']);

export type Merged =
  | { readonly kind: 'moved'; readonly resources: readonly (Patient | Resource)[] }
  | { readonly kind: 'doubt'; readonly reasons: readonly Issue[] };

/** The survivor, the former, and what was moved, as they shall be stored. */
export async function mergeInto(run: Ingest, survivor: Patient, prior: readonly Identifier[]): Promise<Merged> {
  const candidates = await find(run, identifierSearch('Patient', prior));
  const merge = mergePatients(survivor, candidates as unknown as readonly Patient[], prior);
  if (merge.kind === 'doubt') return merge;
  const { former } = merge;
  if (former === undefined) return { kind: 'moved', resources: [merge.survivor] };
  const { context, session } = run;
  const [from, to] = [`Patient/${former.id}`, `Patient/${survivor.id}`];
  const types = [...context.definitions.resourceTypes].filter((type) => !traces.has(type));
  const found = await session.compartment(from, types);
  const record = [...new Map(found.map((one) => [`${one.type}/${one.id}`, one])).values()];
  if (record.length > movedMax) {
    const text = `l’ancien dossier a plus de ${movedMax} ressources`;
    return { kind: 'doubt', reasons: [{ severity: 'error', code: 'too-costly', text, expression: 'MRG-1' }] };
  }
  const moved = record
    .map(({ raw }) => JSON.parse(raw) as Resource)
    .filter((resource) => !isOfBreak(resource))
    .map((resource) => rewriteLinks(context.definitions, resource, (link) => (link === from ? to : link)));
  return { kind: 'moved', resources: [merge.survivor, former, ...moved] };
}

/** What the engine has made of a break. */
function isOfBreak({ resourceType, ...members }: Resource): boolean {
  const codings = (name: string) =>
    [members[name]]
      .flat()
      .flatMap((concept) => (concept as { coding?: { system?: string; code?: string }[] } | undefined)?.coding ?? []);
  if (resourceType === 'Task') return codings('code').some(({ code }) => code === 'repair-break');
  return resourceType === 'Communication' && codings('category').some(({ code }) => code === 'alert');
}
