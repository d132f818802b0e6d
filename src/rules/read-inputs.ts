/** The named queries of a rule: what it reads beside its focus, and so which changes wake it. */
import type { DataRequirement, PlanDefinitionAction } from 'fhir/r4.js';
import type { ReadingContext } from './reading.ts';
import type { RuleInput } from './rule.ts';
import { sampleValues, templateNames, fillTemplates } from './templates.ts';

const inputsMax = 20;
const queryUrl = 'http://hl7.org/fhir/StructureDefinition/cqf-fhirQueryPattern';
const nameForm = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** `reserved`: the variables that every rule has. */
export function readInputs(
  action: PlanDefinitionAction,
  context: ReadingContext,
  reserved: ReadonlySet<string>,
): readonly RuleInput[] {
  const written = action.input ?? [];
  if (written.length > inputsMax)
    context.faults.add(`${context.place}.input`, `a rule has at most ${inputsMax} inputs`, 'too-costly');
  const names = new Set(reserved);
  return written.slice(0, inputsMax).flatMap((requirement, index) => {
    const place = `${context.place}.input[${index}]`;
    const input = readInput(requirement, { ...context, place });
    if (input !== undefined && names.has(input.name)) {
      context.faults.add(`${place}.id`, `the name "${input.name}" is taken`, 'duplicate');
    }
    names.add(input?.name ?? '');
    return input ?? [];
  });
}

function readInput(requirement: DataRequirement, context: ReadingContext): RuleInput | undefined {
  const { place, faults, definitions } = context;
  const { id: name, type } = requirement;
  if (name === undefined || !nameForm.test(name)) {
    faults.add(`${place}.id`, 'an input has an id of letters, digits and underscores: the name of its variable');
    return undefined;
  }
  if (!definitions.resourceTypes.has(type)) {
    faults.add(`${place}.type`, `"${type}" is not a type of resource`, 'not-found');
    return undefined;
  }
  const index = (requirement.extension ?? []).findIndex((extension) => extension.url === queryUrl);
  const pattern = requirement.extension?.[index]?.valueString;
  if (pattern === undefined) {
    faults.add(`${place}.extension`, `an input has its query in the extension ${queryUrl}`, 'required');
    return { name, type, query: '' };
  }
  const query = checkPattern(pattern, type, { ...context, place: `${place}.extension[${index}].value` });
  return { name, type, query };
}

function checkPattern(pattern: string, type: string, context: ReadingContext): string {
  const { place, faults } = context;
  const mark = pattern.indexOf('?');
  const query = pattern.slice(mark + 1);
  if (mark < 0 || pattern.slice(0, mark) !== type || query === '') {
    faults.add(place, `the query of this input begins with "${type}?"`);
    return query;
  }
  const names = templateNames(query);
  for (const name of names) {
    if (!Object.hasOwn(sampleValues, name))
      faults.add(place, `{{${name}}} is not one of {{${Object.keys(sampleValues).join('}}, {{')}}}`);
  }
  if (!names.includes('patient.id') && !names.includes('focus.id')) {
    faults.add(place, 'the query is bound neither to {{patient.id}} nor to {{focus.id}}: it would read every record');
  }
  for (const issue of context.checkQuery(type, fillTemplates(query, sampleValues))) {
    faults.add(place, issue.text, issue.code);
  }
  return query;
}
