/** Narrative blocks (CDA R2 §4.3.5) as plain text. */
import { isElement, type XmlElement } from '../xml-tree.ts';

/** Elements after which a new line of text begins. */
const blocks: ReadonlySet<string> = new Set([
  'paragraph',
  'item',
  'tr',
  'table',
  'caption',
  'list',
  'br',
  'thead',
  'tbody',
]);
const cells: ReadonlySet<string> = new Set(['td', 'th']);

/** Text of the block, one line per row or paragraph, cells apart; cut at a word when longer than `lengthMax`. */
export function plainText(block: XmlElement, lengthMax: number): string | undefined {
  const lines = flatten(block)
    .split('\n')
    .map((line) =>
      line
        .replace(/\s+/g, ' ')
        .replace(/ ?\u0001 ?/g, ' | ')
        .replace(/^[ |]+|[ |]+$/g, ''),
    )
    .filter((line) => line !== '');
  const text = lines.join('\n');
  if (text === '') return undefined;
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1).replace(/\s+\S*$/, '')}…`;
}

function flatten(element: XmlElement): string {
  const inner = element.children.map((node) => (isElement(node) ? flatten(node) : node.replace(/\s+/g, ' '))).join('');
  if (blocks.has(element.name)) return `\n${inner}\n`;
  return cells.has(element.name) ? `${inner}\u0001` : inner;
}
