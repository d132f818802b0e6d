/** Short ways to look at what the server says of a patient's breaks. */
import type { Communication, DetectedIssue, Parameters, ParametersParameter, Task } from 'fhir/r4.js';
import { ruleSystem, suture } from '../support/builders.ts';
import type { Client } from '../support/client.ts';

export interface JudgmentView {
  readonly rule: string;
  readonly focus: string;
  readonly state: string;
  readonly dueAt?: string;
  readonly metAt?: string;
  readonly issue?: string;
  readonly reason?: string;
}

/** `$breaks`, one line for each rule and focus. */
export async function judgments(client: Client, patientId: string, at?: string): Promise<readonly JudgmentView[]> {
  const query = at === undefined ? '' : `?at=${encodeURIComponent(at)}`;
  const { parameter = [] } = await client.read<Parameters>(`Patient/${patientId}/$breaks${query}`);
  return parameter.filter(({ name }) => name === 'judgment').map((one) => viewOf(one.part ?? []));
}

function viewOf(parts: readonly ParametersParameter[]): JudgmentView {
  const value = ({ valueCode, valueReference, valueDateTime, valueString }: ParametersParameter) =>
    valueCode ?? valueReference?.reference ?? valueDateTime ?? valueString;
  return Object.fromEntries(parts.map((part) => [part.name, value(part)])) as unknown as JudgmentView;
}

/** The judgment of one rule; fails when there is not exactly one. */
export async function judgment(client: Client, patientId: string, rule: string, at?: string): Promise<JudgmentView> {
  const found = (await judgments(client, patientId, at)).filter((one) => one.rule === rule);
  if (found.length !== 1) throw new Error(`${found.length} judgments of ${rule}`);
  return found[0] as JudgmentView;
}

export interface BreakView {
  readonly issue: DetectedIssue;
  readonly state: string | undefined;
  readonly reason: string | undefined;
  readonly due: string | undefined;
  readonly tasks: readonly Task[];
  readonly alerts: readonly Communication[];
}

/** All breaks of a rule with their Tasks and alerts. */
export async function breaks(client: Client, patientId: string, rule: string): Promise<readonly BreakView[]> {
  const issues = await client.search<DetectedIssue>(
    `DetectedIssue?patient=Patient/${patientId}&code=${ruleSystem}|${rule}&_count=100`,
  );
  return Promise.all(
    issues.map(async (issue) => ({
      issue,
      state: extension(issue, 'break-state')?.valueCode,
      reason: extension(issue, 'break-reason')?.valueCode,
      due: extension(issue, 'break-due')?.valueDateTime,
      tasks: await client.search<Task>(`Task?focus=DetectedIssue/${issue.id}`),
      alerts: (await client.search<Communication>(`Communication?subject=Patient/${patientId}&_count=100`)).filter(
        ({ about = [] }) => about.some(({ reference }) => reference === `DetectedIssue/${issue.id}`),
      ),
    })),
  );
}

/** The one break of a rule; fails when there is none, or several. */
export async function theBreak(client: Client, patientId: string, rule: string): Promise<BreakView> {
  const found = await breaks(client, patientId, rule);
  if (found.length !== 1) throw new Error(`${found.length} DetectedIssues of ${rule}`);
  return found[0] as BreakView;
}

export function extension(issue: DetectedIssue, name: string) {
  return issue.extension?.find(({ url }) => url === `${suture}/StructureDefinition/${name}`);
}

/** How many current resources of each type there are. */
export async function counts(client: Client, types: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const pairs = types.map(async (type) => [type, (await client.get(`${type}?_summary=count`)).json.total as number]);
  return Object.fromEntries(await Promise.all(pairs)) as Record<string, number>;
}
