/**
 * The quick way to run an expression: closures over the plain record, for the part of the language that rules live on.
 * The library takes 30 to 500 microseconds for an expression of a rule; dozens of rules on each change of a patient
 * need it ten times faster. Whatever is not here (arithmetic, quantities, rarer functions) is left to the library: then
 * `compileQuick` answers undefined. A test holds both against each other on random records; they differ in one thing:
 * here `and`, `or` and `implies` do not look at the right side when the left decides, so a fault there stays unseen.
 */
import type { Definitions } from './definitions.ts';
import { type Kind, kindOf } from './fhirpath-functions.ts';
import { quickFunctions, unique } from './fhirpath-quick-functions.ts';
import {
  computed,
  createAccess,
  type Frame,
  type Item,
  type Items,
  joined,
  none,
  onlyNumber,
  onlyText,
  type Quick,
  readTruth,
  spend,
  toItems,
  truth,
} from './fhirpath-quick-items.ts';
import { type NodeOf, type SyntaxNode, unquote } from './fhirpath-syntax.ts';
import { isA, type Shape } from './fhirpath-types.ts';
import {
  type Comparison,
  comparisonOperators,
  comparisons,
  differentTypes,
  failure,
  matchText,
  moveDate,
  oneValueExpected,
  orderOfDates,
  orderOfPlain,
  readDate,
  severalValues,
} from './fhirpath-values.ts';

export interface QuickContext {
  readonly definitions: Definitions;
  /** What each node yields, as the check found it. */
  readonly shapes: ReadonlyMap<SyntaxNode, Shape>;
  /** Texts that variables always have. */
  readonly constants: Readonly<Record<string, string>>;
}

/** Of an expression without faults; undefined where the library must run it. */
export function compileQuick(context: QuickContext, node: SyntaxNode): Quick | undefined {
  switch (node.kind) {
    case 'literal':
      return compileLiteral(node);
    case 'nothing':
      return () => none;
    case 'variable':
      return compileVariable(context, node);
    case 'special':
      return node.name === '$this' ? (frame) => frame.self : (frame) => computed(frame.index, 'System.Integer');
    case 'member':
      return compileMember(context, node.name, (frame) => frame.self);
    case 'call':
      return compileCall(context, node, (frame) => frame.self);
    case 'path':
      return compilePath(context, node);
    case 'item':
      return compileItem(context, node);
    case 'sign':
      return undefined;
    case 'type':
      return compileTypeOperator(context, node);
    case 'binary':
      return compileBinary(context, node);
  }
}

function compileLiteral({ type, text }: NodeOf<'literal'>): Quick | undefined {
  if (type === 'System.Quantity') return undefined;
  const items = computed(literalValue(type, text), type);
  return () => items;
}

function literalValue(type: string, text: string): unknown {
  if (type === 'System.String') return unquote(text);
  if (type === 'System.Boolean') return text === 'true';
  return text.startsWith('@') ? text.slice(text.startsWith('@T') ? 2 : 1) : Number(text);
}

function compileVariable({ shapes, constants }: QuickContext, node: NodeOf<'variable'>): Quick {
  const constant = Object.hasOwn(constants, node.name) ? constants[node.name] : undefined;
  if (constant !== undefined) {
    const items = computed(constant, 'System.String');
    return () => items;
  }
  const type = shapes.get(node)?.types[0] ?? 'System.String';
  return ({ run: { variables, bound } }) => {
    const known = bound.get(node.name);
    if (known !== undefined) return known;
    const items = toItems(variables[node.name], type);
    bound.set(node.name, items);
    return items;
  };
}

function compilePath(context: QuickContext, { left, right }: NodeOf<'path'>): Quick | undefined {
  const input = compileQuick(context, left);
  if (input === undefined) return undefined;
  return right.kind === 'call' ? compileCall(context, right, input) : compileMember(context, memberName(right), input);
}

function memberName(node: SyntaxNode): string {
  return node.kind === 'member' ? node.name : '';
}

/** Names of elements begin small; a capital is the type of the focus. */
function compileMember({ definitions }: QuickContext, name: string, input: Quick): Quick {
  if (/^[A-Z]/.test(name)) return input;
  const access = createAccess(definitions, name);
  return (frame) => {
    const found: Item[] = [];
    const items = input(frame);
    for (const item of items) access(item, found);
    spend(frame.run, items.length + found.length);
    return found;
  };
}

