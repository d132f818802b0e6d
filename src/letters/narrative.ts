/**
 * Narrative block of a section (CDA R2 §4.3.5) -> FHIR Narrative, by an allow-list: what is on it becomes its XHTML twin,
 * everything else gives its text alone. No attribute of the letter is carried but the spans of table cells; no link, no
 * image, no style, so nothing can run or be fetched (row X10 of the hostile inputs).
 *
 *   paragraph -> p (div with blocks inside)     list, item -> ul or ol, li     table and its parts -> the same
 *   content -> span, b, i by styleCode          br, sub, sup -> the same       linkHtml, footnote, caption elsewhere -> span
 */
import type { Narrative } from 'fhir/r4.js';
import { attribute, isElement, type XmlElement, type XmlNode } from '../formats/index.ts';

/** Characters of text that one section keeps; beyond, the narrative ends with an ellipsis and the letter has the rest. */
const narrativeLengthMax = 200_000;

const same: ReadonlySet<string> = new Set('table thead tbody tfoot tr th td colgroup col br sub sup'.split(' '));
const empty: ReadonlySet<string> = new Set(['br', 'col']);
const blocks: ReadonlySet<string> = new Set(['table', 'list', 'paragraph']);
/** Where XHTML allows no text, the blanks between elements are left out. */
const structural: ReadonlySet<string> = new Set(['table', 'thead', 'tbody', 'tfoot', 'tr', 'colgroup', 'list']);

const styles: ReadonlyMap<string, string> = new Map([
  ['bold', 'b'],
  ['italics', 'i'],
  ['emphasis', 'em'],
]);

export function narrativeOf(text: XmlElement | undefined): Narrative | undefined {
  if (text === undefined) return undefined;
  const budget = { left: narrativeLengthMax };
  const inner = writeAll(text.children, budget);
  if (!/[^\s<>]/.test(inner.replace(/<[^>]*>/g, ''))) return undefined;
  return { status: 'additional', div: `<div xmlns="http://www.w3.org/1999/xhtml">${inner.trim()}</div>` };
}

interface Budget {
  left: number;
}

function writeAll(nodes: readonly XmlNode[], budget: Budget, keepsText = true): string {
  let written = '';
  for (const node of nodes) {
    if (budget.left <= 0) break;
    if (isElement(node)) written += writeElement(node, budget);
    else if (keepsText || /\S/.test(node)) written += writeText(node, budget);
  }
  return written;
}

function writeText(text: string, budget: Budget): string {
  const packed = text.replace(/\s+/g, ' ');
  const part = packed.slice(0, budget.left);
  budget.left -= part.length;
  const ellipsis = part.length < packed.length ? '…' : '';
  return escape(part.replace(/[\ud800-\udbff]$/, '')) + ellipsis;
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function writeElement(element: XmlElement, budget: Budget): string {
  budget.left -= 1;
  const tag = tagOf(element);
  if (empty.has(tag)) return tag === 'br' ? '<br/>' : '';
  const caption = element.children.filter(isElement).find(({ name }) => name === 'caption');
  const inside = element.name === 'list' ? element.children.filter((node) => node !== caption) : element.children;
  const inner = writeAll(inside, budget, !structural.has(element.name));
  if (inner === '' && (structural.has(element.name) || element.name === 'colgroup')) return '';
  const before = element.name === 'list' && caption !== undefined ? `<p>${writeAll(caption.children, budget)}</p>` : '';
  return `${before}<${tag}${spans(element)}>${inner}</${tag}>`;
}

function tagOf(element: XmlElement): string {
  const { name } = element;
  if (same.has(name)) return name;
  switch (name) {
    case 'paragraph':
      return hasBlock(element) ? 'div' : 'p';
    case 'list':
      return attribute(element, 'listType') === 'ordered' ? 'ol' : 'ul';
    case 'item':
      return 'li';
    case 'caption':
      return element.parent?.name === 'table' ? 'caption' : 'span';
    case 'content':
      return styles.get((attribute(element, 'styleCode') ?? '').toLowerCase()) ?? (hasBlock(element) ? 'div' : 'span');
    default:
      return 'span';
  }
}

function hasBlock(element: XmlElement): boolean {
  return element.children.some((node) => isElement(node) && blocks.has(node.name));
}

function spans(element: XmlElement): string {
  if (element.name !== 'td' && element.name !== 'th') return '';
  return ['colspan', 'rowspan']
    .flatMap((name) => {
      const value = attribute(element, name);
      return value !== undefined && /^[1-9]\d{0,2}$/.test(value) ? [` ${name}="${value}"`] : [];
    })
    .join('');
}
