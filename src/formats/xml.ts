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
import { decodeXml, type LongRun, type XmlEncoding } from './xml-encoding.ts';
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
  encoded?: Uint8Array;
}

const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';

function buildTree(pieces: Iterable<string | LongRun>, encoding: XmlEncoding, limits: XmlLimits): XmlResult {
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true });
  const skipped = createSkipped(parser);
  const builder = createBuilder(limits, skipped.position);
  // Six handlers and no more: with eight, V8 turns the parser into a dictionary and it runs six times slower (measured).
  // The message of saxes may quote the document: dropped.
  parser.on('error', () => builder.stop('structure', 'le document XML n’est pas bien formé'));
  parser.on('attribute', ({ value }) => builder.attribute(value));
  parser.on('opentag', (tag) => builder.open(tag, parser.position));
  parser.on('text', (part) => builder.append(part));
  parser.on('cdata', (part) => builder.append(part));
  parser.on('closetag', () => builder.close());
  try {
    feed(pieces, parser, (run, shown) => builder.keepRun(run, shown) && skipped.add(run));
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

/** `keep` answers whether the run is kept beside the parser; `shown`: the length of the text before it. */
function feed(
  pieces: Iterable<string | LongRun>,
  parser: SaxesParser<{ xmlns: true }>,
  keep: (run: Uint8Array, shown: number) => boolean,
): void {
  // The parser's own count is right only while it calls its handlers.
  let shown = 0;
  const show = (text: string): void => {
    shown += text.length;
    parser.write(text);
  };
  for (const piece of pieces) {
    if (typeof piece === 'string') show(piece);
    else if (!keep(piece.run, shown)) for (const part of piece.asText()) show(part);
  }
}

/** Where the parser is in the letter, with the long runs that it was not shown. */
function createSkipped(parser: SaxesParser<{ xmlns: true }>) {
  let lines = 0;
  let columns = { line: 0, more: 0 };
  return {
    add(run: Uint8Array): true {
      let breaks = 0;
      for (let at = run.indexOf(0x0a); at >= 0; at = run.indexOf(0x0a, at + 1)) breaks++;
      const more = breaks === 0 ? run.length : run.length - 1 - run.lastIndexOf(0x0a) - parser.column;
      const before = columns.line === parser.line ? columns.more : 0;
      columns = { line: parser.line, more: more + (breaks === 0 ? before : 0) };
      lines += breaks;
      return true;
    },
    position: () => {
      const more = columns.line === parser.line ? columns.more : 0;
      return `line ${parser.line + lines}, column ${parser.column + 1 + more}`;
    },
  };
}

/** Puts the tree together from the parser's events, and stops it at the first limit. */
function createBuilder(limits: XmlLimits, position: () => string) {
  const count = { depth: 0, elements: 0, attributes: 0 };
  let root: OpenElement | undefined;
  let current: OpenElement | undefined;
  let openedAt = -1;
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
    /** `at`: how much of the text ends with the tag. */
    open({ local, uri, attributes, isSelfClosing }: SaxesTagNS, at: number): void {
      count.attributes = 0;
      bound(++count.depth, limits.depthMax, 'niveaux d’imbrication');
      bound(++count.elements, limits.elementsMax, 'éléments');
      bound(local.length, limits.nameLengthMax, 'caractères par nom');
      const element = { name: local, namespace: uri, parent: current, attributes: keep(attributes), children: [] };
      current?.children.push(element);
      root ??= element;
      current = element;
      openedAt = isSelfClosing ? -1 : at;
    },
    /** Whether the run is the file that is the body of a CDA: then it is kept as it is, and is no text. */
    keepRun(run: Uint8Array, at: number): boolean {
      if (current === undefined || at !== openedAt || current.parent?.name !== 'nonXMLBody') return false;
      if (current.attributes.get('representation') !== 'B64') return false;
      bound(run.length, limits.textLengthMax, 'caractères par texte');
      current.encoded = run;
      return true;
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
