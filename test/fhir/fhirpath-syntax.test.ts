/** http://hl7.org/fhirpath/N1/grammar.html: our reading against that of the library. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import fhirpath from 'fhirpath';
import { parseExpression, type SyntaxNode } from '../../src/fhir/fhirpath-syntax.ts';

interface LibraryNode {
  readonly type: string;
  readonly text?: string;
  readonly delimitedText?: string;
  readonly children?: readonly LibraryNode[];
}

/** Both trees as one notation: `(and (= a 'x') b)`. */
function ours(node: SyntaxNode): string {
  switch (node.kind) {
    case 'literal':
      return node.text.replaceAll(' ', '');
    case 'nothing':
      return '{}';
    case 'variable':
      return `%${node.name}`;
    case 'special':
    case 'member':
      return node.name;
    case 'call':
      return `${node.name}(${node.operands.map(ours).join(',')})`;
    case 'path':
      return `(. ${ours(node.left)} ${ours(node.right)})`;
    case 'item':
      return `([] ${ours(node.left)} ${ours(node.right)})`;
    case 'sign':
      return `(${node.operator} ${ours(node.operand)})`;
    case 'type':
      return `(${node.operator} ${ours(node.left)} ${ours(node.type)})`;
    case 'binary':
      return `(${node.operator} ${ours(node.left)} ${ours(node.right)})`;
  }
}

function theirs(node: LibraryNode): string {
  const all = (node.children ?? []).map(theirs);
  const [first = '', second = ''] = all;
  switch (node.type) {
    case 'InvocationExpression':
      return `(. ${first} ${second})`;
    case 'IndexerExpression':
      return `([] ${first} ${second})`;
    case 'PolarityExpression':
      return `(${node.text} ${first})`;
    case 'MemberInvocation':
    case 'TypeSpecifier':
    case 'Identifier':
      return node.text ?? '';
    case 'ThisInvocation':
      return '$this';
    case 'ExternalConstantTerm':
      return `%${node.delimitedText ?? node.text}`;
    case 'FunctionInvocation':
      return `${node.text}(${(node.children?.[0]?.children?.[1]?.children ?? []).map(theirs).join(',')})`;
    case 'LiteralTerm':
      return node.text ?? '';
    default:
      return all.length === 2 ? `(${node.text} ${first} ${second})` : first;
  }
}

function readBoth(text: string): { ours: string; theirs: string } {
  const tree = parseExpression(text);
  const library = fhirpath.parse(text) as { children: LibraryNode[] };
  return {
    ours: tree.kind === 'fault' ? tree.text : ours(tree),
    theirs: theirs(library.children[0] as LibraryNode),
  };
}

const operators = [
  'implies',
  'or',
  'xor',
  'and',
  'in',
  'contains',
  '=',
  '!=',
  '~',
  '<',
  '<=',
  '>=',
  '|',
  '+',
  '-',
  '&',
  '*',
  'div',
];

const leaf = fc.constantFrom(
  'a',
  'status',
  "'x'",
  '7',
  '1.5',
  '%due',
  '$this',
  '{}',
  '@2026-03-02',
  '3 days',
  'true',
  'now()',
);
const text: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    leaf,
    fc.tuple(tie('node'), fc.constantFrom(...operators), tie('node')).map((parts) => parts.join(' ')),
    tie('node').map((inner) => `(${inner})`),
    tie('node').map((inner) => `a.where(${inner}).b`),
    tie('node').map((inner) => `iif(${inner}, a, b)[0]`),
    tie('node').map((inner) => `-(${inner})`),
    tie('node').map((inner) => `(${inner}) is Period`),
  ),
})).node;

describe('The syntax of expressions', () => {
  test('is read as the library reads it, whatever the operators', () => {
    fc.assert(
      fc.property(text, (written) => {
        const both = readBoth(written);
        expect(both.ours).toBe(both.theirs);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['', 'the expression is empty', 0],
    ['a and', 'unexpected end', 5],
    ['a..b', 'found ".", expected a name', 2],
    ['a b', 'unexpected "b"', 2],
    ['a ; b', 'unexpected ";"', 2],
    ["status = 'x", `unexpected "'"`, 9],
    ['exists(a', 'found "the end", expected ","', 8],
    ['a[0', 'found "the end", expected "]"', 3],
    ['%', 'a variable has a name', 1],
  ])('names the fault and the place of %j', (written, fault, at) => {
    expect(parseExpression(written)).toEqual({ kind: 'fault', text: fault, at });
  });

  test.each([
    ['too long', 'a'.repeat(5000), /5000 characters/],
    ['too many brackets', '('.repeat(100) + 'a' + ')'.repeat(100), /too deep/],
    ['too many calls inside each other', 'a.where('.repeat(100) + 'a' + ')'.repeat(100), /too deep/],
    ['too many terms', Array.from({ length: 1500 }, () => 'a').join('+'), /too large/],
    ['too many signs', `${'-'.repeat(3000)}a`, /too deep/],
  ])('refuses an expression with %s, without delay', (_what, written, fault) => {
    expect(parseExpression(written)).toMatchObject({ kind: 'fault', text: expect.stringMatching(fault) });
  });

  test('leaves comments and line ends out', () => {
    expect(readBoth('a // one\n  and /* two\n */ b').ours).toBe('(and a b)');
  });
});
