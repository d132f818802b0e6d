/**
 * No patient data in logs, metrics and error texts, by the mass: a marker in every field of every kind of input, sought in everything
 * that is told sideways. `canary.test.ts` tells one patient's story; here nothing is chosen by hand.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import hoodiecrow from 'hoodiecrow-imap';
import { createLog } from '../../src/base/index.ts';
import { loadDefinitions } from '../../src/fhir/index.ts';
import { readMailbox } from '../../src/listeners/imap.ts';
import { fixture } from '../letters/letters.ts';
import { archivePart, mailOf } from '../letters/mails.ts';
import { messageOf } from '../letters/messages.ts';
import { metadataOf, xdmOf, zipOf } from '../letters/xdm.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { restHook } from '../support/builders.ts';
import { openMailServer } from '../support/mail-server.ts';
import { canary, canaryForms, er7Places, headerPlaces, planted, plantedIn, xmlPlaces } from '../support/canaries.ts';
import type { Client, Reply } from '../support/client.ts';
import { connectMllp } from '../support/mllp.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';

const definitions = loadDefinitions();
const types = [...definitions.resourceTypes].toSorted();
/** Everything, by SUTURE_CANARY=all; a part of it in `npm test`. */
const isWhole = process.env['SUTURE_CANARY'] === 'all';
let test: TestApp;
let client: Client;
let receiver: Receiver;
let world: World;
/** What was told of refused requests, and by `$validate`. */
const told: { readonly of: string; readonly text: string }[] = [];
const statuses = new Map<string, number>();

beforeAll(async () => {
  world = await openWorld();
  test = await startTestApp({ settings: { SUTURE_MLLP_PORT: '0', ...world.settings } });
  client = test.client;
  receiver = await openReceiver();
});
afterAll(async () => {
  await receiver?.close();
  await test?.close();
  await world?.close();
});

const isLeak = (text: string) => canaryForms.some((form) => text.includes(form));

function note(of: string, { status, text, headers }: Reply, isOutcome = false): void {
  const kind = `${of} ${status < 400 ? 'taken' : 'refused'}`;
  statuses.set(kind, (statuses.get(kind) ?? 0) + 1);
  if (status >= 500 && status !== 501) told.push({ of, text: `${canary}: status ${status}` });
  if (status >= 400 || isOutcome) told.push({ of, text: `${text} ${[...headers.values()].join(' ')}` });
}

async function together<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += 8) await Promise.all(items.slice(at, at + 8).map(work));
}

/** The outcomes of letters that wait for review say what is wrong with them, in the answer and as resources. */
async function ingest(of: string, bytes: string | Uint8Array, type: string): Promise<void> {
  note(of, await client.ingest(bytes, type));
}

