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
import { textOfRules } from './fixtures.ts';
import { hasMerges } from './merged.sql.ts';
import { readHeld } from './versions.sql.ts';

export interface RuleBook {
  readonly ruleSets: readonly RuleSet[];
  /** Versions that a newer one replaced and that is not applied yet (versions.ts). */
  readonly former: readonly RuleSet[];
  readonly overrides: readonly Override[];
  /** Those that somebody else wrote: they are judged in a thread of their own (isolation.ts). */
  readonly outside: ReadonlySet<RuleSet>;
  /** What they and the former ones were read from. */
  readonly texts: ReadonlyMap<RuleSet, string>;
  /** Whether any patients are merged, or were until just now (merged.ts). */
  readonly hasMerges: boolean;
  /** Types that a judgment reads. */
  readonly types: ReadonlySet<string>;
  rule(code: string): { readonly rule: Rule; readonly ruleSet: RuleSet } | undefined;
  /** `PlanDefinition/id` of the rule set in force that has the rule. */
  holder(code: string): string | undefined;
  /** As if the versions that the plan replaced had ended. */
  applied(plan: string): RuleBook;
}

export interface StoredRuleSet {
  /** `PlanDefinition/id` */
  readonly reference?: string;
  readonly ruleSet: RuleSet;
  readonly text?: string;
  readonly isOutside?: boolean;
}

/** Whether a PlanDefinition is one of this server's own, unchanged (shipped.ts). */
export type IsOwn = (resource: Resource) => boolean;

interface BookSetting {
  readonly setting: RuleSetting;
  readonly isOwn: IsOwn;
  readonly log: Log;
}

export function createRuleBooks(setting: RuleSetting, isOwn: IsOwn, log: Log): (session: Session) => Promise<RuleBook> {
  const reading = { setting, isOwn, log };
  let stamp: string | undefined;
  let book: RuleBook = bindBook([], []);
  return async (session) => {
    const found = await ruleSetStamp(session);
    if (found === stamp) return book;
    const ruleSets = withoutDoubles(await readRuleSets(session, reading), log);
    const former = await readFormer(session, reading);
    book = { ...bindBook(ruleSets, await readOverrides(session, log), former), hasMerges: await hasMerges(session) };
    stamp = found;
    return book;
  };
}

async function readRuleSets(session: Session, reading: BookSetting): Promise<readonly StoredRuleSet[]> {
  const stored = await session.readMany(await ruleSetReferences(session), everything);
  return [...stored]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap(({ id, raw }) => readStored(`PlanDefinition/${id}`, raw, reading));
}

/** Out of the history; one that can no longer be read judges no more. */
async function readFormer(session: Session, reading: BookSetting): Promise<readonly StoredRuleSet[]> {
  const held = await readHeld(session);
  const found: StoredRuleSet[] = [];
  for (const { plan, version } of held) {
    const stored = await session.readVersion('PlanDefinition', plan, version, everything);
    if (stored !== undefined && !stored.isDeleted)
      found.push(...readStored(`PlanDefinition/${plan}`, stored.raw, reading));
  }
  return found;
}

function readStored(reference: string, raw: string, { setting, isOwn, log }: BookSetting): readonly StoredRuleSet[] {
  const resource = JSON.parse(raw) as Resource;
  if (!isRuleSet(resource)) return [];
  const reading = readRuleSet(resource, setting);
  if (reading.kind === 'ok') {
    const { ruleSet } = reading;
    return [{ reference, ruleSet, text: textOfRules(resource), isOutside: !isOwn(resource) }];
  }
  log.error(
    { component: 'rules', resource: reference, count: reading.issues.length },
    'a stored rule set cannot be read',
  );
  return [];
}

/**
 * A rule counts once: judged twice it would raise its breaks twice, and no judgment could be kept. The guard refuses such a
 * rule set; two that were written at the same moment are told apart here, the first by id counts.
 */
function withoutDoubles(stored: readonly StoredRuleSet[], log: Log): readonly StoredRuleSet[] {
  const seen = new Set<string>();
  return stored
    .filter(({ ruleSet }) => ruleSet.mode !== 'off')
    .map((one) => {
      const { reference, ruleSet } = one;
      const rules = ruleSet.rules.filter(({ code }) => !seen.has(code));
      const count = ruleSet.rules.length - rules.length;
      if (count > 0)
        log.error(
          { component: 'rules', resource: reference ?? 'PlanDefinition', count },
          'rules of another rule set are left out',
        );
      for (const { code } of rules) seen.add(code);
      return { ...one, ruleSet: { ...ruleSet, rules } };
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

export function bindBook(
  stored: readonly StoredRuleSet[],
  overrides: readonly Override[] = [],
  formerly: readonly StoredRuleSet[] = [],
): RuleBook {
  const ruleSets = stored.map(({ ruleSet }) => ruleSet);
  const former = formerly.map(({ ruleSet }) => ruleSet);
  const all = [...stored, ...formerly];
  const rules = new Map(
    [...formerly, ...stored].flatMap(({ reference, ruleSet }) =>
      ruleSet.rules.map((rule) => [rule.code, { rule, ruleSet, reference }]),
    ),
  );
  const holders = new Map(
    stored.flatMap(({ reference, ruleSet }) => ruleSet.rules.map(({ code }) => [code, reference])),
  );
  return {
    ruleSets,
    former,
    overrides,
    hasMerges: false,
    outside: new Set(all.flatMap(({ ruleSet, isOutside }) => (isOutside === true ? [ruleSet] : []))),
    texts: new Map(all.flatMap(({ ruleSet, text }) => (text === undefined ? [] : [[ruleSet, text]]))),
    types: typesOfRules([...ruleSets, ...former]),
    rule: (code) => rules.get(code),
    holder: (code) => holders.get(code),
    applied: (plan) =>
      bindBook(
        stored,
        overrides,
        formerly.filter(({ reference }) => reference !== plan),
      ),
  };
}

/** Types that judgments by these rule sets read. */
export function typesOfRules(ruleSets: readonly RuleSet[]): ReadonlySet<string> {
  return new Set(ruleSets.flatMap(({ rules }) => rules.flatMap((rule) => [rule.focusType, ...rule.wakes])));
}
