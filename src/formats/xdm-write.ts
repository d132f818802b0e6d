/**
 * IHE XDM archives out (ITI-32, one SUBSET01 as French practice has it): documents and metadata -> zip. The same input and time
 * give the same bytes, in any time zone. Names are ours (ISO 9660: `DOC0001.XML`), never a sender's.
 */
import { buffer } from 'node:stream/consumers';
import yazl from 'yazl';
import { tag, escapeXml } from './xml-write.ts';
import { writeXdmMetadata, type XdmDocumentToWrite, type XdmSubmission } from './xdm-metadata.ts';

export interface XdmToWrite {
  readonly submission: XdmSubmission;
  readonly documents: readonly XdmDocumentToWrite[];
  /** Who sends, for README.TXT: lines of text (name, address, telephone). */
  readonly sender: readonly string[];
  /** Name and version. */
  readonly software: string;
  readonly writtenAtMs: number;
}

const subset = 'IHE_XDM/SUBSET01';
const documentsMax = 50;

/** The archive of some documents of one patient. Throws for no document or too many: whoever asks knows their number. */
export async function writeXdm(xdm: XdmToWrite): Promise<Buffer> {
  if (xdm.documents.length === 0 || xdm.documents.length > documentsMax) {
    throw new RangeError(`an archive has 1 to ${documentsMax} documents`);
  }
  const documents = xdm.documents.map((document, at) => ({ ...document, fileName: fileName(document.mimeType, at) }));
  const names = documents.map((document) => document.fileName);
  const zip = new yazl.ZipFile();
  const options = { mtime: asLocal(xdm.writtenAtMs), forceDosTimestamp: true, mode: 0o100644 };
  const add = (name: string, content: string | Uint8Array): void => zip.addBuffer(Buffer.from(content), name, options);
  add('README.TXT', readme(xdm, names));
  add('INDEX.HTM', index(xdm, names));
  add(`${subset}/METADATA.XML`, writeXdmMetadata(xdm.submission, documents));
  for (const { bytes, fileName: name } of documents) add(`${subset}/${name}`, bytes);
  zip.end();
  return buffer(zip.outputStream);
}

/** The zip format keeps local times without a zone: the instant's UTC fields, as if they were local. */
function asLocal(instantMs: number): Date {
  const at = new Date(instantMs);
  const day = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()] as const;
  return new Date(...day, at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds());
}

const suffixes: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'PDF'],
  ['text/plain', 'TXT'],
  ['text/rtf', 'RTF'],
  ['image/jpeg', 'JPG'],
  ['image/tiff', 'TIF'],
  ['text/xml', 'XML'],
  ['application/xml', 'XML'],
  ['application/cda+xml', 'XML'],
]);

function fileName(mimeType: string, at: number): string {
  const base = (mimeType.split(';')[0] ?? '').trim().toLowerCase();
  return `DOC${String(at + 1).padStart(4, '0')}.${suffixes.get(base) ?? 'BIN'}`;
}

/** Lines end as ISO 9660 media have them. */
function readme({ sender, software, submission }: XdmToWrite, names: readonly string[]): string {
  const lines = [
    'Emetteur :',
    ...sender.map(oneLine),
    '',
    `Logiciel : ${oneLine(software)}`,
    `Date (UTC) : ${submission.submissionTime}`,
    '',
    'INDEX.HTM',
    'README.TXT',
    `${subset}/METADATA.XML`,
    ...names.map((name) => `${subset}/${name}`),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();

/** XHTML Basic, without script, style or anything fetched. */
function index({ sender, documents }: XdmToWrite, names: readonly string[]): string {
  const link = (href: string, text: string): string => tag('li', {}, tag('a', { href }, escapeXml(text)));
  const items = names.map((name, at) => link(`${subset}/${name}`, documents[at]?.title ?? name));
  const head = tag('head', {}, tag('title', {}, 'IHE XDM'));
  const body = tag(
    'body',
    {},
    tag('h1', {}, 'Documents'),
    tag('p', {}, escapeXml(sender.map(oneLine).join(', ') || 'Emetteur inconnu')),
    tag('ul', {}, ...items, link(`${subset}/METADATA.XML`, 'METADATA.XML'), link('README.TXT', 'README.TXT')),
  );
  const doctype =
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">';
  return `<?xml version="1.0" encoding="UTF-8"?>\n${doctype}\n${tag('html', { xmlns: 'http://www.w3.org/1999/xhtml', 'xml:lang': 'fr' }, head, body)}\n`;
}
