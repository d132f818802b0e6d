/** Starts the listeners that the settings ask for. */
import { readFile } from 'node:fs/promises';
import { type Clock, type Config, type Ids, type Lifecycle, type Log, readClientTls } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import type { TakeLetter } from '../interactions/index.ts';
import { type ImapListener, readMailbox } from './imap.ts';
import { listenMllp, type MllpInput } from './mllp.ts';

export interface ListenersInput {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly db: Queryable;
  readonly take: TakeLetter;
}

export interface Listeners {
  /** undefined: there is none. */
  readonly mllpPort: number | undefined;
  readonly mailbox: ImapListener | undefined;
}

export async function startListeners(input: ListenersInput, lifecycle: Lifecycle): Promise<Listeners> {
  return { mllpPort: await startMllp(input, lifecycle), mailbox: await startMailbox(input, lifecycle) };
}

async function startMllp(input: ListenersInput, lifecycle: Lifecycle): Promise<number | undefined> {
  const { config, log } = input;
  const { mllpPort: port, mllpHost: host, mllpPartners: partners } = config;
  if (port === undefined) return undefined;
  const tls = await readTls(config);
  const mllp = await listenMllp({ ...input, partners, host, port, tls });
  lifecycle.onStop('mllp', () => mllp.stop());
  log.info({ component: 'mllp', count: mllp.port, kind: tls === undefined ? 'loopback' : 'tls' }, 'listening');
  return mllp.port;
}

/** The three files, which go together. */
async function readTls({ mllpCertificate, mllpKey, mllpClientCa }: Config): Promise<MllpInput['tls']> {
  if (mllpCertificate === undefined || mllpKey === undefined || mllpClientCa === undefined) return undefined;
  const [cert, key, ca] = await Promise.all([readFile(mllpCertificate), readFile(mllpKey), readFile(mllpClientCa)]);
  return { cert, key, ca };
}

async function startMailbox(input: ListenersInput, lifecycle: Lifecycle): Promise<ImapListener | undefined> {
  const { imapUrl, imapFolders: folders, imapPollSeconds, imapCertificate, imapKey, imapCa } = input.config;
  if (imapUrl === undefined) return undefined;
  const tls = await readClientTls({ cert: imapCertificate, key: imapKey, ca: imapCa });
  const limits = { pollMs: imapPollSeconds * 1000 };
  const mailbox = readMailbox({ ...input, server: new URL(imapUrl), folders, tls, limits });
  lifecycle.onStop('imap', () => mailbox.stop());
  return mailbox;
}
