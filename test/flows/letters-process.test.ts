/**
 * Letters and messages in the real process. What a large letter needs in memory; and the process killed with -9 while messages come by
 * MLLP and mails lie in its mailbox, at moments that a seed decides: whatever was acknowledged is there, a mail that has moved is there,
 * what was not is sent or read again, and nothing is there twice. `SUTURE_KILLS=50 npm test -- test/flows/letters-process` kills more often.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import hoodiecrow from 'hoodiecrow-imap';
import type { Bundle } from 'fhir/r4.js';
import { adtOf } from '../letters/admission/adt.ts';
import { richLetter } from '../letters/letters.ts';
import { mailOf } from '../letters/mails.ts';
import { letterAbout, person } from '../support/builders.ts';
import { level1 } from '../support/large-letter.ts';
import { adaptLetter } from '../support/letter.ts';
import { livingWhile, probeSettings } from '../support/memory.ts';
import { connectMllp } from '../support/mllp.ts';
import { freePort } from '../support/port.ts';
import { createServerProcess, requireBuild, type ServerProcess } from './process.ts';

const kills = Number(process.env['SUTURE_KILLS'] ?? 1);
const mailsOfRound = 5;
/** Of the messages sent last, so many are looked for after each start. */
const checked = 20;
const untilMs = 60_000;

let mailbox: ReturnType<typeof hoodiecrow>;
const sockets = new Set<Socket>();
let server: ServerProcess;
let mllpPort: number;
let folder: string;

beforeAll(async () => {
  requireBuild();
  folder = await mkdtemp(join(tmpdir(), 'suture-letters-'));
  mailbox = hoodiecrow({
    plugins: ['UIDPLUS', 'IDLE', 'LITERALPLUS'],
    storage: { INBOX: { messages: [] }, '': { folders: {}, separator: '/' } },
  });
  mailbox.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    // It holds a timer of half an hour for IDLE until somebody says that it is over.
    socket.once('close', () => void socket.emit('data', 'DONE\r\n'));
  });
  await new Promise<void>((resolve) => mailbox.listen(0, resolve));
  mllpPort = await freePort();
  server = await createServerProcess({
    SUTURE_LOG_LEVEL: 'error',
    SUTURE_MLLP_PORT: String(mllpPort),
    SUTURE_IMAP_URL: `imap://testuser:testpass@127.0.0.1:${(mailbox.server.address() as AddressInfo).port}`,
    SUTURE_IMAP_FOLDERS: 'INBOX,Suture,Revue',
    SUTURE_IMAP_POLL: '1',
    ...probeSettings(`${import.meta.dirname}/../support/memory-probe.mjs`, join(folder, 'memory.json')),
  });
  await server.start();
}, 300_000);
afterAll(async () => {
  await server?.close();
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => mailbox.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

it('a letter of 5 MB needs less than twice its length in memory while it is taken', async () => {
  const fixture = (name: string) => readFileSync(`${import.meta.dirname}/../letters/fixtures/${name}`, 'utf8');
  const base = level1(5 * 2 ** 20, fixture).replace(ownNumber, '');
  const letterOf = (number: number): Uint8Array => {
    const setId = `1.2.250.1.999.7.62.${number}`;
    const document = { id: `${setId}.1`, setId, effectiveTime: '2026-03-02T16:05:00Z' };
    return adaptLetter(base, { ...letterAbout(person('large', 900), '2026-02-27T16:20:00+01:00'), document });
  };
  const take = async (number: number): Promise<void> => {
    const letter = letterOf(number);
    // A server that is slowed down by others may say that it cannot now, and is asked again.
    for (let turn = 1; ; turn++) {
      const { status, text } = await server.client.ingest(letter);
      if (status < 300) return;
      if (status !== 503 || turn === 10) throw new Error(`${status} ${text.slice(0, 500)}`);
    }
  };
  // What is loaded and compiled at the first is no letter's need.
  await take(1);
  const { growthBytes, samples } = await livingWhile(server.pid, join(folder, 'memory.json'), () => take(2));
  expect(samples).toBeGreaterThan(2);
  const times = growthBytes / base.length;
  // That it is looked at while the letter is there: it is there once at least.
  expect(times).toBeGreaterThan(0.9);
  expect(times).toBeLessThan(2);
}, 180_000);

/** Numbers between 0 and 1, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

interface Message {
  readonly stay: string;
  readonly text: string;
}

const messageOf = (number: number): Message => {
  const stay = `KS-${number}`;
  const [ipp, controlId] = [`K${number}`, `K-${number}`];
  const admission = { event: 'A01', recorded: '20260302094500', ipp, ins: '', reliability: 'PROV', stay, controlId };
  return { stay, text: adtOf(admission) };
};

/** The hospital's own number of the patient, which would make all of them one. */
const ownNumber = /<id root="1\.2\.250\.1\.999\.7\.1"[^>]*>/;
const letterId = (number: number): string => `1.2.250.1.999.7.60.${number}`;

function mail(number: number): string {
  const document = {
    id: letterId(number),
    setId: `1.2.250.1.999.7.61.${number}`,
    effectiveTime: '2026-03-02T16:05:00Z',
  };
  const base = richLetter('discharge').replace(ownNumber, '');
  const about = letterAbout(person(`m${number}`, number), '2026-02-27T16:20:00+01:00');
  const bytes = Buffer.from(adaptLetter(base, { ...about, document }));
  return mailOf({ messageId: `${number}@chva.mssante.fr`, parts: [{ type: 'text/xml', bytes }] }).toString('utf8');
}

/** Sends one after another, as a hospital does: the next when the last was acknowledged. Ends with the connection. */
async function sendAll(messages: Iterable<Message>, acknowledged: Set<string>): Promise<void> {
  const sender = await connectMllp(mllpPort);
  try {
    for (const { stay, text } of messages) {
      const ack = await sender.send(text);
      if (!ack.includes('MSA|AA|')) throw new Error(ack);
      acknowledged.add(stay);
    }
  } finally {
    sender.close();
  }
}

/** No end of them; each is noted before it is sent. */
function* endless(sent: Message[]): Generator<Message> {
  for (;;) {
    const message = messageOf(sent.length + 1);
    sent.push(message);
    yield message;
  }
}

const lengthOf = (folder: string): number => mailbox.getMailbox(folder)?.messages.length ?? 0;
const stays = async (number: string) => (await server.client.search(`Encounter?identifier=${number}`)).length;
const letters = async (number: number) =>
  (await server.client.search(`DocumentReference?identifier=urn:oid:${letterId(number)}`)).length;

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + untilMs; !isSo(); await delay(2))
    if (performance.now() > end) throw new Error('it does not become so');
}

