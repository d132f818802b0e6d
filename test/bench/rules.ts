/**
 * What rules cost those who write, and how soon a break is stored: writes at a fixed pace, one in ten touching a rule, with all
 * rules and with none. And deadlines: a million that wait, ten thousand that fall due in one minute (`--only deadlines`: it
 * takes some minutes).
 */
import pg from 'pg';
import type { Resource } from '../../src/fhir/resource.ts';
import type { Bench } from './compare.ts';
import { type Bundle, put, sendOrFail, settle, transaction } from './client.ts';
import { withoutRules } from './engine.ts';
import type { Figures } from './measure.ts';
import { answerTimes, type Answered, elapsedS, figuresOf, offer } from './offer.ts';
import type { World } from './operations.ts';
import type { ResultRow } from './table.ts';

const writesPerSecond = 200;
const touchEvery = 10;
const perBundle = 100;
const hourMs = 3_600_000;
const pageMax = 1_000;
const gradeSystem = 'https://suture.example/fhir/CodeSystem/score';
const breakSystem = 'https://suture.example/fhir/sid/break';

/** Patients without a stay: nothing answers their toxicity, so that each one breaks RUP-27. */
export function lonely(run: string, n: number): Resource {
  const name = [{ family: 'Sansvisite', given: [`Numero ${n}`] }];
  return { resourceType: 'Patient', id: `${run}-${n}`, active: true, gender: 'female', birthDate: '1957-03-02', name };
}

/** Grade 3, 24 hours before `dueAtMs`: the hours that its answer may take. */
export function toxicity(run: string, n: number, dueAtMs: number): Resource {
  return {
    resourceType: 'Observation',
    id: `${run}-${n}`,
    status: 'final',
    code: { coding: [{ system: gradeSystem, code: 'ctcae-grade' }] },
    subject: { reference: `Patient/${run}-${n}` },
    effectiveDateTime: new Date(dueAtMs - 24 * hourMs).toISOString(),
    valueInteger: 3,
  };
}

/** The time on the clock of this machine, which the server reads too. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

async function putAll({ origin, basePath }: World, resources: readonly Resource[]): Promise<void> {
  for (let at = 0; at < resources.length; at += perBundle) {
    await sendOrFail(origin, transaction(basePath, resources.slice(at, at + perBundle), 'PUT'));
  }
}

async function offerMixed(world: World, run: string, seconds: number): Promise<ReadonlyMap<string, Answered>> {
  const { origin, basePath, territory } = world;
  const count = writesPerSecond * seconds;
  await putAll(
    world,
    Array.from({ length: Math.ceil(count / touchEvery) }, (_one, n) => lonely(run, n)),
  );
  await settle(origin);
  const next = (n: number) => {
    const touching = n % touchEvery === 0 ? n / touchEvery : undefined;
    const drawn = territory.observation(n % territory.people.length, 900 + (n % 90));
    const resource =
      touching === undefined ? { ...drawn, id: `${run}-lab-${n}` } : toxicity(run, touching, wallMs() - hourMs);
    return { id: resource.id ?? '', request: put(basePath, resource) };
  };
  return offer(origin, { next, perSecond: writesPerSecond, seconds });
}

/** When the break of each toxicity was stored, by its id, on the clock of the server. */
async function storedBreaks({ origin, basePath }: World, run: string): Promise<ReadonlyMap<string, number>> {
  const stored = new Map<string, number>();
  let path: string | undefined = `${basePath}/DetectedIssue?break-rule=RUP-27&_sort=-_lastUpdated&_count=${pageMax}`;
  while (path !== undefined) {
    const bundle = JSON.parse(await sendOrFail(origin, { method: 'GET', path })) as Bundle;
    for (const { resource } of bundle.entry ?? []) {
      const [{ value = '' } = {}] = ((resource?.['identifier'] ?? []) as { system: string; value: string }[]).filter(
        ({ system }) => system === breakSystem,
      );
      const focus = value.split(':').at(-1)?.replace('Observation/', '') ?? '';
      if (focus.startsWith(`${run}-`)) stored.set(focus, Date.parse(resource?.meta?.lastUpdated ?? ''));
    }
    const next: string | undefined = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    const url: URL | undefined = next === undefined ? undefined : new URL(next);
    path = url && url.pathname + url.search;
  }
  return stored;
}

function answersOf(answers: ReadonlyMap<string, Answered>): Figures {
  return figuresOf(answerTimes(answers), { count: answers.size, seconds: elapsedS(answers), failure: 'refused' });
}

export async function measureRules(bench: Bench): Promise<readonly ResultRow[]> {
  const { world, seconds } = bench;
  const without = await withoutRules(world, () => offerMixed(world, 'norule', seconds));
  const within = await offerMixed(world, 'rule', seconds);
  await settle(world.origin);
  const stored = await storedBreaks(world, 'rule');
  const [none, all] = [answersOf(without), answersOf(within)];
  const share = answerTimes(within).filter((ms) => ms <= none.p99Ms).length / within.size;
  const touching = [...within].filter(([id]) => !id.includes('-lab-'));
  const delays = touching.flatMap(([id, { answeredAtMs }]) => {
    const at = stored.get(id);
    return at === undefined ? [] : [Math.max(0, at - (performance.timeOrigin + answeredAtMs))];
  });
  return [
    { name: `${writesPerSecond} writes/s, no rules`, unit: 'requests', perSecond: none.perSecond, figures: none },
    {
      name: `${writesPerSecond} writes/s, all rules`,
      unit: 'requests',
      perSecond: all.perSecond,
      figures: all,
      remark: `one in ten touches a rule; ${Math.round(100 * share)} % answered within the p99 without rules`,
    },
    {
      name: 'answered write to stored break',
      unit: 'breaks',
      perSecond: delays.length / seconds,
      figures: figuresOf(delays, { count: touching.length, seconds, failure: 'without break' }),
    },
  ];
}

