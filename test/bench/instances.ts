/**
 * Several server processes over one PostgreSQL (`--instances N`): the same operations asked of one, of two and of N of them, by as
 * many connections, and of one again, so that what the machine does meanwhile falls on both ends. All of them stand on the cores
 * of this machine, beside PostgreSQL and what drives the load: what they cost says more here than how fast they are.
 *
 * Then deadlines fall due while all of them work, and subscribers are told of the breaks: who did what, and whether each deadline
 * made one break and each event arrived.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import type { Resource } from '../../src/fhir/resource.ts';
import { put, sendOrFail, settle, transaction } from './client.ts';
import type { Bench } from './compare.ts';
import type { CpuTimes } from './cpu.ts';
import { driveAll, type Figures } from './measure.ts';
import { prepareOperation, type World } from './operations.ts';
import { type Served, startBeside } from './processes.ts';
import { lonely, toxicity } from './rules.ts';
import type { Cost } from './table.ts';

export interface InstancesInput {
  readonly bench: Bench;
  readonly folder: string;
  readonly instances: number;
  readonly isAsked: (name: string) => boolean;
  readonly tell: (text: string) => void;
  readonly onOpened: (stop: () => Promise<void>) => void;
}

/** With the requests by which each server has its code compiled: by time alone, several servers that share cores would stay cold. */
const warmRequests: ReadonlyMap<string, number> = new Map([
  ['read', 4000],
  ['search by patient and type', 2000],
  ['create', 1500],
  ['transaction, 100 entries', 40],
]);
const warmTurnsMax = 12;
const names = [...warmRequests.keys()];
const deadlineCount = 400;
const dueAfterMs = 20_000;
const firedWithinMs = 180_000;
const lookEveryMs = 250;
const subscribers = 8;
/** A subscriber that did not answer in time on a busy machine is called again some seconds later. */
const heardWithinMs = 120_000;
const idleMs = 4_000;
const perBundle = 50;
const runId = 'shared';

interface Measured {
  readonly servers: number;
  readonly figures: Figures;
  readonly perRequest: number;
  readonly cost: Cost | undefined;
}

/** Lines of two tables: rates and costs by number of servers; what each server did, and whether anything was done twice or never. */
export async function measureInstances(input: InstancesInput): Promise<readonly string[]> {
  const { bench, folder, instances, onOpened } = input;
  if (bench.served === undefined) return [];
  const all = [bench.served];
  const rows = new Map<string, Measured[]>(names.filter(input.isAsked).map((name) => [name, []]));
  for (const servers of new Set([1, 2, instances])) {
    while (all.length < servers) {
      const another = await startBeside(bench.served, folder, {});
      onOpened(() => another.stop());
      all.push(another);
    }
    await measureAll(input, all, rows);
  }
  const shared = input.isAsked('deadlines') ? await shareDeadlines(input, all) : [];
  for (const other of all.slice(1)) await other.stop();
  await measureAll(input, all.slice(0, 1), rows);
  return [...(rows.size === 0 ? [] : rateLines(rows)), '', ...shared];
}

async function measureAll(
  { bench, tell }: InstancesInput,
  servers: readonly Served[],
  rows: ReadonlyMap<string, Measured[]>,
): Promise<void> {
  if (rows.size === 0) return;
  const idle = await measureIdle(bench, servers);
  tell(`${servers.length} servers at rest: ${costText(idle)} of a second`);
  for (const [name, measured] of rows) {
    tell(`${name}, ${servers.length} servers`);
    measured.push(await measure({ bench, servers, idle }, name));
  }
}

/** Processor time of a second in which nobody asks: each server looks for work by itself. */
async function measureIdle(bench: Bench, servers: readonly Served[]): Promise<Cost> {
  await settle(bench.world.origin);
  const before = await readCpu(bench, servers);
  await new Promise((resume) => setTimeout(resume, idleMs));
  const after = await readCpu(bench, servers);
  if (before === undefined || after === undefined) return { processUs: 0, databaseUs: 0 };
  const each = (us: number) => us / (idleMs / 1000);
  return {
    processUs: each(after.process - before.process),
    databaseUs: each(after.database - before.database),
  };
}

interface Asked {
  readonly bench: Bench;
  readonly servers: readonly Served[];
  readonly idle: Cost;
}

