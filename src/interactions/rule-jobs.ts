/**
 * Questions to a rule set that need every patient: $backtest (what would it have said) and the trial of $apply-version (what
 * would the new version open and close). A job of the bulk machinery answers them, some patients in each step: it survives
 * a restart, tells how far it is, and ends when it is cancelled. Without `Prefer: respond-async` the request waits for it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../base/index.ts';
import {
  applyVersion,
  type Backtest,
  backtestLimits,
  backtestPatient,
  backtestReport,
  countPatients,
  emptyTally,
  type EngineInput,
  listPatients,
  type Tally,
  textOfRules,
  type Trial,
  tryVersion,
} from '../breaks/index.ts';
import type { Transaction } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Work } from '../queue/index.ts';
import { isRuleSet } from '../rules/index.ts';
import { everything } from '../store/index.ts';
import { type BulkWorkInput, createBulkWork, insertFiles, readBulkAnswer, startBulk, type Step } from './bulk/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { type Input, readInputs, single } from './inputs.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';

export const ruleJobLimits = { patientsPerStep: 20, patientsMax: 1000, waitMs: 25_000, lookMs: 50 } as const;

interface Asked {
  /** Where the state of the job says what was asked. */
  readonly url: string;
  /** `Patient/id`; undefined: everybody. */
  readonly patients?: readonly string[];
}

interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'patients';
  /** Of the last patient that was looked at. */
  readonly afterId: string;
}

interface BacktestAsked extends Asked {
  readonly ruleSet: Resource;
  readonly fromMs: number;
  readonly toMs: number;
}

interface TrialAsked extends Asked {
  /** Id of the PlanDefinition. */
  readonly plan: string;
}

type Counts = Readonly<Record<keyof Trial, Readonly<Record<string, number>>>>;

const shared = { type: 'PlanDefinition', methods: ['POST'], takesBytes: false } as const;
const backtestText =
  'What a rule set (`ruleSet` or `reference`) would have said from `periodStart` to `periodEnd`: cases, precision, alerts for each day. Writes nothing.';

export function ruleJobOperations(engine: EngineInput): readonly Operation[] {
  return [
    {
      ...shared,
      name: 'backtest',
      level: 'type',
      documentation: backtestText,
      run: async (context, request) => {
        const inputs = readInputs(request, ['ruleSet', 'reference', 'periodStart', 'periodEnd', 'patient']);
        return backtest(engine, { context, request, inputs, ruleSet: await askedRuleSet(context, inputs) });
      },
    },
    {
      ...shared,
      name: 'backtest',
      level: 'instance',
      documentation: 'The same of this rule set, whatever its status.',
      run: async (context, request) => {
        const inputs = readInputs(request, ['periodStart', 'periodEnd', 'patient']);
        const ruleSet = JSON.parse((await readStored(context, request)).raw) as Resource;
        return backtest(engine, { context, request, inputs, ruleSet });
      },
    },
    {
      ...shared,
      name: 'apply-version',
      level: 'instance',
      documentation:
        'Has this version judge what former versions began. First a trial (`dryRun`, which is the default): how many breaks it would open and close; then with `dryRun=false`.',
      run: (context, request) => applyOrTry(context, request),
    },
  ];
}

export function createRuleJobWorks(input: BulkWorkInput, engine: EngineInput): readonly Work[] {
  return [
    createBulkWork<BacktestAsked, Progress & { readonly tally: Tally }>(input, 'backtest', async (inside, bulk) => {
      const { tally, ...progress } = bulk.progress;
      const test = await readBacktest(engine, bulk.request);
      const step = await eachPatient(inside, bulk.request, {
        progress,
        look: (patient) => backtestPatient(engine, inside.session, { test, patient, tally }),
      });
      const report = (): Resource => backtestReport(tally, test, engine.places.usual.dates.zone);
      if (step.isDone) await keepAnswer(inside.tx, bulk.id, report());
      return { ...step, progress: { ...step.progress, tally } };
    }),
    createBulkWork<TrialAsked, Progress & { readonly counts: Counts }>(input, 'apply-version', async (inside, bulk) => {
      const { counts: before, ...progress } = bulk.progress;
      let counts = before;
      const { plan } = bulk.request;
      const step = await eachPatient(inside, bulk.request, {
        progress,
        async look(patient) {
          counts = added(counts, await tryVersion(engine, inside.session, { plan, patient }));
        },
      });
      if (step.isDone) await keepAnswer(inside.tx, bulk.id, trialReport(plan, step.progress.done, counts));
      return { ...step, progress: { ...step.progress, counts } };
    }),
  ];
}

