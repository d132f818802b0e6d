/** One action of a rule set as a rule. */
import type {
  CodeableConcept,
  Element,
  Extension,
  PlanDefinitionAction,
  PlanDefinitionActionCondition,
} from 'fhir/r4.js';
import { compileExpression, type Expression, manyOf, mayBe, oneOf, type Shape } from '../fhir/index.ts';
import { breakRuleSystem, codeSystemVariables } from './code-systems.ts';
import { type DeadlineParts, readDeadlineParts } from './read-deadline.ts';
import { readInputs } from './read-inputs.ts';
import type { ReadingContext, WrittenExpression } from './reading.ts';
import { templateNames } from './templates.ts';
import { type Deadline, type Priority, type Role, type Rule, type RuleInput, severities, type Text } from './rule.ts';

/** Undefined where not even the focus is known; other faults are in `faults`, which the caller looks at. */
export function readRule(action: PlanDefinitionAction, context: ReadingContext): Rule | undefined {
  const code = readCode(action, context);
  const focusType = readFocusType(action, context);
  if (code === undefined || focusType === undefined) return undefined;
  const parts = readDeadlineParts(action, context);
  const inputs = readInputs(action, context, new Set(Object.keys(fixedShapes(focusType))));
  const expressions = readExpressions(action, parts, { context, focusType, inputs });
  const { starts, met } = expressions;
  if (parts.inhibits.includes(code)) context.faults.add(context.place, `the rule ${code} inhibits itself`);
  if (starts === undefined || met === undefined) return undefined;
  const title = readText(action.title, action._title) ?? { fr: code, en: code };
  refuseUnknownAnchor(expressions, inputs, context);
  const priority = (action.priority ?? 'routine') as Priority;
  return {
    code,
    title,
    missing: readText(action.textEquivalent, action._textEquivalent) ?? title,
    description: action.description,
    corrections: (action.action ?? []).flatMap((step) => readText(step.title, step._title) ?? []),
    focusType,
    inputs,
    roles: (action.participant ?? []).flatMap((participant) => (participant.role ? readRole(participant.role) : [])),
    priority,
    severity: severities[priority],
    ...expressions,
    starts,
    met,
    deadline: readDeadline(parts),
    reopenWindow: parts.reopenWindow,
    inhibits: parts.inhibits,
    escalation: parts.escalation.map(({ after, roles }) => ({ after, roles: roles.map(readRole) })),
    ...summarise(focusType, inputs, expressions),
  };
}

export function readText(value: string | undefined, element: Element | undefined): Text | undefined {
  if (value === undefined) return undefined;
  const english = (element?.extension ?? []).find(
    (extension) => extension.url === translationUrl && partOf(extension, 'lang')?.valueCode?.startsWith('en'),
  );
  const content = english && partOf(english, 'content');
  return { fr: value, en: content?.valueString ?? content?.valueMarkdown ?? value };
}

const translationUrl = 'http://hl7.org/fhir/StructureDefinition/translation';

function partOf(extension: Extension, url: string): Extension | undefined {
  return extension.extension?.find((part) => part.url === url);
}

export function readRole(concept: CodeableConcept): Role {
  const codings = (concept.coding ?? []).flatMap(({ system, code, display }) =>
    system === undefined || code === undefined ? [] : [{ system, code, ...(display === undefined ? {} : { display }) }],
  );
  return { codings, text: concept.text ?? codings[0]?.display };
}

/** The code is part of keys and of `system|code` searches: no colon, no bar. */
const codeForm = /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/;

function readCode(action: PlanDefinitionAction, { place, faults }: ReadingContext): string | undefined {
  const codings = (action.code ?? []).flatMap((concept) => concept.coding ?? []);
  const coded = codings.find((coding) => coding.system === breakRuleSystem)?.code;
  const code = coded ?? action.prefix ?? action.id;
  if (code === undefined) {
    faults.add(`${place}.code`, `the rule has no code of ${breakRuleSystem}`, 'required');
    return undefined;
  }
  if (!codeForm.test(code)) faults.add(`${place}.code`, 'the code of a rule is letters, digits, dots and hyphens');
  if (action.prefix !== undefined && action.prefix !== code) {
    faults.add(`${place}.prefix`, `the prefix is not the code ${code}`);
  }
  return code;
}