async function measure({ bench, servers, idle }: Asked, name: string): Promise<Measured> {
  const { world, seconds, warmUpSeconds } = bench;
  const origins = servers.map(({ baseUrl }) => new URL(baseUrl).origin);
  const { next, connections, perRequest } = await prepareOperation(world, name);
  const warm = (warmRequests.get(name) ?? 0) * servers.length;
  for (let turn = 0, count = 0; turn < warmTurnsMax && count < warm; turn++) {
    count += (await driveAll(origins, next, { connections, seconds: warmUpSeconds / 4 })).countAll;
  }
  await settle(world.origin);
  const [before, begunMs] = [await readCpu(bench, servers), performance.now()];
  const figures = await driveAll(origins, next, { connections, seconds });
  await settle(world.origin);
  const [after, tookMs] = [await readCpu(bench, servers), performance.now() - begunMs];
  if (figures.failed > 0) throw new Error(`${name}: ${figures.failures.join(', ')}`);
  const each = (usBefore: number, usAfter: number, idleUs: number) =>
    Math.max(0, usAfter - usBefore - (idleUs * tookMs) / 1000) / (figures.countAll * perRequest);
  const cost = before &&
    after && {
      processUs: each(before.process, after.process, idle.processUs),
      databaseUs: each(before.database, after.database, idle.databaseUs),
    };
  return { servers: servers.length, figures, perRequest, cost };
}

/** Of all servers together, and of their one database. */
async function readCpu({ meter }: Bench, servers: readonly Served[]): Promise<CpuTimes | undefined> {
  if (meter === undefined) return undefined;
  const read = await Promise.all(servers.map(({ pid }) => meter.read(pid)));
  const times = read.filter((one) => one !== undefined);
  if (times.length < servers.length) return undefined;
  return { process: times.reduce((sum, one) => sum + one.process, 0), database: times[0]?.database ?? 0 };
}

function rateLines(rows: ReadonlyMap<string, readonly Measured[]>): readonly string[] {
  const lines = [...rows].map(([name, measured]) => {
    const alone = measured.filter(({ servers }) => servers === 1);
    const rate = ({ figures, perRequest }: Measured) => figures.perSecond * perRequest;
    const base = alone.reduce((sum, one) => sum + rate(one), 0) / alone.length;
    const cells = measured.map((one) => {
      return `${one.servers}: ${rate(one).toFixed(0)}/s (${(rate(one) / base).toFixed(2)}; ${costText(one.cost)})`;
    });
    return `${name.padEnd(28)}${cells.join('   ')}`;
  });
  return [
    'servers over one PostgreSQL: resources a second (against the mean of one alone; processor time of one resource, servers +',
    '  database, without what they use at rest)',
    ...lines,
  ];
}

function costText(cost: Cost | undefined): string {
  return cost === undefined ? '?' : `${Math.round(cost.processUs)} + ${Math.round(cost.databaseUs)} us`;
}

/** `deadlineCount` deadlines that fall due while every server works, each break told to `subscribers`. */
async function shareDeadlines({ bench, tell }: InstancesInput, servers: readonly Served[]): Promise<readonly string[]> {
  const { world } = bench;
  tell(`${deadlineCount} deadlines, ${servers.length} servers`);
  const ear = await openEar();
  try {
    await subscribe(world, ear.url);
    await settle(world.origin);
    const before = await Promise.all(servers.map(readDone));
    const loadedMs = await loadDeadlines(world, servers);
    const fired = await waitFired(bench.served?.databaseUrl ?? '');
    await settle(world.origin);
    await waitHeard(ear, deadlineCount * subscribers);
    const after = await Promise.all(servers.map(readDone));
    const done = after.map((one, at) => differenceOf(one, before[at]));
    return [
      `${deadlineCount} deadlines due while ${servers.length} servers work (loaded in ${(loadedMs / 1000).toFixed(0)} s):`,
      `  breaks stored ${fired.breaks}, of as many deadlines ${fired.deadlines}; DetectedIssues ${fired.issues}, Tasks ${fired.tasks}; ${
        fired.breaks === deadlineCount && fired.deadlines === deadlineCount && fired.issues === deadlineCount
          ? 'each exactly once'
          : 'WRONG'
      }`,
      `  events heard ${ear.heard.size} of ${deadlineCount * subscribers}, ${ear.calls() - ear.heard.size} of them again`,
      '  server   jobs judge   deliveries   breaks opened',
      ...done.map(({ judged, delivered, opened }, at) =>
        [`  ${at + 1}`.padEnd(8), ...[judged, delivered, opened].map((one) => String(one).padStart(13))].join(''),
      ),
    ];
  } finally {
    await ear.stop();
  }
}

