/** Settings of the doors beside HTTP: MLLP, a mailbox that is read, and what the server by which mail leaves must show and be shown. */
import { isLoopback, type Setting, text, url, wholeNumber } from './setting.ts';

export interface ListenerConfig {
  /** undefined: no MLLP listener. */
  readonly mllpPort: number | undefined;
  readonly mllpHost: string;
  /** Files of PEM; all three or none. */
  readonly mllpCertificate: string | undefined;
  readonly mllpKey: string | undefined;
  readonly mllpClientCa: string | undefined;
  readonly mllpPartners: readonly MllpPartner[] | undefined;
  /** In lower case; `*` stands for any. */
  readonly mailSenders: readonly string[];
  /** undefined: no mailbox is read. */
  readonly imapUrl: string | undefined;
  readonly imapFolders: ImapFolders;
  readonly imapCertificate: string | undefined;
  readonly imapKey: string | undefined;
  readonly imapCa: string | undefined;
  readonly imapPollSeconds: number;
  readonly smtpCertificate: string | undefined;
  readonly smtpKey: string | undefined;
  readonly smtpCa: string | undefined;
}

/** Names of the mailbox's folders. */
export interface ImapFolders {
  readonly inbox: string;
  readonly taken: string;
  readonly review: string;
}

/** Who may send by MLLP: MSH-3 and MSH-4, and the name that its certificate must have. */
export interface MllpPartner {
  readonly application: string;
  readonly facility: string;
  readonly certificate: string | undefined;
}

export const listenerSettings: { readonly [Key in keyof ListenerConfig]: Setting<ListenerConfig[Key]> } = {
  mllpPort: {
    name: 'SUTURE_MLLP_PORT',
    fallback: undefined,
    sentence: 'TCP port on which HL7 v2 messages are taken by MLLP; 0 takes a free one; unset: none.',
    ...wholeNumber(0, 65_535),
  },
  mllpHost: {
    name: 'SUTURE_MLLP_HOST',
    fallback: '127.0.0.1',
    sentence: 'Address of the MLLP listener; other than loopback only with the three settings that follow.',
    ...text('a host name or an address'),
  },
  mllpCertificate: {
    name: 'SUTURE_MLLP_CERTIFICATE',
    fallback: undefined,
    sentence: 'File of the certificate (PEM, with its chain) of the MLLP listener; unset: no TLS.',
    ...text('a file'),
  },
  mllpKey: {
    name: 'SUTURE_MLLP_KEY',
    fallback: undefined,
    sentence: 'File of its private key (PEM).',
    ...text('a file'),
  },
  mllpClientCa: {
    name: 'SUTURE_MLLP_CLIENT_CA',
    fallback: undefined,
    sentence:
      'File of the authorities (PEM) that alone vouch for senders, each of which needs a certificate of theirs.',
    ...text('a file'),
  },
  mllpPartners: {
    name: 'SUTURE_MLLP_PARTNERS',
    fallback: undefined,
    sentence:
      'Who alone may send by MLLP, as `application@facility` (MSH-3, MSH-4) with commas between; with `=name` behind, only with a certificate of that name; unset: whoever can connect.',
    expected: 'partners such as `GAM@CHVA,LABO@BIO=labo.example`',
    read: readPartners,
  },
  mailSenders: {
    name: 'SUTURE_MAIL_SENDERS',
    fallback: 'mssante.fr',
    sentence: 'Domains, with those below them, that letters may come from by mail; others go to a person; `*`: any.',
    expected: 'domains with commas between, or `*`',
    read: readSenders,
  },
  imapUrl: {
    name: 'SUTURE_IMAP_URL',
    fallback: undefined,
    sentence:
      'Mailbox whose mails are taken, `imaps://user:password@host:993`, or `imap://host:143` (STARTTLS, which only this machine itself may do without); unset: none.',
    isSecret: true,
    ...url('imap', 'imaps'),
  },
  imapFolders: {
    name: 'SUTURE_IMAP_FOLDERS',
    fallback: 'INBOX,Suture,Suture a revoir',
    sentence: 'Its folders: the one that is read, where what was taken goes, where what a person must look at goes.',
    expected: 'three different names with commas between',
    read: readFolders,
  },
  imapCertificate: {
    name: 'SUTURE_IMAP_CERTIFICATE',
    fallback: undefined,
    sentence: 'File of the certificate (PEM) that the mail server asks for; unset: none.',
    ...text('a file'),
  },
  imapKey: {
    name: 'SUTURE_IMAP_KEY',
    fallback: undefined,
    sentence: 'File of its private key (PEM).',
    ...text('a file'),
  },
  imapCa: {
    name: 'SUTURE_IMAP_CA',
    fallback: undefined,
    sentence: 'File of the authorities (PEM) that alone vouch for the mail server; unset: those of the system.',
    ...text('a file'),
  },
  imapPollSeconds: {
    name: 'SUTURE_IMAP_POLL',
    fallback: '60',
    sentence:
      'Seconds after which the mailbox is looked at again, where its server does not tell of new mail by itself.',
    ...wholeNumber(1, 3600),
  },
  smtpCertificate: {
    name: 'SUTURE_SMTP_CERTIFICATE',
    fallback: undefined,
    sentence: 'File of the certificate (PEM) that the server of `SUTURE_SMTP_URL` asks for; unset: none.',
    ...text('a file'),
  },
  smtpKey: {
    name: 'SUTURE_SMTP_KEY',
    fallback: undefined,
    sentence: 'File of its private key (PEM).',
    ...text('a file'),
  },
  smtpCa: {
    name: 'SUTURE_SMTP_CA',
    fallback: undefined,
    sentence:
      'File of the authorities (PEM) that alone vouch for that server, which then must speak TLS on this machine too; unset: those of the system.',
    ...text('a file'),
  },
};

