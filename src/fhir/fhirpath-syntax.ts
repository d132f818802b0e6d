/**
 * The syntax of FHIRPath (http://hl7.org/fhirpath/N1/grammar.html) as far as a rule may use it. The library has a
 * parser too, but it takes milliseconds for an expression, and a server reads hundreds at its start. What is printed
 * after the check has brackets around every operation, so the library cannot read it otherwise than it was checked.
 */
import { expressionLimits } from '../base/index.ts';

export type SyntaxNode = Node & {
  /** Where it stands in the text; of an operation, its operator. */
  readonly at: number;
};

type Node =
  | { readonly kind: 'literal'; readonly type: string; readonly text: string }
  | { readonly kind: 'nothing' }
  /** `%name`, without the mark. */
  | { readonly kind: 'variable'; readonly name: string }
  /** `$this`, `$index`, `$total`. */
  | { readonly kind: 'special'; readonly name: string }
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly operands: readonly SyntaxNode[] }
  /** `left.right`, where `right` is a member or a call. */
  | { readonly kind: 'path'; readonly left: SyntaxNode; readonly right: SyntaxNode }
  /** `left[right]` */
  | { readonly kind: 'item'; readonly left: SyntaxNode; readonly right: SyntaxNode }
  | { readonly kind: 'sign'; readonly operator: string; readonly operand: SyntaxNode }
  /** `is`, `as` */
  | { readonly kind: 'type'; readonly operator: string; readonly left: SyntaxNode; readonly type: SyntaxNode }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: SyntaxNode; readonly right: SyntaxNode };

export type NodeOf<Name extends SyntaxNode['kind']> = Extract<SyntaxNode, { readonly kind: Name }>;

export interface SyntaxFault {
  readonly kind: 'fault';
  readonly text: string;
  readonly at: number;
}

export function parseExpression(text: string): SyntaxNode | SyntaxFault {
  if (text.trim() === '') return { kind: 'fault', text: 'the expression is empty', at: 0 };
  const { charactersMax } = expressionLimits;
  if (text.length > charactersMax) {
    const fault = `the expression has ${text.length} characters, at most ${charactersMax} are allowed`;
    return { kind: 'fault', text: fault, at: charactersMax };
  }
  const cursor: Cursor = { tokens: tokenize(text), next: 0, nodes: 0, depth: 0, fault: undefined };
  const tree = parseOperation(cursor, 0);
  const rest = peek(cursor);
  if (rest.kind !== 'end') fail(cursor, `unexpected "${rest.text}"`);
  return cursor.fault ?? tree;
}

interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'date' | 'mark' | 'unknown' | 'end';
  readonly text: string;
  readonly at: number;
}

