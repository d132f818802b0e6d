/**
 * The one entry for XML from outside: bytes -> plain tree, or the reason why not.
 *
 * Strict well-formedness with namespaces (saxes). No DTD: a DOCTYPE anywhere in the text is refused before the parser
 * sees it, and the parser knows no entity but the five of XML; nothing is ever fetched. Processing instructions (stylesheets), comments and
 * schemaLocation are ignored. Each size has a limit, watched while parsing: saxes needs seconds for 20 000 nested
 * elements, so depth must stop it in the handler. A refusal says what and where, and never quotes the document.
 */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { type Issue, Problem, xmlLimits } from '../base/index.ts';
import { decodeXml, type XmlEncoding } from './xml-encoding.ts';
import { type XmlElement, type XmlNode, xpath } from './xml-tree.ts';

export interface XmlLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
  readonly elementsMax: number;
  /** Of one element, namespace declarations included. */
  readonly attributesMax: number;
  readonly nameLengthMax: number;
  /** Of one text node or attribute value, in UTF-16 units. */
  readonly textLengthMax: number;
}

export type XmlResult =
  | { readonly kind: 'tree'; readonly root: XmlElement; readonly encoding: XmlEncoding }
  | { readonly kind: 'refused'; readonly issue: Issue };

export function parseXml(bytes: Uint8Array, limits: XmlLimits = xmlLimits): XmlResult {
  if (bytes.length > limits.bytesMax) {
    return refused('too-costly', `le document XML a ${bytes.length} octets, ${limits.bytesMax} au plus sont admis`);
  }
  const decoded = decodeXml(bytes);
  if (decoded.kind === 'refused') return refused('structure', decoded.text);
  const beforeDoctype = decoded.before('<!DOCTYPE');
  if (beforeDoctype !== undefined) {
    const text = 'le document XML porte un DOCTYPE : aucune DTD n’est admise';
    return refused('structure', text, endOf(beforeDoctype));
  }
  return buildTree(decoded.pieces(), decoded.encoding, limits);
}

function refused(code: string, text: string, diagnostics?: string): XmlResult {
  return { kind: 'refused', issue: { severity: 'error', code, text, ...(diagnostics && { diagnostics }) } };
}

/** Line and column of what follows the text. */
function endOf(text: string): string {
  const lines = text.split(/\r\n|\r|\n/);
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

interface OpenElement extends XmlElement {
  readonly parent: OpenElement | undefined;
  readonly attributes: Map<string, string>;
  readonly children: XmlNode[];
}

const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';

function buildTree(pieces: Iterable<string>, encoding: XmlEncoding, limits: XmlLimits): XmlResult {
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true });
  const builder = createBuilder(limits, () => `line ${parser.line}, column ${parser.column + 1}`);
  // Six handlers and no more: with eight, V8 turns the parser into a dictionary and it runs six times slower (measured).
  // The message of saxes may quote the document: dropped.
  parser.on('error', () => builder.stop('structure', 'le document XML n’est pas bien formé'));
  parser.on('attribute', ({ value }) => builder.attribute(value));
  parser.on('opentag', (tag) => builder.open(tag));
  parser.on('text', (part) => builder.append(part));
  parser.on('cdata', (part) => builder.append(part));
  parser.on('closetag', () => builder.close());
  try {
    for (const piece of pieces) parser.write(piece);
    parser.close();
  } catch (error) {
    // The only way out of a saxes handler; anything that is not our own stop is a fault.
    const issue = error instanceof Problem ? error.issues[0] : undefined;
    if (issue === undefined) throw error;
    return { kind: 'refused', issue };
  }
  const root = builder.root();
  if (root === undefined) return refused('structure', 'le document XML n’a pas d’élément racine');
  return { kind: 'tree', root, encoding };
}

/** Puts the tree together from the parser's events, and stops it at the first limit. */
function createBuilder(limits: XmlLimits, position: () => string) {
  const count = { depth: 0, elements: 0, attributes: 0 };
  let root: OpenElement | undefined;
  let current: OpenElement | undefined;
  const stop = (code: string, text: string): never => {
    const expression = current && { expression: xpath(current) };
    const issue: Issue = { severity: 'error', code, text, ...expression, diagnostics: position() };
    throw new Problem('unprocessable', text, { issues: [issue] });
  };
  const bound = (value: number, limit: number, what: string): void => {
    if (value > limit) stop('too-costly', `le document XML dépasse la limite de ${limit} ${what}`);
  };
  return {
    stop,
    root: () => root,
    attribute(value: string): void {
      bound(++count.attributes, limits.attributesMax, 'attributs par élément');
      bound(value.length, limits.textLengthMax, 'caractères par attribut');
    },
    open({ local, uri, attributes }: SaxesTagNS): void {
      count.attributes = 0;
      bound(++count.depth, limits.depthMax, 'niveaux d’imbrication');
      bound(++count.elements, limits.elementsMax, 'éléments');
      bound(local.length, limits.nameLengthMax, 'caractères par nom');
      const element = { name: local, namespace: uri, parent: current, attributes: keep(attributes), children: [] };
      current?.children.push(element);
      root ??= element;
      current = element;
    },
    append(part: string): void {
      bound(part.length, limits.textLengthMax, 'caractères par texte');
      if (current === undefined) return;
      const { children } = current;
      const last = children.at(-1);
      if (typeof last === 'string') children[children.length - 1] = last + part;
      else children.push(part);
    },
    close(): void {
      count.depth--;
      current = current?.parent;
    },
  };
}

function keep(attributes: Record<string, SaxesAttributeNS>): Map<string, string> {
  const kept = new Map<string, string>();
  for (const { local, uri, value } of Object.values(attributes)) {
    if (uri !== xmlnsNamespace) kept.set(uri === '' ? local : `{${uri}}${local}`, value);
  }
  return kept;
}
