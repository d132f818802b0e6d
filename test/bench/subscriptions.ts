/**
 * What subscriptions cost and how fast they tell: a thousand of them to a topic, id-only, each for another patient, so that a write
 * matches one. The receiver answers at once, in this process, beside what drives the load.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeTopic } from '../../src/notify/topics/basic.ts';
import type { Resource } from '../../src/fhir/resource.ts';
import { type Bench, costOfServer } from './compare.ts';
import { put, sendOrFail, settle, transaction } from './client.ts';
import { driveHttp, type Figures, type HttpRequest, meanRate } from './measure.ts';
import { type Answered, answerTimes, elapsedS, figuresOf, offer } from './offer.ts';
import type { World } from './operations.ts';
import type { ResultRow } from './table.ts';

const subscriptionCount = 1_000;
const writesPerSecond = 200;
const perBundle = 100;
const quietMs = 10_000;
const guide = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
const topicUrl = 'https://suture.example/bench/SubscriptionTopic/observation-written';

const topic = writeTopic('bench-topic', {
  url: topicUrl,
  version: '1',
  title: 'Observation',
  description: undefined,
  status: 'active',
  triggers: [{ type: 'Observation', interactions: ['create', 'update'], query: undefined, fhirPath: undefined }],
  filters: [{ type: 'Observation', parameter: 'patient', modifiers: [] }],
});

interface Ear {
  readonly url: string;
  /** When the notification of an Observation came first, by id. */
  readonly heardAtMs: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

async function openEar(): Promise<Ear> {
  const heardAtMs = new Map<string, number>();
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString('utf8');
      for (const [, id = ''] of text.matchAll(/"reference":"[^"]*\/Observation\/([^"]+)"/g)) {
        if (!heardAtMs.has(id)) heardAtMs.set(id, performance.now());
      }
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    heardAtMs,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const patientOf = (n: number) => `Patient/bench-${n % subscriptionCount}`;

function subscription(n: number, url: string): Resource {
  return {
    resourceType: 'Subscription',
    id: `bench-${n}`,
    status: 'requested',
    reason: 'bench',
    criteria: topicUrl,
    _criteria: { extension: [{ url: `${guide}backport-filter-criteria`, valueString: `patient=${patientOf(n)}` }] },
    channel: {
      type: 'rest-hook',
      endpoint: url,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${guide}backport-payload-content`, valueCode: 'id-only' }] },
    },
  };
}

function observation(id: string, n: number): Resource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: patientOf(n) },
    effectiveDateTime: '2026-03-02T08:00:00+01:00',
    valueQuantity: { value: 60 + (n % 40), unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
  };
}

/** Observations that are new each time, of one patient after the other. */
function newObservations({ basePath }: World, run: string): () => HttpRequest {
  let n = 0;
  return () => put(basePath, observation(`${run}-${n}`, n++));
}

async function subscribe({ origin, basePath }: World, url: string): Promise<void> {
  await sendOrFail(origin, put(basePath, topic));
  const all = Array.from({ length: subscriptionCount }, (_one, n) => subscription(n, url));
  for (let at = 0; at < all.length; at += perBundle) {
    await sendOrFail(origin, transaction(basePath, all.slice(at, at + perBundle), 'PUT'));
  }
  await settle(origin);
  const path = `${basePath}/Subscription?status=active&_summary=count`;
  const { total } = JSON.parse(await sendOrFail(origin, { method: 'GET', path })) as { readonly total?: number };
  if ((total ?? 0) < subscriptionCount) throw new Error(`${total} of ${subscriptionCount} subscriptions are active`);
}

async function unsubscribe({ origin, basePath }: World): Promise<void> {
  for (let n = 0; n < subscriptionCount; n++) {
    await sendOrFail(origin, put(basePath, { ...subscription(n, 'http://127.0.0.1:1/'), status: 'off' }));
  }
  await settle(origin);
}

interface Paced {
  readonly sent: ReadonlyMap<string, Answered>;
  /** From sending a write to its answer. */
  readonly answers: Figures;
}

/** Writes at a fixed pace. */
async function pace(world: World, run: string, seconds: number): Promise<Paced> {
  const requests = newObservations(world, run);
  const next = (n: number) => ({ id: `${run}-${n}`, request: requests() });
  const sent = await offer(world.origin, { next, perSecond: writesPerSecond, seconds });
  const what = { count: sent.size, seconds: elapsedS(sent), failure: 'refused' };
  return { sent, answers: figuresOf(answerTimes(sent), what) };
}

/** The delays from sending a write to hearing of it. */
async function hear({ sent }: Paced, ear: Ear): Promise<Figures> {
  const isHeard = () => [...sent.keys()].every((id) => ear.heardAtMs.has(id));
  for (const until = performance.now() + quietMs; !isHeard() && performance.now() < until; ) {
    await new Promise((resume) => setTimeout(resume, 50));
  }
  const delays = [...sent].flatMap(([id, { sentAtMs }]) => {
    const heard = ear.heardAtMs.get(id);
    return heard === undefined ? [] : [heard - sentAtMs];
  });
  return figuresOf(delays, { count: sent.size, seconds: elapsedS(sent), failure: 'never heard' });
}

export async function measureSubscriptions(bench: Bench): Promise<readonly ResultRow[]> {
  const { world, seconds } = bench;
  const ear = await openEar();
  const { origin, connections } = world;
  const drive = (run: string) => {
    const next = newObservations(world, run);
    return costOfServer(bench, {
      drive: (forSeconds) => driveHttp(origin, next, { connections, seconds: forSeconds }),
      rest: () => settle(origin),
    });
  };
  try {
    const before = await drive('none-before');
    const alone = await pace(world, 'paced-alone', seconds);
    await subscribe(world, ear.url);
    const watched = await drive('watched');
    await settle(origin);
    const paced = await pace(world, 'paced', seconds);
    const delays = await hear(paced, ear);
    await settle(origin);
    await unsubscribe(world);
    const none = meanRate(before.figures, (await drive('none-after')).figures);
    return [
      {
        name: `create, ${subscriptionCount} subscriptions`,
        unit: 'requests',
        perSecond: watched.figures.perSecond,
        rawPerSecond: none,
        figures: watched.figures,
        cost: watched.cost,
        rawCost: before.cost,
        remark: 'each matches one; the limit is the same without subscriptions',
      },
      {
        name: `create, ${subscriptionCount} subscriptions, ${writesPerSecond}/s offered`,
        unit: 'requests',
        perSecond: paced.answers.perSecond,
        rawPerSecond: alone.answers.perSecond,
        figures: paced.answers,
        remark: `median without subscriptions ${alone.answers.medianMs.toFixed(1)} ms`,
      },
      {
        name: `write to receipt, ${writesPerSecond} writes/s`,
        unit: 'notifications',
        perSecond: delays.perSecond,
        figures: delays,
        remark: 'from sending the write to hearing of it',
      },
    ];
  } finally {
    await ear.stop();
  }
}
