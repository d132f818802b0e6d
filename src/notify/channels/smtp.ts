/**
 * E-mail by SMTP (RFC 5321), one connection for each mail, to the one server that the settings name. Encrypted: `smtps:` from the
 * first byte, `smtp:` by STARTTLS, which only this machine itself may do without. Mails are neither signed nor enciphered (no
 * S/MIME), which is why nothing of a patient stands in them (email.ts).
 */
import { createTransport } from 'nodemailer';
import { hostOf, isLoopbackHost } from '../endpoint.ts';
import type { Mail, SendMail } from './email.ts';

export interface SmtpSetting {
  /** `smtps://user:password@host:465` or `smtp://...:587`. */
  readonly server: URL;
  readonly from: string;
}

const limits = { connectMs: 3_000, greetMs: 5_000, silentMs: 10_000 } as const;

export function createSmtp({ server, from }: SmtpSetting): SendMail {
  const isSecure = server.protocol === 'smtps:';
  const user = decodeURIComponent(server.username);
  const transport = createTransport({
    host: hostOf(server),
    port: server.port === '' ? (isSecure ? 465 : 587) : Number(server.port),
    secure: isSecure,
    requireTLS: !isSecure && !isLoopbackHost(server),
    ignoreTLS: !isSecure && isLoopbackHost(server),
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(server.password) } }),
    connectionTimeout: limits.connectMs,
    greetingTimeout: limits.greetMs,
    socketTimeout: limits.silentMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async (mail) => {
    try {
      await transport.sendMail(toMessage(mail, from));
      return 'accepted';
    } catch (error) {
      const { responseCode } = error as { readonly responseCode?: unknown };
      return typeof responseCode === 'number' && responseCode >= 500 ? 'refused' : 'unreachable';
    }
  };
}

/** What is sent twice has the same Message-ID: a mailbox may show it once. */
function toMessage({ id, to, subject, text, attachment }: Mail, from: string) {
  return {
    from,
    to: { address: to, name: '' },
    subject,
    text,
    messageId: `<${id}@${from.split('@').at(-1) ?? ''}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
    ...(attachment === undefined
      ? {}
      : {
          attachments: [{ filename: attachment.name, contentType: attachment.contentType, content: attachment.text }],
        }),
  };
}