const waitingCount = 1_000_000;
/** Ten thousand in a minute. */
const dueStepMs = 6;
/** Patients with a deadline that are loaded first, to see how long all of them will take. */
const pilotCount = 200;
const spareTimes = 2.2;
const spareMs = 30_000;
const firedWithinMs = 300_000;
const steadyPerSecond = 20;

/** Patients with a toxicity each, due one after the other from `beginMs` on; answers how long they took, judged. */
async function loadDeadlines(world: World, run: string, due: { count: number; beginMs: number }): Promise<number> {
  const startedMs = wallMs();
  for (let from = 0; from < due.count; from += perBundle / 2) {
    const numbers = Array.from({ length: Math.min(perBundle / 2, due.count - from) }, (_one, n) => from + n);
    await putAll(
      world,
      numbers.flatMap((n) => [lonely(run, n), toxicity(run, n, due.beginMs + n * dueStepMs)]),
    );
  }
  await settle(world.origin);
  return wallMs() - startedMs;
}

/** `dueCount` deadlines within a minute, beside as many jobs as make a million that wait for next year. */
export async function measureDeadlines(bench: Bench, dueCount: number): Promise<readonly ResultRow[]> {
  const { world, served } = bench;
  if (served === undefined) return [];
  const { origin, basePath, territory } = world;
  await fillJobs(served.databaseUrl, waitingCount - dueCount);
  const pilotMs = await loadDeadlines(world, 'pilot', { count: pilotCount, beginMs: wallMs() + 48 * hourMs });
  const beginMs = wallMs() + spareTimes * pilotMs * (dueCount / pilotCount) + spareMs;
  await loadDeadlines(world, 'due', { count: dueCount, beginMs });
  const memoryBefore = served.memory()?.nowMb;
  const dueWithinS = (dueCount * dueStepMs) / 1000;
  let written = 0;
  const next = () => {
    const id = `steady-${written++}`;
    return { id, request: put(basePath, { ...territory.observation(written % territory.people.length, 950), id }) };
  };
  const steady = (seconds: number) => offer(origin, { next, perSecond: steadyPerSecond, seconds });
  const before = await steady(10);
  const waitMs = beginMs - wallMs();
  if (waitMs < 0) throw new Error(`the deadlines were loaded ${Math.round(-waitMs / 1000)} s too late`);
  await new Promise((resume) => setTimeout(resume, waitMs));
  const cpuBefore = await bench.meter?.read(served.pid);
  const during = await steady(Math.ceil(dueWithinS));
  await waitFired(served.databaseUrl, dueCount);
  const cpuAfter = await bench.meter?.read(served.pid);
  const cost = cpuBefore &&
    cpuAfter && {
      processUs: (cpuAfter.process - cpuBefore.process) / dueCount,
      databaseUs: (cpuAfter.database - cpuBefore.database) / dueCount,
    };
  const lateMs = await lateness(served.databaseUrl, beginMs);
  const memory = `${memoryBefore ?? '?'} MB before, ${served.memory()?.nowMb ?? '?'} MB after`;
  const [quiet, busy] = [answersOf(before), answersOf(during)];
  return [
    {
      name: `${steadyPerSecond} writes/s, deadlines waiting`,
      unit: 'requests',
      perSecond: quiet.perSecond,
      figures: quiet,
    },
    { name: `${steadyPerSecond} writes/s, deadlines due`, unit: 'requests', perSecond: busy.perSecond, figures: busy },
    {
      name: 'due instant to stored break',
      unit: 'breaks',
      perSecond: lateMs.length / dueWithinS,
      figures: figuresOf(lateMs, { count: dueCount, seconds: dueWithinS, failure: 'not fired' }),
      cost,
      remark: `${dueCount} of ${waitingCount} within ${dueWithinS} s; the last ${(Math.max(0, ...lateMs) / 1000).toFixed(1)} s after it was due; ${memory}`,
    },
  ]; // prettier-ignore
}

async function fillJobs(url: string, count: number): Promise<void> {
  await query(
    url,
    `insert into job (kind, key, payload, run_at)
     select 'judge', 'Patient/waits-' || n, '{}', now() + interval '1 year' + n * interval '1 second'
     from generate_series(1, $1::integer) as n on conflict do nothing`,
    [count],
  );
  await query(url, 'analyze job', []);
}

async function waitFired(url: string, count: number): Promise<void> {
  const text = `select count(*)::integer as fired from break
                where key like 'RUP-27:Patient/due-%' and opened_at is not null`;
  for (const until = performance.now() + firedWithinMs; performance.now() < until; ) {
    const [row] = await query(url, text, []);
    if (row?.['fired'] === count) return;
    await new Promise((resume) => setTimeout(resume, 1000));
  }
}

/** How long after its due instant each break was stored as open, in ms. */
async function lateness(url: string, beginMs: number): Promise<readonly number[]> {
  const rows = await query(
    url,
    `select extract(epoch from opened_at) * 1000 as at, substring(key from 'Observation/due-([0-9]+)')::integer as n
     from break where key like 'RUP-27:Patient/due-%' and opened_at is not null`,
    [],
  );
  return rows.map(({ at, n }) => Number(at) - (beginMs + Number(n) * dueStepMs));
}

async function query(
  url: string,
  text: string,
  values: readonly unknown[],
): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
