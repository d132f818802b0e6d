/**
 * FHIRPath (http://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html) for rules: compiled after a check
 * against the definitions, run over plain resources. Only this file and `fhirpath-runtime.ts` know the library.
 *
 * - Synchronous, pure: no request leaves, the clock and the zone are parameters, resources are not touched.
 * - Results are plain values: dates are their texts, resources and elements the objects of the record.
 * - What the library throws (errors, strings, objects that quote the record) becomes a text without data of the record.
 */
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { type Issue, Problem } from '../base/index.ts';
import type { Definitions } from './definitions.ts';
import { type CheckContext, checkNode } from './fhirpath-check.ts';
import { compileQuick } from './fhirpath-quick.ts';
import { type Quick, startSteps } from './fhirpath-quick-items.ts';
import { momentVariable, resultValue, runtimeFunctions, toDateValue } from './fhirpath-runtime.ts';
import { parseExpression } from './fhirpath-syntax.ts';
import { oneOf, type Shape } from './fhirpath-types.ts';
import { failure, type Moment } from './fhirpath-values.ts';
import type { Resource } from './resource.ts';

export interface ExpressionSetting {
  readonly definitions: Definitions;
  /** Type of the focus, at which paths begin. */
  readonly context: string;
  /** Every variable with what it holds; dates are bound as texts. */
  readonly variables: Readonly<Record<string, Shape>>;
  /** Texts that variables always have: nobody binds them. */
  readonly constants?: Readonly<Record<string, string>>;
}

export interface Expression {
  readonly text: string;
  /** Variables it reads. */
  readonly uses: ReadonlySet<string>;
  /** What it can yield. */
  readonly shape: Shape;
  /** By the library, which yields its nodes. */
  readonly run: (focus: unknown, variables: Record<string, unknown>) => unknown[];
  /** Without the library, for most expressions of rules. */
  readonly quick: Quick | undefined;
}

export type Compilation =
  | { readonly kind: 'ok'; readonly expression: Expression }
  | { readonly kind: 'faults'; readonly issues: readonly Issue[] };

export function compileExpression(text: string, setting: ExpressionSetting): Compilation {
  const { definitions, variables, constants = {} } = setting;
  const tree = parseExpression(text);
  if (tree.kind === 'fault') return { kind: 'faults', issues: [toIssue(text, tree)] };
  const context: CheckContext = { definitions, variables, faults: [], uses: new Set(), shapes: new Map() };
  const checked = checkNode(context, tree, oneOf(setting.context));
  const { uses, faults } = context;
  if (faults.length > 0) return { kind: 'faults', issues: faults.map((fault) => toIssue(text, fault)) };
  const run = createRun({ text: checked.text, uses, shapes: variables, constants });
  const quick = compileQuick({ ...context, constants }, tree);
  const element = [...uses].find((name) => isElement(variables[name], definitions));
  if (quick === undefined && element !== undefined) {
    const fault = `%${element} is part of a resource: no arithmetic and no rare function beside it`;
    return { kind: 'faults', issues: [toIssue(text, { text: fault, at: 0 })] };
  }
  return { kind: 'ok', expression: { text, uses, shape: checked.shape, run, quick } };
}

/** To the library a part of a resource outside of its resource has no type: only the quick way can read it. */
function isElement(shape: Shape | undefined, definitions: Definitions): boolean {
  const isPart = (type: string): boolean => !type.startsWith('System.') && definitions.type(type)?.kind !== 'resource';
  return shape?.types.some(isPart) ?? false;
}

/** Values of the variables by name; those that are missing are empty. */
export type Variables = Readonly<Record<string, unknown>>;

export interface EvaluatedItem {
  readonly value: unknown;
  /** The resource that the value was read from; undefined for a value that was computed. */
  readonly origin: Resource | undefined;
}

/** Throws where `tryEvaluate` answers an error. */
export function evaluate(expression: Expression, focus: Resource, variables: Variables, moment: Moment): unknown[] {
  const result = tryEvaluate(expression, focus, variables, moment);
  if (result.kind === 'error') throw failure(result.text);
  return result.items.map((item) => item.value);
}

export type Evaluation =
  | { readonly kind: 'items'; readonly items: readonly EvaluatedItem[] }
  /** The text has no data of the record in it. */
  | { readonly kind: 'error'; readonly text: string };