const tokenForms: readonly [Token['kind'] | 'space', RegExp][] = [
  ['space', /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y],
  ['name', /[A-Za-z_][A-Za-z0-9_]*|`(?:\\.|[^`\\])*`/y],
  ['string', /'(?:\\.|[^'\\])*'/y],
  ['number', /\d+(?:\.\d+)?/y],
  ['date', /@(?:T[\d:.]+|[\d-]+(?:T(?:[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)?)/y],
  ['mark', /!=|!~|<=|>=|[.,()[\]{}%|+\-*/&<>=~]|\$[a-z]+/y],
  ['unknown', /[\s\S]/y],
];

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const [kind, found] = nextToken(text, at);
    if (kind !== 'space') tokens.push({ kind, text: found, at });
    at += found.length;
  }
  tokens.push({ kind: 'end', text: 'the end', at: text.length });
  return tokens;
}

function nextToken(text: string, at: number): [Token['kind'] | 'space', string] {
  for (const [kind, form] of tokenForms) {
    form.lastIndex = at;
    const found = form.exec(text)?.[0];
    if (found !== undefined) return [kind, found];
  }
  return ['unknown', text.charAt(at)];
}

/** The first fault ends the reading: the cursor jumps to the end, so that nothing more is consumed. */
interface Cursor {
  readonly tokens: readonly Token[];
  next: number;
  nodes: number;
  depth: number;
  fault: SyntaxFault | undefined;
}

function peek(cursor: Cursor): Token {
  const last = cursor.tokens.length - 1;
  return cursor.tokens[Math.min(cursor.next, last)] ?? { kind: 'end', text: 'the end', at: 0 };
}

function take(cursor: Cursor): Token {
  const token = peek(cursor);
  cursor.next++;
  return token;
}

function isNext(cursor: Cursor, mark: string): boolean {
  const { kind, text } = peek(cursor);
  return kind === 'mark' && text === mark;
}

function skip(cursor: Cursor, mark: string): void {
  if (isNext(cursor, mark)) cursor.next++;
  else fail(cursor, `found "${peek(cursor).text}", expected "${mark}"`);
}

function fail(cursor: Cursor, text: string): SyntaxNode {
  const { at } = peek(cursor);
  cursor.fault ??= { kind: 'fault', text, at };
  cursor.next = cursor.tokens.length - 1;
  return { kind: 'nothing', at };
}

/** Loosest first. All group from the left. */
const operators: readonly (readonly string[])[] = [
  ['implies'],
  ['or', 'xor'],
  ['and'],
  ['in', 'contains'],
  ['=', '~', '!=', '!~'],
  ['<=', '<', '>', '>='],
  ['|'],
  ['is', 'as'],
  ['+', '-', '&'],
  ['*', '/', 'div', 'mod'],
];

/** Operators of that rank or tighter. */
function parseOperation(cursor: Cursor, rank: number): SyntaxNode {
  if (++cursor.depth > expressionLimits.depthMax) return fail(cursor, 'the expression is nested too deep');
  const left = parseLevel(cursor, rank);
  cursor.depth--;
  return left;
}

function parseLevel(cursor: Cursor, from: number): SyntaxNode {
  let left = parseSigned(cursor);
  for (;;) {
    const { text, at, kind } = peek(cursor);
    const rank = kind === 'mark' || kind === 'name' ? operators.findIndex((level) => level.includes(text)) : -1;
    if (rank < from) return left;
    cursor.next++;
    left = count(
      cursor,
      text === 'is' || text === 'as'
        ? { kind: 'type', at, operator: text, left, type: parseTypeName(cursor) }
        : { kind: 'binary', at, operator: text, left, right: parseOperation(cursor, rank + 1) },
    );
  }
}

function parseSigned(cursor: Cursor): SyntaxNode {
  const { at, text } = peek(cursor);
  if (!isNext(cursor, '+') && !isNext(cursor, '-')) return parsePath(cursor);
  cursor.next++;
  return count(cursor, { kind: 'sign', at, operator: text, operand: parseOperation(cursor, operators.length) });
}

function parsePath(cursor: Cursor): SyntaxNode {
  let left = parseTerm(cursor);
  for (;;) {
    const { at } = peek(cursor);
    if (isNext(cursor, '.')) {
      cursor.next++;
      left = count(cursor, { kind: 'path', at, left, right: parseInvocation(cursor) });
    } else if (isNext(cursor, '[')) {
      cursor.next++;
      left = count(cursor, { kind: 'item', at, left, right: parseOperation(cursor, 0) });
      skip(cursor, ']');
    } else return left;
  }
}

function parseTerm(cursor: Cursor): SyntaxNode {
  const token = peek(cursor);
  const { at, text } = token;
  switch (token.kind) {
    case 'name':
      return parseNamed(cursor);
    case 'string':
      cursor.next++;
      return { kind: 'literal', at, type: 'System.String', text };
    case 'number':
      return parseNumber(cursor);
    case 'date':
      cursor.next++;
      return { kind: 'literal', at, type: dateType(text), text };
    case 'mark':
      return parseMarked(cursor);
    default:
      return fail(cursor, `unexpected ${token.kind === 'end' ? 'end' : `"${text}"`}`);
  }
}

function parseNamed(cursor: Cursor): SyntaxNode {
  const { at, text } = peek(cursor);
  if (text !== 'true' && text !== 'false') return parseInvocation(cursor);
  cursor.next++;
  return { kind: 'literal', at, type: 'System.Boolean', text };
}

function parseMarked(cursor: Cursor): SyntaxNode {
  const { at, text } = take(cursor);
  if (text === '(') {
    const inner = parseOperation(cursor, 0);
    skip(cursor, ')');
    return inner;
  }
  if (text === '{') {
    skip(cursor, '}');
    return { kind: 'nothing', at };
  }
  if (text === '%') {
    const { kind, text: name } = take(cursor);
    return kind === 'name' || kind === 'string'
      ? { kind: 'variable', at, name: unquote(name) }
      : fail(cursor, 'a variable has a name');
  }
  if (text.startsWith('$')) return { kind: 'special', at, name: text };
  cursor.next--;
  return fail(cursor, `unexpected "${text}"`);
}

const timeWord = /^(?:year|month|week|day|hour|minute|second|millisecond)s?$/;

function parseNumber(cursor: Cursor): SyntaxNode {
  const { at, text } = take(cursor);
  const unit = peek(cursor);
  if (unit.kind !== 'string' && !(unit.kind === 'name' && timeWord.test(unit.text))) {
    return { kind: 'literal', at, type: text.includes('.') ? 'System.Decimal' : 'System.Integer', text };
  }
  cursor.next++;
  return { kind: 'literal', at, type: 'System.Quantity', text: `${text} ${unit.text}` };
}

function dateType(text: string): string {
  return text.startsWith('@T') ? 'System.Time' : text.includes('T') ? 'System.DateTime' : 'System.Date';
}

function parseInvocation(cursor: Cursor): SyntaxNode {
  const { kind, at, text } = peek(cursor);
  if (kind !== 'name') return fail(cursor, `found "${text}", expected a name`);
  cursor.next++;
  const name = unquote(text);
  if (!isNext(cursor, '(')) return count(cursor, { kind: 'member', at, name });
  cursor.next++;
  const operands: SyntaxNode[] = [];
  while (!isNext(cursor, ')') && cursor.fault === undefined) {
    if (operands.length > 0) skip(cursor, ',');
    operands.push(parseOperation(cursor, 0));
  }
  skip(cursor, ')');
  return count(cursor, { kind: 'call', at, name, operands });
}

function parseTypeName(cursor: Cursor): SyntaxNode {
  const first = parseInvocation(cursor);
  if (!isNext(cursor, '.')) return first;
  const { at } = take(cursor);
  return { kind: 'path', at, left: first, right: parseInvocation(cursor) };
}

function count(cursor: Cursor, node: SyntaxNode): SyntaxNode {
  return ++cursor.nodes > expressionLimits.nodesMax ? fail(cursor, 'the expression is too large: split it') : node;
}

/** The text between quotes of any kind, escapes resolved. */
export function unquote(written: string): string {
  if (!/^['`]/.test(written)) return written;
  return written
    .slice(1, -1)
    .replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_whole, mark: string) =>
      mark.length > 1 ? String.fromCharCode(Number.parseInt(mark.slice(1), 16)) : (escapes[mark] ?? mark),
    );
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };
