/**
 * A mail with attachments (RFC 5322, MIME) out: the same input gives the same bytes. Headers are encoded as RFC 2047 and 2231
 * ask; addresses and header values that hold a line break or anything but one plain address are refused, never mended.
 */
import MailComposer from 'nodemailer/lib/mail-composer';
import { Problem } from '../base/index.ts';

export interface MailAttachment {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface MailToWrite {
  /** With angle brackets. */
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly sentAtMs: number;
  readonly text: string;
  /** Further headers: X-MSS-..., Disposition-Notification-To. */
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: readonly MailAttachment[];
  /** RFC 5322 3.6.4. */
  readonly inReplyTo?: string;
}

/** Local part without quotes or comments, domain of letters, digits and hyphens: what an MSSanté mailbox looks like. */
const addressForm =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/;

/** One plain mailbox, nothing else (row M4 of the hostile inputs). */
export function isMailbox(text: string): boolean {
  return text.length <= 254 && addressForm.test(text) && !text.includes('..') && !/^\.|\.@/.test(text);
}

const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const headerName = /^[A-Za-z0-9-]{1,60}$/;
const headerLengthMax = 900;

export async function writeMail(mail: MailToWrite): Promise<Buffer> {
  const { from, to, subject, headers, messageId, inReplyTo } = mail;
  for (const mailbox of [from, to]) if (!isMailbox(mailbox)) throw refused('the mailbox is not one plain address');
  const values = [subject, messageId, inReplyTo ?? '', ...Object.values(headers)];
  const isWrong = values.some((value) => controls.test(value) || value.length > headerLengthMax);
  if (isWrong || Object.keys(headers).some((name) => !headerName.test(name))) {
    throw refused('a header of the mail has a line break or is too long');
  }
  const composer = new MailComposer({
    from: { name: '', address: from },
    to: { name: '', address: to },
    subject,
    text: mail.text,
    messageId,
    date: new Date(mail.sentAtMs),
    ...(inReplyTo === undefined ? {} : { inReplyTo, references: inReplyTo }),
    headers,
    attachments: mail.attachments.map(({ name, contentType, bytes }) => ({
      filename: name,
      contentType,
      content: Buffer.from(bytes),
      contentTransferEncoding: 'base64' as const,
    })),
    baseBoundary: messageId.replace(/[^A-Za-z0-9]/g, '').slice(0, 40),
    newline: '\r\n',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

function refused(text: string): Problem {
  return new Problem('unprocessable', text);
}
