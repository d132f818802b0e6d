/**
 * The expressions of a rule, compiled with the variables that each may read: `start` sees the focus and what surrounds
 * it, the anchor may see inputs, the others see the deadline too.
 */
import type { PlanDefinitionAction, PlanDefinitionActionCondition } from 'fhir/r4.js';
import { compileExpression, type Expression, manyOf, mayBe, oneOf, type Shape } from '../fhir/index.ts';
import { codeSystemVariables } from './code-systems.ts';
import type { DeadlineParts } from './read-deadline.ts';
import type { ReadingContext, WrittenExpression } from './reading.ts';
import type { Rule, RuleInput } from './rule.ts';
import { templateNames } from './templates.ts';

interface ExpressionSetting {
  readonly context: ReadingContext;
  readonly focusType: string;
  readonly inputs: readonly RuleInput[];
}

export interface RuleExpressions {
  readonly each: Expression | undefined;
  readonly starts: Expression | undefined;
  readonly applies: Expression | undefined;
  readonly met: Expression | undefined;
  readonly anchor: Expression | undefined;
  readonly metAt: Expression | undefined;
  readonly review: Expression | undefined;
}

export function readExpressions(
  action: PlanDefinitionAction,
  parts: DeadlineParts,
  setting: ExpressionSetting,
): RuleExpressions & Summary {
  const { focusType, inputs } = setting;
  const each = readEach(parts.each, setting);
  const fixed = fixedShapes(focusType, each);
  const all = {
    ...fixed,
    ...Object.fromEntries(inputs.map(({ name, type }) => [name, manyOf(type)])),
  };
  const expressions = {
    each,
    starts: readCondition(action, 'start', { variables: without(fixed, ['anchor', 'due', 'since']), setting }),
    applies: readCondition(action, 'applicability', { variables: all, setting }),
    met: readCondition(action, 'stop', { variables: all, setting }),
    anchor: readDates(parts.anchor, without(all, ['anchor', 'due']), setting),
    metAt: readDates(parts.metAt, all, setting),
    review: readDates(parts.review, all, setting),
  };
  refuseUnknownAnchor(expressions, inputs, setting.context);
  return { ...expressions, ...summarise(setting, expressions) };
}

/** What every rule may read; `starts` sees the focus only, with what surrounds it now. */
function fixedShapes(focusType: string, each: Expression | undefined): Shapes {
  const dateTime = oneOf('System.DateTime');
  const systems = Object.keys(codeSystemVariables).map((name) => [name, oneOf('System.String')] as const);
  return {
    focus: oneOf(focusType),
    ...(each === undefined ? {} : { element: { types: each.shape.types, isMany: false } }),
    window: oneOf('System.Integer'),
    patient: oneOf('Patient'),
    plan: oneOf('CarePlan'),
    team: manyOf('CareTeam'),
    gp: manyOf('System.String'),
    now: dateTime,
    since: dateTime,
    anchor: dateTime,
    due: dateTime,
    ...Object.fromEntries(systems),
  };
}

type Shapes = Readonly<Record<string, Shape>>;

function without(shapes: Shapes, names: readonly string[]): Shapes {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));
}

/** Names that no input may take. */
export const reservedNames: ReadonlySet<string> = new Set([
  ...Object.keys(fixedShapes('Patient', undefined)),
  'element',
]);

/** A plain path: it must not fail, and what it yields must be parts that can have an id. */
const pathForm = /^[A-Za-z]+(?:\.[A-Za-z]+)*$/;

function readEach(written: WrittenExpression | undefined, setting: ExpressionSetting): Expression | undefined {
  if (written === undefined) return undefined;
  const expression = compile(written, {}, setting);
  const isPath = pathForm.test(written.expression ?? '');
  if (expression !== undefined && !(isPath && mayBe(expression.shape, ['complex']))) {
    setting.context.faults.add(written.place, 'each is a plain path to elements of the focus, as activity');
  }
  return expression;
}

type ConditionKind = PlanDefinitionActionCondition['kind'];