describe('A marker in every field', () => {
  it('of a resource of each type, right and wrong', async () => {
    await together([...types.entries()], async ([index, type]) => {
      const [right, wrong] = [planted(definitions, type, 'right'), planted(definitions, type, 'wrong')];
      note('right resource', await client.post(type, right));
      note('wrong resource', await client.post(type, wrong));
      if (!isWhole && index % 20 > 0) return;
      note('$validate', await client.post(`${type}/$validate`, wrong), true);
      note('$validate', await client.post(`${type}/$validate`, right), true);
      const entry = [{ resource: wrong, request: { method: 'POST', url: type } }];
      note('transaction', await client.post('', { resourceType: 'Bundle', type: 'transaction', entry }));
      note('patch', await client.send('PATCH', `${type}/known`, patchOf(right)));
    });
    expect(statuses.get('right resource taken')).toBeGreaterThan(15);
    expect(statuses.get('wrong resource refused')).toBe(types.length);
  }, 120_000);

  it('of the parameters of each search', async () => {
    // Names of parameters are told, as the place of what is wrong; values never.
    const queries = types.flatMap((type, place) =>
      [...definitions.searchParameters(type).values()].flatMap(({ code, type: kind }, index) => [
        ...(isWhole || (place + index) % 12 === 0
          ? [`${type}?${code}=${canary}`, `${type}?${code}:missing=${canary}`]
          : []),
        ...(kind === 'date' && (isWhole || place % 12 === 0) ? [`${type}?${code}=gt${canary}`] : []),
      ]),
    );
    const names = [
      '_sort',
      '_include',
      '_revinclude',
      '_cursor',
      '_count',
      '_total',
      '_summary',
      '_elements',
      '_filter',
      '_list',
    ];
    const results = names.map((name) => `Patient?${name}=${canary}`);
    await together([...queries, ...results], async (query) => note('search', await client.get(query)));
    expect(statuses.get('search refused')).toBeGreaterThan(100);
  }, 120_000);

  it('of headers, paths and operations', async () => {
    const headers = [
      ...['if-match', 'if-none-match', 'if-modified-since', 'if-none-exist', 'prefer', 'accept', 'accept-language'],
      ...[
        'accept-encoding',
        'content-encoding',
        'authorization',
        'x-request-id',
        'user-agent',
        'traceparent',
        'tracestate',
      ],
      ...['baggage', 'cookie', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'origin', 'referer', 'range'],
    ];
    const right = planted(definitions, 'Patient', 'right');
    for (const name of headers) {
      note('header', await client.get('Patient/none', { [name]: canary }));
      note('header', await client.post('Patient', right, { [name]: canary }));
    }
    const paths = [
      '',
      'Patient/',
      'Patient/x/',
      'Patient/x/_history/',
      'Patient/$',
      'Patient/x/$',
      '$',
      '/admin/',
      '/',
      '/fhir/../',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'DELETE']) note('path', await client.send(method, `${path}${canary}`));
    }
    const body = { resourceType: 'Parameters', parameter: [{ name: canary, valueString: canary }] };
    const operations = [
      '$validate',
      '$ingest',
      '$everything',
      '$meta-add',
      '$expand',
      '$lookup',
      '$backtest',
      '$merge',
      '$export',
      '$import',
    ];
    for (const operation of operations) {
      note('operation', await client.post(`Patient/${operation}`, body));
      note('operation', await client.post(operation, body));
      note('operation', await client.get(`Patient/x/${operation}?${canary}=${canary}`));
    }
  });

  it('of letters in each carrier', async () => {
    const letter = fixture('discharge.xml');
    for (const [index, one] of plantedIn(letter, xmlPlaces, 80).entries()) {
      // Each is a document of its own.
      const bytes = one.replace(/<id root="1\.2\.250\.1\.999[\d.]*/, `<id root="1.2.250.1.999.8.${index}`);
      await ingest('CDA', bytes, 'application/cda+xml');
    }
    const marked = letter.replace('SOLENE', canary);
    for (const one of plantedIn(messageOf(marked), er7Places, 60))
      await ingest('HL7 v2', one, 'x-application/hl7-v2+er7');
    const metadata = metadataOf([{ bytes: marked, uniqueId: '1.2.250.1.999.7.3.40.1', typeCode: '11490-0' }]);
    for (const one of plantedIn(metadata, xmlPlaces, 40)) {
      const archive = await zipOf([
        ['INDEX.HTM', canary],
        ['README.TXT', canary],
        ['IHE_XDM/SUBSET01/METADATA.XML', one],
        ['IHE_XDM/SUBSET01/DOC0001.XML', marked],
      ]);
      await ingest('XDM', archive, 'application/zip');
    }
    const mail = mailOf({ parts: [archivePart(await xdmOf([{ bytes: marked }]))] }).toString('latin1');
    for (const one of plantedIn(mail, headerPlaces, 30))
      await ingest('mail', Buffer.from(one, 'latin1'), 'message/rfc822');
    expect(statuses.get('CDA taken')).toBeGreaterThan(5);
    await client.settle();
  }, 120_000);

  it('of messages over MLLP', async () => {
    const sender = await connectMllp(test.app.listeners.mllpPort ?? 0);
    for (const [index, one] of plantedIn(messageOf(fixture('discharge.xml')), er7Places, 25).entries()) {
      const ack = await sender.send(one.replace('|M-1|', `|M-${index + 2}|`));
      // MSA-2 and the names of the systems are the sender's own, sent back as the standard asks.
      const errors = ack.split('\r').filter((line) => line.startsWith('ERR'));
      told.push({ of: 'MLLP', text: errors.join('\n') });
    }
    sender.close();
  });

  it('of mails in a mailbox, and of the credentials for one that lets nobody in', async () => {
    const logged: string[] = [];
    const stranger = readMailbox({
      server: new URL(`imap://${canary}:${canary}@127.0.0.1:${world.imapPort}`),
      folders: { inbox: canary, taken: canary, review: canary },
      tls: {},
      take: () => Promise.reject(new Error(canary)),
      clock: test.app.clock,
      log: createLog('debug', (line) => logged.push(line)),
    });
    await stranger.look();
    await stranger.stop();
    expect(logged.join()).toContain('the mailbox cannot be read now');
    told.push(...logged.map((text) => ({ of: 'IMAP', text })));
    while (world.mailsLeft() > 0) await new Promise((resume) => setTimeout(resume, 20));
    const { component, reason } = JSON.parse(test.logged.findLast((line) => line.includes('"imap"')) ?? '{}');
    expect([component, typeof reason]).toEqual(['imap', 'string']);
  });

  it('of mails that leave, and of what the server says that refuses them', async () => {
    const { json } = await client.ingest(fixture('discharge.xml').replace('SOLENE', canary));
    const parameter = [
      { name: 'to', valueString: 'gp@medecin.mssante.example' },
      { name: 'text', valueString: canary },
    ];
    const letter = json.entry?.[0]?.resource?.id as string;
    const sent = await client.post(`DocumentReference/${letter}/$mssante`, { resourceType: 'Parameters', parameter });
    expect(sent.status).toBe(201);
    const byMail = restHook('by-mail', 'Patient?active=true', 'mailto:gp@medecin.mssante.example', 'text/plain');
    const channel = { ...(byMail['channel'] as object), type: 'email' };
    note('subscription by mail', await client.put({ ...byMail, channel }));
    await client.putAll({ resourceType: 'Patient', id: 'mailed', active: true, name: [{ family: canary }] });
    await client.settle();
    expect(world.refusals()).toBeGreaterThan(0);
    const communication = await client.read<Readonly<Record<string, unknown>>>(`Communication/${sent.json.id}`);
    told.push({ of: '$mssante', text: JSON.stringify(communication['statusReason'] ?? '') });
    const subscription = await client.get('Subscription/by-mail');
    told.push({ of: 'Subscription.error', text: String(subscription.json.error ?? '') });
  });

  it('of subscriptions, and what their endpoints answer', async () => {
    receiver.answer(() => ({ status: 500, body: canary, headers: { 'x-reason': canary, location: `/${canary}` } }));
    const endpoints = [`${receiver.url}/${canary}`, 'http://127.0.0.1:9/x', `https://${canary}.invalid/x`, canary];
    for (const [index, endpoint] of endpoints.entries()) {
      const one = restHook(`canary-${index}`, `Patient?family=${canary}`, endpoint, 'application/fhir+json');
      const channel = {
        ...(one['channel'] as object),
        header: [`X-Own: ${canary}`, `Authorization: Bearer ${canary}`],
      };
      note('subscription', await client.put({ ...one, channel }));
      note('subscription', await client.put({ ...one, criteria: `Patient?birthdate=${canary}` }));
    }
    await client.settle();
    await client.putAll({ resourceType: 'Patient', id: 'heard', name: [{ family: canary }] });
    await client.settle();
    await client.moveClock('2026-03-02T09:00:00+01:00');
    const states = await client.search<{ readonly error?: string }>('Subscription');
    for (const { error = '' } of states) told.push({ of: 'Subscription.error', text: error });
    for (const index of endpoints.keys()) {
      const { json } = await client.get(`Subscription/canary-${index}/$status`);
      told.push({
        of: '$status',
        text: JSON.stringify(
          (json.entry?.[0]?.resource?.parameter ?? []).filter((one: { name: string }) => one.name === 'error'),
        ),
      });
    }
    expect(receiver.received.length).toBeGreaterThan(0);
  });

  it('is in no outcome', () => {
    expect(told.length).toBeGreaterThan(400);
    expect(
      told
        .filter(({ text }) => isLeak(text))
        .map(({ of, text }) => `${of}: ${text.slice(0, 400)}`)
        .slice(0, 20),
    ).toEqual([]);
  });

  it('is in no line of the log, at level debug', () => {
    expect(test.logged.length).toBeGreaterThan(1_000);
    expect([...new Set(test.logged.filter(isLeak))].slice(0, 5)).toEqual([]);
  });

  it('is not in the metrics', async () => {
    const { text } = await client.get('/metrics');
    expect(text).toContain('suture_http_request_seconds');
    expect(text.split('\n').filter(isLeak)).toEqual([]);
  });

  it('stands in the database only where data have their place: in no column of jobs, deliveries and errors', async () => {
    const columns = await test.database.query<{ table: string; column: string }>({
      text: `select c.relname as table, a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
               and a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'text[]'::regtype) order by 1, 2`,
    });
    const found: string[] = [];
    for (const { table, column } of columns) {
      const text = `select exists (select from ${table} where "${column}"::text ~* $1) as "isThere"`;
      const rows = await test.database.query<{ isThere: boolean }>({
        text,
        values: [canaryForms.join('|').replaceAll('=', '')],
      });
      if (rows[0]?.isThere === true) found.push(`${table}.${column}`);
    }
    expect(found.filter((one) => !(one in places))).toEqual([]);
    expect(found).toContain('resource.raw');
  });

  it('is in no trace', async () => {
    // Stops the server, which sends what is left; the metrics and the database were asked before.
    await test.app.stop();
    expect(world.traces.join('').length).toBeGreaterThan(10_000);
    expect(world.traces.filter(isLeak)).toEqual([]);
  });
});

