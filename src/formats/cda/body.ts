/**
 * The body: sections (level 3) or one file in base64 (level 1). A file that is only pointed at is refused: nothing
 * outside the letter is ever fetched, and without it the letter is empty.
 */
import { isBase64 } from '../base64.ts';
import { attribute, child, children, isElement, latin1, rawText, textOf, type XmlElement } from '../xml-tree.ts';
import type { Body, Section } from './model.ts';
import { type Reading, readCode, readIds, report } from './reading.ts';

/** JDV MediaTypeCorpsCDANonStructure of the ANS, and PNG, which letters also hold. */
const mediaTypes: ReadonlySet<string> = new Set([
  'application/pdf',
  'text/plain',
  'text/rtf',
  'image/jpeg',
  'image/tiff',
  'image/png',
]);

export function readBody(reading: Reading, root: XmlElement): Body | undefined {
  const structured = child(root, 'component', 'structuredBody');
  if (structured !== undefined) return { kind: 'structured', sections: readSections(reading, structured) };
  const text = child(root, 'component', 'nonXMLBody', 'text');
  if (text !== undefined) return readFile(reading, text);
  report(reading, { severity: 'error', code: 'required', text: 'le document n’a pas de corps' }, root, '/component');
  return undefined;
}

function readSections(reading: Reading, parent: XmlElement): readonly Section[] {
  return children(parent, 'component').flatMap((component) => {
    const section = child(component, 'section');
    return section === undefined ? [] : [readSection(reading, section)];
  });
}

function readSection(reading: Reading, section: XmlElement): Section {
  return {
    ids: readIds(reading, section),
    templateIds: children(section, 'templateId').flatMap((id) => attribute(id, 'root') ?? []),
    code: readCode(child(section, 'code')),
    title: textOf(child(section, 'title')),
    text: child(section, 'text'),
    entries: children(section, 'entry').flatMap((entry) => entry.children.find(isElement) ?? []),
    sections: readSections(reading, section),
  };
}

function readFile(reading: Reading, text: XmlElement): Body | undefined {
  const mediaType = (attribute(text, 'mediaType') ?? 'text/plain').toLowerCase();
  const isEncoded = attribute(text, 'representation') === 'B64';
  const content = (text.children.length === 0 ? text.encoded : undefined) ?? rawText(text);
  const refuse = (code: string, reason: string, below = ''): undefined => {
    report(reading, { severity: 'error', code, text: reason }, text, below);
  };
  if (!mediaTypes.has(mediaType)) return refuse('not-supported', 'type de fichier non admis', '/@mediaType');
  if (typeof content === 'string' && content.trim() === '')
    return refuse('required', 'le corps est vide ou hors du document ; il n’est pas recherché');
  if (!isEncoded && mediaType !== 'text/plain')
    return refuse('value', 'un fichier doit être en base64', '/@representation');
  // What is kept as bytes is known to be base64.
  if (isEncoded && typeof content === 'string' && !isBase64(content))
    return refuse('value', 'le corps n’est pas du base64 valide');
  const read = (bytesMax = Infinity): Uint8Array => {
    // Lines and their ends make base64 longer than 4/3 of the bytes, seldom than twice.
    const start = startOf(content, bytesMax === Infinity ? Infinity : 2 * bytesMax);
    return Buffer.from(start, isEncoded ? 'base64' : 'utf8').subarray(0, bytesMax);
  };
  return { kind: 'unstructured', mediaType, read };
}

function startOf(content: string | Uint8Array, lengthMax: number): string {
  if (typeof content === 'string') return lengthMax === Infinity ? content : content.trimStart().slice(0, lengthMax);
  return latin1(content.subarray(0, Math.min(content.length, lengthMax)));
}
