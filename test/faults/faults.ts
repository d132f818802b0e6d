/**
 * What goes wrong (F-1 to F-25 of ../shared/reference/security-reliability.md 4.4): each fault happens to a stage on which clients
 * are at work, and ends healed. What is right afterwards is told by the workloads. F-14, two instances on one database, is the stage
 * itself; F-20, a backup under load, stands with the backup; F-23, the n-th statement that fails, is `nth-statement.test.ts`.
 */
import { statfsSync } from 'node:fs';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Chance } from '../../src/demo/random.ts';
import type { Reply } from '../support/receiver.ts';
import { answerMaxMs, type Network, type Passage } from './ask.ts';
import type { Server, Stage } from './stage.ts';
import { hostileRules } from './workloads/deadlines.ts';
import type { Events } from './workloads/events.ts';
import type { Ground } from './workloads/workload.ts';

export interface Scene {
  readonly stage: Stage;
  readonly chance: Chance;
  readonly events: Events;
  readonly network: Network;
  readonly ground: Ground;
  /** Something is not as it must be. */
  fail(line: string): void;
  /** How far a server's clock was moved ahead, at most. */
  noteClock(offsetMs: number): void;
}

export interface Fault {
  /** Its number in the plan. */
  readonly number: string;
  readonly name: string;
  happen(scene: Scene): Promise<void>;
}

const pickServer = ({ stage, chance }: Scene): Server => chance.pick([stage.servers[0], stage.servers[1]]);

