/**
 * `_filter` (https://hl7.org/fhir/R4/search_filter.html): text -> expression. The grammar gives `and` and `or` no precedence, so a filter
 * that mixes them without brackets could be read in two ways, and is refused.
 */
import { searchLimits } from '../base/index.ts';
import { incorrect, tooCostly } from './fault.ts';

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | {
      readonly kind: 'test';
      readonly path: readonly FilterStep[];
      readonly operator: FilterOperator;
      readonly value: string;
    };

/** `related[type eq x]`: the condition is asked of what the reference leads to. */
export interface FilterStep {
  readonly name: string;
  readonly where: Filter | undefined;
}

export const filterOperators = [
  ...['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb'],
  ...['pr', 'po', 'ss', 'sb', 'in', 're'],
] as const;
export type FilterOperator = (typeof filterOperators)[number];

const name = '_filter';
const tokenForm =
  /\s*(?:([()[\]])|"((?:[^"\\]|\\.)*)"|(\.)(?=[A-Za-z_])|([A-Za-z_][\w-]*)(?=[.[\s)\]]|$)|([^\s()[\]"]+))/y;

interface Token {
  readonly kind: 'sign' | 'text' | 'word';
  readonly text: string;
}

export function parseFilter(text: string): Filter {
  const reader = new Reader(readTokens(text));
  const filter = reader.filter(0);
  if (!reader.isAtEnd()) throw incorrect(name, `it goes on where an end is expected, at word ${reader.place + 1}`);
  return filter;
}

function readTokens(text: string): readonly Token[] {
  if (text.length > searchLimits.valueCharactersMax) throw tooCostly(name, 'it is too long');
  const form = new RegExp(tokenForm);
  const source = text.trimEnd();
  const tokens: Token[] = [];
  while (form.lastIndex < source.length) {
    const start = form.lastIndex;
    const found = form.exec(source);
    if (found === null) throw incorrect(name, `it cannot be read at character ${start + 1}`);
    const [, sign, quoted, dot, word, other] = found;
    if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted.replace(/\\(.)/g, '$1') });
    else if (sign !== undefined || dot !== undefined) tokens.push({ kind: 'sign', text: sign ?? '.' });
    else tokens.push({ kind: word === undefined ? 'text' : 'word', text: word ?? other ?? '' });
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly Token[];
  place = 0;
  #tests = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  isAtEnd(): boolean {
    return this.place >= this.#tokens.length;
  }

  filter(depth: number): Filter {
    if (depth > searchLimits.filterDepthMax) throw tooCostly(name, 'its brackets are nested too deeply');
    const of = [this.#term(depth)];
    const word = this.#connective();
    if (word === undefined) return of[0] as Filter;
    while (this.#takes('word', word)) of.push(this.#term(depth));
    if (this.#connective() !== undefined)
      throw incorrect(name, 'and stands beside or: brackets must say which comes first');
    return { kind: word, of };
  }

  #connective(): 'and' | 'or' | undefined {
    const next = this.#tokens[this.place];
    return next?.kind === 'word' && (next.text === 'and' || next.text === 'or') ? next.text : undefined;
  }

  #term(depth: number): Filter {
    if (this.#takes('sign', '(')) return this.#bracketed(depth);
    const [next, after] = [this.#tokens[this.place], this.#tokens[this.place + 1]];
    if (next?.text === 'not' && after?.kind === 'sign' && after.text === '(') {
      this.place += 2;
      return { kind: 'not', of: this.#bracketed(depth) };
    }
    return this.#test(depth);
  }

  #bracketed(depth: number): Filter {
    const filter = this.filter(depth + 1);
    this.#expect(')');
    return filter;
  }

  #test(depth: number): Filter {
    if (++this.#tests > searchLimits.filterTestsMax) throw tooCostly(name, 'it has too many conditions');
    const path = [this.#step(depth)];
    while (this.#takes('sign', '.')) path.push(this.#step(depth));
    const operator = filterOperators.find((one) => one === this.#tokens[this.place]?.text);
    if (operator === undefined)
      throw incorrect(name, `expected one of ${filterOperators.join(', ')} at word ${this.place + 1}`);
    this.place++;
    const value = this.#tokens[this.place++];
    if (value === undefined || value.kind === 'sign') throw incorrect(name, `expected a value at word ${this.place}`);
    return { kind: 'test', path, operator, value: value.text };
  }

  #step(depth: number): FilterStep {
    const token = this.#tokens[this.place++];
    if (token?.kind !== 'word') throw incorrect(name, `expected a search parameter at word ${this.place}`);
    if (!this.#takes('sign', '[')) return { name: token.text, where: undefined };
    const where = this.filter(depth + 1);
    this.#expect(']');
    return { name: token.text, where };
  }

  #takes(kind: Token['kind'], text: string): boolean {
    const next = this.#tokens[this.place];
    const isIt = next?.kind === kind && next.text === text;
    if (isIt) this.place++;
    return isIt;
  }

  #expect(sign: string): void {
    if (!this.#takes('sign', sign)) throw incorrect(name, `expected ${sign} at word ${this.place + 1}`);
  }
}