/** What does not go together. */
export function listenerFaults(config: Partial<ListenerConfig>): readonly string[] {
  const { imapCertificate, imapKey, smtpCertificate, smtpKey } = config;
  const halves = [
    { isHalf: (imapCertificate === undefined) !== (imapKey === undefined), of: 'IMAP' },
    { isHalf: (smtpCertificate === undefined) !== (smtpKey === undefined), of: 'SMTP' },
  ].filter(({ isHalf }) => isHalf);
  return [
    ...mllpFaults(config),
    ...halves.map(({ of }) => `SUTURE_${of}_CERTIFICATE and SUTURE_${of}_KEY go together`),
  ];
}

function mllpFaults({ mllpHost, mllpCertificate, mllpKey, mllpClientCa }: Partial<ListenerConfig>): readonly string[] {
  const given = [mllpCertificate, mllpKey, mllpClientCa].filter((one) => one !== undefined).length;
  if (given !== 0 && given !== 3)
    return ['SUTURE_MLLP_CERTIFICATE, SUTURE_MLLP_KEY and SUTURE_MLLP_CLIENT_CA go together'];
  return given === 3 || mllpHost === undefined || isLoopback(mllpHost)
    ? []
    : [
        `SUTURE_MLLP_HOST is ${mllpHost}, which others can reach: that needs SUTURE_MLLP_CERTIFICATE, _KEY and _CLIENT_CA`,
      ];
}

function readSenders(value: string): readonly string[] | undefined {
  const domains = value.split(',').map((one) => one.trim().toLowerCase());
  return domains.every((one) => /^(?:\*|[\w-]+(?:\.[\w-]+)+)$/.test(one)) ? domains : undefined;
}

function readFolders(value: string): ImapFolders | undefined {
  const [inbox = '', taken = '', review = '', ...more] = value.split(',').map((one) => one.trim());
  const names = [inbox, taken, review];
  const isWrong = more.length > 0 || names.includes('') || new Set(names).size < names.length;
  return isWrong ? undefined : { inbox, taken, review };
}

function readPartners(value: string): readonly MllpPartner[] | undefined {
  const partners = value.split(',').map((one) => /^\s*([^@=]*)@([^@=]*?)(?:=([^@=]+?))?\s*$/.exec(one));
  if (partners.some((one) => one === null)) return undefined;
  return partners.flatMap((one) =>
    one === null ? [] : [{ application: one[1] ?? '', facility: one[2] ?? '', certificate: one[3] }],
  );
}