/** Where data stand on purpose. */
const places: Readonly<Record<string, string>> = {
  'resource.raw': 'the resource as it is',
  'version.raw': 'the same of former versions',
  'string_index.v': 'what searches of texts start from',
  'subscription_secret.value': 'headers of calls, kept out of the resource',
  'resource.patients': 'references: ids that the client chose',
  'change.patients': 'the same',
  'access_identity.known_as': 'who somebody is, which decides on access: numbers of professionals, references',
  'access_identity.organisation': 'the same',
  'receipt.name': 'the number that a sender gave its message (MSH-10, Message-ID)',
};

function patchOf(body: object) {
  const [, value] = Object.entries(body).find(([name]) => name !== 'resourceType') ?? [];
  const operations = [
    { op: 'add', path: `/${canary}`, value: canary },
    { op: 'test', path: '/id', value },
  ];
  return { body: operations, type: 'application/json-patch+json' };
}

/** What the server speaks with beside its clients: a mailbox full of markers, a mail server that refuses with one, a collector of traces. */
interface World {
  readonly settings: Readonly<Record<string, string>>;
  readonly imapPort: number;
  mailsLeft(): number;
  refusals(): number;
  readonly traces: readonly string[];
  close(): Promise<void>;
}

async function openWorld(): Promise<World> {
  const [mailbox, collector] = [await openMailbox(), await openCollector()];
  let refusals = 0;
  const mail = await openMailServer({
    onRcptTo(_address, _session, done) {
      refusals++;
      done(Object.assign(new Error(`5.1.1 ${canary} is not here`), { responseCode: 550 }));
    },
  });
  return {
    settings: {
      SUTURE_SMTP_URL: mail.url,
      SUTURE_MAIL_FROM: 'suture@chu.mssante.example',
      SUTURE_MSSANTE_DOMAINS: 'mssante.example',
      SUTURE_MAIL_SENDERS: '*',
      SUTURE_IMAP_URL: `imap://testuser:testpass@127.0.0.1:${mailbox.port}`,
      SUTURE_OTLP_URL: `http://127.0.0.1:${collector.port}/v1/traces`,
      SUTURE_TRACE_SHARE: '100',
    },
    imapPort: mailbox.port,
    mailsLeft: mailbox.left,
    refusals: () => refusals,
    traces: collector.bodies,
    async close() {
      await Promise.all([mail.close(), mailbox.close(), collector.close()]);
    },
  };
}

async function openMailbox() {
  const letter = fixture('discharge.xml').replace('SOLENE', canary);
  const mail = mailOf({ parts: [{ type: 'text/xml', bytes: letter }] }).toString('latin1');
  const messages = plantedIn(mail, headerPlaces, 10).map((raw) => ({ raw }));
  const server = hoodiecrow({
    plugins: ['UIDPLUS', 'IDLE', 'LITERALPLUS'],
    storage: { INBOX: { messages }, '': { folders: {}, separator: '/' } },
  });
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    left: () => server.getMailbox('INBOX')?.messages.length ?? 0,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.emit('data', 'DONE\r\n'); // ends its timer of half an hour
          socket.destroy();
        }
      }),
  };
}

async function openCollector() {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request) body += String(part);
      bodies.push(body);
      response.setHeader('content-type', 'application/json').end('{}');
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    bodies,
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
