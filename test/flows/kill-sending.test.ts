/**
 * The process killed with -9 while a document leaves: by mail ($mssante) or to the bridge ($publish). What was promised is kept, is
 * recorded once, and is told the same way again only where nobody can know that it came (bridge/mssante.ts).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Bundle, Communication, Task } from 'fhir/r4.js';
import { richLetter } from '../letters/letters.ts';
import { morning } from '../support/app.ts';
import { type MailServer, openMailServer } from '../support/mail-server.ts';
import { freePort } from '../support/port.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { createServerProcess, requireBuild, type ServerProcess } from './process.ts';

let mail: MailServer;
let bridge: Receiver;
let server: ServerProcess;
let letter: string;

beforeAll(async () => {
  requireBuild();
  [mail, bridge] = [await openMailServer(), await openReceiver()];
  server = await createServerProcess({
    // The same after a restart: the server's own URLs stand in what it sends.
    PORT: String(await freePort()),
    SUTURE_CLOCK: morning,
    SUTURE_ALLOW_TEST_INS: 'true',
    SUTURE_LOG_LEVEL: 'warn',
    SUTURE_SMTP_URL: mail.url,
    SUTURE_MAIL_FROM: 'suture@chu.mssante.example',
    SUTURE_MSSANTE_DOMAINS: 'mssante.example',
    SUTURE_DMP_URL: bridge.url,
    SUTURE_HOOKS_ALLOW_LOOPBACK: 'true',
  });
  await server.start();
  const { json } = await server.client.ingest(richLetter('discharge'));
  letter = (json as Bundle).entry?.[0]?.resource?.id ?? '';
}, 300_000);
afterAll(async () => {
  await server?.close();
  await mail?.close();
  await bridge?.close();
});

const untilMs = 60_000;

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + untilMs; !isSo(); await delay(20)) {
    if (performance.now() > end) throw new Error('it did not come to that');
  }
}

/** Asks for the document to leave, and kills the server as soon as the world has it. */
async function killWhileItLeaves(operation: string, values: object, hasCome: () => boolean): Promise<string> {
  const reply = await server.client.post(`DocumentReference/${letter}/${operation}`, {
    resourceType: 'Parameters',
    ...values,
  });
  expect(reply.status).toBe(201);
  await until(hasCome);
  await server.kill();
  await server.start();
  return (reply.json as { id: string }).id;
}

const toGp = { parameter: [{ name: 'to', valueString: 'yann.lescop@medecin.mssante.example' }] };
const communication = (id: string) => server.client.read<Communication>(`Communication/${id}`);

it('a mail that may have gone waits for a report, then goes again as the same mail, and is recorded once', async () => {
  mail.behave('silent');
  const before = mail.taken.length;
  const id = await killWhileItLeaves('$mssante', toGp, () => mail.taken.length > before);
  mail.behave('take');
  await server.client.settle();
  expect([mail.taken.length - before, (await communication(id)).status]).toEqual([1, 'preparation']);
  await server.client.moveClock('2026-03-02T08:20:00+01:00');
  expect([mail.taken.length - before, (await communication(id)).status]).toEqual([2, 'completed']);
  const [first, second] = mail.taken.slice(before);
  expect(second?.bytes.equals(first?.bytes ?? Buffer.alloc(0))).toBe(true);
  expect(await server.client.search('Communication?medium=MSSANTE')).toHaveLength(1);
}, 180_000);

it('a mail of which a report has come is not sent again', async () => {
  mail.behave('silent');
  const before = mail.taken.length;
  const id = await killWhileItLeaves('$mssante', toGp, () => mail.taken.length > before);
  mail.behave('take');
  await server.client.putAll({ ...(await communication(id)), status: 'completed' } as never);
  await server.client.moveClock('2026-03-02T10:00:00+01:00');
  expect(mail.taken.length - before).toBe(1);
}, 180_000);

it('a submission goes to the bridge again with the same names, and its answer is kept once', async () => {
  bridge.answer(() => 'hang');
  const id = await killWhileItLeaves('$publish', {}, () => bridge.received.length > 0);
  bridge.answer(() => ({
    status: 200,
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response' }),
  }));
  await server.client.settle();
  await until(() => bridge.received.length > 1);
  await server.client.settle();
  const bodies = bridge.received.map(({ body }) => body);
  expect([bodies.length, new Set(bodies).size]).toEqual([2, 1]);
  const task = await server.client.read<Task>(`Task/${id}`);
  expect([task.status, task.output?.filter(({ valueReference }) => valueReference).length]).toEqual(['completed', 1]);
  expect(task.meta?.versionId).toBe('2');
}, 180_000);