function compileItem(context: QuickContext, node: NodeOf<'item'>): Quick | undefined {
  const left = compileQuick(context, node.left);
  const right = compileQuick(context, node.right);
  if (left === undefined || right === undefined) return undefined;
  return (frame) => {
    const index = onlyNumber(right(frame));
    return index === undefined || index < 0 ? none : left(frame).slice(index, index + 1);
  };
}

function compileTypeOperator(context: QuickContext, node: NodeOf<'type'>): Quick | undefined {
  const left = compileQuick(context, node.left);
  const ofType = compileTypeTest(context, node.type);
  if (left === undefined || ofType === undefined) return undefined;
  return node.operator === 'is'
    ? (frame) => {
        const items = left(frame);
        if (items.length > 1) throw failure(oneValueExpected);
        return items.length === 0 ? none : truth(items.every(ofType));
      }
    : undefined;
}

/** Only types of FHIR: those of FHIRPath are left to the library. */
function compileTypeTest({ definitions }: QuickContext, node: SyntaxNode): ((item: Item) => boolean) | undefined {
  if (node.kind !== 'member' || definitions.type(node.name) === undefined) return undefined;
  const known = new Map<string, boolean>();
  return ({ type }) => {
    const found = known.get(type) ?? isA(definitions, type, node.name);
    known.set(type, found);
    return found;
  };
}

function compileCall(context: QuickContext, node: NodeOf<'call'>, input: Quick): Quick | undefined {
  const [operand] = node.operands;
  const special = operand === undefined ? undefined : compileSpecialCall(context, node.name, { operand, input });
  if (special !== undefined) return special;
  const body = Object.hasOwn(quickFunctions, node.name) ? quickFunctions[node.name] : undefined;
  const operands = node.operands.flatMap((one) => compileQuick(context, one) ?? []);
  if (body === undefined || operands.length < node.operands.length) return undefined;
  return (frame) => body(input(frame), frame, operands);
}

/** Functions whose operand is read when the expression is compiled. */
function compileSpecialCall(
  context: QuickContext,
  name: string,
  { operand, input }: { readonly operand: SyntaxNode; readonly input: Quick },
): Quick | undefined {
  if (name === 'ofType') {
    const ofType = compileTypeTest(context, operand);
    return ofType && ((frame) => input(frame).filter(ofType));
  }
  if (operand.kind !== 'literal') return undefined;
  if (name === 'extension') return compileExtension(unquote(operand.text), input);
  return name === 'matches' ? compileMatches(unquote(operand.text), input) : undefined;
}

interface Extended {
  readonly extension?: readonly { readonly url?: unknown }[];
}

function compileExtension(url: string, input: Quick): Quick {
  return (frame) =>
    input(frame).flatMap(({ value, companion, origin }): Items => {
      const holder = (typeof value === 'object' && value !== null ? value : companion) as Extended | null | undefined;
      const found = (holder?.extension ?? []).filter((extension) => extension.url === url);
      return found.map((extension) => ({ value: extension, type: 'Extension', origin }));
    });
}

function compileMatches(written: string, input: Quick): Quick {
  const pattern = new RegExp(written, 'us');
  return (frame) => {
    const subject = onlyText(input(frame));
    return subject === undefined ? none : truth(matchText(subject, pattern));
  };
}

function compileBinary(context: QuickContext, node: NodeOf<'binary'>): Quick | undefined {
  if (node.operator === '+' || node.operator === '-') return compileSum(context, node);
  const left = compileQuick(context, node.left);
  const right = compileQuick(context, node.right);
  if (left === undefined || right === undefined) return undefined;
  const combine = combinations[node.operator];
  if (combine !== undefined) return isConstant(node) ? keepResult(combine(left, right)) : combine(left, right);
  const holds = comparisonOf(node.operator);
  if (holds === undefined || mayHave(context, node.left, 'quantity') || mayHave(context, node.right, 'quantity')) {
    return undefined;
  }
  return compileComparison(left, right, holds);
}

/** `'a' | 'b' | 'c'` */
function isConstant(node: SyntaxNode): boolean {
  return (
    node.kind === 'literal' ||
    (node.kind === 'binary' && node.operator === '|' && isConstant(node.left) && isConstant(node.right))
  );
}

