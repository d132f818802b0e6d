/**
 * FHIR XML -> FHIR JSON (https://hl7.org/fhir/R4/xml.html), in one pass: no tree of the document is built, each element
 * becomes the JSON member that the definitions give it when it closes.
 *
 * - Strict: elements the definitions do not know, or in another order than theirs, text between elements, empty elements
 *   and foreign attributes are refused with line, column and FHIRPath; never with content of the document.
 * - Lossless: decimals keep their digits, narrative its characters (`narrative.ts`), texts their blanks.
 * - A DOCTYPE is refused before the parser sees it, and the parser knows no entity but the five of XML.
 */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { fhirXmlLimits, type Issue, Problem, type ProblemCategory } from '../../base/index.ts';
import type { Definitions } from '../definitions.ts';
import { ExactNumber, hideDigits, toExact } from '../digits.ts';
import type { Resource } from '../resource.ts';
import { createLayouts, fhirNamespace, type Layout, type Layouts, type Member } from './layout.ts';
import {
  closeInNarrative,
  type OpenNarrative,
  openInNarrative,
  openNarrative,
  textInNarrative,
  xhtmlNamespace,
} from './narrative.ts';

export interface FhirXmlLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
  readonly elementsMax: number;
  /** Of one element, namespace declarations included. */
  readonly attributesMax: number;
}

/** The resource as `parseJson` would give it. Throws `incorrect`, or `content-too-costly` beyond the limits. */
export function readFhirXml(
  bytes: Uint8Array,
  definitions: Definitions,
  limits: FhirXmlLimits = fhirXmlLimits,
): Resource {
  const text = decode(bytes, limits);
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true });
  const layouts = createLayouts(definitions);
  const reading: Reading = { text, parser, definitions, layouts, limits, elements: 0, depth: 0, hasExact: false };
  let attributes = 0;
  // The message of saxes may quote the document: dropped.
  parser.on('error', () => refuse(reading, 'the body is not well-formed XML'));
  parser.on('attribute', () => bound(reading, ++attributes, 'attributesMax', 'attributes on one element'));
  parser.on('opentag', (tag) => {
    attributes = 0;
    open(reading, tag);
  });
  parser.on('text', (part) => readText(reading, part));
  parser.on('cdata', (part) => readText(reading, part));
  parser.on('closetag', (tag) => close(reading, tag));
  parser.write(text).close();
  const { result } = reading;
  if (result === undefined) throw problem('incorrect', 'structure', 'the body has no root element');
  return (reading.hasExact ? hideDigits(result) : result) as unknown as Resource;
}

type Members = Record<string, unknown>;

interface Reading {
  readonly text: string;
  readonly parser: SaxesParser<{ xmlns: true }>;
  readonly definitions: Definitions;
  readonly layouts: Layouts;
  readonly limits: FhirXmlLimits;
  elements: number;
  depth: number;
  hasExact: boolean;
  frame?: Frame | undefined;
  narrative?: OpenNarrative | undefined;
  result?: Members;
}

/** An element that is open. */
interface Frame {
  /** `resource`: root, or inside the element that holds it, whose kind is `holder`. */
  readonly kind: 'resource' | 'holder' | 'complex' | 'primitive' | 'xhtml';
  readonly parent: Frame | undefined;
  /** How it stands in its parent; undefined for a resource. */
  readonly member: Member | undefined;
  readonly index: number;
  /** What its child elements may be. */
  layout: Layout;
  /** JSON members so far; of a primitive those of its companion; of a holder its resource. */
  readonly value: Members;
  /** Of a primitive. */
  scalar: unknown;
  /** The child element before, and how many of its name there have been. */
  lastChild: Member | undefined;
  count: number;
}

