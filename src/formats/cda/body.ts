/**
 * The body: sections (level 3) or one file in base64 (level 1). A file that is only pointed at is refused: nothing
 * outside the letter is ever fetched, and without it the letter is empty.
 */
import { attribute, child, children, isElement, rawText, textOf, type XmlElement } from '../xml-tree.ts';
import { isBase64 } from './base64.ts';
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
  const content = rawText(text);
  const refuse = (code: string, reason: string, below = ''): undefined => {
    report(reading, { severity: 'error', code, text: reason }, text, below);
  };
  if (!mediaTypes.has(mediaType)) return refuse('not-supported', 'type de fichier non admis', '/@mediaType');
  if (content.trim() === '')
    return refuse('required', 'le corps est vide ou hors du document ; il n’est pas recherché');
  if (!isEncoded && mediaType !== 'text/plain')
    return refuse('value', 'un fichier doit être en base64', '/@representation');
  if (isEncoded && !isBase64(content)) return refuse('value', 'le corps n’est pas du base64 valide');
  const read = (bytesMax = Infinity): Uint8Array => {
    // Lines and their ends make base64 longer than 4/3 of the bytes, seldom than twice.
    const start = bytesMax === Infinity ? content : content.trimStart().slice(0, 2 * bytesMax);
    return Buffer.from(start, isEncoded ? 'base64' : 'utf8').subarray(0, bytesMax);
  };
  return { kind: 'unstructured', mediaType, read };
}
