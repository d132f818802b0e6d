/**
 * The check of an expression against the definitions, before it ever runs: every path exists, every function is allowed
 * and has the right arguments, every variable is declared, operators get what they can work on.
 *
 * FHIRPath answers a misspelt path with "empty", which for a rule means "absent": such mistakes must be found here.
 * The check also writes the expression anew, with the operators of `fhirpath-runtime.ts` in place of those of the
 * library that read dates in the zone of the process or compare several values silently. So what runs is what was
 * checked: nothing that this file does not know is ever written.
 */
import type { Issue } from '../base/index.ts';
import type { Definitions } from './definitions.ts';
import { type FunctionSignature, functionSignatures, type Kind, kindOf, type Parameter } from './fhirpath-functions.ts';
import { findPatternFault } from './fhirpath-pattern.ts';
import {
  findElement,
  isA,
  isType,
  join,
  manyOf,
  mayBe,
  narrow,
  nothing,
  oneOf,
  type Shape,
  suggestElement,
} from './fhirpath-types.ts';

/** A node of the library's parser. */
export interface SyntaxNode {
  readonly type: string;
  readonly text?: string;
  readonly delimitedText?: string;
  readonly value?: string;
  readonly unit?: string;
  readonly start?: { readonly line: number; readonly column: number };
  readonly children?: readonly SyntaxNode[];
}

export interface CheckContext {
  readonly definitions: Definitions;
  readonly variables: Readonly<Record<string, Shape>>;
  readonly faults: Issue[];
  /** Filled with the names of the variables that the expression reads. */
  readonly uses: Set<string>;
}

export interface Checked {
  readonly shape: Shape;
  /** The expression as it will run. */
  readonly text: string;
}

const unknown: Checked = { shape: nothing, text: '{}' };

/** `self`: what `$this` is, which is also where a path begins. */
export function checkNode(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  const check = checks[node.type];
  return check === undefined
    ? refuse(context, node, 'this construct is not allowed in a rule')
    : check(context, node, self);
}

type Check = (context: CheckContext, node: SyntaxNode, self: Shape) => Checked;

const checks: Readonly<Record<string, Check>> = {
  EntireExpression: checkChild,
  TermExpression: checkChild,
  LiteralTerm: checkChild,
  ParenthesizedTerm: checkChild,
  InvocationTerm: (context, node, self) =>
    checkInvocation(context, child(node, 0), { input: self, self, isRoot: true }),
  InvocationExpression: checkPath,
  ExternalConstantTerm: checkVariable,
  IndexerExpression: checkIndexer,
  PolarityExpression: checkPolarity,
  TypeExpression: checkTypeOperator,
  UnionExpression: (context, node, self) =>
    checkOperator(context, node, self, (left, right) => ({
      shape: join(left.shape, right.shape),
      text: infix(left, '|', right),
    })),
  EqualityExpression: checkEquality,
  InequalityExpression: checkInequality,
  MembershipExpression: checkMembership,
  AdditiveExpression: checkAdditive,
  MultiplicativeExpression: checkBoth('number', 'System.Decimal'),
  AndExpression: checkBoth('boolean', 'System.Boolean'),
  OrExpression: checkBoth('boolean', 'System.Boolean'),
  XorExpression: checkBoth('boolean', 'System.Boolean'),
  ImpliesExpression: checkBoth('boolean', 'System.Boolean'),
  NullLiteral: () => unknown,
  BooleanLiteral: literal('System.Boolean'),
  StringLiteral: literal('System.String'),
  NumberLiteral: literal('System.Decimal'),
  DateLiteral: literal('System.Date'),
  DateTimeLiteral: literal('System.DateTime'),
  TimeLiteral: literal('System.Time'),
  QuantityLiteral: (_context, node) => ({ shape: oneOf('System.Quantity'), text: `${node.value} ${node.unit}` }),
};

function literal(type: string): Check {
  return (_context, node) => ({ shape: oneOf(type), text: node.text ?? '{}' });
}

function checkChild(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  return checkNode(context, child(node, 0), self);
}

function checkPath(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  const left = checkNode(context, child(node, 0), self);
  const right = checkInvocation(context, child(node, 1), { input: left.shape, self, isRoot: false });
  return { shape: right.shape, text: `${left.text}.${right.text}` };
}

