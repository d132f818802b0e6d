/**
 * The check of an expression against the definitions, before it ever runs: every path exists, every function is allowed
 * and has the right arguments, every variable is declared, operators get what they can work on.
 *
 * FHIRPath answers a misspelt path with "empty", which for a rule means "absent": such mistakes must be found here.
 * The check also prints the expression anew, with the operators of `fhirpath-runtime.ts` in place of those of the
 * library that read dates in the zone of the process or compare several values silently. So what runs is what was
 * checked: nothing that this file does not know is ever printed.
 */
import type { Definitions } from './definitions.ts';
import { type FunctionSignature, functionSignatures, type Kind, type Parameter } from './fhirpath-functions.ts';
import { findPatternFault } from './fhirpath-pattern.ts';
import { type NodeOf, type SyntaxNode, unquote } from './fhirpath-syntax.ts';
import {
  describeShape,
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
import { comparisonOperators } from './fhirpath-values.ts';

export interface CheckContext {
  readonly definitions: Definitions;
  readonly variables: Readonly<Record<string, Shape>>;
  readonly faults: { readonly text: string; readonly at: number }[];
  /** Filled with the names of the variables that the expression reads. */
  readonly uses: Set<string>;
  /** Filled with what each node yields. */
  readonly shapes: Map<SyntaxNode, Shape>;
}

export interface Checked {
  readonly shape: Shape;
  /** The expression as it will run. */
  readonly text: string;
}

const unknown: Checked = { shape: nothing, text: '{}' };

/** `self`: what `$this` is, which is also where a path begins. */
export function checkNode(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  const checked = checkKind(context, node, self);
  context.shapes.set(node, checked.shape);
  return checked;
}

function checkKind(context: CheckContext, node: SyntaxNode, self: Shape): Checked {
  switch (node.kind) {
    case 'literal':
      return { shape: oneOf(node.type), text: node.text };
    case 'nothing':
      return unknown;
    case 'variable':
      return checkVariable(context, node);
    case 'special':
      return checkSpecial(context, node, self);
    case 'member':
      return checkMember(context, node, { input: self, self, isRoot: true });
    case 'call':
      return checkCall(context, node, { input: self, self, isRoot: true });
    case 'path':
      return checkPath(context, node, self);
    case 'item':
      return checkItem(context, node, self);
    case 'sign':
      return checkSign(context, node, self);
    case 'type':
      return checkTypeOperator(context, node, self);
    case 'binary':
      return checkBinary(context, node, self);
  }
}

function checkVariable(context: CheckContext, node: NodeOf<'variable'>): Checked {
  const shape = Object.hasOwn(context.variables, node.name) ? context.variables[node.name] : undefined;
  if (shape === undefined) return refuse(context, node, `%${node.name} is not a variable of this expression`);
  context.uses.add(node.name);
  return { shape, text: `%${node.name}` };
}

function checkSpecial(context: CheckContext, node: NodeOf<'special'>, self: Shape): Checked {
  if (node.name === '$this') return { shape: self, text: '$this' };
  if (node.name === '$index') return { shape: oneOf('System.Integer'), text: '$index' };
  return refuse(context, node, `${node.name} is not allowed in a rule`);
}

interface Place {
  /** What stands before the dot; at the beginning of a path it is `$this`. */
  readonly input: Shape;
  readonly self: Shape;
  readonly isRoot: boolean;
}

function checkPath(context: CheckContext, node: NodeOf<'path'>, self: Shape): Checked {
  const left = checkNode(context, node.left, self);
  const place = { input: left.shape, self, isRoot: false };
  const { right } = node;
  const checked = right.kind === 'call' ? checkCall(context, right, place) : checkMember(context, right, place);
  return { shape: checked.shape, text: `${left.text}.${checked.text}` };
}

function checkMember(context: CheckContext, node: SyntaxNode, { input, isRoot }: Place): Checked {
  const name = node.kind === 'member' ? node.name : '';
  if (isRoot && input.types.some((type) => isResourceName(context, type, name))) return { shape: input, text: name };
  const shape = input.types.length === 0 ? nothing : findElement(context.definitions, input, name);
  // In backticks: some elements (ValueSet.expansion.contains) have names that are operators.
  if (shape !== undefined && /^\w+$/.test(name)) return { shape, text: `\`${name}\`` };
  const hint = suggestElement(context.definitions, input, name);
  return refuse(context, node, `${describeShape(input)} has no element "${name}"${hint}`);
}

/** A path may begin with the type of its focus: `Encounter.status`. */
function isResourceName({ definitions }: CheckContext, type: string, name: string): boolean {
  return definitions.type(type)?.kind === 'resource' && isA(definitions, type, name);
}

function checkItem(context: CheckContext, node: NodeOf<'item'>, self: Shape): Checked {
  const left = checkNode(context, node.left, self);
  const index = checkNode(context, node.right, self);
  expectKind(context, node.right, index.shape, ['number']);
  return { shape: { types: left.shape.types, isMany: false }, text: `${left.text}[${index.text}]` };
}

function checkSign(context: CheckContext, node: NodeOf<'sign'>, self: Shape): Checked {
  const operand = checkNode(context, node.operand, self);
  expectKind(context, node, operand.shape, ['number', 'quantity']);
  return { shape: operand.shape, text: `(${node.operator}(${operand.text}))` };
}

function checkTypeOperator(context: CheckContext, node: NodeOf<'type'>, self: Shape): Checked {
  const left = checkNode(context, node.left, self);
  const narrowed = narrowTo(context, node.type, left.shape);
  const shape = node.operator === 'is' ? oneOf('System.Boolean') : narrowed.shape;
  return { shape, text: `(${left.text} ${node.operator} ${narrowed.text})` };
}

function narrowTo(context: CheckContext, node: SyntaxNode, input: Shape): Checked {
  const type = typeName(node).replace(/^FHIR\./, '');
  if (!isType(context.definitions, type)) return refuse(context, node, `"${type}" is not a type`);
  const shape = narrow(context.definitions, input, type);
  if (shape === undefined) return refuse(context, node, `${describeShape(input)} is never of type ${type}`);
  return { shape, text: type };
}

function typeName(node: SyntaxNode): string {
  if (node.kind === 'path') return `${typeName(node.left)}.${typeName(node.right)}`;
  return node.kind === 'member' ? node.name : '';
}

type Kinds = readonly Kind[];

function checkBinary(context: CheckContext, node: NodeOf<'binary'>, self: Shape): Checked {
  const left = checkNode(context, node.left, self);
  const right = checkNode(context, node.right, self);
  const operation = { node, left, right };
  switch (node.operator) {
    case '|':
      return { shape: join(left.shape, right.shape), text: infix(operation) };
    case 'and':
    case 'or':
    case 'xor':
    case 'implies':
      return checkSame(context, operation, { kinds: ['boolean'], result: 'System.Boolean' });
    case 'in':
    case 'contains':
      return checkSame(context, operation, { kinds: ['boolean', 'string', 'number'], result: 'System.Boolean' });
    case '*':
    case '/':
    case 'div':
    case 'mod':
      return checkSame(context, operation, { kinds: ['number'], result: 'System.Decimal' });
    case '&':
      return checkSame(context, operation, { kinds: ['string'], result: 'System.String' });
    case '+':
    case '-':
      return checkSum(context, operation);
    default:
      return checkComparison(context, operation);
  }
}

interface Operation {
  readonly node: NodeOf<'binary'>;
  readonly left: Checked;
  readonly right: Checked;
}

interface Expected {
  readonly kinds: Kinds;
  readonly result: string;
  /** Of ours, in place of the operator. */
  readonly functionName?: string;
}

function checkSame(context: CheckContext, operation: Operation, { kinds, result, functionName }: Expected): Checked {
  expectSameKind(context, operation, kinds);
  const { left, right } = operation;
  const text = functionName === undefined ? infix(operation) : `${functionName}(${left.text}, ${right.text})`;
  return { shape: oneOf(result), text };
}

/** `a = b` → `_equal(a, b)`: several values compared with one are an error at run time, not silently false. */
function checkComparison(context: CheckContext, operation: Operation): Checked {
  const { node } = operation;
  const functionName = comparisonOperators[node.operator];
  if (functionName === undefined) return refuse(context, node, `the operator ${node.operator} is not allowed: use =`);
  const isEquality = node.operator === '=' || node.operator === '!=';
  const ordered: Kinds = ['string', 'number', 'date', 'time', 'quantity'];
  const kinds: Kinds = isEquality ? ['boolean', ...ordered] : ordered;
  return checkSame(context, operation, { kinds, result: 'System.Boolean', functionName });
}

/** Dates are moved by quantities of time: `a + b` → `_later(a, b)`, `a - b` → `_earlier(a, b)`. */
function checkSum(context: CheckContext, operation: Operation): Checked {
  const { node, left, right } = operation;
  const isPlus = node.operator === '+';
  if (left.shape.types.length > 0 && mayBe(left.shape, ['date'])) {
    expectKind(context, node.right, right.shape, ['quantity']);
    const name = isPlus ? '_later' : '_earlier';
    return { shape: { types: left.shape.types, isMany: false }, text: `${name}(${left.text}, ${right.text})` };
  }
  const isText = mayBe(left.shape, ['string']) && mayBe(right.shape, ['string']);
  const result = isPlus && isText ? 'System.String' : 'System.Decimal';
  return checkSame(context, operation, { kinds: isPlus ? ['number', 'string'] : ['number'], result });
}

function checkCall(context: CheckContext, node: NodeOf<'call'>, place: Place): Checked {
  const { name, operands } = node;
  const signature = functionSignatures.get(name);
  if (signature === undefined) return refuse(context, node, `the function ${name}() is not allowed in a rule`);
  const most = signature.parameters.length;
  const least = most - signature.optional;
  if (operands.length > most || operands.length < least) {
    const expected = least === most ? `${most}` : `${least} to ${most}`;
    return refuse(context, node, `${name}() has ${operands.length} arguments, expected ${expected}`);
  }
  if (signature.input !== 'any') expectKind(context, node, place.input, signature.input);
  const checked = operands.map((operand, index) =>
    checkOperand(context, operand, { parameter: signature.parameters[index] ?? 'collection', place }),
  );
  const text = `${name}(${checked.map((operand) => operand.text).join(', ')})`;
  return { shape: resultShape(signature, place.input, checked), text };
}

interface OperandPlace {
  readonly parameter: Parameter;
  readonly place: Place;
}

function checkOperand(context: CheckContext, node: SyntaxNode, { parameter, place }: OperandPlace): Checked {
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
  if (node.kind !== 'literal' || node.type !== 'System.String') {
    return refuse(context, node, 'the argument must be a text written out in quotes');
  }
  const fault = parameter === 'pattern' ? findPatternFault(unquote(node.text)) : undefined;
  return fault === undefined ? { shape: oneOf(node.type), text: node.text } : refuse(context, node, fault);
}

function resultShape(signature: FunctionSignature, input: Shape, operands: readonly Checked[]): Shape {
  const [first = nothing, second = nothing, third = nothing] = operands.map((operand) => operand.shape);
  switch (signature.result) {
    case 'same':
      return input;
    case 'item':
      return { types: input.types, isMany: false };
    case 'projection':
      return { types: first.types, isMany: input.isMany || first.isMany };
    case 'joined':
      return join(input, first);
    case 'branches':
      return { types: join(second, third).types, isMany: second.isMany || third.isMany };
    case 'narrowed':
      return first;
    case 'Extension':
      return manyOf('Extension');
    case 'System.Strings':
      return manyOf('System.String');
    default:
      return oneOf(signature.result);
  }
}

function expectKind(context: CheckContext, node: SyntaxNode, shape: Shape, kinds: Kinds): void {
  if (!mayBe(shape, kinds)) refuse(context, node, `found ${describeShape(shape)}, expected ${kinds.join(' or ')}`);
}

function expectSameKind(context: CheckContext, { node, left, right }: Operation, kinds: Kinds): void {
  if (kinds.some((kind) => mayBe(left.shape, [kind]) && mayBe(right.shape, [kind]))) return;
  const both = `${describeShape(left.shape)} and ${describeShape(right.shape)}`;
  refuse(context, node, `the operator ${node.operator} cannot work on ${both}${hint(left.shape, right.shape)}`);
}

function hint(left: Shape, right: Shape): string {
  if (mayBe(left, ['date']) && mayBe(right, ['date'])) return ': compare with =, inside exists()';
  return mayBe(left, ['complex', 'reference']) ? ': use an element of it' : '';
}

/** Notes the fault and goes on with something that causes no further ones. */
function refuse(context: CheckContext, node: SyntaxNode, text: string): Checked {
  context.faults.push({ text, at: node.at });
  return unknown;
}

function infix({ node, left, right }: Operation): string {
  return `(${left.text} ${node.operator} ${right.text})`;
}