it('loses nothing that it has acknowledged or moved, and has nothing twice, whenever it is killed', async () => {
  const random = seeded(20_260_302);
  const acknowledged = new Set<string>();
  const sent: Message[] = [];
  let mails = 0;
  for (let round = 0; round < kills; round++) {
    for (const end = mails + mailsOfRound; mails < end; ) mailbox.appendMessage('INBOX', [], false, mail(++mails));
    const full = lengthOf('INBOX');
    const sending = sendAll(endless(sent), acknowledged).catch(() => undefined);
    // As soon as a mail is gone from the mailbox, or at any time.
    if (round % 2 === 0) await until(() => lengthOf('INBOX') < full);
    else await delay(random() * 400);
    await server.kill();
    await sending;
    await server.start();
    for (const { stay } of sent.slice(-checked)) {
      const found = await stays(stay);
      expect([stay, found]).toEqual([stay, acknowledged.has(stay) ? 1 : Math.min(found, 1)]);
    }
  }
  await sendAll(sent.slice(-checked), acknowledged);
  await until(() => lengthOf('INBOX') === 0);
  for (const { stay } of sent.slice(-checked)) expect([stay, await stays(stay)]).toEqual([stay, 1]);
  for (let number = 1; number <= mails; number++) expect([number, await letters(number)]).toEqual([number, 1]);
  expect([lengthOf('Suture') >= mails, lengthOf('Revue')]).toEqual([true, 0]);
  // Sent and read again, each left one version.
  for (const type of ['Encounter', 'DocumentReference']) {
    const history = (await server.client.get(`${type}/_history?_count=1000`)).json as Bundle;
    const names = (history.entry ?? []).map(({ resource }) => resource?.id);
    const own = new Set(names);
    expect([type, names.length - own.size]).toEqual([type, 0]);
  }
  expect(await server.client.search('Task?code=review-letter')).toEqual([]);
}, 300_000);
