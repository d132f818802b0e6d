/** What only Suture has: judgments of all patients, letters in, and writing while no rule is active. */
import { letterText } from '../../src/demo/letter.ts';
import type { Resource } from '../../src/fhir/resource.ts';
import { type Bundle, put, send, sendOrFail, settle } from './client.ts';
import type { HttpRequest } from './measure.ts';
import type { World } from './operations.ts';

export interface Judging {
  readonly patientsPerSecond: number;
  readonly judgmentsPerSecond: number;
}

/** A new version of a rule set, with the same content, has every patient judged again; it is over when nothing is left. */
export async function judgeEverybody({ origin, basePath, territory }: World): Promise<Judging> {
  const [ruleSet] = await readRuleSets(origin, basePath);
  if (ruleSet === undefined) throw new Error('there is no rule set');
  const before = await readJudgments(origin);
  const started = performance.now();
  await sendOrFail(origin, put(basePath, ruleSet));
  await settle(origin);
  const seconds = (performance.now() - started) / 1000;
  const judgments = (await readJudgments(origin)) - before;
  return { patientsPerSecond: territory.people.length / seconds, judgmentsPerSecond: judgments / seconds };
}

async function readJudgments(origin: string): Promise<number> {
  const text = await sendOrFail(origin, { method: 'GET', path: '/metrics' });
  return Number(/^suture_judgments_total (\S+)$/m.exec(text)?.[1] ?? 0);
}

async function readRuleSets(origin: string, basePath: string): Promise<readonly Resource[]> {
  const path = `${basePath}/PlanDefinition?_count=100`;
  const bundle = JSON.parse(await sendOrFail(origin, { method: 'GET', path })) as Bundle;
  return (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
}

/** Runs `work` while every rule set is retired. */
export async function withoutRules<T>({ origin, basePath }: World, work: () => Promise<T>): Promise<T> {
  const ruleSets = await readRuleSets(origin, basePath);
  try {
    for (const one of ruleSets) await sendOrFail(origin, put(basePath, { ...one, status: 'retired' }));
    await settle(origin);
    return await work();
  } finally {
    for (const one of ruleSets) await sendOrFail(origin, put(basePath, one));
    await settle(origin);
  }
}

const hourMs = 3_600_000;

/** Discharge letters of stays that nobody announced, of patients who are there; each another document. */
export function newLetters({ territory, basePath }: World): () => HttpRequest {
  let turn = 0;
  return () => {
    const n = turn % territory.people.length;
    const round = Math.floor(turn++ / territory.people.length);
    const discharged = territory.todayMs - (5 + round) * 24 * hourMs;
    // The number of the letter is made of the digits of this id.
    const person = { ...territory.person(n), id: `letter-${round}-${String(n).padStart(6, '0')}` };
    return {
      method: 'POST',
      path: `${basePath}/DocumentReference/$ingest`,
      headers: { 'content-type': 'application/cda+xml' },
      body: letterText({ person, admitted: discharged - 48 * hourMs, discharged, written: discharged + hourMs }),
    };
  };
}

/** The first letter alone, so that a refusal is seen before a thousand of them. */
export async function tryLetter(origin: string, request: HttpRequest): Promise<void> {
  const response = await send(origin, request);
  if (response.status !== 201)
    throw new Error(`the first letter was answered ${response.status}: ${(await response.text()).slice(0, 600)}`);
}
