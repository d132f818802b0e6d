/**
 * The thread in which rules are judged that somebody else wrote (isolation.ts). It has no database, no environment and no
 * clock: what it is to judge comes in a message. Before each evaluation it writes down which rule it is at.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadDefinitions, type Resource } from '../fhir/index.ts';
import { readRuleSet, type Rule, type RuleSet } from '../rules/index.ts';
import { createSearchContext } from '../search/index.ts';
import { runFixtures } from './fixtures.ts';
import type { FixtureTask, JudgeTask, SentRuleSet, ThreadData, ThreadReply, ThreadTask } from './isolation.ts';
import { judgeHere } from './judge-record.ts';
import type { PatientRecord } from './record.ts';
import { replayTask } from './replay-task.ts';
import { bindBook } from './rule-book.ts';
import { createQueryCheck, createSelect } from './select.ts';
import { createPlaces } from './sites.ts';

const { zone, baseUrl, progress } = workerData as ThreadData;
const counters = new Int32Array(progress);
const definitions = loadDefinitions();
const search = createSearchContext({ definitions, zone, baseUrl });
const select = createSelect(search);
const places = createPlaces(zone);
const setting = { definitions, checkQuery: createQueryCheck(search) };

const ruleSetsMax = 50;
const compiled = new Map<string, RuleSet>();
let customText = '[]';

/** Which rule is evaluated now; -1: none. */
function note(at: number): void {
  Atomics.store(counters, 1, at);
  Atomics.add(counters, 0, 1);
}

function ruleSetOf(text: string): RuleSet {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const reading = readRuleSet(JSON.parse(text) as Resource, setting);
  if (reading.kind === 'faults') throw new Error('a rule set that was read before cannot be read');
  if (compiled.size >= ruleSetsMax) compiled.clear();
  compiled.set(text, reading.ruleSet);
  note(-1);
  return reading.ruleSet;
}

function sentRuleSet({ text, codes }: SentRuleSet): RuleSet {
  const ruleSet = ruleSetOf(text);
  return { ...ruleSet, rules: ruleSet.rules.filter(({ code }) => codes.includes(code)) };
}

function defineParameters(custom: ThreadTask['custom']): void {
  const text = JSON.stringify(custom);
  if (text === customText) return;
  search.parameters.define(custom);
  compiled.clear();
  customText = text;
}

function watchOver(ruleSets: readonly RuleSet[]): (rule: Rule) => void {
  const positions = new Map(ruleSets.flatMap(({ rules }) => rules).map((rule, at) => [rule, at]));
  return (rule) => note(positions.get(rule) ?? -1);
}

async function judgeAll(task: JudgeTask): Promise<ThreadReply> {
  const ruleSets = task.ruleSets.map(sentRuleSet);
  const former = task.former.map(sentRuleSet);
  const all = [...ruleSets, ...former].flatMap(({ rules }) => rules);
  const without = new Set(task.without.flatMap((at) => all[at] ?? []));
  const isHere = ({ canonical }: RuleSet): boolean => !task.elsewhere.includes(canonical);
  const known = new Map(task.known.map((one) => [`${one.rule} ${one.focus}`, one]));
  const { nowMs, overrides, histories } = task;
  const history = (type: string, id: string) => Promise.resolve(histories[`${type}/${id}`] ?? []);
  const judged = await judgeHere(
    { history },
    {
      ...{ record: recordOf(task.record), select, places, nowMs, overrides, isHere },
      ...{ ruleSets, former, without },
      known: (rule, focusKey) => known.get(`${rule.code} ${focusKey}`),
      begins: watchOver([...ruleSets, ...former]),
    },
  );
  const told = judged.map(({ ruleSet, rule, focusKey, facts, result }) => {
    const { canonical } = ruleSet;
    return { canonical, rule: rule.code, focusType: rule.focusType, focusKey, since: facts.since, result };
  });
  return { kind: 'judged', told };
}

function recordOf({ reference, resources, professionals }: JudgeTask['record']): PatientRecord {
  const byType = new Map<string, Resource[]>();
  for (const resource of resources) {
    const group = byType.get(resource.resourceType) ?? [];
    byType.set(resource.resourceType, group);
    group.push(resource);
  }
  const patient = byType.get('Patient')?.find(({ id }) => `Patient/${id ?? ''}` === reference);
  return { reference, patient, byType, professionals };
}

function tryAll({ ruleSet: text, fixtures }: FixtureTask): ThreadReply {
  const ruleSet = ruleSetOf(text);
  const outcomes = runFixtures(ruleSet, fixtures, { select, places, begins: watchOver([ruleSet]) });
  return { kind: 'tried', outcomes: outcomes.map(({ fixture: _fixture, ...outcome }) => outcome) };
}

async function run(task: ThreadTask): Promise<ThreadReply> {
  defineParameters(task.custom);
  switch (task.kind) {
    case 'judge':
      return judgeAll(task);
    case 'fixtures':
      return tryAll(task);
    case 'replay': {
      const ruleSet = ruleSetOf(task.ruleSet);
      const setting = { select, places, book: bindBook([{ ruleSet }], task.overrides), begins: watchOver([ruleSet]) };
      return { kind: 'replayed', answer: await replayTask(task, setting) };
    }
  }
}

parentPort?.on('message', (task: ThreadTask) => {
  note(-1);
  run(task).then(
    (reply) => {
      note(-1);
      parentPort?.postMessage(reply);
    },
    () => parentPort?.postMessage({ kind: 'failed' } satisfies ThreadReply),
  );
});
