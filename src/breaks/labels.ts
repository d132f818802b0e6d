/**
 * Labels of what the engine writes: a break, its Tasks, its alerts and what tells of its moves carry every label of what was looked at, and keep those that they have
 * (a high-water mark). What is computed from a masked document is as masked as the document. Pure.
 */
import type { Resource } from '../fhir/index.ts';
import type { Judged } from './judge-patient.ts';
import type { PatientRecord } from './record.ts';
import { breakKey, readBreak, type Reference } from './resources.ts';

interface Label {
  readonly system?: string;
  readonly code?: string;
}

/** What is written, with its labels; and what is there and lacks some, though nothing else of it changes. */
export function labelDerived(
  record: PatientRecord,
  judged: readonly Judged[],
  written: readonly Resource[],
): readonly Resource[] {
  const looked = new Map(
    judged.map((one) => [breakKey(one.rule.code, record.reference, one.focusKey), labelsLookedAt(one)]),
  );
  const carried = written.map((one) => keepLabels(one, record));
  const isPlain = (record.byType.get('DetectedIssue') ?? []).every((issue) => labelsOf(issue).length === 0);
  if (isPlain && [...looked.values()].every((labels) => labels.length === 0)) return carried;
  const kept = unwritten(record, written);
  const issues = [...carried, ...kept].filter(({ resourceType }) => resourceType === 'DetectedIssue');
  const byIssue = new Map<string, readonly Label[]>(
    issues.map((issue) => {
      const key = readBreak(issue)?.key ?? '';
      return [`DetectedIssue/${issue.id ?? ''}`, [...labelsOf(issue), ...(looked.get(key) ?? [])]] as const;
    }),
  );
  const label = (one: Resource): Resource =>
    withLabels(
      one,
      aboutOf(one).flatMap((issue) => byIssue.get(issue) ?? []),
    );
  const changed = kept.map((one) => [one, label(one)] as const).filter(([before, after]) => before !== after);
  return [...carried.map(label), ...changed.map(([, after]) => after)];
}

/** The focus, the plan, and all that the inputs of the rule found. */
function labelsLookedAt({ focus, facts, result }: Judged): readonly Label[] {
  if (result.kind !== 'judgment') return labelsOf(focus);
  const inputs = Object.values(facts.inputs).flat();
  return [focus, ...inputs, ...(facts.plan === undefined ? [] : [facts.plan])].flatMap(labelsOf);
}

function labelsOf(resource: Resource): readonly Label[] {
  const own = (resource.meta?.['security'] ?? []) as readonly Label[];
  if (resource.resourceType === 'Consent') return own;
  const concepts = (resource['securityLabel'] ?? []) as readonly { readonly coding?: readonly Label[] }[];
  const level = resource.resourceType === 'Composition' ? resource['confidentiality'] : undefined;
  const ofComposition = typeof level === 'string' ? [{ system: confidentiality, code: level }] : [];
  return [...own, ...concepts.flatMap(({ coding = [] }) => coding), ...ofComposition];
}

const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

/** The breaks, Tasks and alerts of the record that this run does not write. */
function unwritten(record: PatientRecord, written: readonly Resource[]): readonly Resource[] {
  const ids = new Set(written.map(({ resourceType, id }) => `${resourceType}/${id ?? ''}`));
  const issues = (record.byType.get('DetectedIssue') ?? []).filter((one) => readBreak(one) !== undefined);
  const others = ['Task', 'Communication'].flatMap((type) => record.byType.get(type) ?? []);
  return [...issues, ...others].filter(({ resourceType, id }) => !ids.has(`${resourceType}/${id ?? ''}`));
}

/** The DetectedIssues that it is, or is about. */
function aboutOf(resource: Resource): readonly string[] {
  const about = (resource['about'] ?? []) as readonly Reference[];
  const focus = resource['focus'] as Reference | undefined;
  const targets = resource.resourceType === 'Provenance' ? ((resource['target'] ?? []) as readonly Reference[]) : [];
  return [
    `${resource.resourceType}/${resource.id ?? ''}`,
    ...[...about, ...(resource.resourceType === 'Task' ? [focus] : [])].map((one) => one?.reference ?? ''),
    ...targets.map(({ reference }) => (reference ?? '').replace(/\/_history\/.*$/, '')),
  ];
}

function keepLabels(resource: Resource, record: PatientRecord): Resource {
  const former = record.byType.get(resource.resourceType)?.find(({ id }) => id === resource.id);
  return former === undefined ? resource : withLabels(resource, labelsOf(former));
}

function withLabels(resource: Resource, labels: readonly Label[]): Resource {
  const own = (resource.meta?.['security'] ?? []) as readonly Label[];
  const name = ({ system = '', code = '' }: Label) => `${system}|${code}`;
  const all = new Map([...own, ...labels].map((label) => [name(label), label]));
  if (all.size === own.length) return resource;
  return { ...resource, meta: { ...resource.meta, security: [...all.values()] } };
}
