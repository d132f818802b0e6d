/**
 * Whether a resource that has just been made can change any judgment of its patient. A judgment reads a resource as the focus
 * of a rule or among its inputs: what no rule starts on, and no input asks for, leaves every judgment as it is, so that a
 * feed of measurements does not judge its patients at each of them. Told from the resource alone and of the first version
 * only (a later one may have been read before); in doubt it does touch.
 */
import type { Resource } from '../fhir/index.ts';
import { mayStartOn, type Rule } from '../rules/index.ts';
import type { Select } from './judge-patient.ts';
import { basicTypes } from './record.ts';
import type { RuleBook } from './rule-book.ts';
import type { Places } from './sites.ts';

/** Read by every judgment, or for what they say of places and people beside any rule. */
const alwaysRead: ReadonlySet<string> = new Set([...basicTypes, 'Encounter', 'Communication']);

export function isReadBesideRules(type: string): boolean {
  return alwaysRead.has(type);
}

export interface TouchInput {
  readonly book: RuleBook;
  readonly select: Select;
  readonly places: Places;
  readonly nowMs: number;
}

/** Of a type that the rules name. */
export function touchesJudgments(input: TouchInput, resource: Resource): boolean {
  if (isReadBesideRules(resource.resourceType)) return true;
  return input.book.ruleSets
    .filter(({ mode }) => mode !== 'off')
    .some(({ rules }) => rules.some((rule) => touchesRule(input, rule, resource)));
}

function touchesRule({ select, places, nowMs }: TouchInput, rule: Rule, resource: Resource): boolean {
  const { resourceType } = resource;
  if (!rule.wakes.has(resourceType)) return false;
  if (rule.focusType === resourceType && mayStartOn(rule, resource, { nowMs, place: places.usual })) return true;
  return rule.inputs.some(({ type, query }) => {
    const standing = standingCriteria(query);
    return type === resourceType && (standing === '' || select(type, standing, [resource]).length > 0);
  });
}

/** The criteria that hold for every focus; those with templates may be met by anything. */
function standingCriteria(query: string): string {
  return query
    .split('&')
    .filter((criterion) => !criterion.includes('{{'))
    .join('&');
}