interface Place {
  /** What stands before the dot; at the beginning of a path it is `$this`. */
  readonly input: Shape;
  readonly self: Shape;
  readonly isRoot: boolean;
}

function checkInvocation(context: CheckContext, node: SyntaxNode, place: Place): Checked {
  switch (node.type) {
    case 'MemberInvocation':
      return checkMember(context, node, place);
    case 'FunctionInvocation':
      return checkFunction(context, node, place);
    case 'ThisInvocation':
      return place.isRoot
        ? { shape: place.self, text: '$this' }
        : refuse(context, node, '$this stands at the beginning');
    case 'IndexInvocation':
      return { shape: oneOf('System.Integer'), text: '$index' };
    default:
      return refuse(context, node, 'this construct is not allowed in a rule');
  }
}

function checkMember(context: CheckContext, node: SyntaxNode, { input, isRoot }: Place): Checked {
  const written = node.text ?? '';
  const name = unquote(written);
  if (isRoot && input.types.some((type) => isResourceName(context, type, name))) return { shape: input, text: written };
  if (input.types.length === 0) return unknown;
  const shape = findElement(context.definitions, input, name);
  if (shape !== undefined) return { shape, text: written };
  const hint = suggestElement(context.definitions, input, name);
  return refuse(context, node, `${describe(input)} has no element "${name}"${hint}`);
}

/** A path may begin with the type of its focus: `Encounter.status`. */
function isResourceName({ definitions }: CheckContext, type: string, name: string): boolean {
  return definitions.type(type)?.kind === 'resource' && isA(definitions, type, name);
}

function checkVariable(context: CheckContext, node: SyntaxNode): Checked {
  const name = unquote(node.delimitedText ?? node.text ?? '');
  const shape = Object.hasOwn(context.variables, name) ? context.variables[name] : undefined;
  if (shape === undefined) return refuse(context, node, `%${name} is not a variable of this expression`);
  context.uses.add(name);
  return { shape, text: `%${name}` };
}

function checkIndexer(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  const left = checkNode(context, child(node, 0), self);
  const index = checkNode(context, child(node, 1), self);
  expectKind(context, child(node, 1), index.shape, ['number']);
  return { shape: { types: left.shape.types, isMany: false }, text: `${left.text}[${index.text}]` };
}

function checkPolarity(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  const operand = checkNode(context, child(node, 0), self);
  expectKind(context, node, operand.shape, ['number', 'quantity']);
  return { shape: operand.shape, text: `(${node.text}(${operand.text}))` };
}

function checkTypeOperator(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  const left = checkNode(context, child(node, 0), self);
  const narrowed = narrowTo(context, child(node, 1), left.shape);
  const shape = node.text === 'is' ? oneOf('System.Boolean') : narrowed.shape;
  return { shape, text: `(${left.text} ${node.text} ${narrowed.text})` };
}

function narrowTo(context: CheckContext, node: SyntaxNode, input: Shape): Checked {
  const written = node.text ?? '';
  const type = written.replaceAll('`', '').replace(/^FHIR\./, '');
  if (!/^[A-Za-z.]+$/.test(type) || !isType(context.definitions, type)) {
    return refuse(context, node, `"${type}" is not a type`);
  }
  const shape = narrow(context.definitions, input, type);
  if (shape === undefined) return refuse(context, node, `${describe(input)} is never of type ${type}`);
  return { shape, text: type };
}

function checkOperator(
  context: CheckContext,
  node: SyntaxNode,
  self: Shape,
  combine: (left: Checked, right: Checked) => Checked,
): Checked {
  return combine(checkNode(context, child(node, 0), self), checkNode(context, child(node, 1), self));
}

function checkBoth(kind: Kind, result: string): Check {
  return (context, node, self) =>
    checkOperator(context, node, self, (left, right) => {
      expectKind(context, child(node, 0), left.shape, [kind]);
      expectKind(context, child(node, 1), right.shape, [kind]);
      return { shape: oneOf(result), text: infix(left, node.text ?? '', right) };
    });
}

