/**
 * CarePlan/[id]/$document and DetectedIssue/[id]/$document: a summary for the general practitioner, as a FHIR document, or as a PDF
 * with `format=pdf`. What the standard's Composition/$document does for Compositions.
 */
import type { CarePlan, DetectedIssue, Patient, Reference, Task } from 'fhir/r4.js';
import { formatInstant, Problem } from '../base/index.ts';
import {
  documentBundle,
  type Found,
  issuePaper,
  type Paper,
  patientLines,
  planPaper,
  writePdf,
} from '../documents/index.ts';
import { formatLocal, parseJson, type Resource } from '../fhir/index.ts';
import {
  type Answer,
  type Context,
  type Operation,
  readInputs,
  readStored,
  type Request,
  searchResources,
  single,
} from '../interactions/index.ts';
import { readAll } from './load.ts';

export function documentOperations({ zone }: { readonly zone: string }): readonly Operation[] {
  return (['CarePlan', 'DetectedIssue'] as const).map((type) => ({
    name: 'document',
    type,
    level: 'instance',
    methods: ['GET'],
    takesBytes: true,
    documentation: 'A summary for the general practitioner: a FHIR document, or with `format=pdf` a page to read.',
    run: (context, request) => answer(context, request, { type, zone }),
  }));
}

interface Setting {
  readonly type: 'CarePlan' | 'DetectedIssue';
  readonly zone: string;
}

async function answer(context: Context, request: Request, { type, zone }: Setting): Promise<Answer> {
  const format = single(readInputs(request, ['format']), 'format') ?? 'fhir';
  if (format !== 'fhir' && format !== 'pdf') throw new Problem('incorrect', 'the parameter format is fhir or pdf');
  const stored = await readStored(context, { ...request, type });
  const resource = parseJson(stored.raw) as Resource;
  const { paper, found, subject, author } = await (type === 'CarePlan' ? ofPlan : ofIssue)(context, request, resource);
  const nowMs = context.clock.now();
  if (format === 'pdf') {
    const patient = patientLines(found.get(subject.reference ?? '') as unknown as Patient | undefined);
    const day = formatLocal(nowMs, zone).slice(0, 10).split('-').reverse().join('/');
    return {
      status: 200,
      bytes: { contentType: 'application/pdf', content: await writePdf(paper, { patient, day, madeAtMs: nowMs }) },
    };
  }
  const of = `${type}/${stored.id}/${stored.version}`;
  const bundle = documentBundle(paper, found, {
    of,
    subject,
    author,
    baseUrl: context.baseUrl,
    at: formatInstant(nowMs),
  });
  return { status: 200, body: JSON.stringify(bundle) };
}

interface Content {
  readonly paper: Paper;
  readonly found: Found;
  readonly subject: Reference;
  readonly author: Reference | undefined;
}

const linked = /"reference":"([A-Z]\w+\/[A-Za-z0-9\-.]{1,64})"/g;
/** Resources of one summary. */
const resourcesMax = 300;

/** What a resource refers to, then what that refers to, as far as a summary can tell: plan, team, role, person. */
async function gather(
  context: Context,
  { visible }: Request,
  from: Resource,
  rounds: number,
): Promise<Map<string, Resource>> {
  const found = new Map<string, Resource>([[`${from.resourceType}/${from.id}`, from]]);
  let next: readonly Resource[] = [from];
  for (let round = 0; round < rounds && next.length > 0 && found.size < resourcesMax; round++) {
    const links = next.flatMap((one) => [...JSON.stringify(one).matchAll(linked)].map(([, link = '']) => link));
    const wanted = [...new Set(links)].filter((link) => !found.has(link)).slice(0, resourcesMax - found.size);
    const read = await readAll(context, wanted, visible);
    for (const [reference, one] of read) found.set(reference, one);
    next = [...read.values()].filter(
      ({ resourceType }) => resourceType === 'CareTeam' || resourceType === 'PractitionerRole',
    );
  }
  return found;
}

const present = (found: Found, reference: Reference | undefined): Reference | undefined =>
  reference?.reference !== undefined && found.has(reference.reference) ? { reference: reference.reference } : undefined;

async function ofPlan(context: Context, request: Request, resource: Resource): Promise<Content> {
  const plan = resource as unknown as CarePlan;
  const found = await gather(context, request, resource, 3);
  return { paper: planPaper(plan, found), found, subject: plan.subject, author: present(found, plan.author) };
}

async function ofIssue(context: Context, request: Request, resource: Resource): Promise<Content> {
  const issue = resource as unknown as DetectedIssue;
  if (issue.patient === undefined)
    throw new Problem('unprocessable', 'the DetectedIssue names no patient: there is nobody to write about');
  const found = await gather(context, request, resource, 1);
  const parameters = [['focus', `DetectedIssue/${issue.id}`]] as const;
  const { visible } = request;
  const tasks = await searchResources(context, context.store, { type: 'Task', parameters, visible, limit: 20 });
  for (const task of tasks) found.set(`Task/${task.id}`, task);
  const paper = issuePaper(issue, tasks as unknown as readonly Task[], found);
  return { paper, found, subject: issue.patient, author: present(found, issue.author) };
}
