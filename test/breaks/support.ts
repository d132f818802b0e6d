/** The shipped rules over one patient's record in memory: write, let time pass, read what opened and closed. */
import { readdirSync, readFileSync } from 'node:fs';
import { createReplay, type Replay } from '../../src/breaks/replay.ts';
import { isOwnAlert, readBreak } from '../../src/breaks/resources.ts';
import { bindBook, type RuleBook } from '../../src/breaks/rule-book.ts';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { formatLocal, loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';

export const dayMs = 24 * 3_600_000;

const folder = new URL('../../profiles/rules/', import.meta.url);
const definitions = loadDefinitions();
const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://test/fhir' });
const shipped = readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Resource);
const select = createSelect(search);
const usual = bookOf(shipped);

export function bookOf(ruleSets: readonly Resource[]): RuleBook {
  return bindBook(
    ruleSets.map((resource) => {
      const reading = readRuleSet(resource, { definitions, checkQuery: createQueryCheck(search) });
      if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
      return { reference: `PlanDefinition/${resource.id ?? ''}`, ruleSet: reading.ruleSet };
    }),
  );
}

/** Another time for a shipped rule: parts of its deadline, as the extension has them. */
export interface Retimed {
  readonly rule: string;
  readonly calendar?: string;
  readonly delay?: { readonly value: number; readonly code: string };
  /** FHIRPath. */
  readonly anchor?: string;
}

interface Part {
  readonly url: string;
  readonly extension?: readonly Part[];
  readonly [value: string]: unknown;
}

function retimed({ rule, calendar, delay, anchor }: Retimed): RuleBook {
  const system = 'http://unitsofmeasure.org';
  const parts: Part[] = [
    ...(calendar === undefined ? [] : [{ url: 'calendar', valueCode: calendar }]),
    ...(delay === undefined ? [] : [{ url: 'delay', valueDuration: { ...delay, unit: delay.code, system } }]),
    ...(anchor === undefined
      ? []
      : [{ url: 'anchor', valueExpression: { language: 'text/fhirpath', expression: anchor } }]),
  ];
  const changed = new Set(['notice', ...parts.map(({ url }) => url)]);
  const change = (extension: Part): Part => ({
    ...extension,
    extension: [...(extension.extension ?? []).filter(({ url }) => !changed.has(url)), ...parts],
  });
  return bookOf(
    shipped.map((resource) => ({
      ...resource,
      action: (resource['action'] as readonly { id: string; extension: readonly Part[] }[]).map((action) =>
        action.id === rule ? { ...action, extension: action.extension.map(change) } : action,
      ),
    })),
  );
}

/** `patient` is a reference, `Patient/id`. */
export function replayOf(patient: string, change?: Retimed | RuleBook): Replay {
  return createReplay({
    book: change === undefined ? usual : 'ruleSets' in change ? change : retimed(change),
    select,
    places: createPlaces('Europe/Paris'),
    lateKnowledgeMs: 30 * dayMs,
    proofAwaitedMs: dayMs,
    patient,
  });
}

/** A story of one patient, `Patient/p1`, told by its instants. */
export interface Story {
  /** Written at that instant, time having passed up to it. */
  at(instant: string, ...resources: readonly Resource[]): Promise<void>;
  delete(instant: string, reference: string): Promise<void>;
  /** What became of the breaks of a rule: `2026-03-13T00:00:00+01:00 open`, in local time of the zone. */
  moves(rule: string, zone?: string): readonly string[];
  /** How many alerts called somebody about a break of the rule. */
  calls(rule: string): number;
  readonly errors: () => readonly string[];
  /** The DetectedIssues of a rule, the last version of each. */
  issues(rule: string): readonly Resource[];
}

export function startStory(change?: Retimed | RuleBook): Story {
  const replay = replayOf('Patient/p1', change);
  const move = async (instant: string): Promise<number> => {
    const atMs = Date.parse(instant);
    await replay.advanceTo(atMs);
    return atMs;
  };
  return {
    async at(instant, ...resources) {
      const atMs = await move(instant);
      if (resources.length > 0)
        await replay.write(
          resources.map((resource) => ({ resource })),
          atMs,
        );
    },
    delete: async (instant, reference) => replay.write([{ deleted: reference }], await move(instant)),
    moves: (rule, zone = 'Europe/Paris') =>
      replay.moves
        .filter((one) => one.rule === rule)
        .map(({ atMs, to, reason }) => [formatLocal(atMs, zone), to, reason].filter(Boolean).join(' ')),
    calls: (rule) => {
      const issues = new Set(issuesOf(replay, rule).map(({ id = '' }) => `DetectedIssue/${id}`));
      const about = (one: Resource) => (one['about'] ?? []) as readonly { reference: string }[];
      return replay
        .resources()
        .filter(isOwnAlert)
        .filter((one) => about(one).some(({ reference }) => issues.has(reference))).length;
    },
    errors: () => [...replay.errors.keys()],
    issues: (rule) => issuesOf(replay, rule),
  };
}

function issuesOf(replay: Replay, rule: string): readonly Resource[] {
  return replay.resources().filter((resource) => readBreak(resource)?.rule === rule);
}
