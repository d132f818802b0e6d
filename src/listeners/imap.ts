/**
 * A mailbox that is read (IMAP4rev1, RFC 3501): each mail is taken as $ingest takes it, after its commit it moves to the folder
 * of what was taken, or of what a person must look at. A mail that was taken and not moved, because the connection or the
 * server ended in between, is taken again and changes nothing. Nothing is deleted, nothing is answered.
 *
 * One connection at a time; when it ends it is opened again, later and later. Mails come one by one, the size is asked before
 * the mail: memory is that of one mail.
 */
import type { ImapFlow, ImapFlowOptions } from 'imapflow';
import { type ClientTls, type Clock, type Log, mailLimits, Problem, problemCategories } from '../base/index.ts';
import type { TakeLetter } from '../interactions/index.ts';

export interface ImapInput {
  /** `imaps://user:password@host:993`. */
  readonly server: URL;
  readonly folders: { readonly inbox: string; readonly taken: string; readonly review: string };
  readonly tls: ClientTls<Buffer>;
  readonly take: TakeLetter;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<ImapLimits>;
}

export interface ImapLimits {
  /** The mailbox is looked at again after so long, at the latest. */
  readonly pollMs: number;
  /** Waits between attempts to connect; the last one for good. */
  readonly reconnectMs: readonly number[];
  readonly mailBytesMax: number;
  /** Mails of one look; the others are seen at the next. */
  readonly mailsMax: number;
  /** Attempts at a mail that the server itself could not take, in one life of the process. */
  readonly attemptsMax: number;
}

const imapLimits: ImapLimits = {
  pollMs: 60_000,
  reconnectMs: [1_000, 5_000, 30_000, 120_000],
  mailBytesMax: mailLimits.bytesMax,
  mailsMax: 200,
  attemptsMax: 5,
};

