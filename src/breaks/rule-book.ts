/**
 * The rule sets in force: PlanDefinitions of type eca-rule in the store, compiled once and compiled again when one of
 * them has changed. Each instance keeps its own; what it holds is checked against the store before every judgment, so
 * that a rule set that was just put or retired counts at once, on every instance.
 */
import type { Log } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import {
  isOverride,
  isRuleSet,
  type Override,
  type Rule,
  readOverride,
  readRuleSet,
  type RuleSet,
  type RuleSetting,
} from '../rules/index.ts';
import { everything, type Session } from '../store/index.ts';
import { overrideReferences, ruleSetReferences, ruleSetStamp } from './breaks.sql.ts';

export interface RuleBook {
  readonly ruleSets: readonly RuleSet[];
  readonly overrides: readonly Override[];
  /** Types that a judgment reads. */
  readonly types: ReadonlySet<string>;
  rule(code: string): { readonly rule: Rule; readonly ruleSet: RuleSet } | undefined;
  /** `PlanDefinition/id` of the rule set in force that has the rule. */
  holder(code: string): string | undefined;
}

interface StoredRuleSet {
  readonly reference: string;
  readonly ruleSet: RuleSet;
}

export function createRuleBooks(setting: RuleSetting, log: Log): (session: Session) => Promise<RuleBook> {
  let stamp: string | undefined;
  let book: RuleBook = bindBook([], []);
  return async (session) => {
    const found = await ruleSetStamp(session);
    if (found === stamp) return book;
    const ruleSets = withoutDoubles(await readRuleSets(session, setting, log), log);
    book = bindBook(ruleSets, await readOverrides(session, log));
    stamp = found;
    return book;
  };
}

async function readRuleSets(session: Session, setting: RuleSetting, log: Log): Promise<readonly StoredRuleSet[]> {
  const stored = await session.readMany(await ruleSetReferences(session), everything);
  return [...stored]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap(({ id, raw }) => {
      const resource = JSON.parse(raw) as Resource;
      if (!isRuleSet(resource)) return [];
      const reading = readRuleSet(resource, setting);
      if (reading.kind === 'ok') return [{ reference: `PlanDefinition/${id}`, ruleSet: reading.ruleSet }];
      log.error(
        { component: 'rules', resource: `PlanDefinition/${id}`, count: reading.issues.length },
        'a stored rule set cannot be read',
      );
      return [];
    });
}

/**
 * A rule counts once: judged twice it would raise its breaks twice, and no judgment could be kept. The guard refuses such a
 * rule set; two that were written at the same moment are told apart here, the first by id counts.
 */
function withoutDoubles(stored: readonly StoredRuleSet[], log: Log): readonly StoredRuleSet[] {
  const seen = new Set<string>();
  return stored
    .filter(({ ruleSet }) => ruleSet.mode !== 'off')
    .map(({ reference, ruleSet }) => {
      const rules = ruleSet.rules.filter(({ code }) => !seen.has(code));
      const count = ruleSet.rules.length - rules.length;
      if (count > 0)
        log.error({ component: 'rules', resource: reference, count }, 'rules of another rule set are left out');
      for (const { code } of rules) seen.add(code);
      return { reference, ruleSet: { ...ruleSet, rules } };
    });
}

/** Read by what they are now; one that can no longer be read sets nothing. */
async function readOverrides(session: Session, log: Log): Promise<readonly Override[]> {
  const stored = await session.readMany(await overrideReferences(session), everything);
  const byTime = [...stored].sort(
    (a, b) => a.lastUpdated.getTime() - b.lastUpdated.getTime() || (a.id < b.id ? -1 : 1),
  );
  return byTime.flatMap(({ id, raw }) => {
    const resource = JSON.parse(raw) as Resource;
    if (!isOverride(resource)) return [];
    const reading = readOverride(resource);
    if (reading.kind === 'ok') return [reading.override];
    log.error({ component: 'rules', resource: `Basic/${id}` }, 'stored parameters of rules cannot be read');
    return [];
  });
}

export function bindBook(stored: readonly StoredRuleSet[], overrides: readonly Override[] = []): RuleBook {
  const ruleSets = stored.map(({ ruleSet }) => ruleSet);
  const rules = new Map(
    stored.flatMap(({ reference, ruleSet }) => ruleSet.rules.map((rule) => [rule.code, { rule, ruleSet, reference }])),
  );
  const types = new Set(ruleSets.flatMap(({ rules: own }) => own.flatMap((rule) => [rule.focusType, ...rule.wakes])));
  return {
    ruleSets,
    overrides,
    types,
    rule: (code) => rules.get(code),
    holder: (code) => rules.get(code)?.reference,
  };
}