export function tryEvaluate(expression: Expression, focus: Resource, variables: Variables, moment: Moment): Evaluation {
  try {
    const items =
      expression.quick === undefined
        ? runSlowly(expression, focus, variables, moment)
        : runQuickly(expression.quick, focus, variables, moment);
    return { kind: 'items', items: items.filter((item) => item.value !== null && item.value !== undefined) };
  } catch (error) {
    return { kind: 'error', text: describeError(error) };
  }
}

function runQuickly(quick: Quick, focus: Resource, variables: Variables, moment: Moment): readonly EvaluatedItem[] {
  const self = [{ value: focus, type: focus.resourceType, origin: focus }];
  const items = quick({ self, index: 0, run: { variables, bound: new Map(), moment, ...startSteps() } });
  return items.map(({ value, origin }) => ({ value, origin }));
}

/** The way of the library: also the reference that the quick way is tested against. */
export function runSlowly(
  expression: Expression,
  focus: Resource,
  variables: Variables,
  moment: Moment,
): readonly EvaluatedItem[] {
  const nodes = expression.run(focus, { ...variables, [momentVariable]: moment });
  return nodes.map((node) => ({ value: resultValue(node), origin: findOrigin(node) }));
}

/** A condition is true or false; empty, several values or another type is an error, never false. */
export function evaluateBoolean(
  expression: Expression,
  focus: Resource,
  variables: Variables,
  moment: Moment,
): boolean | { readonly error: string } {
  const result = tryEvaluate(expression, focus, variables, moment);
  if (result.kind === 'error') return { error: result.text };
  const value = result.items[0]?.value;
  if (result.items.length === 1 && typeof value === 'boolean') return value;
  return { error: result.items.length === 0 ? 'the condition yields nothing' : 'the condition is not true or false' };
}

interface Runnable {
  readonly text: string;
  readonly uses: ReadonlySet<string>;
  readonly shapes: ExpressionSetting['variables'];
  readonly constants: Readonly<Record<string, string>>;
}

/**
 * Gives the library only the variables that the expression reads, dates as typed values: a plain text is not a date to
 * it. Its parser takes milliseconds, so it sees the text when the expression first runs: many never do.
 */
function createRun({ text, uses, shapes, constants }: Runnable): Expression['run'] {
  const options = { resolveInternalTypes: false, userInvocationTable: runtimeFunctions };
  const isDate = (name: string): boolean => shapes[name]?.types.includes('System.DateTime') ?? false;
  const names = [...uses].map((name) => ({ name, isDate: isDate(name) }));
  let compiled: Expression['run'] | undefined;
  return (focus, variables) => {
    compiled ??= fhirpath.compile(text, r4, options) as Expression['run'];
    const bound: Record<string, unknown> = { [momentVariable]: variables[momentVariable] };
    for (const { name, isDate } of names) {
      const value = constants[name] ?? variables[name];
      bound[name] = value === undefined ? [] : isDate && typeof value === 'string' ? toDateValue(value) : value;
    }
    return compiled(focus, bound);
  };
}

/** A node of the library: what it wraps, and the way up to its resource. */
interface LibraryNode {
  readonly data?: unknown;
  getParentResource?(): LibraryNode | null;
}

function findOrigin(item: unknown): Resource | undefined {
  if (typeof item !== 'object' || item === null || !('getParentResource' in item)) return undefined;
  const node = item as LibraryNode;
  return isResource(node.data) ? node.data : asResource(node.getParentResource?.()?.data);
}

function asResource(data: unknown): Resource | undefined {
  return isResource(data) ? data : undefined;
}

function isResource(data: unknown): data is Resource {
  return typeof data === 'object' && data !== null && 'resourceType' in data;
}

/** The library throws errors, strings and objects whose texts quote the record: only their kind is told. */
function describeError(error: unknown): string {
  if (error instanceof Problem) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  return /singleton|multiple items|Unexpected collection/i.test(text)
    ? 'one value was expected, several were found'
    : 'the expression cannot be evaluated on this record';
}

function toIssue(text: string, fault: { readonly text: string; readonly at: number }): Issue {
  const before = text.slice(0, fault.at).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  return { severity: 'error', code: 'invalid', text: `${fault.text} (${place})` };
}
