/**
 * F-23 of the fault plan (../shared/reference/security-reliability.md 4.4), as SQLite tests itself: each interaction is asked again and
 * again, and each time the connection to the database is cut one statement later. Whatever is answered, the interaction was done as a
 * whole or not at all, and the next attempt succeeds.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { letterText } from '../../src/demo/letter.ts';
import { createPerson } from '../../src/demo/people.ts';
import { createChance } from '../../src/demo/random.ts';
import { startApp, type App } from '../../src/app/index.ts';
import { createCountedIds, createLog, readConfig } from '../../src/base/index.ts';
import { createClient, type Client, type Reply } from '../support/client.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { openProxy, type Proxy } from './proxy.ts';

let database: TestDatabase;
let proxy: Proxy;
let app: App;
let client: Client;

beforeAll(async () => {
  database = await openTestDatabase();
  const url = new URL(database.url);
  const host = url.searchParams.get('host');
  const port = Number(url.port || '5432');
  proxy = await openProxy(host?.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { port });
  url.searchParams.delete('host');
  [url.hostname, url.port] = ['127.0.0.1', String(proxy.port)];
  const settings = { PORT: '0', DATABASE_URL: url.toString(), SUTURE_CLOCK: '2026-03-02T08:00:00+01:00' };
  const config = readConfig({ ...settings, SUTURE_ALLOW_TEST_INS: 'true' });
  app = await startApp({ config, ids: createCountedIds('made'), log: createLog('error'), random: () => 0.5 });
  client = createClient(app.baseUrl);
});
afterAll(async () => {
  await app?.stop();
  await proxy?.close();
  await database?.close();
});

interface Interaction {
  /** `round` is another each time. */
  ask(round: number): Promise<Reply>;
  /** How much of it is there: 0 nothing, 1 all; anything between is torn. */
  share(round: number): Promise<number>;
  /** Of one that sends many statements not each is cut off. */
  readonly stride?: number;
}

const count = async (path: string): Promise<number> => {
  const { json } = await client.get(`${path}${path.includes('?') ? '&' : '?'}_summary=count`);
  return json.total as number;
};
const basic = (text: string, id?: string) => ({
  resourceType: 'Basic',
  ...(id === undefined ? {} : { id }),
  code: { text },
  identifier: [{ system: 'https://hopital.example/essai', value: text }],
});
const put = (id: string, text: string) => client.put({ ...basic(text, id), id });
const versionsOf = async (id: string): Promise<number> => (await client.get(`Basic/${id}/_history`)).json.total ?? 0;
const entry = (text: string, id: string) => ({
  resource: basic(text, id),
  request: { method: 'PUT', url: `Basic/${id}` },
});

const interactions: Readonly<Record<string, Interaction>> = {
  create: {
    ask: (round) => client.post('Basic', basic(`create-${round}`)),
    share: (round) => count(`Basic?identifier=create-${round}`),
  },
  'conditional create': {
    ask: (round) => client.post('Basic', basic(`once-${round}`), { 'if-none-exist': `identifier=once-${round}` }),
    share: (round) => count(`Basic?identifier=once-${round}`),
  },
  update: {
    ask: (round) => put(`u${round}`, `update-${round}`),
    share: async (round) => Math.max(await versionsOf(`u${round}`), await count(`Basic?identifier=update-${round}`)),
  },
  patch: {
    async ask(round) {
      const body = [{ op: 'replace', path: '/identifier/0/value', value: `patch-${round}` }];
      return client.send('PATCH', 'Basic/p', { body, type: 'application/json-patch+json' });
    },
    share: (round) => count(`Basic?identifier=patch-${round}`),
  },
  delete: {
    ask: (round) => client.remove(`Basic/d${round}`),
    share: async (round) => 1 - (await count(`Basic?_id=d${round}`)),
  },
  transaction: {
    ask: (round) =>
      client.post('', {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: ['a', 'b', 'c'].map((name) => entry(`whole-${round}`, `t${round}-${name}`)),
      }),
    share: async (round) => (await count(`Basic?identifier=whole-${round}`)) / 3,
  },
  letter: {
    stride: 3,
    ask: (round) => client.ingest(letter(round)),
    share: async (round) => {
      const documents = await count(`DocumentReference?patient.identifier=${person(round).ins}`);
      const binaries = Number(
        (await database.database.query({ text: binariesText, values: [marker(round)] }))[0]?.['n'],
      );
      return documents === binaries ? documents : 0.5;
    },
  },
};

const person = (round: number) => createPerson(700 + round, createChance(round));
const marker = (round: number) => Buffer.from(letter(round)).toString('base64').slice(0, 4_000);
const binariesText = `select count(*)::integer as n from resource where type = 'Binary' and strpos(raw, $1) > 0`;

function letter(round: number): string {
  const discharged = Date.UTC(2026, 1, 20, 15, 20);
  const [admitted, written] = [discharged - 7 * 86_400_000, discharged + 86_400_000];
  return letterText({ person: person(round), admitted, discharged, written });
}

/** More statements than any interaction sends. */
const placesMax = 60;

describe('An interaction whose n-th piece to the database is cut off', () => {
  beforeAll(async () => {
    await put('p', 'patched');
    for (let round = 1; round <= placesMax; round++) await put(`d${round}`, `deleted-${round}`);
    await client.settle();
  });

  it.each(Object.entries(interactions))(
    'is done as a whole or not at all, and then done: %s (F-23)',
    async (_name, one) => {
      let refused = 0;
      for (let place = 1; place <= placesMax; place++) {
        proxy.cutAtPiece(place);
        const { status } = await one.ask(place);
        const wasCut = proxy.pieces() >= place;
        proxy.cutAtPiece(0);
        const share = await one.share(place);
        expect([0, 1]).toContain(share);
        if (status < 300) expect(share).toBe(1);
        else {
          expect(status).toBe(503);
          refused++;
          await one.ask(place);
          expect(await one.share(place)).toBeGreaterThanOrEqual(1);
        }
        await client.settle();
        if (!wasCut) break;
      }
      expect(refused).toBeGreaterThan(0);
    },
  );
});
