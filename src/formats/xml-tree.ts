/**
 * A plain XML tree and the few ways to walk it. Elements know their parent, so that any of them can say where it is.
 * Text, CDATA and what a comment has cut apart arrive as one string: a value reads the same however it was written.
 */
import { bufferOf } from '../base/index.ts';

export interface XmlElement {
  /** Local name. */
  readonly name: string;
  readonly namespace: string;
  readonly parent: XmlElement | undefined;
  /** By local name; attributes of another namespace as `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** The text before all children, where it is the long base64 of a file (nonXMLBody of CDA): its bytes as they stand in the letter. */
  readonly encoded?: Uint8Array;
}

export type XmlNode = XmlElement | string;

export function isElement(node: XmlNode): node is XmlElement {
  return typeof node !== 'string';
}

/** Child elements of that name in the namespace of their parent: `sdtc:id` is no `id`. */
export function children(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  if (element === undefined) return [];
  return element.children.filter(
    (node): node is XmlElement => isElement(node) && node.name === name && node.namespace === element.namespace,
  );
}

export function child(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((found, name) => children(found, name)[0], element);
}

/** Attribute value without surrounding space; `undefined` when absent or blank. */
export function attribute(element: XmlElement | undefined, name: string): string | undefined {
  return element?.attributes.get(name)?.trim() || undefined;
}

/** All text below the element, spaces collapsed; `undefined` when there is none. */
export function textOf(element: XmlElement | undefined): string | undefined {
  return (element && rawText(element).replace(/\s+/g, ' ').trim()) || undefined;
}

/** All text below the element as it stands. Depth is bounded by the parser. */
export function rawText(element: XmlElement): string {
  const { encoded, children: nodes } = element;
  const text = nodes.map((node) => (isElement(node) ? rawText(node) : node)).join('');
  return encoded === undefined ? text : latin1(encoded) + text;
}

/** Of ASCII bytes. */
export function latin1(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('latin1');
}

/** Path of local names, with a position where siblings share a name: `/ClinicalDocument/author[2]/time`. */
export function xpath(element: XmlElement): string {
  const { parent, name } = element;
  if (parent === undefined) return `/${name}`;
  const alike = parent.children.filter((node) => isElement(node) && node.name === name);
  const position = alike.length > 1 ? `[${alike.indexOf(element) + 1}]` : '';
  return `${xpath(parent)}/${name}${position}`;
}