function keepResult(quick: Quick): Quick {
  let kept: Items | undefined;
  return (frame) => (kept ??= quick(frame));
}

function mayHave({ shapes }: QuickContext, node: SyntaxNode, kind: Kind): boolean {
  return shapes.get(node)?.types.some((type) => kindOf(type) === kind) ?? true;
}

const combinations: Readonly<Record<string, (left: Quick, right: Quick) => Quick>> = {
  '|': (left, right) => (frame) => {
    const both = [...left(frame), ...right(frame)];
    spend(frame.run, both.length);
    return unique(both);
  },
  and: (left, right) => (frame) => {
    const first = readTruth(left(frame));
    if (first === false) return truth(false);
    const second = readTruth(right(frame));
    return second === false ? truth(false) : both(first, second, true);
  },
  or: (left, right) => (frame) => {
    const first = readTruth(left(frame));
    if (first === true) return truth(true);
    const second = readTruth(right(frame));
    return second === true ? truth(true) : both(first, second, false);
  },
  implies: (left, right) => (frame) => {
    const first = readTruth(left(frame));
    if (first === false) return truth(true);
    const second = readTruth(right(frame));
    return second === true ? truth(true) : first === undefined || second === undefined ? none : truth(second);
  },
  in: (left, right) => (frame) => isAmong(left(frame), right(frame), frame),
  contains: (left, right) => (frame) => isAmong(right(frame), left(frame), frame),
  '&': (left, right) => (frame) => joined(onlyText(left(frame)) ?? '', onlyText(right(frame)) ?? ''),
};

function both(first: boolean | undefined, second: boolean | undefined, answer: boolean): Items {
  return first === undefined || second === undefined ? none : truth(answer);
}

function isAmong(items: Items, collection: Items, { run }: Frame): Items {
  const [item] = items;
  spend(run, collection.length);
  if (item === undefined) return none;
  if (collection.length === 0) return truth(false);
  if (items.length > 1) throw failure(oneValueExpected);
  return truth(collection.some(({ value, type }) => value === item.value && kindOf(type) === kindOf(item.type)));
}

function comparisonOf(operator: string): Comparison | undefined {
  const name = comparisonOperators[operator];
  return name === undefined ? undefined : comparisons[name];
}

function compileComparison(left: Quick, right: Quick, holds: Comparison): Quick {
  return (frame) => {
    const [leftItems, rightItems] = [left(frame), right(frame)];
    if (leftItems.length > 1 || rightItems.length > 1) throw failure(severalValues);
    const [a, b] = [leftItems[0], rightItems[0]];
    if (a === undefined || b === undefined || a.value === null || b.value === null) return none;
    const isDate = kindOf(a.type) === 'date';
    if (isDate !== (kindOf(b.type) === 'date')) throw failure(differentTypes);
    const { dates } = frame.run.moment;
    const order = isDate
      ? orderOfDates(readDate(a.value, dates), readDate(b.value, dates))
      : orderOfPlain(a.value, b.value);
    return truth(holds(order));
  };
}

/** Texts joined, dates moved by a duration that is written out. */
function compileSum(context: QuickContext, node: NodeOf<'binary'>): Quick | undefined {
  const left = compileQuick(context, node.left);
  if (left === undefined) return undefined;
  if (node.right.kind === 'literal' && node.right.type === 'System.Quantity') {
    const [amount = '', unit = ''] = node.right.text.split(' ');
    return compileShift(left, node.operator === '+' ? Number(amount) : -Number(amount), unit);
  }
  const right = compileQuick(context, node.right);
  if (right === undefined || node.operator === '-') return undefined;
  if (mayHave(context, node.left, 'number') || mayHave(context, node.left, 'date')) return undefined;
  return (frame) => {
    const [first, second] = [onlyText(left(frame)), onlyText(right(frame))];
    return first === undefined || second === undefined ? none : joined(first, second);
  };
}

function compileShift(input: Quick, amount: number, unit: string): Quick {
  return (frame: Frame) => {
    const items = input(frame);
    const [item] = items;
    if (item === undefined) return none;
    if (items.length > 1 || kindOf(item.type) !== 'date') throw failure('one date and one duration were expected');
    const text = moveDate(item.value, amount, unit, frame.run.moment.dates);
    return computed(text, text.includes('T') ? 'System.DateTime' : 'System.Date');
  };
}
