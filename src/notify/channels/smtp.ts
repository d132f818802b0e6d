/**
 * The one way by which mail leaves this server: SMTP (RFC 5321), one connection for each mail, to the one server that the settings
 * name. Encrypted: `smtps:` from the first byte, `smtp:` by STARTTLS, which only this machine itself may do without, and that not when
 * its authorities are named; a server that does not offer it, or whom nobody vouches for, is told nothing. Nothing of a patient goes further than MSSanté: who calls decides that (channel-terms.ts, bridge/).
 *
 * SMTP cannot tell a mail that was taken from one whose answer was lost. What can be told is how far it came: until its last line
 * has left, nobody may have taken it (`unreachable`); after that it is `uncertain`. What is sent twice is the same, Message-ID
 * included, so that the receiver may show it once.
 */
import { Readable } from 'node:stream';
import SmtpConnection from 'nodemailer/lib/smtp-connection';
import type { ClientTls } from '../../base/index.ts';
import { writeMail } from '../../formats/index.ts';
import { hostOf, isLoopbackHost } from '../endpoint.ts';
import type { Mail, SendMail } from './email.ts';

export interface SmtpSetting {
  /** `smtps://user:password@host:465` or `smtp://...:587`. */
  readonly server: URL;
  readonly from: string;
  /** PEM: our own certificate, and who alone may vouch for the server; undefined: none, and the authorities of the system. */
  readonly tls?: ClientTls<Buffer>;
}

/** A mail that is written already (`formats/letter-mail.ts`). */
export interface WrittenMail {
  readonly to: string;
  /** Without angle brackets. */
  readonly messageId: string;
  readonly bytes: Uint8Array;
}

export type MailOutcome =
  /** Taken by the next server; `reports`: it will say whether the mailbox got it (DSN, RFC 3461). */
  | { readonly kind: 'accepted'; readonly reports: boolean }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'uncertain' };

export type SendWritten = (mail: WrittenMail) => Promise<MailOutcome>;

export interface Smtp {
  readonly from: string;
  readonly send: SendMail;
  readonly sendWritten: SendWritten;
}

const limits = { connectMs: 3_000, greetMs: 5_000, silentMs: 10_000 } as const;

export function createSmtp(setting: SmtpSetting): Smtp {
  const { from } = setting;
  const sendWritten: SendWritten = (mail) => deliver(setting, mail);
  return {
    from,
    sendWritten,
    async send(mail) {
      const messageId = `${mail.id}@${from.split('@').at(-1) ?? ''}`;
      const { kind } = await sendWritten({ to: mail.to, messageId, bytes: await write(mail, from, messageId) });
      return kind === 'uncertain' ? 'unreachable' : kind;
    },
  };
}

function write({ to, subject, text, attachment, sentAtMs }: Mail, from: string, messageId: string): Promise<Buffer> {
  return writeMail({
    messageId: `<${messageId}>`,
    from,
    to,
    subject,
    sentAtMs,
    text,
    headers: { 'Auto-Submitted': 'auto-generated' },
    attachments:
      attachment === undefined
        ? []
        : [{ name: attachment.name, contentType: attachment.contentType, bytes: Buffer.from(attachment.text) }],
  });
}

function deliver(setting: SmtpSetting, { to, messageId, bytes }: WrittenMail): Promise<MailOutcome> {
  const { server, from } = setting;
  const connection = connect(setting);
  // Asked for its bytes when the server wants them, and at no other time.
  const message = Readable.from([Buffer.from(bytes)], { objectMode: false });
  const envelope = {
    from,
    to: [to],
    size: bytes.length,
    dsn: { id: messageId, return: 'headers', notify: ['success', 'failure', 'delay'], recipient: `rfc822;${to}` },
  };
  return new Promise((resolve) => {
    const fail = (error: unknown): void => {
      connection.close();
      resolve(outcomeOf(error, message.readableEnded));
    };
    const accepted = (sent: unknown): void => {
      connection.quit();
      resolve({ kind: 'accepted', reports: reportsOf(sent) });
    };
    connection.once('error', fail);
    // A connection that ends says so by an error; afterwards nothing is heard any more.
    connection.on('error', () => undefined);
    const send = (): void =>
      connection.send(envelope, message, (error: unknown, sent: unknown) => (error ? fail(error) : accepted(sent)));
    connection.connect((error: unknown) => {
      if (error) return fail(error);
      if (server.username === '') return send();
      const credentials = { user: decodeURIComponent(server.username), pass: decodeURIComponent(server.password) };
      connection.login({ credentials }, (refused: unknown) => (refused ? fail(refused) : send()));
    });
  });
}

function connect({ server, tls = {} }: SmtpSetting): SmtpConnection {
  const isSecure = server.protocol === 'smtps:';
  const mayBeClear = isLoopbackHost(server) && tls.ca === undefined;
  return new SmtpConnection({
    host: hostOf(server),
    port: server.port === '' ? (isSecure ? 465 : 587) : Number(server.port),
    secure: isSecure,
    requireTLS: !isSecure && !mayBeClear,
    ignoreTLS: !isSecure && mayBeClear,
    tls: { ...tls, minVersion: 'TLSv1.2', rejectUnauthorized: true },
    connectionTimeout: limits.connectMs,
    greetingTimeout: limits.greetMs,
    socketTimeout: limits.silentMs,
  });
}

/** Whether the server has announced delivery reports. */
function reportsOf(sent: unknown): boolean {
  const { ehlo = [] } = sent as { readonly ehlo?: readonly string[] };
  return ehlo.some((line) => /^DSN\b/i.test(line));
}

/**
 * A server that answered has not taken it: for good (5yz) or now (4yz). One that did not answer may have, once it had all. What is
 * refused before the mail itself was spoken of (greeting, STARTTLS, login) is a matter of settings or of who stands in between: not for good.
 */
function outcomeOf(error: unknown, isAllSent: boolean): MailOutcome {
  const { responseCode: status, command } = error as { readonly responseCode?: unknown; readonly command?: unknown };
  if (typeof status !== 'number') return { kind: isAllSent ? 'uncertain' : 'unreachable' };
  return status >= 500 && aboutMail.has(command) ? { kind: 'refused', status } : { kind: 'unreachable' };
}

const aboutMail: ReadonlySet<unknown> = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);
