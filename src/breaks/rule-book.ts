/**
 * The rule sets in force: PlanDefinitions of type eca-rule in the store, compiled once and compiled again when one of
 * them has changed. Each instance keeps its own; what it holds is checked against the store before every judgment, so
 * that a rule set that was just put or retired counts at once, on every instance.
 */
import type { Log } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { isRuleSet, type Rule, readRuleSet, type RuleSet, type RuleSetting } from '../rules/index.ts';
import { everything, type Session } from '../store/index.ts';
import { ruleSetReferences, ruleSetStamp } from './breaks.sql.ts';

export interface RuleBook {
  readonly ruleSets: readonly RuleSet[];
  /** Types that a judgment reads. */
  readonly types: ReadonlySet<string>;
  rule(code: string): { readonly rule: Rule; readonly ruleSet: RuleSet } | undefined;
}

export function createRuleBooks(setting: RuleSetting, log: Log): (session: Session) => Promise<RuleBook> {
  let stamp: string | undefined;
  let book: RuleBook = bindBook([]);
  return async (session) => {
    const found = await ruleSetStamp(session);
    if (found === stamp) return book;
    book = bindBook(await readRuleSets(session, setting, log));
    stamp = found;
    return book;
  };
}

async function readRuleSets(session: Session, setting: RuleSetting, log: Log): Promise<readonly RuleSet[]> {
  const stored = await session.readMany(await ruleSetReferences(session), everything);
  return [...stored]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap(({ id, raw }) => {
      const resource = JSON.parse(raw) as Resource;
      if (!isRuleSet(resource)) return [];
      const reading = readRuleSet(resource, setting);
      if (reading.kind === 'ok') return [reading.ruleSet];
      log.error(
        { component: 'rules', resource: `PlanDefinition/${id}`, count: reading.issues.length },
        'a stored rule set cannot be read',
      );
      return [];
    });
}

function bindBook(ruleSets: readonly RuleSet[]): RuleBook {
  const inForce = ruleSets.filter(({ mode }) => mode !== 'off');
  const rules = new Map(inForce.flatMap((ruleSet) => ruleSet.rules.map((rule) => [rule.code, { rule, ruleSet }])));
  const types = new Set(inForce.flatMap(({ rules: own }) => own.flatMap((rule) => [rule.focusType, ...rule.wakes])));
  return { ruleSets: inForce, types, rule: (code) => rules.get(code) };
}
