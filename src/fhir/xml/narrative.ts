/**
 * The XHTML of a narrative between XML and JSON. Where its root declares the XHTML namespace as its own default, which
 * is the rule, the text passes untouched in both directions. Where the namespace comes from a prefix or from outside,
 * the same elements are written anew so that the text stands alone.
 */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { Problem } from '../../base/index.ts';

export const xhtmlNamespace = 'http://www.w3.org/1999/xhtml';

/** A narrative while it is read: where its text began, or what was written anew. */
export interface OpenNarrative {
  readonly startsAt: number;
  rewritten: string | undefined;
  depth: number;
}

export function openNarrative(tag: SaxesTagNS, startsAt: number): OpenNarrative {
  const isSelfContained = tag.prefix === '' && tag.attributes['xmlns']?.value === xhtmlNamespace;
  return { startsAt, rewritten: isSelfContained ? undefined : openTag(tag, ` xmlns="${xhtmlNamespace}"`), depth: 1 };
}

export function openInNarrative(narrative: OpenNarrative, tag: SaxesTagNS): void {
  narrative.depth++;
  if (narrative.rewritten !== undefined) narrative.rewritten += openTag(tag, '');
}

export function textInNarrative(narrative: OpenNarrative, text: string): void {
  if (narrative.rewritten !== undefined) narrative.rewritten += escapeText(text);
}

export function closeInNarrative(narrative: OpenNarrative, tag: SaxesTagNS): void {
  narrative.depth--;
  if (narrative.rewritten !== undefined) narrative.rewritten += `</${tag.local}>`;
}

function openTag(tag: SaxesTagNS, declaration: string): string {
  const attributes = Object.values(tag.attributes)
    .filter(({ prefix, name }: SaxesAttributeNS) => prefix !== 'xmlns' && name !== 'xmlns')
    .map(({ name, value }: SaxesAttributeNS) => ` ${name}="${escapeAttribute(value)}"`);
  return `<${tag.local}${declaration}${attributes.join('')}>`;
}

/** Whether the text can stand in XML as it is: one well-formed element `div` of XHTML, without DTD. */
export function isSelfContained(div: string): boolean {
  if (!div.startsWith('<div') || div.includes('<!DOCTYPE')) return false;
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true, position: false });
  let depth = 0;
  const refuse = (): never => {
    throw new Problem('unprocessable', 'the narrative is not XHTML');
  };
  parser.on('error', refuse);
  parser.on('opentag', ({ local, uri }) => {
    if (++depth > narrativeDepthMax || uri !== xhtmlNamespace || (depth === 1 && local !== 'div')) refuse();
  });
  parser.on('closetag', () => {
    depth--;
  });
  try {
    parser.write(div).close();
    return true;
  } catch (error) {
    // The only way out of a saxes handler; anything else is a fault.
    if (error instanceof Problem) return false;
    throw error;
  }
}

const narrativeDepthMax = 100;

export function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, escapeCharacter);
}

/** Tab and line ends too: a reader of XML turns them into blanks. */
export function escapeAttribute(text: string): string {
  return text.replace(/[&<"\t\n\r]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return named[character] ?? `&#${character.charCodeAt(0)};`;
}

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