export const faults: readonly Fault[] = [
  {
    number: 'F-1',
    name: 'a server is killed and started again',
    async happen(scene) {
      const server = pickServer(scene);
      await delay(scene.chance.whole(0, 400));
      await server.kill();
      await delay(scene.chance.whole(0, 300));
      await server.start();
    },
  },
  {
    number: 'F-2',
    name: 'a backend of PostgreSQL is killed: it ends all sessions',
    async happen({ stage, chance }) {
      const rows = await stage.postgres.query("select pid from pg_stat_activity where backend_type = 'client backend'");
      const pid = Number(rows[chance.whole(0, rows.length - 1)]?.['pid']);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
      await untilAnswered(stage);
    },
  },
  {
    number: 'F-3',
    name: 'PostgreSQL is killed and started again',
    async happen({ stage, chance }) {
      await stage.postgres.kill();
      await delay(chance.whole(100, 1_500));
      await stage.postgres.start();
      await untilAnswered(stage);
    },
  },
  {
    number: 'F-4',
    name: 'both servers and PostgreSQL are killed at once, as by a power cut',
    async happen({ stage }) {
      await Promise.all([stage.servers[0].kill(), stage.servers[1].kill(), stage.postgres.kill()]);
      await stage.postgres.start();
      await untilAnswered(stage);
      await Promise.all(stage.servers.map((server) => server.start()));
    },
  },
  {
    number: 'F-5',
    name: 'the disk is full',
    async happen(scene) {
      const { stage } = scene;
      const { disk } = stage.postgres;
      if (disk === undefined) return;
      const ballast = join(disk, 'ballast');
      const { bavail, bsize } = statfsSync(disk);
      await writeFile(ballast, '');
      await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize)), { flag: 'a' }).catch(() => undefined);
      await delay(3_000);
      await truncate(ballast).catch(() => undefined);
      await rm(ballast, { force: true });
      // With its write-ahead log full PostgreSQL ends itself: an operator starts it again.
      await stage.postgres.start();
      await untilAnswered(stage);
    },
  },
  {
    number: 'F-6',
    name: "the disk of the servers' logs is full",
    async happen({ stage }) {
      const { logDisk } = stage.servers[0];
      if (logDisk === undefined) return;
      const ballast = join(logDisk, 'ballast');
      await writeFile(ballast, Buffer.alloc(8 * 2 ** 20)).catch(() => undefined);
      // So that there is something to log.
      stage.proxy.cut(() => true);
      await delay(2_000);
      await rm(ballast, { force: true });
    },
  },
  {
    number: 'F-7',
    name: 'connections to the database drop at random',
    async happen({ stage, chance }) {
      for (let time = 0; time < 8; time++) {
        stage.proxy.cut(() => chance.next() < 0.4);
        await delay(200);
      }
    },
  },
  {
    number: 'F-7',
    name: 'connections to the database are half open: one side is gone, and nobody says so',
    async happen({ stage, chance }) {
      stage.proxy.halve(() => chance.next() < 0.5);
      await delay(halfOpenMs);
    },
  },
  {
    number: 'F-8',
    name: 'connections are cut after the database did what was asked, before its answer passes',
    async happen({ stage, chance }) {
      for (let time = 0; time < 6; time++) {
        await stage.proxy.cutBeforeAnswer(chance.whole(1, 3), AbortSignal.timeout(500));
        await delay(chance.whole(50, 250));
      }
    },
  },
  {
    number: 'F-9',
    name: 'the database is slow, then silent',
    async happen({ stage }) {
      stage.proxy.setMood({ delayMs: 50 });
      await delay(1_000);
      stage.proxy.setMood({ delayMs: 400 });
      await delay(1_500);
      stage.proxy.setMood('deaf');
      await delay(1_500);
      stage.proxy.setMood('silent');
      await delay(2_000);
      // What was swallowed never comes: the connections are dead.
      stage.proxy.cut(() => true);
      stage.proxy.setMood('open');
    },
  },
  {
    number: 'F-10',
    name: 'no connection to the database is free',
    async happen({ stage }) {
      const held: pg.Client[] = [];
      for (let count = 0; count < 80; count++) {
        const client = new pg.Client({ connectionString: stage.databaseUrl });
        client.on('error', () => undefined);
        const isOpen = await client.connect().then(
          () => true,
          () => false,
        );
        if (!isOpen) break;
        held.push(client);
      }
      await delay(2_000);
      await Promise.all(held.map((client) => client.end().catch(() => undefined)));
    },
  },
  {
    number: 'F-11',
    name: 'somebody locks the table of resources',
    async happen({ stage }) {
      const release = await stage.postgres.hold('lock table resource in access exclusive mode');
      await delay(4_000);
      await release();
    },
  },
  {
    number: 'F-12',
    name: "a server's clock jumps an hour ahead, and back",
    async happen(scene) {
      const server = pickServer(scene);
      const jumpMs = scene.chance.pick([3_600_000, 90_000, -3_600_000]);
      scene.noteClock(Math.max(0, jumpMs));
      await server.setClock(jumpMs);
      await delay(2_000);
      await server.setClock(0);
      await delay(500);
    },
  },
  {
    number: 'F-13',
    name: 'the clocks of the two servers are ten minutes apart',
    async happen({ stage, noteClock, chance }) {
      noteClock(10 * 60_000);
      const [one, other] = chance.pick([stage.servers, [stage.servers[1], stage.servers[0]]]);
      await one.setClock(5 * 60_000);
      await other.setClock(-5 * 60_000);
      await delay(3_000);
      await Promise.all([one.setClock(0), other.setClock(0)]);
      await delay(500);
    },
  },
  {
    number: 'F-15',
    name: 'a server is killed while it holds work, and stays away: the other takes over',
    async happen(scene) {
      const server = pickServer(scene);
      await server.kill();
      const before = scene.events.accepted();
      const until = performance.now() + takeOverMaxMs;
      while (scene.events.accepted() <= before && performance.now() < until) await delay(100);
      if (scene.events.accepted() <= before)
        scene.fail(`nobody told events in the ${takeOverMaxMs} ms after server ${server.name} was killed`);
      await server.start();
    },
  },
  {
    number: 'F-16',
    name: 'a server is frozen, and goes on as if nothing had been',
    async happen(scene) {
      const server = pickServer(scene);
      server.freeze();
      await delay(scene.chance.whole(1_000, 4_000));
      server.thaw();
    },
  },
  {
    number: 'F-17',
    name: 'subscribers are down, slow, lying, or break off',
    async happen({ events, chance }) {
      const moods: readonly [Reply, ...Reply[]] = [
        { status: 500 },
        { status: 429, headers: { 'retry-after': '1' } },
        { status: 307, headers: { location: '/elsewhere' } },
        'reset',
        'hang',
        { status: 200 },
      ];
      events.setMood(() => chance.pick(moods));
      await delay(3_000);
      events.setMood(undefined);
    },
  },
  {
    number: 'F-18',
    name: 'a server is stopped and started again, then the other',
    async happen(scene) {
      for (const server of scene.stage.servers) {
        const stopping = performance.now();
        const status = await server.stop();
        const tookMs = performance.now() - stopping;
        if (status !== 0) scene.fail(`server ${server.name} ended with ${status} when it was asked to stop`);
        if (tookMs > stopMaxMs) scene.fail(`server ${server.name} took ${Math.round(tookMs)} ms to stop`);
        await server.start();
      }
    },
  },
  {
    number: 'F-21',
    name: 'requests come twice, late, and in another order',
    async happen({ network, chance }) {
      network.setMood((): Passage => {
        const ms = chance.whole(0, 2_000);
        return chance.pick<Passage>([{ kind: 'once' }, { kind: 'late', ms }, { kind: 'twice' }, { kind: 'again', ms }]);
      });
      await delay(3_000);
      network.setMood(undefined);
    },
  },
  {
    number: 'F-22',
    name: 'rules of others eat time and memory',
    async happen({ ground, fail }) {
      const { ask, any } = ground;
      const body = hostileRules();
      const put = await ask('PUT', `${any()}/PlanDefinition/${body.id}`, { body });
      if (put.result === 'refused') fail(`the hostile rules were refused: ${put.text.slice(0, 300)}`);
      await delay(6_000);
      await ask('DELETE', `${any()}/PlanDefinition/${body.id}`);
    },
  },
  {
    number: 'F-24',
    name: "a server's one thread stands still",
    async happen(scene) {
      await pickServer(scene).stall(5_000);
      await delay(6_000);
    },
  },
  {
    number: 'F-25',
    name: 'many bodies as large as they may be come at once',
    async happen(scene) {
      const server = pickServer(scene);
      const head = '{"resourceType":"Patient","name":[{"family":"';
      const body = Buffer.alloc(largestBody, 'x');
      body.write(head);
      const post = () =>
        fetch(`${server.baseUrl}/Patient`, {
          method: 'POST',
          headers: { 'content-type': 'application/fhir+json' },
          body,
          signal: AbortSignal.timeout(answerMaxMs),
        }).then(
          ({ status }) => status,
          () => undefined,
        );
      const statuses = await Promise.all(Array.from({ length: 16 }, post));
      const wrong = statuses.filter((status) => status !== undefined && (status < 400 || status === 500));
      if (wrong.length > 0) scene.fail(`bodies that are no JSON were answered ${wrong.join(', ')}`);
    },
  },
  {
    number: 'F-19',
    name: 'a migration runs beside the servers, and is killed',
    async happen(scene) {
      const { stage, chance } = scene;
      const [, status] = await Promise.all([stage.migrate(chance.whole(100, 900)), stage.migrate()]);
      if (status !== 0) scene.fail(`a migration beside another ended with ${status}`);
    },
  },
];

/** As large as the server takes them (`httpLimits.bodyMax`). */
const largestBody = 50 * 2 ** 20;
/** Events go on so soon after a kill (F-15), on a machine that others use too; alone it takes well under a second. */
const takeOverMaxMs = 30_000;
/** Longer than a server waits for a database that answers nothing at all (`databaseLimits.answerTimeoutMs`). */
const halfOpenMs = 17_000;

/** A graceful stop (issue 9). */
const stopMaxMs = 10_000;

/** PostgreSQL answers again. */
async function untilAnswered({ postgres }: Stage): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isUp = await postgres.query('select 1').then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await delay(100);
  }
  throw new Error('PostgreSQL does not answer any more');
}
