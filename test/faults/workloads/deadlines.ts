/**
 * Requests that fall due while faults happen, by a rule of our own: half of them are answered or called off in time. Each that was
 * not makes one break, found once, and a subscriber hears of it once.
 */
import { type Break, checkDeadlines, type Deadline } from '../checks/deadlines.ts';
import { expectDone, type Ground, readAll, type Resource, searchAll, type Workload } from './workload.ts';

const suture = 'https://suture.example/fhir';
const rule = 'FAULT-1';
const hourMs = 3_600_000;
/** What is answered with less time left than this may be judged either way. */
const marginMs = 5_000;

interface Planned extends Deadline {
  readonly dueMs: number;
}

export interface Deadlines extends Workload {
  /** Each version with which a break of theirs opened, or opened again: `DetectedIssue/id/_history/version`. */
  opened(): Promise<readonly string[]>;
}

/** `toleranceMs`: how much a server's clock may run ahead. */
export function createDeadlines({ ask, chance, any, now }: Ground, toleranceMs: () => number): Deadlines {
  const deadlines = new Map<string, Planned>();
  let count = 0;

  async function put(id: string, status: string, dueMs: number) {
    return ask('PUT', `${any()}/ServiceRequest/${id}`, { body: request(id, status, dueMs - hourMs) });
  }

  async function create(): Promise<void> {
    const id = `due-${++count}`;
    const dueMs = now() + chance.whole(2_000, 25_000);
    const { result } = await put(id, 'active', dueMs);
    deadlines.set(id, { id, dueMs, fate: result === 'done' ? 'unanswered' : 'unknown' });
  }

  /** Half of what has time left is answered or called off. */
  async function answer(): Promise<void> {
    const open = [...deadlines.values()].filter(
      ({ dueMs, fate, id }) => fate === 'unanswered' && dueMs - now() > marginMs && Number(id.slice(4)) % 2 === 0,
    );
    const chosen = open[chance.whole(0, Math.max(0, open.length - 1))];
    if (chosen === undefined) return;
    const fate = chance.next() < 0.5 ? 'answered' : 'called-off';
    // As long as the answer is under way nobody can say.
    deadlines.set(chosen.id, { ...chosen, fate: 'unknown' });
    const { result } = await put(chosen.id, fate === 'answered' ? 'completed' : 'revoked', chosen.dueMs);
    if (result === 'done' && now() < chosen.dueMs) deadlines.set(chosen.id, { ...chosen, fate });
  }

  async function breaks(): Promise<readonly (Break & { readonly id: string })[]> {
    const found = await searchAll(
      ask,
      `${any()}/DetectedIssue?code=${suture}/CodeSystem/break-rule|${rule}&_count=500`,
    );
    return found.map((issue) => {
      const key = (issue['identifier'] as readonly { readonly value: string }[])[0]?.value ?? '';
      return {
        id: issue.id,
        focus: key.slice(key.lastIndexOf('/') + 1),
        state: stateOf(issue),
        identifiedMs: Date.parse(String(issue['identifiedDateTime'])),
      };
    });
  }

  async function openings(id: string): Promise<readonly string[]> {
    const entries = await readAll(ask, `${any()}/DetectedIssue/${id}/_history?_count=100`);
    const versions = entries.flatMap(({ resource }) => (resource === undefined ? [] : [resource])).reverse();
    return versions
      .filter((one, index) => stateOf(one) === 'open' && stateOf(versions[index - 1]) !== 'open')
      .map(({ meta }) => `DetectedIssue/${id}/_history/${meta.versionId}`);
  }

  return {
    name: 'deadlines',
    async opened() {
      // One after the other: hundreds at once are more than a server takes (`inFlightMax`), and it says so rightly.
      const versions: string[] = [];
      for (const { id } of await breaks()) versions.push(...(await openings(id)));
      return versions;
    },
    async prepare() {
      await expectDone(ask('PUT', `${any()}/Patient/faults`, { body: { resourceType: 'Patient', id: 'faults' } }));
      await expectDone(ask('PUT', `${any()}/PlanDefinition/faults`, { body: ruleSet() }));
    },
    step: () => (chance.next() < 0.6 ? create() : answer()),
    async verify() {
      const found = checkDeadlines([...deadlines.values()], await breaks(), {
        nowMs: now() - marginMs,
        toleranceMs: toleranceMs(),
      });
      return found.map((line) => `deadline: ${line}`);
    },
    count: () => `${deadlines.size} deadlines`,
  };
}

function stateOf(issue: Resource | undefined): string {
  const extensions = (issue?.['extension'] ?? []) as readonly { readonly url: string; readonly valueCode?: string }[];
  return extensions.find(({ url }) => url.endsWith('/break-state'))?.valueCode ?? '';
}

function request(id: string, status: string, authoredMs: number): object {
  return {
    resourceType: 'ServiceRequest',
    id,
    status,
    intent: 'order',
    subject: { reference: 'Patient/faults' },
    authoredOn: new Date(authoredMs).toISOString(),
  };
}

/** Rules that each fill the memory of whoever judges them (P5), for the same requests. */
export function hostileRules(): { readonly id: string; readonly [member: string]: unknown } {
  const filling = Array.from({ length: 5 }, () => `.replace('', '${'x'.repeat(28)}')`).join('');
  const rules = ['HOSTILE-1', 'HOSTILE-2'].map((code) => ({
    id: code,
    prefix: code,
    title: 'Règle hostile',
    priority: 'routine',
    code: [{ coding: [{ system: `${suture}/CodeSystem/break-rule`, code }] }],
    trigger: [{ type: 'data-changed', data: [{ type: 'ServiceRequest' }] }],
    condition: [
      { kind: 'start', expression: { language: 'text/fhirpath', expression: `status${filling}.length() < 0` } },
      { kind: 'stop', expression: { language: 'text/fhirpath', expression: 'false' } },
    ],
  }));
  return {
    ...ruleSet(),
    id: 'hostile',
    url: 'https://hopital.example/fhir/PlanDefinition/hostile',
    action: rules,
  };
}

/** Every request is to be completed within the hour. */
function ruleSet(): object {
  const expression = (text: string) => ({ language: 'text/fhirpath', expression: text });
  const deadline = [
    { url: 'anchor', valueExpression: expression('authoredOn') },
    { url: 'delay', valueDuration: { value: 1, unit: 'heure', system: 'http://unitsofmeasure.org', code: 'h' } },
    { url: 'calendar', valueCode: 'hours' },
  ];
  return {
    resourceType: 'PlanDefinition',
    id: 'faults',
    url: 'https://hopital.example/fhir/PlanDefinition/faults',
    version: '1.0.0',
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
    action: [
      {
        id: rule,
        prefix: rule,
        extension: [{ url: `${suture}/StructureDefinition/rule-deadline`, extension: deadline }],
        title: 'Demande sans réponse',
        priority: 'routine',
        code: [{ coding: [{ system: `${suture}/CodeSystem/break-rule`, code: rule }] }],
        trigger: [{ type: 'data-changed', data: [{ type: 'ServiceRequest' }] }],
        condition: [
          { kind: 'start', expression: expression("status in ('active' | 'completed')") },
          { kind: 'stop', expression: expression("status = 'completed'") },
        ],
      },
    ],
  };
}
