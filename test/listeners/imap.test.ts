/** A mailbox that is read, against an IMAP server in this process. */
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import hoodiecrow from 'hoodiecrow-imap';
import { createLog, Problem } from '../../src/base/index.ts';
import { type ImapInput, type ImapListener, readMailbox } from '../../src/listeners/imap.ts';
import { fixture } from '../letters/letters.ts';
import { mailOf } from '../letters/mails.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

type Server = ReturnType<typeof hoodiecrow>;

const folders = { inbox: 'INBOX', taken: 'Suture', review: 'Revue' };
const letterMail = () => mailOf({ parts: [{ type: 'text/xml', bytes: fixture('discharge.xml') }] }).toString('utf8');

let server: Server;
let port: number;
const sockets = new Set<Socket>();
const listeners: ImapListener[] = [];

async function openServer(at = 0): Promise<void> {
  server = hoodiecrow({
    plugins: ['UIDPLUS', 'IDLE', 'LITERALPLUS'],
    storage: { INBOX: { messages: [] }, '': { folders: {}, separator: '/' } },
  });
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(at, resolve));
  port = (server.server.address() as AddressInfo).port;
}

/** As a cable would; the server in this process holds a timer of half an hour for IDLE until somebody says that it is over. */
function cutConnections(): void {
  for (const socket of sockets) {
    socket.emit('data', 'DONE\r\n');
    socket.destroy();
  }
}

async function closeServer(which = server): Promise<void> {
  const closed = new Promise<void>((resolve) => which.close(resolve));
  cutConnections();
  await closed;
}

const put = (raw: string) => server.appendMessage('INBOX', [], false, raw);
const counts = () =>
  [folders.inbox, folders.taken, folders.review].map((name) => server.getMailbox(name)?.messages.length ?? 0);

function open(take: ImapInput['take'], more: Partial<ImapInput> = {}): ImapListener {
  const listener = readMailbox({
    server: new URL(`imap://testuser:testpass@127.0.0.1:${port}`),
    folders,
    tls: {},
    take,
    clock: { kind: 'real', now: () => 0 },
    log: createLog('silent'),
    limits: { reconnectMs: [10], pollMs: 3_600_000 },
    ...more,
  });
  listeners.push(listener);
  return listener;
}

/** Asks again until it is so, for some seconds. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 4000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('it does not become so');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeEach(() => openServer());
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.stop();
  await closeServer();
});

const stored: ImapInput['take'] = () => Promise.resolve({ kind: 'stored', answer: { status: 201 } });
const refused: ImapInput['take'] = () =>
  Promise.resolve({ kind: 'refused', problem: new Problem('unprocessable', 'x') });

describe('a mailbox', () => {
  it('gives each mail once, byte for byte, and moves it to where it belongs', async () => {
    const taken: string[] = [];
    put('From: a@b.mssante.fr\r\nSubject: one\r\n\r\n1');
    put('From: a@b.mssante.fr\r\nSubject: two\r\n\r\n2');
    const listener = open((mail) => {
      taken.push(Buffer.from(mail.bytes).toString());
      return taken.length === 1 ? stored(mail) : refused(mail);
    });
    await listener.look();
    await listener.look();
    expect(taken.map((mail) => /Subject: (\w+)/.exec(mail)?.[1])).toEqual(['one', 'two']);
    expect(counts()).toEqual([0, 1, 1]);
  });

  it('is told of new mail by the server, without waiting for the next look', async () => {
    const listener = open(stored);
    await listener.look();
    put('From: a@b.mssante.fr\r\n\r\nx');
    await until(() => counts().join() === '0,1,0');
    expect(counts()).toEqual([0, 1, 0]);
  });

  it('keeps a mail that the server could not take now, and gives it to a person when that does not end', async () => {
    put('From: a@b.mssante.fr\r\n\r\nx');
    const listener = open(() => Promise.reject(new Problem('unavailable', 'x')), {
      limits: { attemptsMax: 2, pollMs: 3_600_000 },
    });
    await until(async () => {
      await listener.look();
      return counts()[2] === 1;
    });
    expect(counts()).toEqual([0, 0, 1]);
  });

  it('does not fetch a mail that is longer than allowed', async () => {
    put(`From: a@b.mssante.fr\r\n\r\n${'x'.repeat(5000)}`);
    await open(() => Promise.reject(new Error('must not be asked')), {
      limits: { mailBytesMax: 1000, pollMs: 3_600_000 },
    }).look();
    expect(counts()).toEqual([0, 0, 1]);
  });

  it('is read again after the connection broke, also when the server was away for a while', async () => {
    const listener = open(stored);
    await listener.look();
    cutConnections();
    put('From: a@b.mssante.fr\r\n\r\nx');
    await until(async () => {
      await listener.look();
      return counts().join() === '0,1,0';
    });
    const same = port;
    await closeServer();
    await listener.look();
    await openServer(same);
    put('From: a@b.mssante.fr\r\n\r\ny');
    await until(() => counts().join() === '0,1,0');
    expect(counts()).toEqual([0, 1, 0]);
  });

  it('takes a mail again that was taken and not moved', async () => {
    put('From: a@b.mssante.fr\r\n\r\nx');
    let count = 0;
    const listener = open((mail) => {
      // The connection breaks after the commit and before the move.
      if (++count === 1) cutConnections();
      return stored(mail);
    });
    await until(async () => {
      await listener.look();
      return counts().join() === '0,1,0';
    });
    expect(count).toBe(2);
  });

  it('refuses a wrong password without a trace of it', async () => {
    const lines: string[] = [];
    const listener = open(stored, {
      server: new URL(`imap://testuser:secret-marker@127.0.0.1:${port}`),
      log: createLog('debug', (line) => lines.push(line)),
    });
    await listener.look();
    expect(lines.join('')).toContain('authentication');
    expect(lines.join('')).not.toMatch(/secret-marker|testuser/);
  });
});

describe('the whole server', () => {
  let test: TestApp;
  let own: Server;
  beforeAll(async () => {
    await openServer();
    own = server;
    put(letterMail());
    put(mailOf({ messageId: '9@chva.mssante.fr' }).toString('utf8'));
    test = await startTestApp({
      settings: {
        SUTURE_IMAP_URL: `imap://testuser:testpass@127.0.0.1:${port}`,
        SUTURE_IMAP_FOLDERS: 'INBOX,Suture,Revue',
      },
    });
  });
  afterAll(async () => {
    await test?.close();
    await closeServer(own);
  });

  it('takes letters from its mailbox, once, and gives a person what is none', async () => {
    // The server of beforeEach is another one; this one is asked through what the record has.
    await test.app.listeners.mailbox?.look();
    await until(async () => (await test.client.search('DocumentReference')).length === 1);
    expect(await test.client.search('Task?code=review-letter')).toHaveLength(1);
  });
});