const noMembers: Layout = () => undefined;
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array, limits: FhirXmlLimits): string {
  if (bytes.length > limits.bytesMax) {
    const text = `the body has ${bytes.length} bytes, at most ${limits.bytesMax} are allowed`;
    throw problem('content-too-costly', 'too-long', text);
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw problem('incorrect', 'structure', 'the body is not valid UTF-8');
  }
  if (text.includes('<!DOCTYPE')) throw problem('incorrect', 'structure', 'the body has a DOCTYPE: none is allowed');
  const encoding = /^<\?xml[^>]{0,100}?encoding\s*=\s*["']([^"']*)/.exec(text)?.[1] ?? 'UTF-8';
  if (!/^(?:utf-8|us-ascii)$/i.test(encoding)) {
    throw problem('incorrect', 'structure', 'the XML declaration names another encoding than UTF-8');
  }
  return text;
}

function problem(category: ProblemCategory, code: string, text: string, expression?: string): Problem {
  const issue: Issue = { severity: 'error', code, text };
  return new Problem(category, text, { issues: [expression === undefined ? issue : { ...issue, expression }] });
}

function place({ parser }: Reading): string {
  return `(line ${parser.line}, column ${parser.column + 1})`;
}

function refuse(reading: Reading, text: string, child?: string): never {
  const here = reading.frame === undefined ? undefined : pathOf(reading.frame);
  const expression = child === undefined || here === undefined ? here : `${here}.${child}`;
  throw problem('incorrect', 'structure', `${text} ${place(reading)}`, expression);
}

function bound(reading: Reading, count: number, limit: Exclude<keyof FhirXmlLimits, 'bytesMax'>, what: string): void {
  const max = reading.limits[limit];
  if (count <= max) return;
  throw problem('content-too-costly', 'too-costly', `the body has more than ${max} ${what} ${place(reading)}`);
}

function pathOf(frame: Frame): string {
  const steps: string[] = [];
  for (let next: Frame | undefined = frame; next !== undefined; next = next.parent) {
    const { member, index } = next;
    if (member !== undefined) steps.push(member.isMany ? `${member.elementName}[${index}]` : member.elementName);
    else if (next.parent === undefined) steps.push(String(next.value['resourceType']));
  }
  return steps.reverse().join('.');
}

function open(reading: Reading, tag: SaxesTagNS): void {
  bound(reading, ++reading.depth, 'depthMax', 'levels');
  bound(reading, ++reading.elements, 'elementsMax', 'elements');
  const { frame, narrative } = reading;
  if (narrative !== undefined) {
    if (tag.uri !== xhtmlNamespace) refuse(reading, 'found an element of another namespace in a narrative');
    openInNarrative(narrative, tag);
  } else if (frame === undefined || frame.kind === 'holder') openResource(reading, tag);
  else openElement(reading, frame, tag);
}

function openResource(reading: Reading, tag: SaxesTagNS): void {
  const { frame: parent, definitions, layouts } = reading;
  if (tag.uri !== fhirNamespace || !definitions.resourceTypes.has(tag.local)) {
    refuse(reading, `expected a resource of the namespace ${fhirNamespace}${found(tag)}`);
  }
  if (parent !== undefined && parent.count > 0) refuse(reading, 'found a second resource, expected one');
  if (parent !== undefined) parent.count++;
  const frame = createFrame(parent, undefined, 0, 'resource');
  frame.value['resourceType'] = tag.local;
  reading.frame = frame;
  readAttributes(reading, tag, frame);
  frame.layout = layouts(tag.local);
}

function createFrame(parent: Frame | undefined, member: Member | undefined, index: number, kind: Frame['kind']): Frame {
  return {
    kind,
    parent,
    member,
    index,
    layout: noMembers,
    value: {},
    scalar: undefined,
    lastChild: undefined,
    count: 0,
  };
}

/** Names of elements are part of the format; what does not look like one might be content. */
function found({ local }: SaxesTagNS): string {
  return /^[A-Za-z]{1,64}$/.test(local) ? `, found ${local}` : '';
}

function openElement(reading: Reading, parent: Frame, tag: SaxesTagNS): void {
  const member = findMember(reading, parent, tag);
  const index = countChild(reading, parent, member);
  const frame = createFrame(parent, member, index, kinds[member.form]);
  reading.frame = frame;
  if (frame.kind === 'xhtml') {
    // The tag that has just ended began at the last "<": attribute values cannot hold one.
    reading.narrative = openNarrative(tag, reading.text.lastIndexOf('<', reading.parser.position - 1));
    return;
  }
  if (frame.kind !== 'holder') frame.layout = reading.layouts(member.type);
  readAttributes(reading, tag, frame);
}

const kinds = {
  attribute: 'complex',
  complex: 'complex',
  primitive: 'primitive',
  resource: 'holder',
  xhtml: 'xhtml',
} as const;

function findMember(reading: Reading, parent: Frame, tag: SaxesTagNS): Member {
  const member = parent.layout(tag.local);
  const namespace = member?.form === 'xhtml' ? xhtmlNamespace : fhirNamespace;
  if (member === undefined || member.form === 'attribute') {
    const isName = found(tag) !== '';
    return refuse(reading, `this element is not known here${found(tag)}`, isName ? tag.local : undefined);
  }
  if (tag.uri !== namespace) return refuse(reading, `expected the namespace ${namespace}`, member.elementName);
  return member;
}

/** The index of the next child; refused when it is out of order or one too many. */
function countChild(reading: Reading, parent: Frame, member: Member): number {
  const last = parent.lastChild;
  if (last !== undefined && last.order > member.order) {
    refuse(reading, `this element stands after ${last.name}, expected before it`, member.elementName);
  }
  if (last !== undefined && last.order === member.order && !(member.isMany && last.name === member.name)) {
    refuse(reading, 'this element is there more than once', member.elementName);
  }
  parent.count = last?.name === member.name ? parent.count + 1 : 1;
  parent.lastChild = member;
  return parent.count - 1;
}

function readAttributes(reading: Reading, tag: SaxesTagNS, frame: Frame): void {
  for (const key of Object.keys(tag.attributes)) {
    const { prefix, local, uri, value } = tag.attributes[key] as SaxesAttributeNS;
    if (uri === '' && local === 'value' && frame.kind === 'primitive') {
      frame.scalar = readScalar(reading, frame.member, value);
    } else if (uri === '' && frame.layout(local)?.form === 'attribute') frame.value[local] = value;
    else if (prefix !== 'xmlns' && key !== 'xmlns' && uri !== schemaInstanceNamespace) {
      refuse(reading, `found an attribute that ${tag.local} does not have`);
    }
  }
}

/** Its schemaLocation says nothing about the content. */
const schemaInstanceNamespace = 'http://www.w3.org/2001/XMLSchema-instance';
const jsonNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function readScalar(reading: Reading, member: Member | undefined, text: string): unknown {
  const scalar = member?.scalar ?? 'string';
  if (scalar === 'string') return text;
  const trimmed = text.trim();
  if (scalar === 'boolean') {
    if (trimmed !== 'true' && trimmed !== 'false') refuse(reading, 'found another text, expected true or false');
    return trimmed === 'true';
  }
  if (!jsonNumber.test(trimmed)) refuse(reading, 'found another text, expected a number');
  const number = toExact(trimmed);
  reading.hasExact ||= number instanceof ExactNumber;
  return number;
}

function readText(reading: Reading, part: string): void {
  if (reading.narrative !== undefined) textInNarrative(reading.narrative, part);
  else if (/[^ \t\r\n]/.test(part)) refuse(reading, 'found text between the elements');
}

function close(reading: Reading, tag: SaxesTagNS): void {
  reading.depth--;
  const { frame, narrative } = reading;
  if (narrative !== undefined) {
    closeInNarrative(narrative, tag);
    if (narrative.depth > 0) return;
  }
  if (frame === undefined) return;
  finish(reading, frame);
  reading.narrative = undefined;
  reading.frame = frame.parent;
}

function finish(reading: Reading, frame: Frame): void {
  const { kind, value, scalar } = frame;
  const isEmpty = Object.keys(value).length === 0;
  switch (kind) {
    case 'resource':
      if (frame.parent === undefined) reading.result = value;
      else frame.parent.value['resource'] = value;
      return;
    case 'holder':
      if (isEmpty) refuse(reading, 'found an empty element, expected a resource');
      return put(frame, '', value['resource']);
    case 'complex':
      if (isEmpty) refuse(reading, 'found an empty element, expected child elements');
      return put(frame, '', value);
    case 'primitive':
      if (isEmpty && scalar === undefined) refuse(reading, 'found an empty element, expected a value');
      put(frame, '', scalar);
      return put(frame, '_', isEmpty ? undefined : value);
    case 'xhtml':
      return put(frame, '', narrativeOf(reading));
  }
}

function narrativeOf({ narrative, text, parser }: Reading): string {
  return narrative?.rewritten ?? text.slice(narrative?.startsAt, parser.position);
}

/** Sets the member of the parent; in a list the places of the other half are kept with null. */
function put({ parent, member, index }: Frame, prefix: '' | '_', value: unknown): void {
  if (parent === undefined || member === undefined) return;
  const name = `${prefix}${member.name}`;
  if (!member.isMany) {
    if (value !== undefined) parent.value[name] = value;
    return;
  }
  const list = parent.value[name] as unknown[] | undefined;
  if (list !== undefined) list.push(value ?? null);
  else if (value !== undefined) parent.value[name] = [...Array.from({ length: index }, () => null), value];
}
