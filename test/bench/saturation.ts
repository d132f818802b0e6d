/**
 * What rules cost at saturation: the same number of single writes, as fast as they are answered, with all rules and with none,
 * each counted until nothing is left to judge. The writes are pathways of new patients as a feed tells them: twenty patients
 * side by side, one resource after the other, stays first in progress and later finished. More than half of them touch a rule.
 */
import type { Resource } from '../../src/fhir/resource.ts';
import { put, sendOrFail, settle } from './client.ts';
import type { Bench } from './compare.ts';
import { withoutRules } from './engine.ts';
import type { HttpRequest } from './measure.ts';
import { figuresOf } from './offer.ts';
import type { World } from './operations.ts';
import type { Cost, ResultRow } from './table.ts';
import type { Territory } from './territory.ts';

const besides = 20;
const patientsPerSecond = 5;
/** Patients beyond the territory, another range for each run. */
const ranges = { warmUp: 100_000, none: 110_000, all: 120_000 };

/** Pathways of `count` new patients in the order in which a feed tells them. */
export function feedOf(territory: Territory, first: number, count: number): readonly Resource[] {
  const told: Resource[] = [];
  for (let from = 0; from < count; from += besides) {
    const group = Array.from({ length: Math.min(besides, count - from) }, (_one, n) =>
      asTold(territory, first + from + n),
    );
    for (let step = 0; step < Math.max(...group.map(({ length }) => length)); step++) {
      told.push(...group.flatMap((resources) => resources[step] ?? []));
    }
  }
  return told;
}

function asTold(territory: Territory, n: number): readonly Resource[] {
  const pathway = territory.pathway(n);
  const finished = pathway.filter(({ resourceType, status }) => resourceType === 'Encounter' && status === 'finished');
  return [...pathway.map((one) => (finished.includes(one) ? underWay(one) : one)), ...finished];
}

function underWay(stay: Resource): Resource {
  const { start } = stay['period'] as { readonly start: string };
  return { ...stay, status: 'in-progress', period: { start } };
}

interface Saturated {
  readonly count: number;
  readonly answeredS: number;
  /** Until nothing was left to judge. */
  readonly drainedS: number;
  readonly durationsMs: readonly number[];
  readonly cost: Cost | undefined;
}

async function saturate(bench: Bench, first: number): Promise<Saturated> {
  const { world, seconds, meter, served } = bench;
  const requests = feedOf(world.territory, first, patientsPerSecond * seconds).map((one) => put(world.basePath, one));
  const before = served && (await meter?.read(served.pid));
  const started = performance.now();
  const durationsMs = await sendAll(world, requests);
  const answeredS = (performance.now() - started) / 1000;
  await settle(world.origin);
  const drainedS = (performance.now() - started) / 1000;
  const after = served && (await meter?.read(served.pid));
  const cost = before &&
    after && {
      processUs: (after.process - before.process) / requests.length,
      databaseUs: (after.database - before.database) / requests.length,
    };
  return { count: requests.length, answeredS, drainedS, durationsMs, cost };
}

/** Each connection sends its next request when the last one is answered. */
async function sendAll({ origin, connections }: World, requests: readonly HttpRequest[]): Promise<readonly number[]> {
  const durationsMs: number[] = [];
  const waiting = requests[Symbol.iterator]();
  async function connection(): Promise<void> {
    for (const request of waiting) {
      const sent = performance.now();
      await sendOrFail(origin, request);
      durationsMs.push(performance.now() - sent);
    }
  }
  await Promise.all(Array.from({ length: connections }, connection));
  return durationsMs;
}

export async function measureSaturation(bench: Bench): Promise<readonly ResultRow[]> {
  await saturate({ ...bench, seconds: 1 }, ranges.warmUp);
  const none = await withoutRules(bench.world, () => saturate(bench, ranges.none));
  const all = await saturate(bench, ranges.all);
  const share = none.drainedS / all.drainedS;
  const cpu = none.cost && all.cost && totalUs(none.cost) / totalUs(all.cost);
  const ofCpu = cpu === undefined ? '' : `, ${percent(cpu)} by processor time`;
  return [
    rowOf('writes at saturation, no rules', none, undefined),
    rowOf('writes at saturation, all rules', all, `${percent(share)} of no rules, both drained${ofCpu}`),
  ];
}

function rowOf(name: string, { count, answeredS, drainedS, durationsMs, cost }: Saturated, told?: string): ResultRow {
  const figures = figuresOf(durationsMs, { count, seconds: answeredS, failure: 'refused' });
  const drained = `${Math.round(count / drainedS)}/s with its judgments done`;
  const remark = told === undefined ? drained : `${drained}; ${told}`;
  return { name, unit: 'requests', perSecond: count / answeredS, figures, cost, remark };
}

const totalUs = ({ processUs, databaseUs }: Cost): number => processUs + databaseUs;
const percent = (share: number): string => `${Math.round(100 * share)} %`;
