/**
 * JSON as FHIR needs it (https://hl7.org/fhir/R4/json.html): decimals keep their digits, an object has each name once,
 * depth is bounded, and no error quotes the body.
 *
 * The fast path is the native JSON.parse between two cheap passes: a scan of the text counts names and depth and
 * notices numbers whose text JavaScript would not print again (`1.50`, `1e3`); a walk of the result counts names again:
 * fewer names than the text had means that one was there twice. Only such documents take the slow path, a second walk
 * of text and value side by side, which keeps the digits on the parent object (`digits.ts`) or finds the name that is
 * there twice.
 */
import { jsonLimits, Problem } from '../base/index.ts';
import { type Container, digits, digitsOf, isUnusual } from './digits.ts';

export interface JsonLimits {
  readonly depthMax: number;
  /** Members and elements in the whole body: a body of few bytes may hold so many that looking at them blocks everybody. */
  readonly valuesMax: number;
}

/**
 * The parsed value. Throws `incorrect` (with the place as line and column or as FHIRPath) when the bytes are not UTF-8,
 * not JSON, too deep, name a member twice, or carry `__proto__`, NUL or half a surrogate pair.
 */
export function parseJson(source: Uint8Array | string, limits: JsonLimits = jsonLimits): unknown {
  const text = typeof source === 'string' ? source : decodeUtf8(source);
  const facts = scan(text, limits);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw incorrect(`the body is not valid JSON: ${placeOf(text, findFault({ text, at: 0 }))}`);
  }
  if (facts.hasNames && countNames(value, '') !== facts.names) throw duplicateName(text, value);
  if (facts.hasEscapedSurrogate) refuseHalfSurrogates(value);
  if (facts.hasUnusualNumber) keepDigits({ text, at: 0 }, value);
  return value;
}

/** JSON text of a parsed value, decimals with the digits they came with. */
export function serializeJson(value: unknown): string {
  return hasDigits(value) ? writeExact(value) : JSON.stringify(value);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw incorrect('the body is not valid UTF-8');
  }
}

function incorrect(text: string, expression?: string): Problem {
  const issue = { severity: 'error' as const, code: 'structure', text };
  return new Problem('incorrect', text, { issues: [expression === undefined ? issue : { ...issue, expression }] });
}

function requireFewValues(found: number, { valuesMax }: JsonLimits): void {
  if (found <= valuesMax) return;
  const text = `the body has ${found} members and elements, at most ${valuesMax} are taken`;
  throw new Problem('content-too-costly', text);
}

function placeOf(text: string, at: number): string {
  if (at >= text.length) return 'it ends too early or is empty';
  const before = text.slice(0, at).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** JSON.parse does not always tell where, and what it tells quotes the body. */
function findFault(cursor: Cursor): number {
  const end = passValue(cursor);
  skipSpace(cursor);
  return end === undefined ? cursor.at : end;
}

const otherScalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Moves behind one value; answers the place of the first fault, or undefined. */
function passValue(cursor: Cursor): number | undefined {
  skipSpace(cursor);
  const open = cursor.text[cursor.at];
  if (open === '{' || open === '[') return passItems(cursor, open === '{');
  return passScalar(cursor) ? undefined : cursor.at;
}

function passScalar(cursor: Cursor): boolean {
  return cursor.text.charCodeAt(cursor.at) === quote ? passString(cursor) : passMatch(cursor, otherScalar);
}

/** Sign by sign: a pattern that repeats a choice overflows the stack at some ten million characters. */
function passString(cursor: Cursor): boolean {
  const inside: Cursor = { text: cursor.text, at: cursor.at + 1 };
  for (;;) {
    const code = inside.text.charCodeAt(inside.at);
    if (code === backslash) {
      if (!passMatch(inside, escape)) return false;
    } else if (code >= 32) inside.at++;
    else return false; // a control character, or the end (NaN)
    if (code === quote) break;
  }
  cursor.at = inside.at;
  return true;
}

function passMatch(cursor: Cursor, pattern: RegExp): boolean {
  pattern.lastIndex = cursor.at;
  const found = pattern.test(cursor.text);
  if (found) cursor.at = pattern.lastIndex;
  return found;
}

function passMark(cursor: Cursor, marks: string): string | undefined {
  skipSpace(cursor);
  const mark = cursor.text[cursor.at];
  if (mark === undefined || !marks.includes(mark)) return undefined;
  cursor.at++;
  return mark;
}

function passItems(cursor: Cursor, isObject: boolean): number | undefined {
  const close = isObject ? '}' : ']';
  cursor.at++;
  if (passMark(cursor, close) !== undefined) return undefined;
  for (;;) {
    skipSpace(cursor);
    if (isObject && (cursor.text[cursor.at] !== '"' || !passScalar(cursor) || passMark(cursor, ':') === undefined)) {
      return cursor.at;
    }
    const fault = passValue(cursor);
    if (fault !== undefined) return fault;
    const mark = passMark(cursor, `,${close}`);
    if (mark !== ',') return mark === undefined ? cursor.at : undefined;
  }
}

interface Facts {
  readonly names: number;
  readonly hasNames: boolean;
  readonly hasUnusualNumber: boolean;
  readonly hasEscapedSurrogate: boolean;
}

const quote = 34;
const backslash = 92;

/** One pass over the text, strings skipped. It need not recognise bad JSON: JSON.parse comes after it. */
function scan(text: string, limits: JsonLimits): Facts {
  let names = 0;
  let depth = 0;
  let separators = 0;
  let hasUnusualNumber = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === 58) names++;
    else if (code === 44) separators++;
    else if (code === 123 || code === 91) {
      if (++depth > limits.depthMax) throw incorrect(`the body is nested deeper than ${limits.depthMax} levels`);
    } else if (code === 125 || code === 93) depth--;
    else if (startsNumber(code)) {
      const end = endOfNumber(text, at);
      hasUnusualNumber ||= isUnusual(text.slice(at, end));
      at = end - 1;
    }
  }
  requireFewValues(separators + 1, limits);
  return { names, hasNames: names > 0, hasUnusualNumber, hasEscapedSurrogate: /\\u[dD][89a-fA-F]/.test(text) };
}

