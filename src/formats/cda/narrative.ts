/** Narrative blocks (CDA R2 §4.3.5) as plain text. */
import { isElement, type XmlElement } from '../xml-tree.ts';

/** Elements after which a new line of text begins. */
const blocks: ReadonlySet<string> = new Set('paragraph item tr table caption list br thead tbody'.split(' '));
const cells: ReadonlySet<string> = new Set(['td', 'th']);

/** So many characters, blanks and all, are looked at for each one asked for; what lies beyond is cut and shown as cut. */
const rawPerCharacter = 8;

/** Text of the block, one line per row or paragraph, cells apart; cut at a word when longer than `lengthMax`. */
export function plainText(block: XmlElement, lengthMax: number): string | undefined {
  const budget = { left: lengthMax * rawPerCharacter };
  const text = flatten(block, budget)
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').replace(/ ?\u0001 ?/g, ' | '))
    .map((line) => line.replace(/^[ |]+|[ |]+$/g, ''))
    .filter((line) => line !== '')
    .join('\n');
  if (text.length <= lengthMax && budget.left > 0) return text || undefined;
  return `${text.slice(0, lengthMax - 1).replace(/\s+\S*$/, '')}…`;
}

/** Lines end with a line feed, cells with U+0001, which XML cannot hold. */
function flatten(element: XmlElement, budget: { left: number }): string {
  let inner = '';
  for (const node of element.children) {
    if (budget.left <= 0) break;
    if (isElement(node)) inner += flatten(node, budget);
    else {
      const part = node.slice(0, budget.left);
      budget.left -= part.length;
      inner += part.replace(/\s+/g, ' ');
    }
  }
  budget.left--;
  if (blocks.has(element.name)) return `\n${inner}\n`;
  return cells.has(element.name) ? `${inner}\u0001` : inner;
}
