/**
 * MSSanté mail -> its letters, what it says of a mail that was sent before, or why a person must look at it ("Référentiel socle
 * MSSanté #2", ECO.2.1 to 2.4). Letters are found by what the parts are, never by their names: archives with METADATA.XML, and
 * CDA documents on their own. PDFs beside an archive are copies for people. What subject and X-MSS headers say is compared
 * with the documents; a difference is told and decides nothing, for both are written by hand.
 */
import { createHash } from 'node:crypto';
import { bufferOf, type Issue } from '../base/index.ts';
import {
  boundaryOf,
  type DeliveryReport,
  type MailMessage,
  type MailPart,
  readDeliveryReport,
  readMail,
} from '../formats/index.ts';
import { type CarriedLetter, type CarrierResult, openArchive } from './carrier.ts';

export interface MailReceipt {
  /** Message-ID. */
  readonly name: string;
  /** SHA-256 of what the parts hold: the way leaves other headers on the same mail. */
  readonly content: string;
}

export type MailOpened =
  | CarrierResult
  | {
      readonly kind: 'mail-letters';
      readonly letters: readonly CarriedLetter[];
      readonly receipt: MailReceipt | undefined;
    }
  | { readonly kind: 'delivery-report'; readonly report: DeliveryReport; readonly sentAt: string | undefined }
  /** An automatic answer without a letter: nothing is to be done, and nobody to be told. */
  | { readonly kind: 'automatic' };

export interface MailSettings {
  /** Domains, with those below them, that mails may come from; `*` or undefined: any. */
  readonly senders: readonly string[] | undefined;
}

export async function openMail(bytes: Uint8Array, settings: MailSettings): Promise<MailOpened> {
  const read = await readMail(bytes);
  if (read.kind === 'refused') return { kind: 'review', reasons: [read.issue] };
  const { mail } = read;
  const report = readDeliveryReport(mail);
  if (report !== undefined) return { kind: 'delivery-report', report, sentAt: mail.sentAt };
  const reasons = mailDoubts(mail, bytes, settings);
  const documents = documentsOf(mail);
  if (documents.length === 0 && isAutomatic(mail)) return { kind: 'automatic' };
  if (reasons.length > 0) return { kind: 'review', reasons };
  return documents.length === 0 ? openForwarded(mail, settings) : openDocuments(mail, documents, receiptOf(mail));
}

/** A mail may be forwarded as a whole, once; beyond that and without any document it is for a person. */
async function openForwarded(mail: MailMessage, settings: MailSettings): Promise<MailOpened> {
  const forwarded = mail.parts.filter(({ contentType }) => contentType === 'message/rfc822');
  const [only] = forwarded;
  const nothing = review('required', 'le courriel ne porte aucun document qui dise son patient (IHE_XDM ou CDA)');
  if (only === undefined || forwarded.length > 1) return nothing;
  const inside = await readMail(only.bytes);
  if (inside.kind === 'refused' || readDeliveryReport(inside.mail) !== undefined) return nothing;
  const documents = documentsOf(inside.mail);
  const reasons = mailDoubts(inside.mail, only.bytes, { ...settings, senders: undefined });
  if (reasons.length > 0) return { kind: 'review', reasons };
  return documents.length === 0 ? nothing : openDocuments(inside.mail, documents, receiptOf(mail));
}

function documentsOf({ parts }: MailMessage): readonly MailPart[] {
  return parts.filter((part) => isArchive(part) || isDocument(part));
}

async function openDocuments(
  mail: MailMessage,
  documents: readonly MailPart[],
  receipt: MailReceipt | undefined,
): Promise<MailOpened> {
  const opened = await openParts(mail, documents);
  return opened.kind === 'letters' ? { kind: 'mail-letters', letters: opened.letters, receipt } : opened;
}

function review(code: string, text: string, expression?: string): CarrierResult {
  return { kind: 'review', reasons: [issue(code, text, expression)] };
}

function issue(code: string, text: string, expression?: string): Issue {
  return { severity: 'error', code, text, ...(expression && { expression }) };
}

function startOf({ bytes }: MailPart): string {
  return Buffer.from(bytes.subarray(0, 400)).toString('latin1');
}

function isArchive(part: MailPart): boolean {
  return startOf(part).startsWith('PK\u0003\u0004');
}

