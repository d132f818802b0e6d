/** MSSanté mails as senders make them, and as they must not be; and the reports that answer a mail. */
export interface MailParts {
  readonly from?: string;
  readonly subject?: string;
  readonly messageId?: string;
  /** Whole lines. */
  readonly headers?: readonly string[];
  readonly parts?: readonly MailPartToWrite[];
  /** Without its last delimiter. */
  readonly isCut?: boolean;
}

export interface MailPartToWrite {
  readonly type: string;
  readonly bytes: string | Uint8Array;
  readonly name?: string;
  /** Instead of base64. */
  readonly isPlain?: boolean;
}

const boundary = '=_suture_0001';

export function mailOf(mail: MailParts = {}): Buffer {
  const {
    from = 'dr.diarra@chva.mssante.fr',
    messageId = '20260302.0001@chva.mssante.fr',
    parts = [],
    headers = [],
  } = mail;
  const { subject = 'XDM/1.0/DDM+Lettre de liaison à la sortie KERDONCUFF SOLENE 14/05/1958', isCut = false } = mail;
  const encoded = `=?utf-8?B?${Buffer.from(subject).toString('base64')}?=`;
  const head = [
    'MIME-Version: 1.0',
    'Date: Mon, 02 Mar 2026 17:00:00 +0100',
    `From: <${from}>`,
    'To: <suture@territoire.mssante.fr>',
    `Subject: ${encoded}`,
    `Message-ID: <${messageId}>`,
    ...headers,
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
  ];
  const text: MailPartToWrite = {
    type: 'text/plain; charset=utf-8',
    bytes: 'Bonjour,\r\nun document est joint.',
    isPlain: true,
  };
  const body = [text, ...parts].map(({ type, bytes, name, isPlain }) =>
    [
      `--${boundary}`,
      `Content-Type: ${type}`,
      ...(name === undefined ? [] : [`Content-Disposition: attachment; filename="${name}"`]),
      ...(isPlain === true ? [] : ['Content-Transfer-Encoding: base64']),
      '',
      isPlain === true ? Buffer.from(bytes).toString('utf8') : lines(Buffer.from(bytes).toString('base64')),
    ].join('\r\n'),
  );
  return Buffer.from([...head, '', ...body, ...(isCut ? [] : [`--${boundary}--`, ''])].join('\r\n'));
}

function lines(base64: string): string {
  return base64.replace(/.{76}(?=.)/g, '$&\r\n');
}

export const archivePart = (bytes: Uint8Array, name = 'IHE_XDM.zip'): MailPartToWrite => ({
  type: 'application/zip',
  bytes,
  name,
});

export interface ReportParts {
  readonly about?: string;
  readonly date?: string;
  readonly subject?: string;
  /** Fields of the report, and for DSN its groups. */
  readonly fields: readonly string[];
  readonly kind: 'disposition-notification' | 'delivery-status';
  readonly original?: string;
  readonly headers?: readonly string[];
}

export function reportOf({ kind, fields, date, subject, original, headers = [] }: ReportParts): Buffer {
  return Buffer.from(
    [
      'MIME-Version: 1.0',
      `Date: ${date ?? 'Tue, 03 Mar 2026 08:00:00 +0100'}`,
      'From: service_auto@chb.mssante.fr',
      'To: suture@territoire.mssante.fr',
      `Subject: ${subject ?? 'Avis'}`,
      'Message-ID: <report-1@chb.mssante.fr>',
      ...headers,
      `Content-Type: multipart/report; report-type=${kind}; boundary="RAA.1"`,
      '',
      '--RAA.1',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'Un avis.',
      '--RAA.1',
      `Content-Type: message/${kind}`,
      '',
      ...fields,
      '',
      ...(original === undefined ? [] : ['--RAA.1', 'Content-Type: message/rfc822', '', original]),
      '--RAA.1--',
      '',
    ].join('\r\n'),
  );
}
