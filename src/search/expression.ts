/**
 * The part of FHIRPath that search parameters are written in (https://hl7.org/fhir/R4/searchparameter-registry.html):
 * paths (also from `%resource`), `|`, `as`, `is`, `and`, `=`, `!=`, an index, and the functions `where`, `ofType`, `as`, `extension`, `resolve`,
 * `exists`. Anything else is refused, so that no parameter is indexed by half of its expression.
 */
export type Expression =
  | { readonly kind: 'member'; readonly of: Expression | undefined; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expression; readonly index: number }
  | { readonly kind: 'union'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'as'; readonly of: Expression; readonly type: string }
  | { readonly kind: 'is'; readonly of: Expression; readonly type: string }
  | { readonly kind: 'operation'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'call';
      readonly of: Expression | undefined;
      readonly name: string;
      readonly argument?: Expression;
    }
  | { readonly kind: 'literal'; readonly value: string | boolean };

export type Operator = 'and' | '=' | '!=';

/** An expression outside of the subset; the message says which part. */
export class ExpressionFault extends Error {}

const expressionCharactersMax = 10_000;
const depthMax = 50;
const tokenForm = /\s*(?:(%resource|[A-Za-z_]\w*)|`([^`]+)`|'((?:[^'\\]|\\.)*)'|(\d+)|(!=|[.|()[\]=]))/y;

interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'sign';
  readonly text: string;
}

export function parseExpression(text: string): Expression {
  const reader = new TokenReader(readTokens(text));
  const expression = readAnd(reader, 0);
  reader.expectEnd();
  return expression;
}

function readTokens(text: string): readonly Token[] {
  if (text.length > expressionCharactersMax) throw new ExpressionFault('the expression is too long');
  const tokens: Token[] = [];
  const form = new RegExp(tokenForm);
  const source = text.trim();
  while (form.lastIndex < source.length) {
    const start = form.lastIndex;
    const found = form.exec(source);
    if (found === null) throw new ExpressionFault(`unknown sign at character ${start + 1}`);
    tokens.push(toToken(found));
  }
  return tokens;
}

function toToken([, name, quotedName, text, number, sign]: RegExpExecArray): Token {
  if (name !== undefined || quotedName !== undefined) return { kind: 'name', text: name ?? quotedName ?? '' };
  if (text !== undefined) return { kind: 'text', text: text.replace(/\\(.)/g, '$1') };
  return number === undefined ? { kind: 'sign', text: sign ?? '' } : { kind: 'number', text: number };
}

class TokenReader {
  readonly #tokens: readonly Token[];
  #place = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  next(): Token {
    const token = this.#tokens[this.#place++];
    if (token === undefined) throw new ExpressionFault('the expression ends too early');
    return token;
  }

  /** Takes the token when it is this sign or word. */
  takes(text: string): boolean {
    const token = this.#tokens[this.#place];
    const isIt = token !== undefined && token.text === text && (token.kind === 'sign' || token.kind === 'name');
    if (isIt) this.#place++;
    return isIt;
  }

  expect(sign: string): void {
    if (!this.takes(sign)) throw new ExpressionFault(`expected ${sign} at token ${this.#place + 1}`);
  }

  expectName(): string {
    const token = this.next();
    if (token.kind !== 'name') throw new ExpressionFault(`expected a name at token ${this.#place}`);
    return token.text;
  }

  expectEnd(): void {
    const token = this.#tokens[this.#place];
    if (token !== undefined) throw new ExpressionFault(`${token.text} is not supported here`);
  }
}

function readAnd(reader: TokenReader, depth: number): Expression {
  if (depth > depthMax) throw new ExpressionFault('the expression is nested too deeply');
  let left = readEquality(reader, depth);
  while (reader.takes('and')) left = { kind: 'operation', operator: 'and', left, right: readEquality(reader, depth) };
  return left;
}

function readEquality(reader: TokenReader, depth: number): Expression {
  const left = readUnion(reader, depth);
  const operator = reader.takes('=') ? '=' : reader.takes('!=') ? '!=' : undefined;
  return operator === undefined ? left : { kind: 'operation', operator, left, right: readUnion(reader, depth) };
}

function readUnion(reader: TokenReader, depth: number): Expression {
  let left = readTyped(reader, depth);
  while (reader.takes('|')) left = { kind: 'union', left, right: readTyped(reader, depth) };
  return left;
}

function readTyped(reader: TokenReader, depth: number): Expression {
  const of = readPath(reader, depth);
  if (reader.takes('as')) return { kind: 'as', of, type: readTypeName(reader) };
  return reader.takes('is') ? { kind: 'is', of, type: readTypeName(reader) } : of;
}

function readTypeName(reader: TokenReader): string {
  const name = reader.expectName();
  return reader.takes('.') ? reader.expectName() : name;
}

function readPath(reader: TokenReader, depth: number): Expression {
  let path = readFirst(reader, depth);
  for (;;) {
    if (reader.takes('.')) path = readStep(reader, path, depth);
    else if (reader.takes('[')) path = readIndex(reader, path);
    else return path;
  }
}

function readFirst(reader: TokenReader, depth: number): Expression {
  if (reader.takes('(')) {
    const inner = readAnd(reader, depth + 1);
    reader.expect(')');
    return inner;
  }
  const token = reader.next();
  if (token.kind === 'text') return { kind: 'literal', value: token.text };
  if (token.kind !== 'name') throw new ExpressionFault(`${token.text} is not supported here`);
  if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' };
  return readNamed(reader, { of: undefined, name: token.text }, depth);
}

function readStep(reader: TokenReader, of: Expression, depth: number): Expression {
  return readNamed(reader, { of, name: reader.expectName() }, depth);
}

function readNamed(
  reader: TokenReader,
  { of, name }: { readonly of: Expression | undefined; readonly name: string },
  depth: number,
): Expression {
  if (!reader.takes('(')) return { kind: 'member', of, name };
  if (reader.takes(')')) return { kind: 'call', of, name };
  if ((name === 'as' || name === 'ofType') && of !== undefined) {
    const type = readTypeName(reader);
    reader.expect(')');
    return { kind: 'as', of, type };
  }
  const argument = readAnd(reader, depth + 1);
  reader.expect(')');
  return { kind: 'call', of, name, argument };
}

function readIndex(reader: TokenReader, of: Expression): Expression {
  const token = reader.next();
  if (token.kind !== 'number') throw new ExpressionFault('expected a number between [ and ]');
  reader.expect(']');
  return { kind: 'index', of, index: Number(token.text) };
}