interface Look {
  readonly progress: Progress;
  look(patient: string): Promise<void>;
}

/** Some patients more. */
async function eachPatient(
  { tx }: { readonly tx: Transaction },
  { patients }: Asked,
  { progress, look }: Look,
): Promise<Step<Progress>> {
  const { patientsPerStep: limit } = ruleJobLimits;
  const next =
    patients === undefined
      ? (await listPatients(tx, progress.afterId, limit)).map((id) => `Patient/${id}`)
      : patients.slice(progress.done, progress.done + limit);
  for (const patient of next) await look(patient);
  const afterId = next.at(-1)?.replace('Patient/', '') ?? progress.afterId;
  return { progress: { ...progress, done: progress.done + next.length, afterId }, isDone: next.length < limit };
}

async function keepAnswer(tx: Transaction, job: string, answer: Resource): Promise<void> {
  const content = `${JSON.stringify(answer)}\n`;
  await insertFiles(tx, job, [{ number: 1, kind: 'output', type: answer.resourceType, lines: 1, content }]);
}

async function readBacktest(
  engine: EngineInput,
  { ruleSet: resource, fromMs, toMs }: BacktestAsked,
): Promise<Backtest> {
  const { contained: _fixtures, ...rest } = resource as Resource & { readonly contained?: unknown };
  const active = { ...rest, status: 'active' } as Resource;
  const { ruleSet, issues } = await engine.examine(active);
  if (ruleSet === undefined) throw new Problem('unprocessable', 'the rule set has faults', { issues });
  return { ruleSet, text: textOfRules(active), fromMs, toMs };
}

async function askedRuleSet(context: Context, inputs: readonly Input[]): Promise<Resource> {
  const inline = inputs.find(({ name }) => name === 'ruleSet')?.value;
  if (typeof inline === 'object' && inline !== null) return inline as Resource;
  const reference = single(inputs, 'reference') ?? '';
  if (!/^PlanDefinition\/[A-Za-z0-9\-.]{1,64}$/.test(reference))
    throw new Problem('incorrect', 'expected a ruleSet (PlanDefinition), or a reference PlanDefinition/[id]');
  const [stored] = await context.store.readMany([reference], everything);
  if (stored === undefined) throw new Problem('not-found', 'no PlanDefinition with this id');
  return JSON.parse(stored.raw) as Resource;
}

interface Asking {
  readonly context: Context;
  readonly request: Request;
  readonly inputs: readonly Input[];
  readonly ruleSet: Resource;
}

const dayMs = 24 * 3_600_000;

async function backtest(engine: EngineInput, { context, request, inputs, ruleSet }: Asking): Promise<Answer> {
  if (!isRuleSet(ruleSet)) throw new Problem('unprocessable', 'this is no rule set: its type is not eca-rule');
  const { dates } = engine.places.usual;
  const now = context.clock.now();
  const [start, end] = [single(inputs, 'periodStart'), single(inputs, 'periodEnd')];
  const toMs = end === undefined ? now : dates.range(end)?.hi;
  const fromMs = start === undefined ? (toMs ?? now) - 365 * dayMs : dates.range(start)?.lo;
  if (fromMs === undefined || toMs === undefined || fromMs >= toMs)
    throw new Problem('incorrect', 'periodStart and periodEnd: expected dates, the first before the second');
  if (toMs - fromMs > backtestLimits.daysMax * dayMs)
    throw new Problem('too-costly', `the period is longer than ${backtestLimits.daysMax} days`);
  const patients = askedPatients(inputs);
  const asked: BacktestAsked = {
    url: `${context.baseUrl}/PlanDefinition/$backtest`,
    ...{ ruleSet, fromMs, toMs: Math.min(toMs, now) },
    ...(patients.length === 0 ? {} : { patients }),
  };
  // Its faults are told now, not by the job.
  await readBacktest(engine, asked);
  return startOrWait(context, request, { kind: 'backtest', asked, more: { tally: emptyTally() } });
}