function readFocusType(
  action: PlanDefinitionAction,
  { definitions, place, faults }: ReadingContext,
): string | undefined {
  const [trigger, ...others] = action.trigger ?? [];
  if (trigger === undefined || others.length > 0) {
    faults.add(`${place}.trigger`, `a rule has one trigger, found ${others.length + (trigger ? 1 : 0)}`, 'required');
    return undefined;
  }
  if (trigger.type !== 'data-changed') faults.add(`${place}.trigger[0].type`, 'the trigger is of type data-changed');
  const type = trigger.data?.[0]?.type;
  if (type === undefined || trigger.data?.length !== 1) {
    faults.add(`${place}.trigger[0].data`, 'the trigger names one type of resource, the focus', 'required');
    return undefined;
  }
  if (!definitions.resourceTypes.has(type)) {
    faults.add(`${place}.trigger[0].data[0].type`, `"${type}" is not a type of resource`, 'not-found');
    return undefined;
  }
  if (type !== 'Patient' && definitions.compartment(type).length === 0) {
    faults.add(`${place}.trigger[0].data[0].type`, `${type} belongs to no patient`);
  }
  return type;
}

function readDeadline(parts: DeadlineParts): Deadline | undefined {
  const { delay, calendar, parameter, notice } = parts;
  return delay === undefined || calendar === undefined ? undefined : { delay, calendar, parameter, notice };
}

interface ExpressionSetting {
  readonly context: ReadingContext;
  readonly focusType: string;
  readonly inputs: readonly RuleInput[];
}

interface RuleExpressions {
  readonly starts: Expression | undefined;
  readonly applies: Expression | undefined;
  readonly met: Expression | undefined;
  readonly anchor: Expression | undefined;
  readonly metAt: Expression | undefined;
  readonly review: Expression | undefined;
}

function readExpressions(
  action: PlanDefinitionAction,
  parts: DeadlineParts,
  setting: ExpressionSetting,
): RuleExpressions {
  const all = allShapes(setting.focusType, setting.inputs);
  const { anchor: _anchor, due: _due, ...anchorShapes } = all;
  const startShapes = shapesWithout(fixedShapes(setting.focusType), ['anchor', 'due', 'since']);
  return {
    starts: readCondition(action, 'start', startShapes, setting),
    applies: readCondition(action, 'applicability', all, setting),
    met: readCondition(action, 'stop', all, setting),
    anchor: readDates(parts.anchor, anchorShapes, setting),
    metAt: readDates(parts.metAt, all, setting),
    review: readDates(parts.review, all, setting),
  };
}

/** What every rule may read; `starts` sees the focus only, with what surrounds it now. */
function fixedShapes(focusType: string): Readonly<Record<string, Shape>> {
  const dateTime = oneOf('System.DateTime');
  const systems = Object.keys(codeSystemVariables).map((name) => [name, oneOf('System.String')] as const);
  return {
    focus: oneOf(focusType),
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

function allShapes(focusType: string, inputs: readonly RuleInput[]): Readonly<Record<string, Shape>> {
  return {
    ...fixedShapes(focusType),
    ...Object.fromEntries(inputs.map(({ name, type }) => [name, manyOf(type)])),
  };
}

function shapesWithout(
  shapes: Readonly<Record<string, Shape>>,
  names: readonly string[],
): Readonly<Record<string, Shape>> {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));
}

type ConditionKind = PlanDefinitionActionCondition['kind'];

function readCondition(
  action: PlanDefinitionAction,
  kind: ConditionKind,
  variables: Readonly<Record<string, Shape>>,
  setting: ExpressionSetting,
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
  variables: Readonly<Record<string, Shape>>,
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
  variables: Readonly<Record<string, Shape>>,
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
  const compiled = compileExpression(written.expression, { definitions, context: focusType, variables });
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

function summarise(
  focusType: string,
  inputs: readonly RuleInput[],
  expressions: RuleExpressions,
): Pick<Rule, 'uses' | 'usesSince' | 'wakes' | 'anchorReadsInputs' | 'appliesOnItsOwn' | 'metOnItsOwn'> {
  const written = Object.values(expressions as unknown as Record<string, Expression | undefined>);
  const uses = new Set(written.flatMap((expression) => [...(expression?.uses ?? [])]));
  const surrounding = [...uses].flatMap((name) => typesOfVariables[name] ?? []);
  const names = inputs.map((input) => input.name);
  const reads = (expression: Expression | undefined, variables: readonly string[]): boolean =>
    variables.some((name) => expression?.uses.has(name));
  return {
    uses,
    anchorReadsInputs: reads(expressions.anchor, names),
    appliesOnItsOwn: expressions.applies !== undefined && !reads(expressions.applies, [...names, 'anchor', 'due']),
    metOnItsOwn: !reads(expressions.met, [
      ...names,
      ...Object.keys(typesOfVariables).filter((name) => name !== 'patient'),
      'anchor',
      'due',
      'since',
    ]),
    usesSince: uses.has('since') || expressions.anchor === undefined,
    wakes: new Set([focusType, ...inputs.map((input) => input.type), ...surrounding]),
  };
}