function startsNumber(code: number): boolean {
  return code === 45 || (code >= 48 && code <= 57);
}

/** Index of the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) {
      if (text.startsWith('u0000', at + 1)) throw incorrect('the body has the character U+0000 in a string');
      at++;
    }
  }
  return text.length;
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isPart =
      (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46 || code === 69 || code === 101;
    if (!isPart) break;
  }
  return at;
}

function countNames(value: unknown, path: string): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countNames(item, path), 0);
  let names = 0;
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw incorrect('the name __proto__ is not allowed', path === '' ? undefined : path);
    names += 1 + countNames((value as Record<string, unknown>)[name], name);
  }
  return names;
}

function refuseHalfSurrogates(value: unknown): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw incorrect('a string has half of a surrogate pair');
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      refuseHalfSurrogates(name);
      refuseHalfSurrogates(member);
    }
  }
}

/** A position in a text that JSON.parse has accepted; so the walks below need no error handling. */
interface Cursor {
  readonly text: string;
  at: number;
}

function skipSpace(cursor: Cursor): void {
  while (' \t\n\r'.includes(cursor.text[cursor.at] ?? 'x')) cursor.at++;
}

function readName(cursor: Cursor): string {
  const end = endOfString(cursor.text, cursor.at);
  const name = JSON.parse(cursor.text.slice(cursor.at, end + 1)) as string;
  cursor.at = end + 1;
  skipSpace(cursor);
  cursor.at++; // the colon
  return name;
}

/** Calls `visit` for each member or item of the container at the cursor, which it leaves behind the container. */
function walkContainer(cursor: Cursor, visit: (name: string | number) => void): void {
  const isObject = cursor.text[cursor.at] === '{';
  cursor.at++;
  for (let index = 0; ; index++) {
    skipSpace(cursor);
    const mark = cursor.text[cursor.at];
    if (mark === '}' || mark === ']') break;
    if (mark === ',') {
      cursor.at++;
      skipSpace(cursor);
    }
    visit(isObject ? readName(cursor) : index);
  }
  cursor.at++;
}

function skipScalar(cursor: Cursor): void {
  if (cursor.text[cursor.at] === '"') cursor.at = endOfString(cursor.text, cursor.at) + 1;
  else
    while (!',]}'.includes(cursor.text[cursor.at] ?? ',') && !' \t\n\r'.includes(cursor.text[cursor.at] ?? ''))
      cursor.at++;
}

/** Walks text and value together and keeps unusual digits on the parent; answers whether any are at or below here. */
function keepDigits(cursor: Cursor, value: unknown): boolean {
  skipSpace(cursor);
  if (typeof value !== 'object' || value === null) {
    skipScalar(cursor);
    return false;
  }
  let found = false;
  const container = value as Container;
  walkContainer(cursor, (name) => {
    skipSpace(cursor);
    const start = cursor.at;
    const member = container[name];
    const isBelow = keepDigits(cursor, member);
    const number = cursor.text.slice(start, cursor.at);
    if (typeof member === 'number' && isUnusual(number)) {
      container[digits] = { ...container[digits], [name]: number };
      found = true;
    }
    found ||= isBelow;
  });
  if (found) container[digits] ??= {};
  return found;
}

function duplicateName(text: string, value: unknown): Problem {
  const found = findDuplicate({ text, at: 0 }, value, '');
  return incorrect('a member is there twice in one object', found === '' ? undefined : found);
}

/** FHIRPath of the first name that stands twice in one object. */
function findDuplicate(cursor: Cursor, value: unknown, path: string): string | undefined {
  skipSpace(cursor);
  if (typeof value !== 'object' || value === null) {
    skipScalar(cursor);
    return undefined;
  }
  const seen = new Set<string | number>();
  let found: string | undefined;
  walkContainer(cursor, (name) => {
    const place = typeof name === 'number' ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
    if (seen.has(name)) found ??= place;
    seen.add(name);
    // The value knows only the last of two members, so the shape of the text decides, not the value.
    skipSpace(cursor);
    const isContainer = cursor.text[cursor.at] === '{' || cursor.text[cursor.at] === '[';
    const below = findDuplicate(cursor, isContainer ? {} : null, place);
    found ??= below;
  });
  return found;
}

function hasDigits(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as Container)[digits] !== undefined;
}

function writeExact(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => digitsOf(value, index) ?? writeExact(item ?? null)).join(',')}]`;
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}:${digitsOf(value, name) ?? writeExact(member)}`);
  return `{${members.join(',')}}`;
}
