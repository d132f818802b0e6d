/**
 * A mail (RFC 5322, MIME) in: bytes -> headers and decoded parts, or the reason why not. What is cheap to count is counted before
 * the library sees it; names of files, addresses in quotes and what a header hides are never trusted, and nothing is fetched:
 * HTML, external bodies and links are bytes like any other.
 */
import PostalMime from 'postal-mime';
import { bufferOf, type Issue, mailLimits } from '../base/index.ts';

export interface MailLimits {
  readonly bytesMax: number;
  /** Of the mail's own header. */
  readonly headerBytesMax: number;
  readonly headersMax: number;
  readonly partsMax: number;
  readonly depthMax: number;
}

export interface MailPart {
  /** As declared, in lower case. */
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface MailMessage {
  /** Without angle brackets. */
  readonly messageId: string | undefined;
  /** Of what it answers, the nearest first. */
  readonly answers: readonly string[];
  /** The one plain address of From. */
  readonly from: string;
  readonly subject: string;
  /** FHIR instant. */
  readonly sentAt: string | undefined;
  /** `multipart/report`, in lower case. */
  readonly contentType: string;
  readonly text: string;
  readonly parts: readonly MailPart[];
  /** All values of a header, by its name in lower case. */
  header(name: string): readonly string[];
}

export type MailResult =
  | { readonly kind: 'mail'; readonly mail: MailMessage }
  | { readonly kind: 'refused'; readonly issue: Issue };

export async function readMail(bytes: Uint8Array, limits: MailLimits = mailLimits): Promise<MailResult> {
  const issue = countDoubts(bytes, limits);
  if (issue !== undefined) return { kind: 'refused', issue };
  try {
    const email = await PostalMime.parse(bytes, {
      maxNestingDepth: limits.depthMax,
      maxHeadersSize: limits.headerBytesMax * 4,
      maxRfc822NestingDepth: 0,
      forceRfc822Attachments: true,
    });
    return understand(email, limits);
  } catch {
    // The library's own words may hold what the mail says.
    return refused('structure', 'courriel illisible ou trop imbriqué');
  }
}

function refused(code: string, text: string, expression?: string): MailResult {
  return { kind: 'refused', issue: issueOf(code, text, expression) };
}

function issueOf(code: string, text: string, expression?: string): Issue {
  return { severity: 'error', code, text, ...(expression && { expression }) };
}

/** In one pass over the bytes, without a pattern on the whole. */
function countDoubts(bytes: Uint8Array, limits: MailLimits): Issue | undefined {
  if (bytes.length > limits.bytesMax) return issueOf('too-costly', `courriel de plus de ${limits.bytesMax} octets`);
  const buffer = bufferOf(bytes);
  const head = buffer.subarray(0, limits.headerBytesMax + 4).toString('latin1');
  const end = /\r?\n\r?\n/.exec(head)?.index;
  if (end === undefined)
    return issueOf('too-costly', `l’en-tête du courriel a plus de ${limits.headerBytesMax} octets ou n’a pas de fin`);
  const names = head
    .slice(0, end)
    .split(/\r?\n/)
    .flatMap((line) => /^([!-9;-~]+)\s*:/.exec(line)?.[1]?.toLowerCase() ?? []);
  if (names.length > limits.headersMax) return issueOf('too-costly', `plus de ${limits.headersMax} en-têtes`);
  const twice = ['content-type', 'from', 'message-id', 'content-transfer-encoding'].find(
    (name) => names.filter((one) => one === name).length > 1,
  );
  if (twice !== undefined) return issueOf('structure', 'un en-tête qui doit être unique est double', twice);
  let delimiters = 0;
  for (let at = buffer.indexOf('\n--'); at >= 0; at = buffer.indexOf('\n--', at + 3)) {
    if (++delimiters > limits.partsMax * 2) return issueOf('too-costly', `plus de ${limits.partsMax} parties`);
  }
  return undefined;
}

const mailbox = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/;

type Parsed = Awaited<ReturnType<typeof PostalMime.parse>>;

function understand(email: Parsed, limits: MailLimits): MailResult {
  const header = (name: string) => email.headers.filter(({ key }) => key === name).map(({ value }) => plain(value));
  const from = email.from?.address ?? '';
  if (!mailbox.test(from)) return refused('structure', 'l’expéditeur n’est pas une seule adresse simple', 'from');
  if (email.attachments.length > limits.partsMax) return refused('too-costly', `plus de ${limits.partsMax} parties`);
  const declared = header('content-type')[0] ?? 'text/plain';
  if (/^multipart\//i.test(declared) && boundaryOf(declared) === undefined)
    return refused('structure', 'courriel en parties sans séparateur', 'content-type');
  const answers = [...header('in-reply-to'), ...header('references').reverse()].flatMap(idsIn);
  return {
    kind: 'mail',
    mail: { ...plainParts(email), from: from.toLowerCase(), answers: [...new Set(answers)], header },
  };
}

function plainParts(email: Parsed): Omit<MailMessage, 'from' | 'answers' | 'header'> {
  const { subject = '', text = '', date = '', messageId = '', attachments, headers } = email;
  const declared = headers.find(({ key }) => key === 'content-type')?.value ?? 'text/plain';
  return {
    messageId: idsIn(messageId)[0],
    subject: plain(subject),
    sentAt: /^\d{4}-\d\d-\d\dT/.test(date) ? date : undefined,
    contentType: (plain(declared).split(';')[0] ?? '').trim().toLowerCase(),
    text,
    parts: attachments.map(({ mimeType, content }) => ({ contentType: mimeType, bytes: bytesOf(content) })),
  };
}

/** Of a Content-Type. */
export function boundaryOf(contentType: string): string | undefined {
  const found = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  return found?.[1] ?? found?.[2];
}

/** Views of what the library has decoded, not copies. */
function bytesOf(content: ArrayBuffer | Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content as ArrayBuffer);
}

/** One line of text: encoded words may hold line ends and marks that turn the writing direction. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}

/** Message-IDs of a header, the last first where there are several (References names the nearest last). */
export function idsIn(text: string): string[] {
  const inBrackets = [...text.matchAll(/<\s*([^<>\s]{1,250})\s*>/g)].map(([, id = '']) => id).reverse();
  const bare = /^[^<>\s]{1,250}$/.test(text.trim()) ? [text.trim()] : [];
  return inBrackets.length > 0 ? inBrackets : bare;
}
