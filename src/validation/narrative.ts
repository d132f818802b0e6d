/**
 * Narrative text (https://hl7.org/fhir/R4/narrative.html#xhtml, invariants txt-1 and txt-2): one XHTML div, well formed,
 * with content, made of formatting elements, links and images only. No scripts, forms, frames, event attributes, no
 * entities beyond XML's five, no links that run code. One pass over tokens, linear in the length of the text.
 */
const depthMax = 100;
const attributesMax = 50;
const xhtmlNamespace = 'http://www.w3.org/1999/xhtml';

const elements: ReadonlySet<string> = new Set(
  (
    'div p br hr h1 h2 h3 h4 h5 h6 span a b em i strong small big tt dfn q var abbr acronym cite blockquote address bdo kbd ' +
    'sub sup ul ol li dl dt dd pre code samp img map area table caption colgroup col thead tfoot tbody tr th td'
  ).split(' '),
);
const attributes: ReadonlySet<string> = new Set(
  (
    'title style class id lang xml:lang dir accesskey tabindex ' +
    'span width align valign char charoff abbr axis headers scope rowspan colspan ' +
    'div.xmlns blockquote.cite q.cite a.charset a.type a.name a.href a.hreflang a.rel a.rev a.shape a.coords ' +
    'img.src img.alt img.longdesc img.height img.usemap img.ismap img.border map.name ' +
    'area.shape area.coords area.href area.nohref area.alt ' +
    'table.summary table.border table.frame table.rules table.cellspacing table.cellpadding pre.xml:space td.nowrap'
  ).split(' '),
);

const attribute = '[ \\t\\r\\n]+[A-Za-z_:][A-Za-z0-9_.:-]*[ \\t\\r\\n]*=[ \\t\\r\\n]*(?:"[^"<]*"|\'[^\'<]*\')';
const token = new RegExp(
  `<([a-z][a-z0-9]*)((?:${attribute}){0,${attributesMax}})[ \\t\\r\\n]*(/?)>|</([a-z][a-z0-9]*)[ \\t\\r\\n]*>|([^<]+)`,
  'y',
);
const attributeParts = /([A-Za-z_:][A-Za-z0-9_.:-]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/g;
const strayAmpersand = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)/;
/** What XML does not have as a character (https://www.w3.org/TR/xml/#charsets). */
const noCharacter = /[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/u;
const reference = /&#(x?)([0-9A-Fa-f]+);/g;
/** Data are an image, in the place of one: other data are opened as a page. */
const runsCode = /^(?:javascript:|vbscript:|data:)/;
const isImageData = /^data:image\//;
const links: ReadonlySet<string> = new Set(['href', 'src', 'cite', 'longdesc', 'usemap']);

export function isNarrative(text: string): boolean {
  if (noCharacter.test(text)) return false;
  const source = text.trim();
  const reading: Reading = { open: [], hasContent: false };
  let at = 0;
  while (at < source.length) {
    if (source.startsWith('<!--', at)) {
      at = endOfComment(source, at);
    } else {
      token.lastIndex = at;
      const match = token.exec(source);
      if (match === null || (at === 0 && !opensNarrative(match)) || !take(reading, match)) return false;
      at = token.lastIndex;
    }
    if (at < source.length && reading.open.length === 0) return false;
  }
  return reading.open.length === 0 && reading.hasContent;
}

interface Reading {
  readonly open: string[];
  hasContent: boolean;
}

/** Past the end of the text when it is not closed or has `--` inside. */
function endOfComment(source: string, start: number): number {
  const dashes = source.indexOf('--', start + 4);
  return dashes >= 0 && source[dashes + 2] === '>' ? dashes + 3 : source.length + 1;
}

function opensNarrative([, opened, attributesText = '']: RegExpExecArray): boolean {
  return opened === 'div' && hasNamespace(attributesText);
}

function take(reading: Reading, match: RegExpExecArray): boolean {
  const [, opened, attributesText = '', isClosed, closed, characters = ''] = match;
  if (closed !== undefined) return reading.open.pop() === closed;
  if (opened === undefined) {
    reading.hasContent ||= characters.trim() !== '';
    return areWritten(characters) && !characters.includes(']]>');
  }
  if (isClosed === '') reading.open.push(opened);
  reading.hasContent ||= opened === 'img';
  return elements.has(opened) && areAllowed(opened, attributesText) && reading.open.length <= depthMax;
}

function hasNamespace(text: string): boolean {
  return [...text.matchAll(attributeParts)].some(
    ([, name, double, single]) => name === 'xmlns' && (double ?? single) === xhtmlNamespace,
  );
}

function areAllowed(element: string, text: string): boolean {
  if (text === '') return true;
  const seen = new Set<string>();
  for (const [, name = '', double, single] of text.matchAll(attributeParts)) {
    const value = double ?? single ?? '';
    if (seen.has(name) || !(attributes.has(name) || attributes.has(`${element}.${name}`))) return false;
    if (!areWritten(value) || (links.has(name) && !isHarmless(element, value))) return false;
    seen.add(name);
  }
  return true;
}

/** Whether each ampersand begins one of the references that XML knows without a DTD, to a character that it has. */
function areWritten(characters: string): boolean {
  if (!characters.includes('&')) return true;
  return !strayAmpersand.test(characters) && !noCharacter.test(characters.replace(reference, resolve));
}

function isHarmless(element: string, value: string): boolean {
  const text = plain(value);
  return !runsCode.test(text) || (element === 'img' && isImageData.test(text));
}

/** As a browser reads the beginning of a link: references resolved, white space and control characters dropped. */
function plain(value: string): string {
  return value
    .replace(reference, resolve)
    .replace(/[\x00-\x20]+/g, '')
    .toLowerCase();
}

/** NUL where there is no such character. */
function resolve(_all: string, isHex: string, digits: string): string {
  const code = Number.parseInt(digits, isHex === 'x' ? 16 : 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\0';
}
