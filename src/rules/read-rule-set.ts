/**
 * A PlanDefinition of type `eca-rule` read as a rule set (design.md section 2). The resource is already valid R4; here
 * every fault of its meaning is named with its place: paths that do not exist, variables that are not bound, queries
 * that cannot be searched, delays that no calendar counts.
 */
import type { PlanDefinition } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { readRule, readText } from './read-rule.ts';
import { createFaults, type Faults, type RuleSetting } from './reading.ts';
import type { Rule, RuleSet } from './rule.ts';

export type RuleSetReading =
  | { readonly kind: 'ok'; readonly ruleSet: RuleSet }
  | { readonly kind: 'faults'; readonly issues: readonly Issue[] };

const rulesMax = 100;

/** Whether the resource claims to be a rule set: other PlanDefinitions (order sets, protocols) are none of ours. */
export function isRuleSet(resource: Resource): boolean {
  if (resource.resourceType !== 'PlanDefinition') return false;
  const codings = (resource as unknown as PlanDefinition).type?.coding ?? [];
  return codings.some((coding) => coding.code === 'eca-rule');
}

export function readRuleSet(resource: Resource, setting: RuleSetting): RuleSetReading {
  const plan = resource as unknown as PlanDefinition;
  const canonical = canonicalOf(resource);
  const faults = createFaults();
  if (!isRuleSet(resource)) faults.add('PlanDefinition.type', 'a rule set has the type eca-rule');
  const actions = plan.action ?? [];
  if (actions.length === 0) faults.add('PlanDefinition.action', 'a rule set has at least one rule', 'required');
  if (actions.length > rulesMax)
    faults.add('PlanDefinition.action', `a rule set has at most ${rulesMax} rules`, 'too-costly');
  const rules = actions.slice(0, rulesMax).map((action, index) => {
    const place = `PlanDefinition.action[${index}]`;
    return { place, rule: readRule(action, { ...setting, place, faults }) };
  });
  refuseDuplicates(rules, faults);
  if (faults.issues.length > 0) return { kind: 'faults', issues: faults.issues };
  return {
    kind: 'ok',
    ruleSet: {
      canonical,
      title: readText(plan.title, plan._title) ?? { fr: canonical, en: canonical },
      mode: modeOf(plan),
      rules: rules.flatMap(({ rule }) => rule ?? []),
    },
  };
}

function refuseDuplicates(rules: readonly { place: string; rule: Rule | undefined }[], faults: Faults): void {
  const seen = new Set<string>();
  for (const { place, rule } of rules) {
    if (rule === undefined) continue;
    // One rule may start from resources of several types: an action for each, with the same code.
    const key = `${rule.code} ${rule.focusType}`;
    if (seen.has(key))
      faults.add(`${place}.code`, `the rule ${rule.code} is there twice on ${rule.focusType}`, 'duplicate');
    seen.add(key);
  }
}

/** `url|version`, as DetectedIssue.reference carries it. */
export function canonicalOf(ruleSet: Resource): string {
  const plan = ruleSet as unknown as PlanDefinition;
  const url = plan.url ?? `PlanDefinition/${plan.id ?? ''}`;
  return plan.version === undefined ? url : `${url}|${plan.version}`;
}

function modeOf(plan: PlanDefinition): RuleSet['mode'] {
  if (plan.status === 'active') return 'active';
  return plan.status === 'draft' && plan.experimental === true ? 'shadow' : 'off';
}