/** XML that is a clinical document; a stylesheet or an invoice beside it is none. */
function isDocument(part: MailPart): boolean {
  const start = Buffer.from(part.bytes.subarray(0, 4000)).toString('latin1').replaceAll('\0', '');
  return (
    /^(?:\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)?\s*</.test(start) &&
    /<(?:\w+:)?ClinicalDocument[\s>]/.test(start)
  );
}

/** RFC 3834: answers of machines are not answered, nor shown to anybody. */
function isAutomatic(mail: MailMessage): boolean {
  const [submitted = 'no'] = mail.header('auto-submitted');
  const [precedence = ''] = mail.header('precedence');
  const isMachine = !/^no\b/i.test(submitted) || /^(?:bulk|junk|list|auto_reply)$/i.test(precedence);
  return isMachine || mail.header('x-autoreply').length > 0 || mail.header('x-autorespond').length > 0;
}

function mailDoubts(mail: MailMessage, bytes: Uint8Array, { senders }: MailSettings): Issue[] {
  const reasons: Issue[] = [];
  const domain = mail.from.slice(mail.from.indexOf('@') + 1);
  if (senders !== undefined && !senders.some((one) => one === '*' || domain === one || domain.endsWith(`.${one}`)))
    reasons.push(issue('forbidden', 'l’expéditeur n’est pas d’un domaine de MSSanté', 'from'));
  const types = [mail.contentType, ...mail.parts.map(({ contentType }) => contentType)];
  if (
    types.some((type) =>
      /^(?:multipart\/(?:signed|encrypted)|application\/(?:x-)?pkcs7-(?:mime|signature))$/.test(type),
    )
  )
    reasons.push(
      issue('not-supported', 'courriel signé ou chiffré (S/MIME) : rien ici ne peut le vérifier', 'content-type'),
    );
  if (mail.parts.some((part) => startOf(part).startsWith('MZ')))
    reasons.push(issue('forbidden', 'une pièce jointe est un programme'));
  if (mail.parts.some((part) => part.bytes.length === 0 && !part.contentType.startsWith('text/')))
    reasons.push(issue('value', 'une pièce jointe est vide ou son codage est faux'));
  if (isCut(mail, bytes)) reasons.push(issue('incomplete', 'le courriel est tronqué : son dernier séparateur manque'));
  return reasons;
}

/** A mail in parts ends with its delimiter and two dashes (RFC 2046 5.1.1). */
function isCut(mail: MailMessage, bytes: Uint8Array): boolean {
  const boundary = boundaryOf(mail.header('content-type')[0] ?? '');
  if (!mail.contentType.startsWith('multipart/') || boundary === undefined) return false;
  return !bufferOf(bytes).includes(`--${boundary}--`);
}

/** All letters of all parts, or the reasons why none. */
async function openParts(mail: MailMessage, documents: readonly MailPart[]): Promise<CarrierResult> {
  const letters: CarriedLetter[] = [];
  const archives = documents.filter(isArchive);
  // Beside an archive, a document on its own is a copy of what is in it.
  for (const part of archives.length > 0 ? archives : documents) {
    if (!isArchive(part)) {
      letters.push({ bytes: part.bytes, visibility: [], isWithdrawal: false, hints: hintsOf(mail) });
      continue;
    }
    const opened = await openArchive(part.bytes);
    if (opened.kind === 'review') return opened;
    letters.push(...opened.letters.map((letter) => ({ ...letter, hints: hintsOf(mail) })));
  }
  return { kind: 'letters', letters };
}

function hintsOf(mail: MailMessage): NonNullable<CarriedLetter['hints']> {
  const codes = mail
    .header('x-mss-codecda')
    .flatMap((value) => value.split(/[\s,;]+/))
    .filter((code) => code !== '');
  const [qualified] = mail.header('x-mss-ins');
  const birth = /^\s*(?:\[[^\]]*\]\s*)*XDM\/1\.0\/DDM\+.*?(\d\d)\/(\d\d)\/(\d{4})\s*$/.exec(mail.subject);
  return {
    codes,
    isInsQualified: qualified === undefined ? undefined : qualified.trim().toUpperCase() === 'O',
    birthDate: birth === null ? undefined : `${birth[3]}-${birth[2]}-${birth[1]}`,
  };
}

function receiptOf(mail: MailMessage): MailReceipt | undefined {
  if (mail.messageId === undefined) return undefined;
  const hash = createHash('sha256');
  for (const { bytes } of mail.parts) hash.update(createHash('sha256').update(bytes).digest());
  return { name: mail.messageId, content: hash.digest('hex') };
}