export interface ImapListener {
  /** Looks at the mailbox now, and resolves when what was there has been gone through. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

interface Life {
  readonly input: ImapInput;
  readonly limits: ImapLimits;
  readonly attempts: Map<string, number>;
  client: ImapFlow | undefined;
  failures: number;
  isStopped: boolean;
  timer: NodeJS.Timeout | undefined;
  looking: Promise<void>;
}

export function readMailbox(input: ImapInput): ImapListener {
  const life: Life = {
    input,
    limits: { ...imapLimits, ...input.limits },
    attempts: new Map(),
    client: undefined,
    failures: 0,
    isStopped: false,
    timer: undefined,
    looking: Promise.resolve(),
  };
  const look = (): Promise<void> => {
    clearTimeout(life.timer);
    life.looking = life.looking.then(() => lookOnce(life, () => void look()));
    return life.looking;
  };
  void look();
  return {
    look,
    async stop() {
      life.isStopped = true;
      clearTimeout(life.timer);
      await life.looking;
      await leave(life);
    },
  };
}

/** One look; whatever goes wrong ends the connection, and the next look opens another. */
async function lookOnce(life: Life, again: () => void): Promise<void> {
  if (life.isStopped) return;
  const { log } = life.input;
  try {
    const client = await connection(life, again);
    await readInbox(life, client);
    life.failures = 0;
    // The library waits a while before it idles by itself; the next command ends it.
    void client.idle().catch(() => undefined);
  } catch (error) {
    // The same failure is told when it begins, not at each attempt.
    if (life.failures === 0) log.warn({ component: 'imap', reason: reasonOf(error) }, 'the mailbox cannot be read now');
    life.failures++;
    await leave(life);
  }
  if (life.isStopped) return;
  const { reconnectMs, pollMs } = life.limits;
  const wait = life.failures === 0 ? pollMs : (reconnectMs[Math.min(life.failures, reconnectMs.length) - 1] ?? pollMs);
  life.timer = setTimeout(again, wait).unref();
}

/** Codes only: texts of the library repeat what the server said. */
function reasonOf(error: unknown): string {
  const { code, authenticationFailed } = error as { code?: unknown; authenticationFailed?: unknown };
  if (authenticationFailed === true) return 'authentication';
  return typeof code === 'string' && /^[A-Za-z_]{1,40}$/.test(code) ? code : 'failed';
}

async function connection(life: Life, again: () => void): Promise<ImapFlow> {
  if (life.client?.usable === true) return life.client;
  // Loaded by those who have a mailbox.
  const { ImapFlow } = await import('imapflow');
  const client = new ImapFlow(optionsOf(life.input));
  // Without listeners an error of the connection would end the process.
  client.on('error', () => undefined);
  client.on('close', () => {
    if (life.client === client) life.client = undefined;
  });
  // While nothing is asked the connection idles (RFC 2177): the server tells of new mail.
  client.on('exists', again);
  life.client = client;
  await client.connect();
  for (const folder of [life.input.folders.taken, life.input.folders.review]) {
    await client.mailboxCreate(folder).catch(() => undefined); // it is there already
  }
  await client.mailboxOpen(life.input.folders.inbox);
  life.input.log.info({ component: 'imap' }, 'reading the mailbox');
  return client;
}

function optionsOf({ server, tls }: ImapInput): ImapFlowOptions {
  const secure = server.protocol === 'imaps:';
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(server.hostname);
  const user = decodeURIComponent(server.username);
  const port = server.port === '' ? (secure ? 993 : 143) : Number(server.port);
  return {
    host: server.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure,
    // Beyond this machine nothing is said before TLS.
    ...(secure ? {} : { doSTARTTLS: !isLocal }),
    tls: { ...tls, minVersion: 'TLSv1.2', rejectUnauthorized: true },
    auth: { user, pass: decodeURIComponent(server.password) },
    logger: false,
    disableAutoIdle: false,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 5 * 60_000,
  };
}

async function readInbox(life: Life, client: ImapFlow): Promise<void> {
  const { mailsMax } = life.limits;
  const found = (await client.search({ all: true }, { uid: true })) || [];
  for (const uid of found.slice(0, mailsMax)) {
    if (life.isStopped) return;
    await readOne(life, client, uid);
  }
}

async function readOne(life: Life, client: ImapFlow, uid: number): Promise<void> {
  const { folders, log } = life.input;
  const envelope = await client.fetchOne(String(uid), { uid: true, size: true }, { uid: true });
  // Gone meanwhile: another instance reads the same mailbox.
  if (envelope === false || envelope === undefined) return;
  if ((envelope.size ?? 0) > life.limits.mailBytesMax) {
    log.warn({ component: 'imap', reason: 'too-long' }, 'a mail is longer than allowed');
    await client.messageMove(String(uid), folders.review, { uid: true });
    return;
  }
  const mail = await client.fetchOne(String(uid), { source: true }, { uid: true });
  if (mail === false || mail?.source === undefined) return;
  const folder = await takeMail(
    life,
    mail.source,
    `${client.mailbox === false ? '' : client.mailbox.uidValidity}/${uid}`,
  );
  if (folder !== undefined) await client.messageMove(String(uid), folder, { uid: true });
}

/** The folder it goes to; undefined: it stays, for the server could not take it now. */
async function takeMail(life: Life, bytes: Buffer, key: string): Promise<string | undefined> {
  const { take, folders, log } = life.input;
  try {
    const outcome = await take({ bytes, contentType: 'message/rfc822' });
    life.attempts.delete(key);
    log.info({ component: 'imap', reason: outcome.kind }, 'mail');
    return outcome.kind === 'stored' ? folders.taken : folders.review;
  } catch (error) {
    const category = error instanceof Problem ? error.category : 'fault';
    const attempt = (life.attempts.get(key) ?? 0) + 1;
    life.attempts.set(key, attempt);
    log[problemCategories[category].log]({ component: 'imap', reason: category, attempt }, 'a mail could not be taken');
    // One that is never taken must not stand in the way of the others for ever; it is not lost in the folder of the doubtful.
    if (attempt < life.limits.attemptsMax) return undefined;
    life.attempts.delete(key);
    return folders.review;
  }
}

async function leave(life: Life): Promise<void> {
  const { client } = life;
  life.client = undefined;
  if (client === undefined) return;
  if (client.usable) await client.logout().catch(() => undefined);
  client.close();
}
