/**
 * Whether a mail arrived: MDN (RFC 8098, in the two forms that the ANS has published), DSN (RFC 3464), and the ordinary mail by which
 * a French system says that it could not take a document -> what became of the mail that they speak of.
 *
 *   MDN  Disposition: ...; processed/Error: 902^text^table|...       (first form, not valid by RFC 8098)
 *        Disposition: ...; processed/error   and   Error: 902^...    (second form)
 *   DSN  per recipient: Action failed | delayed | delivered | relayed | expanded, Status 5.1.1
 *   mail subject [KO Intégration système !][902] ... or [Erreur d’intégration !][902] ..., with In-Reply-To or the mail inside
 */
import { idsIn, type MailMessage } from './mail.ts';

export interface DeliveryReport {
  readonly via: 'mdn' | 'dsn' | 'mail';
  /** Message-IDs of the mail it is about, without brackets, the surest first. */
  readonly about: readonly string[];
  /** `unclear`: a report that does not say what became of the mail. */
  readonly outcome: 'delivered' | 'read' | 'delayed' | 'failed' | 'unclear';
  /** Business code of the ANS (900 to 906) or enhanced status code (RFC 3463). */
  readonly code: string | undefined;
  /** Whom the report is about; a plain address. */
  readonly recipient: string | undefined;
}

/** undefined: the mail is no report. */
export function readDeliveryReport(mail: MailMessage): DeliveryReport | undefined {
  const disposition = partOf(mail, /^message\/(?:global-)?disposition-notification$/);
  if (disposition !== undefined) return readMdn(mail, disposition);
  const status = partOf(mail, /^message\/(?:global-)?delivery-status$/);
  if (status !== undefined) return readDsn(mail, status);
  return readErrorMail(mail);
}

/** Reports are small; what is longer is cut. */
const reportBytesMax = 64 * 1024;

function partOf({ parts }: MailMessage, type: RegExp): string | undefined {
  const part = parts.find(({ contentType }) => type.test(contentType));
  return part && Buffer.from(part.bytes.subarray(0, reportBytesMax)).toString('utf8');
}

type Fields = ReadonlyMap<string, string>;

/** Groups of fields, folded lines joined. */
function fieldGroups(text: string): Fields[] {
  const groups = text.split(/\r?\n(?:[ \t]*\r?\n)+/).slice(0, 200);
  return groups.map((group) => {
    const lines = group.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
    const fields = lines.flatMap((line) => {
      const found = /^([A-Za-z0-9-]+)[ \t]*:(.*)$/.exec(line);
      return found === null ? [] : [[(found[1] ?? '').toLowerCase(), (found[2] ?? '').trim()] as const];
    });
    return new Map(fields);
  });
}

/** RFC 8098 3.2.6.2, and what Direct adds. */
const mdnTypes: ReadonlyMap<string, DeliveryReport['outcome']> = new Map([
  ['displayed', 'read'],
  ['processed', 'read'],
  ['dispatched', 'delivered'],
  ['deleted', 'delivered'],
]);

function readMdn(mail: MailMessage, text: string): DeliveryReport {
  const fields: Fields = new Map(fieldGroups(text).flatMap((group) => [...group]));
  const { type, isFailed, error } = readDisposition(fields);
  return {
    via: 'mdn',
    about: [...idsIn(fields.get('original-message-id') ?? ''), ...mail.answers],
    outcome: isFailed ? 'failed' : (mdnTypes.get(type) ?? 'unclear'),
    code: businessCode(error) ?? businessCode(mail.subject),
    recipient: recipientOf(fields),
  };
}

interface Disposition {
  readonly type: string;
  readonly isFailed: boolean;
  readonly error: string | undefined;
}

function readDisposition(fields: Fields): Disposition {
  const disposition = fields.get('disposition') ?? '';
  const [, kind = ''] = disposition.split(';', 2);
  const [type = '', modifier = ''] = kind
    .trim()
    .toLowerCase()
    .split(/\s*\/\s*/, 2);
  const error = fields.get('error') ?? fields.get('failure') ?? /error\s*:\s*(.*)$/i.exec(disposition)?.[1];
  return { type, error, isFailed: /^(?:error|failure)/.test(modifier) || type === 'failed' || error !== undefined };
}

/** RFC 3464 2.3.3. */
const dsnActions: ReadonlyMap<string, DeliveryReport['outcome']> = new Map([
  ['failed', 'failed'],
  ['delayed', 'delayed'],
  ['delivered', 'delivered'],
  ['relayed', 'delivered'],
  ['expanded', 'delivered'],
]);

function readDsn(mail: MailMessage, text: string): DeliveryReport {
  const [whole, ...groups] = fieldGroups(text);
  const recipients = groups.filter((group) => group.has('action'));
  const actionOf = (group: Fields) => (group.get('action') ?? '').toLowerCase();
  const [told] = ['failed', 'delayed', ''].flatMap(
    (action) => recipients.find((group) => action === '' || actionOf(group) === action) ?? [],
  );
  return {
    via: 'dsn',
    about: [...originalIds(mail), ...idsIn(whole?.get('x-original-message-id') ?? ''), ...mail.answers],
    outcome: told === undefined ? 'unclear' : (dsnActions.get(actionOf(told)) ?? 'unclear'),
    code: /^[245]\.\d{1,3}\.\d{1,3}/.exec(told?.get('status') ?? '')?.[0],
    recipient: recipientOf(told),
  };
}

function recipientOf(fields: Fields | undefined): string | undefined {
  return addressIn(fields?.get('original-recipient') ?? fields?.get('final-recipient'));
}

/** Message-ID of the mail, or its header, that a report encloses. */
function originalIds(mail: MailMessage): string[] {
  const inside = partOf(mail, /^(?:message\/(?:global|rfc822)|text\/rfc822-headers|message\/global-headers)$/);
  const head = inside?.split(/\r?\n\r?\n/, 1)[0] ?? '';
  return idsIn(fieldGroups(head)[0]?.get('message-id') ?? '');
}

/** Systems that may not answer by MDN (its address is not that of Return-Path) write a mail. */
const errorSubject = /^\s*\[\s*(?:KO\s+Int[ée]gration|Erreur\s+d.int[ée]gration)[^\]]{0,40}\]/i;

function readErrorMail(mail: MailMessage): DeliveryReport | undefined {
  if (!errorSubject.test(mail.subject)) return undefined;
  const about = [...originalIds(mail), ...mail.answers];
  return { via: 'mail', about, outcome: 'failed', code: businessCode(mail.subject), recipient: mail.from };
}

function businessCode(text: string | undefined): string | undefined {
  return /(?:^|[^\d])(90[0-6]|10[0-3]|19[89]|20[0-7])(?:[^\d]|$)/.exec(text ?? '')?.[1];
}

function addressIn(field: string | undefined): string | undefined {
  return /([^\s<>;",]{1,64}@[A-Za-z0-9.-]{1,253})/.exec(field ?? '')?.[1]?.toLowerCase();
}
