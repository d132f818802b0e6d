/** One action of a rule set as a rule. */
import type { CodeableConcept, Element, Extension, PlanDefinitionAction, TriggerDefinition } from 'fhir/r4.js';
import { breakRuleSystem } from './code-systems.ts';
import { daysOf } from './calendar.ts';
import { type DeadlineParts, readDeadlineParts } from './read-deadline.ts';
import { readExpressions, reservedNames } from './read-expressions.ts';
import { readInputs } from './read-inputs.ts';
import type { Faults, ReadingContext } from './reading.ts';
import { type Deadline, type Role, type Rule, severities, type Text, type Window } from './rule.ts';

/** Undefined where not even the focus is known; other faults are in `faults`, which the caller looks at. */
export function readRule(action: PlanDefinitionAction, context: ReadingContext): Rule | undefined {
  const code = readCode(action, context);
  const focusType = readFocusType(action, context);
  if (code === undefined || focusType === undefined) return undefined;
  const parts = readDeadlineParts(action, context);
  const inputs = readInputs(action, context, reservedNames);
  const expressions = readExpressions(action, parts, { context, focusType, inputs });
  const { starts, met } = expressions;
  if (parts.inhibits.includes(code)) context.faults.add(context.place, `the rule ${code} inhibits itself`);
  if (starts === undefined || met === undefined) return undefined;
  const title = readText(action.title, action._title) ?? { fr: code, en: code };
  const { priority = 'routine' } = action;
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
    window: readWindow(parts),
    reopenWindow: parts.reopenWindow,
    inhibits: parts.inhibits,
    escalation: parts.escalation.map(({ after, roles }) => ({ after, roles: roles.map(readRole) })),
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
  const type = readTriggerType(action.trigger ?? [], `${place}.trigger`, faults);
  if (type === undefined) return undefined;
  const typePlace = `${place}.trigger[0].data[0].type`;
  if (!definitions.resourceTypes.has(type)) {
    faults.add(typePlace, `"${type}" is not a type of resource`, 'not-found');
    return undefined;
  }
  // The compartment leaves out Task, which has a patient all the same.
  const isOfPatient = definitions.compartment(type).length > 0 || definitions.searchParameters(type).has('patient');
  const hasPatient = type === 'Patient' || isOfPatient;
  if (!hasPatient) faults.add(typePlace, `${type} belongs to no patient`);
  return type;
}

function readTriggerType(triggers: readonly TriggerDefinition[], place: string, faults: Faults): string | undefined {
  const [trigger] = triggers;
  if (trigger === undefined || triggers.length > 1) {
    faults.add(place, `a rule has one trigger, found ${triggers.length}`, 'required');
    return undefined;
  }
  if (trigger.type !== 'data-changed') faults.add(`${place}[0].type`, 'the trigger is of type data-changed');
  const [data, ...others] = trigger.data ?? [];
  if (data === undefined || others.length > 0) {
    faults.add(`${place}[0].data`, 'the trigger names one type of resource, the focus', 'required');
    return undefined;
  }
  return data.type;
}

function readDeadline(parts: DeadlineParts): Deadline | undefined {
  const { delay, calendar, parameter, notice } = parts;
  return delay === undefined || calendar === undefined ? undefined : { delay, calendar, parameter, notice };
}

function readWindow({ window, parameter }: DeadlineParts): Window | undefined {
  const days = window && daysOf(window);
  return days === undefined ? undefined : { days, parameter };
}