/** Spread over the servers; all due at one instant, the hours that the rule gives after the toxicity. */
async function loadDeadlines({ basePath }: World, servers: readonly Served[]): Promise<number> {
  const started = performance.now();
  const dueAtMs = performance.timeOrigin + performance.now() + dueAfterMs;
  for (let from = 0, turn = 0; from < deadlineCount; from += perBundle, turn++) {
    const numbers = Array.from({ length: Math.min(perBundle, deadlineCount - from) }, (_one, n) => from + n);
    const origin = new URL(servers[turn % servers.length]?.baseUrl ?? '').origin;
    const resources = numbers.flatMap((n) => [lonely(runId, n), toxicity(runId, n, dueAtMs)]);
    await sendOrFail(origin, transaction(basePath, resources, 'PUT'));
  }
  return performance.now() - started;
}

interface Fired {
  readonly breaks: number;
  readonly deadlines: number;
  readonly issues: number;
  readonly tasks: number;
}

/** What the database holds once every deadline has its break, or the time is over. */
async function waitFired(url: string): Promise<Fired> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const until = performance.now() + firedWithinMs; ; ) {
      const { rows } = await client.query<Fired>(firedText, [`RUP-27:Patient/${runId}-%`]);
      const [fired] = rows;
      if (fired === undefined || fired.deadlines >= deadlineCount || performance.now() > until) {
        return fired ?? { breaks: 0, deadlines: 0, issues: 0, tasks: 0 };
      }
      await new Promise((resume) => setTimeout(resume, lookEveryMs));
    }
  } finally {
    await client.end();
  }
}

/** A row of `break` is one occurrence of one key. */
const firedText = `
  with fired as (select key, issue_id from break where key like $1 and opened_at is not null),
       issues as (select r.id from resource r where r.type = 'DetectedIssue' and not r.is_deleted
                    and exists (select from jsonb_array_elements(r.raw::jsonb -> 'identifier') i where i ->> 'value' like $1))
  select (select count(*)::integer from fired) as breaks,
         (select count(distinct key)::integer from fired) as deadlines,
         (select count(*)::integer from issues) as issues,
         (select count(*)::integer from resource t join issues on t.raw::jsonb -> 'focus' ->> 'reference' = 'DetectedIssue/' || issues.id
          where t.type = 'Task' and not t.is_deleted) as tasks`;

async function waitHeard({ heard }: Ear, count: number): Promise<void> {
  for (const until = performance.now() + heardWithinMs; heard.size < count && performance.now() < until; ) {
    await new Promise((resume) => setTimeout(resume, lookEveryMs));
  }
}

interface Done {
  readonly judged: number;
  readonly delivered: number;
  readonly opened: number;
}

/** Counted by each server by itself. */
async function readDone({ baseUrl }: Served): Promise<Done> {
  const text = await sendOrFail(new URL(baseUrl).origin, { method: 'GET', path: '/metrics' });
  const sum = (name: string, label: string) =>
    [...text.matchAll(new RegExp(`^${name}\\{[^}]*${label}[^}]*\\} (\\d+)`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return {
    judged: sum('suture_job_seconds_count', 'kind="judge"'),
    delivered: sum('suture_delivery_attempt_seconds_count', 'kind="event-notification"'),
    opened: sum('suture_breaks_opened_total', 'rule="RUP-27"'),
  };
}

function differenceOf(after: Done, before: Done | undefined): Done {
  return {
    judged: after.judged - (before?.judged ?? 0),
    delivered: after.delivered - (before?.delivered ?? 0),
    opened: after.opened - (before?.opened ?? 0),
  };
}

async function subscribe({ origin, basePath }: World, url: string): Promise<void> {
  for (let n = 0; n < subscribers; n++) await sendOrFail(origin, put(basePath, subscription(n, `${url}/${n}`)));
}

/** Core R4: each new DetectedIssue of the rule, as a PUT of its own. */
function subscription(n: number, endpoint: string): Resource {
  return {
    resourceType: 'Subscription',
    id: `${runId}-${n}`,
    status: 'requested',
    reason: 'bench',
    criteria: 'DetectedIssue?break-rule=RUP-27&break-state=open',
    channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json' },
  };
}

interface Ear {
  readonly url: string;
  /** `subscriber DetectedIssue/id`. */
  readonly heard: ReadonlySet<string>;
  calls(): number;
  stop(): Promise<void>;
}

async function openEar(): Promise<Ear> {
  const heard = new Set<string>();
  let calls = 0;
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      calls++;
      heard.add(request.url ?? '');
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    calls: () => calls,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