/** → `_equal(left, right)`: several values compared with one are an error at run time, not silently false. */
function checkEquality(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  return checkOperator(context, node, self, (left, right) => {
    const name = { '=': '_equal', '!=': '_unequal' }[node.text ?? ''];
    if (name === undefined) return refuse(context, node, `the operator ${node.text} is not allowed, use =`);
    expectSameKind(context, node, [left, right], ['boolean', 'string', 'number', 'date', 'time', 'quantity']);
    return { shape: oneOf('System.Boolean'), text: `${name}(${left.text}, ${right.text})` };
  });
}

function checkInequality(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  return checkOperator(context, node, self, (left, right) => {
    const name = { '<': '_before', '<=': '_beforeOrAt', '>': '_after', '>=': '_afterOrAt' }[node.text ?? ''];
    expectSameKind(context, node, [left, right], ['string', 'number', 'date', 'time', 'quantity']);
    return { shape: oneOf('System.Boolean'), text: `${name}(${left.text}, ${right.text})` };
  });
}

function checkMembership(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  return checkOperator(context, node, self, (left, right) => {
    expectSameKind(context, node, [left, right], ['boolean', 'string', 'number']);
    return { shape: oneOf('System.Boolean'), text: infix(left, node.text ?? '', right) };
  });
}

/** Dates are moved by quantities of time: → `_later(date, quantity)`, `_earlier(date, quantity)`. */
function checkAdditive(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  const operator = node.text ?? '';
  return checkOperator(context, node, self, (left, right) => {
    const isDate = operator !== '&' && left.shape.types.some((type) => kindOf(type) === 'date');
    if (isDate) {
      expectKind(context, child(node, 1), right.shape, ['quantity']);
      const name = operator === '+' ? '_later' : '_earlier';
      return { shape: oneOf(...left.shape.types), text: `${name}(${left.text}, ${right.text})` };
    }
    const kinds: readonly Kind[] = operator === '&' ? ['string'] : operator === '+' ? ['number', 'string'] : ['number'];
    expectSameKind(context, node, [left, right], kinds);
    return { shape: oneOf(...left.shape.types), text: infix(left, operator, right) };
  });
}

function checkFunction(context: CheckContext, node: SyntaxNode, place: Place): Checked {
  const call = child(node, 0);
  const name = unquote(call.text ?? '');
  const signature = functionSignatures.get(name);
  if (signature === undefined) return refuse(context, node, `the function ${name}() is not allowed in a rule`);
  const given = call.children?.[1]?.children ?? [];
  const most = signature.parameters.length;
  if (given.length > most || given.length < most - signature.optional) {
    return refuse(context, node, `${name}() has ${given.length} arguments, expected ${describeCount(signature)}`);
  }
  if (signature.input !== 'any') expectKind(context, node, place.input, signature.input);
  const checked = given.map((argument, index) =>
    checkArgument(context, argument, { parameter: signature.parameters[index] ?? 'collection', place }),
  );
  const text = `${name}(${checked.map((argument) => argument.text).join(', ')})`;
  return { shape: resultShape(signature, place.input, checked), text };
}

function checkArgument(
  context: CheckContext,
  node: SyntaxNode,
  { parameter, place }: { readonly parameter: Parameter; readonly place: Place },
): Checked {
  if (parameter === 'type') return narrowTo(context, node, place.input);
  if (parameter === 'url' || parameter === 'pattern') return checkLiteralText(context, node, parameter);
  const isPerItem = parameter === 'criterion' || parameter === 'projection';
  const isOnInput = parameter === 'test' || parameter === 'branch';
  const self = isPerItem ? { types: place.input.types, isMany: false } : isOnInput ? place.input : place.self;
  const checked = checkNode(context, node, self);
  const kind = parameterKinds[parameter];
  if (kind !== undefined) expectKind(context, node, checked.shape, [kind]);
  return checked;
}

const parameterKinds: Partial<Record<Parameter, Kind>> = {
  criterion: 'boolean',
  test: 'boolean',
  string: 'string',
  number: 'number',
};