function askedPatients(inputs: readonly Input[]): readonly string[] {
  const named = inputs.flatMap(({ name, text }) => (name === 'patient' && text !== undefined ? [text] : []));
  const patients = [...new Set(named.map((one) => (one.includes('/') ? one : `Patient/${one}`)))].sort();
  if (patients.length > ruleJobLimits.patientsMax)
    throw new Problem('too-costly', `more than ${ruleJobLimits.patientsMax} patients are named: name none for all`);
  return patients;
}

interface Start {
  readonly kind: 'backtest' | 'apply-version';
  readonly asked: Asked;
  readonly more: object;
}

async function startOrWait(context: Context, request: Request, { kind, asked, more }: Start): Promise<Answer> {
  const total = asked.patients?.length ?? (await countPatients(context.store));
  const progress = { done: 0, total, unit: 'patients', afterId: '', ...more };
  const started = await startBulk(context, kind, { request: { ...asked, caller: request.caller }, progress });
  if (request.isAsync === true) return started;
  const place = started.headers?.['content-location'] ?? '';
  const id = place.slice(place.lastIndexOf('/') + 1);
  const begin = performance.now();
  while (performance.now() - begin < ruleJobLimits.waitMs) {
    const answer = await readBulkAnswer(context, id);
    if (answer !== undefined) return { status: 200, body: answer };
    await delay(ruleJobLimits.lookMs);
  }
  return started;
}

async function applyOrTry(context: Context, request: Request): Promise<Answer> {
  const inputs = readInputs(request, ['dryRun']);
  const dryRun = single(inputs, 'dryRun') ?? 'true';
  if (dryRun !== 'true' && dryRun !== 'false') throw new Problem('incorrect', 'dryRun: expected true or false');
  const resource = JSON.parse((await readStored(context, request)).raw) as Resource;
  const { id: plan = '' } = resource;
  if (!isRuleSet(resource) || resource['status'] !== 'active')
    throw new Problem('unprocessable', 'only a rule set in force is applied: expected type eca-rule and status active');
  if (dryRun === 'true') {
    const asked: TrialAsked = { url: `${context.baseUrl}/PlanDefinition/${plan}/$apply-version`, plan };
    return startOrWait(context, request, {
      kind: 'apply-version',
      asked,
      more: { counts: { opened: {}, closed: {}, moved: {} } },
    });
  }
  const { replaced } = await applyVersion(context.store, plan, context.clock.now());
  const body = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'dryRun', valueBoolean: false },
      { name: 'replaced', valueInteger: replaced },
    ],
  };
  return { status: 200, body: JSON.stringify(body) };
}

function added(counts: Counts, trial: Trial): Counts {
  const plus = (name: keyof Trial): Readonly<Record<string, number>> => {
    const sum = { ...counts[name] };
    for (const rule of trial[name]) sum[rule] = (sum[rule] ?? 0) + 1;
    return sum;
  };
  return { opened: plus('opened'), closed: plus('closed'), moved: plus('moved') };
}

function trialReport(plan: string, patients: number, counts: Counts): Resource {
  const names = ['opened', 'closed', 'moved'] as const;
  const totalOf = (name: keyof Trial): number => Object.values(counts[name]).reduce((sum, one) => sum + one, 0);
  const rules = [...new Set(names.flatMap((name) => Object.keys(counts[name])))].sort();
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'dryRun', valueBoolean: true },
      { name: 'reference', valueReference: { reference: `PlanDefinition/${plan}` } },
      { name: 'patients', valueInteger: patients },
      ...names.map((name) => ({ name, valueInteger: totalOf(name) })),
      ...rules.map((code) => ({
        name: 'rule',
        part: [
          { name: 'code', valueCode: code },
          ...names.map((name) => ({ name, valueInteger: counts[name][code] ?? 0 })),
        ],
      })),
    ],
  };
}