function readCondition(
  action: PlanDefinitionAction,
  kind: ConditionKind,
  { variables, setting }: { readonly variables: Shapes; readonly setting: ExpressionSetting },
): Expression | undefined {
  const { place, faults } = setting.context;
  const all = action.condition ?? [];
  const indexes = all.flatMap((condition, index) => (condition.kind === kind ? [index] : []));
  const [index, ...others] = indexes;
  if (others.length > 0)
    faults.add(`${place}.condition`, `a rule has one condition of kind ${kind}, found ${indexes.length}`);
  if (index === undefined) {
    if (kind !== 'applicability')
      faults.add(`${place}.condition`, `a rule has a condition of kind ${kind}`, 'required');
    return undefined;
  }
  const written = { ...all[index]?.expression, place: `${place}.condition[${index}].expression` };
  const expression = compile(written, variables, setting);
  if (expression !== undefined && !mayBe(expression.shape, ['boolean'])) {
    faults.add(written.place, `a condition is true or false, this yields ${expression.shape.types.join(' or ')}`);
  }
  return expression;
}

function readDates(
  written: WrittenExpression | undefined,
  variables: Shapes,
  setting: ExpressionSetting,
): Expression | undefined {
  if (written === undefined) return undefined;
  const expression = compile(written, variables, setting);
  if (expression !== undefined && !mayBe(expression.shape, ['date'])) {
    setting.context.faults.add(written.place, `a date is expected, this yields ${expression.shape.types.join(' or ')}`);
  }
  return expression;
}

function compile(
  written: WrittenExpression,
  variables: Shapes,
  { context, focusType }: ExpressionSetting,
): Expression | undefined {
  const place = `${written.place}.expression`;
  if (written.expression === undefined) {
    context.faults.add(place, 'the expression is missing', 'required');
    return undefined;
  }
  if (written.language !== 'text/fhirpath') {
    context.faults.add(`${written.place}.language`, 'the language is text/fhirpath');
  }
  const { definitions } = context;
  const compiled = compileExpression(written.expression, {
    ...{ definitions, variables },
    context: focusType,
    constants: codeSystemVariables,
  });
  if (compiled.kind === 'ok') return compiled.expression;
  for (const issue of compiled.issues) context.faults.add(place, issue.text, issue.code);
  return undefined;
}

/** Where the anchor comes from an input, no query can use it. */
function refuseUnknownAnchor({ anchor }: RuleExpressions, inputs: readonly RuleInput[], context: ReadingContext): void {
  if (!inputs.some(({ name }) => anchor?.uses.has(name))) return;
  for (const { name, query } of inputs) {
    const isTimed = templateNames(query).some((template) => template === 'anchor' || template === 'due');
    if (isTimed)
      context.faults.add(`${context.place}.input`, `the query of ${name} needs the anchor, which is read from inputs`);
  }
}

const typesOfVariables: Readonly<Record<string, readonly string[]>> = {
  patient: ['Patient'],
  plan: ['CarePlan'],
  team: ['CareTeam'],
  gp: ['Patient', 'CareTeam'],
};

type Summary = Pick<Rule, 'uses' | 'usesSince' | 'wakes' | 'anchorReadsInputs' | 'appliesOnItsOwn' | 'metOnItsOwn'>;

/** What follows from the variables that the expressions read. */
function summarise({ focusType, inputs }: ExpressionSetting, expressions: RuleExpressions): Summary {
  const { anchor, applies, met } = expressions;
  const written: readonly (Expression | undefined)[] = Object.values(expressions);
  const uses = new Set(written.flatMap((expression) => [...(expression?.uses ?? [])]));
  const surrounding = [...uses].flatMap((name) => typesOfVariables[name] ?? []);
  const names = inputs.map((input) => input.name);
  const reads = (expression: Expression | undefined, variables: readonly string[]): boolean =>
    variables.some((name) => expression?.uses.has(name));
  const beyondFocus = [...names, 'plan', 'team', 'gp', 'anchor', 'due', 'since'];
  return {
    uses,
    anchorReadsInputs: reads(anchor, names),
    appliesOnItsOwn: applies !== undefined && !reads(applies, [...names, 'anchor', 'due']),
    metOnItsOwn: !reads(met, beyondFocus),
    usesSince: uses.has('since') || anchor === undefined,
    wakes: new Set([focusType, ...inputs.map((input) => input.type), ...surrounding]),
  };
}