function checkLiteralText(context: CheckContext, node: SyntaxNode, parameter: 'url' | 'pattern'): Checked {
  const leaf = node.children?.[0]?.children?.[0];
  if (leaf?.type !== 'StringLiteral') return refuse(context, node, 'the argument must be a text written out in quotes');
  const fault = parameter === 'pattern' ? findPatternFault(readString(leaf.text ?? '')) : undefined;
  return fault === undefined
    ? { shape: oneOf('System.String'), text: leaf.text ?? "''" }
    : refuse(context, leaf, fault);
}

function resultShape(signature: FunctionSignature, input: Shape, given: readonly Checked[]): Shape {
  const shapes = given.map((argument) => argument.shape);
  switch (signature.result) {
    case 'same':
      return input;
    case 'item':
      return { types: input.types, isMany: false };
    case 'projection':
      return { types: shapes[0]?.types ?? [], isMany: input.isMany || (shapes[0]?.isMany ?? false) };
    case 'joined':
      return join(input, shapes[0] ?? nothing);
    case 'branches': {
      const isMany = shapes.slice(1).some((shape) => shape.isMany);
      return { types: join(shapes[1] ?? nothing, shapes[2] ?? nothing).types, isMany };
    }
    case 'narrowed':
      return shapes[0] ?? nothing;
    case 'Extension':
      return manyOf('Extension');
    case 'System.Strings':
      return manyOf('System.String');
    default:
      return oneOf(signature.result);
  }
}

function expectKind(context: CheckContext, node: SyntaxNode, shape: Shape, kinds: readonly Kind[]): void {
  if (mayBe(shape, kinds)) return;
  refuse(context, node, `found ${describe(shape)}, expected ${kinds.join(' or ')}`);
}

function expectSameKind(
  context: CheckContext,
  node: SyntaxNode,
  sides: readonly Checked[],
  kinds: readonly Kind[],
): void {
  const [left, right] = sides.map((side) => side.shape);
  if (left === undefined || right === undefined || left.types.length === 0 || right.types.length === 0) return;
  if (kinds.some((kind) => mayBe(left, [kind]) && mayBe(right, [kind]))) return;
  const both = `${describe(left)} and ${describe(right)}`;
  refuse(context, node, `the operator ${node.text} cannot work on ${both}${dateHint(node, left, right)}`);
}

function dateHint(node: SyntaxNode, left: Shape, right: Shape): string {
  if (mayBe(left, ['date']) && mayBe(right, ['date'])) {
    return node.text === 'in' || node.text === 'contains'
      ? ': use exists($this = ...)'
      : ': no difference of dates exists';
  }
  return mayBe(left, ['complex', 'reference']) ? ': compare an element of it' : '';
}

/** Notes the fault and goes on with something that causes no further ones. */
function refuse(context: CheckContext, node: SyntaxNode, text: string): Checked {
  const start = findStart(node);
  const at = start === undefined ? '' : ` (line ${start.line}, column ${start.column})`;
  context.faults.push({ severity: 'error', code: 'invalid', text: `${text}${at}` });
  return unknown;
}

function findStart(node: SyntaxNode): SyntaxNode['start'] {
  for (let next: SyntaxNode | undefined = node; next !== undefined; next = next.children?.[0]) {
    if (next.start !== undefined) return next.start;
  }
  return undefined;
}

function describe(shape: Shape): string {
  const names = shape.types.map((type) => type.replace('System.', ''));
  return names.length > 3 ? `a choice of ${names.length} types` : names.join(' or ');
}

function describeCount({ parameters, optional }: FunctionSignature): string {
  return optional === 0 ? `${parameters.length}` : `${parameters.length - optional} to ${parameters.length}`;
}

function infix(left: Checked, operator: string, right: Checked): string {
  return `(${left.text} ${operator} ${right.text})`;
}

function child(node: SyntaxNode, index: number): SyntaxNode {
  return node.children?.[index] ?? { type: 'missing' };
}

function unquote(identifier: string): string {
  return /^[`'].*[`']$/.test(identifier) ? identifier.slice(1, -1) : identifier;
}

function readString(written: string): string {
  return written
    .slice(1, -1)
    .replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_whole, mark: string) =>
      mark.length > 1 ? String.fromCharCode(Number.parseInt(mark.slice(1), 16)) : (escapes[mark] ?? mark),
    );
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };
