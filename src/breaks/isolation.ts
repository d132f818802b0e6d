/**
 * Where rules are judged that somebody else wrote: a thread of its own, with a limit of memory and a deadline for each
 * evaluation (one rule on one focus), so that a hostile or clumsy expression harms nothing but itself. One message holds
 * one patient: record, rule sets, what was known; the answer holds the judgments (isolation-thread.ts).
 *
 * The thread counts its evaluations in shared memory. When the count stands still for too long, or the memory is used up,
 * the thread is ended, the rule at which it stood gets an error, and the others are judged again in a new thread. A rule
 * that does so again and again is suspended for a while: it answers an error without being asked.
 */
import { Worker } from 'node:worker_threads';
import { isolationLimits, type Log, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { elementKeys, focusKeyOf, type Fixture, type Rule, type RuleSet } from '../rules/index.ts';
import type { CustomParameter } from '../search/index.ts';
import { everything, type Session, type StoredVersion } from '../store/index.ts';
import type { FixtureOutcome } from './fixtures.ts';
import type { ToldJudgment } from './judge-patient.ts';
import { type JudgeRecord, timedFoci } from './judge-record.ts';
import { createOverruns, type Overruns } from './overruns.ts';
import { basicTypes, type PatientRecord } from './record.ts';
import type { ReplayAnswer, ReplayTask } from './replay-task.ts';
import type { Places } from './sites.ts';

export interface IsolationLimits {
  /** One rule on one focus, in ms. */
  readonly evaluationMs: number;
  /** Whatever else the thread does between two evaluations: reading a message, compiling rules. */
  readonly elsewhereMs: number;
  readonly heapMb: number;
}

const watchMs = 20;
const historyMax = 200;

export interface Isolation {
  /** The judgments of the rule sets of the book that are not of this server. */
  judge(asked: JudgeRecord, session: Pick<Session, 'history'>): Promise<readonly ToldJudgment[]>;
  /** What the fixtures of a rule set find; a text instead when one of its rules could not be run to its end. */
  tryFixtures(
    ruleSet: RuleSet,
    text: string,
    fixtures: readonly Fixture[],
  ): Promise<readonly FixtureOutcome[] | string>;
  /** One patient's history, judged from change to change; a text instead when a rule could not be run to its end. */
  replay(ruleSet: RuleSet, task: Omit<ReplayTask, 'custom'>): Promise<ReplayAnswer | string>;
  stop(): Promise<void>;
}

export interface IsolationInput {
  /** Of the server: days of the rules, full URLs in references. */
  readonly zone: string;
  readonly baseUrl: string;
  readonly places: Places;
  /** Search parameters that people added: queries of rules may use them. */
  readonly custom: () => readonly CustomParameter[];
  readonly log: Log;
  readonly limits?: IsolationLimits;
}

/** What the thread is started with. */
export interface ThreadData {
  readonly zone: string;
  readonly baseUrl: string;
  readonly progress: SharedArrayBuffer;
}

/** The text of a rule set, and which of its rules count (rule-book.ts). */
export interface SentRuleSet {
  readonly text: string;
  readonly codes: readonly string[];
}

export interface JudgeTask {
  readonly kind: 'judge';
  readonly custom: readonly CustomParameter[];
  /** The rule sets to judge by, and the replaced ones. */
  readonly ruleSets: readonly SentRuleSet[];
  readonly former: readonly SentRuleSet[];
  /** Canonicals of those that are judged elsewhere: of the replaced ones, those of this server. */
  readonly elsewhere: readonly string[];
  /** Positions of rules that are left out. */
  readonly without: readonly number[];
  readonly record: { readonly resources: readonly Resource[] } & Pick<PatientRecord, 'reference' | 'professionals'>;
  readonly known: JudgeRecord['known'];
  readonly overrides: JudgeRecord['book']['overrides'];
  readonly nowMs: number;
  readonly histories: Readonly<Record<string, readonly StoredVersion[]>>;
}

export interface FixtureTask {
  readonly kind: 'fixtures';
  readonly custom: readonly CustomParameter[];
  readonly ruleSet: string;
  readonly fixtures: readonly Fixture[];
}

export type ThreadTask = JudgeTask | FixtureTask | ReplayTask;

/** What the thread says when it is done. */
export type ThreadReply =
  | { readonly kind: 'judged'; readonly told: readonly ToldJudgment[] }
  | { readonly kind: 'tried'; readonly outcomes: readonly Omit<FixtureOutcome, 'fixture'>[] }
  | { readonly kind: 'replayed'; readonly answer: ReplayAnswer }
  | { readonly kind: 'failed' };

/** It did not come to its end: where it stood, -1 between evaluations. */
interface Overrun {
  readonly kind: 'overrun';
  readonly at: number;
  readonly why: string;
}

export function createIsolation(input: IsolationInput): Isolation {
  const limits = input.limits ?? isolationLimits;
  const thread = createThread(input, limits);
  const overruns = createOverruns(input.log);
  return {
    judge: (asked, session) => judgeIsolated({ ...input, thread, overruns }, asked, session),
    async tryFixtures(ruleSet, text, fixtures) {
      const task: FixtureTask = { kind: 'fixtures', custom: input.custom(), ruleSet: text, fixtures };
      const reply = await thread.ask(task);
      if (reply.kind === 'overrun') return faultText(ruleSet.rules[reply.at], reply.why);
      if (reply.kind !== 'tried') throw unexpected();
      return reply.outcomes.flatMap((outcome, index) => {
        const fixture = fixtures[index];
        return fixture === undefined ? [] : [{ ...outcome, fixture }];
      });
    },
    async replay(ruleSet, task) {
      const reply = await thread.ask({ ...task, custom: input.custom() });
      if (reply.kind === 'overrun') return faultText(ruleSet.rules[reply.at], reply.why);
      if (reply.kind !== 'replayed') throw unexpected();
      return reply.answer;
    },
    stop: () => thread.stop(),
  };
}

function faultText(rule: Rule | undefined, why: string): string {
  return rule === undefined ? why : `${rule.code}: ${why}`;
}

function unexpected(): Problem {
  return new Problem('fault', 'the thread of rules answered something else');
}

interface Isolated extends Pick<IsolationInput, 'custom' | 'places' | 'log'> {
  readonly thread: Thread;
  readonly overruns: Overruns;
}

async function judgeIsolated(
  input: Isolated,
  asked: JudgeRecord,
  session: Pick<Session, 'history'>,
): Promise<readonly ToldJudgment[]> {
  const { book } = asked;
  const sets = [...book.ruleSets.filter((one) => book.outside.has(one)), ...book.former];
  const rules = sets.flatMap((ruleSet) => ruleSet.rules.map((rule) => ({ rule, ruleSet })));
  const own = rules.filter(({ rule, ruleSet }) => book.outside.has(ruleSet) && asked.record.byType.has(rule.focusType));
  if (own.length === 0) return [];
  const task = await judgeTask(input, asked, session);
  const faults = new Map(
    own.flatMap((one) => {
      const why = input.overruns.suspension(one.ruleSet, one.rule);
      return why === undefined ? [] : [[rules.indexOf(one), why] as const];
    }),
  );
  // Each turn leaves out one rule more.
  for (;;) {
    const reply = await input.thread.ask({ ...task, without: [...faults.keys()] });
    if (reply.kind === 'judged') {
      const passed = own.filter((one) => !faults.has(rules.indexOf(one)));
      for (const one of passed) input.overruns.passed(one.ruleSet, one.rule);
      return [...reply.told, ...[...faults].flatMap(([at, why]) => failedJudgments(input, asked, rules[at], why))];
    }
    const at = reply.kind === 'overrun' ? reply.at : -1;
    const why = reply.kind === 'overrun' ? reply.why : 'the evaluation failed';
    const culprit = faults.has(at) ? undefined : rules[at];
    if (culprit === undefined) {
      // It is none of the rules: then all of them wait, and those of this server go on.
      input.log.error({ component: 'rules', reason: why }, 'the thread for the rules of others does not work');
      return own.flatMap((one) => failedJudgments(input, asked, one, why));
    }
    input.overruns.failed(culprit.ruleSet, culprit.rule);
    faults.set(at, why);
  }
}

async function judgeTask(
  { custom }: Isolated,
  { record, book, known, nowMs }: JudgeRecord,
  session: Pick<Session, 'history'>,
): Promise<Omit<JudgeTask, 'without'>> {
  const outside = book.ruleSets.filter((one) => book.outside.has(one));
  const sets = [...outside, ...book.former];
  const types = new Set([...basicTypes, ...sets.flatMap(({ rules }) => rules.flatMap((rule) => [...rule.wakes]))]);
  const sent = (ruleSet: RuleSet): SentRuleSet => ({
    text: book.texts.get(ruleSet) ?? '',
    codes: [...new Set(ruleSet.rules.map(({ code }) => code))],
  });
  return {
    kind: 'judge',
    custom: custom(),
    ruleSets: outside.map(sent),
    former: book.former.map(sent),
    elsewhere: book.former.filter((one) => !book.outside.has(one)).map(({ canonical }) => canonical),
    record: {
      reference: record.reference,
      resources: [...record.byType].flatMap(([type, resources]) => (types.has(type) ? resources : [])),
      professionals: record.professionals,
    },
    known,
    overrides: book.overrides,
    nowMs,
    histories: await readHistories(session, { record, book, known, nowMs }),
  };
}

/** Former versions of the foci of which a rule asks since when it holds (since.ts). */
async function readHistories(
  session: Pick<Session, 'history'>,
  { record, book }: JudgeRecord,
): Promise<JudgeTask['histories']> {
  const isHere = (ruleSet: RuleSet): boolean => book.outside.has(ruleSet);
  const foci = timedFoci({ ruleSets: book.ruleSets, former: book.former, isHere, record });
  const changed = new Set(foci.filter(({ focus }) => Number(focus.meta?.versionId ?? 1) > 1).map(({ focus }) => focus));
  const histories: Record<string, readonly StoredVersion[]> = {};
  for (const { resourceType, id = '' } of changed)
    histories[`${resourceType}/${id}`] = await session.history(resourceType, id, { limit: historyMax }, everything);
  return histories;
}

/** Its break stays as it is, the error is counted, and it is tried again: as with an expression that fails. */
function failedJudgments(
  { places }: Isolated,
  { record, nowMs }: JudgeRecord,
  of: { readonly rule: Rule; readonly ruleSet: RuleSet } | undefined,
  message: string,
): readonly ToldJudgment[] {
  if (of === undefined) return [];
  const { rule, ruleSet } = of;
  return (record.byType.get(rule.focusType) ?? []).flatMap((focus) =>
    elementKeys(rule, { focus, nowMs, place: places.of(record, focus) }).map((elementKey) => ({
      canonical: ruleSet.canonical,
      rule: rule.code,
      focusType: rule.focusType,
      focusKey: focusKeyOf(focus, elementKey),
      since: undefined,
      result: { kind: 'error', expression: 'limits', message, trace: [] } as const,
    })),
  );
}

interface Thread {
  /** One after the other. */
  ask(task: ThreadTask): Promise<ThreadReply | Overrun>;
  stop(): Promise<void>;
}

function createThread({ zone, baseUrl }: IsolationInput, limits: IsolationLimits): Thread {
  let running: Running | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function begin(): Running {
    const begun = startThread({ zone, baseUrl }, limits);
    running = begun;
    begun.worker.once('exit', () => {
      if (running === begun) running = undefined;
    });
    return begun;
  }

  async function askNow(task: ThreadTask): Promise<ThreadReply | Overrun> {
    const mine = running ?? begin();
    const reply = await waitFor(mine, task, limits);
    if (reply.kind === 'overrun') {
      running = undefined;
      await mine.worker.terminate();
    }
    return reply;
  }

  return {
    ask(task) {
      const reply = last.then(() => askNow(task));
      last = reply.catch(() => undefined);
      return reply;
    },
    async stop() {
      await last;
      await running?.worker.terminate();
      running = undefined;
    },
  };
}

interface Running {
  readonly worker: Worker;
  /** How many evaluations have begun, and which rule runs (-1: none). */
  readonly progress: Int32Array;
}

/** The compiled file: a thread cannot run TypeScript. */
const entry = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/breaks/isolation-thread.js' : './isolation-thread.js',
  import.meta.url,
);

function startThread(setting: Omit<ThreadData, 'progress'>, { heapMb }: IsolationLimits): Running {
  const progress = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  const workerData: ThreadData = { ...setting, progress };
  const worker = new Worker(entry, {
    workerData,
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  worker.unref();
  // What comes from a thread that is being ended is nobody's.
  worker.on('error', () => undefined);
  const counters = new Int32Array(progress);
  Atomics.store(counters, 1, -1);
  return { worker, progress: counters };
}

function waitFor(
  { worker, progress }: Running,
  task: ThreadTask,
  limits: IsolationLimits,
): Promise<ThreadReply | Overrun> {
  return new Promise((resolve) => {
    const at = (): number => Atomics.load(progress, 1);
    let seen = -1;
    let sinceMs = performance.now();
    const watch = setInterval(() => {
      const count = Atomics.load(progress, 0);
      if (count !== seen) {
        seen = count;
        sinceMs = performance.now();
        return;
      }
      const limitMs = at() < 0 ? limits.elsewhereMs : limits.evaluationMs;
      if (performance.now() - sinceMs > limitMs)
        end({ kind: 'overrun', at: at(), why: `the evaluation takes longer than ${limitMs} ms` });
    }, watchMs);
    const onMessage = (reply: ThreadReply): void =>
      end(reply.kind === 'failed' ? { kind: 'overrun', at: at(), why: 'the evaluation failed' } : reply);
    const onError = (error: unknown): void => end({ kind: 'overrun', at: at(), why: textOfEnd(error, limits) });
    function end(reply: ThreadReply | Overrun): void {
      clearInterval(watch);
      worker.off('message', onMessage).off('error', onError).off('exit', onError);
      resolve(reply);
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onError);
    worker.postMessage(task);
  });
}

function textOfEnd(error: unknown, { heapMb }: IsolationLimits): string {
  const isMemory = (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return isMemory ? `the evaluation needs more than ${heapMb} MB of memory` : 'the evaluation ended its thread';
}
