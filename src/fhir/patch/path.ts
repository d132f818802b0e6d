/** The path of a patch, taken apart: elements with indexes, and functions that select among them. */

export interface Segment {
  readonly name: string;
  /** What stands between the brackets of a function; undefined for an element. */
  readonly argument: string | undefined;
  /** `[1]` behind the name or the function. */
  readonly indexes: readonly number[];
  /** As written, without the dot before. */
  readonly text: string;
}

/** Undefined where the path has anything else: operators, variables, texts. */
export function splitPath(path: string): Segment[] | undefined {
  const source = path.trim();
  const segments: Segment[] = [];
  for (let at = 0; at <= source.length; at++) {
    const start = at;
    const name = match(/[A-Za-z][A-Za-z0-9]*/y, source, at);
    if (name === undefined) return undefined;
    at += name.length;
    const argument = source[at] === '(' ? argumentAt(source, at) : undefined;
    if (source[at] === '(' && argument === undefined) return undefined;
    at += argument === undefined ? 0 : argument.length + 2;
    const indexes = match(/(?:\[\d{1,6}\])*/y, source, at) ?? '';
    at += indexes.length;
    if (at < source.length && source[at] !== '.') return undefined;
    const numbers = [...indexes.matchAll(/\d+/g)].map(([digits]) => Number(digits));
    segments.push({ name, argument, indexes: numbers, text: source.slice(start, at) });
  }
  return segments;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  const scanner = new RegExp(pattern.source, 'y');
  scanner.lastIndex = at;
  return scanner.exec(text)?.[0];
}

/** What stands between this bracket and the one that closes it; brackets in texts do not count. */
function argumentAt(text: string, open: number): string | undefined {
  const token = /'(?:\\.|[^'\\])*'|`[^`]*`|[()]|[^()'`]+/y;
  let depth = 0;
  token.lastIndex = open;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '(') depth++;
    if (found[0] === ')') depth--;
    if (depth === 0) return text.slice(open + 1, token.lastIndex - 1);
  }
  return undefined;
}
