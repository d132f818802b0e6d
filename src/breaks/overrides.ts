/**
 * Parameters of rules that people set (rules/overrides.ts), as they are written: refused when no rule can use them, noted
 * when they change, so that the book of rules reads them anew.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Change } from '../queue/index.ts';
import { findOverrideFaults, isOverride, readOverride } from '../rules/index.ts';
import { everything, type Session } from '../store/index.ts';
import { keepOverrides, knownOverrides } from './breaks.sql.ts';
import type { GuardedWrite } from './guards.ts';
import type { RuleBook } from './rule-book.ts';

/** Refuses parameters that cannot be read, or that no rule in force can use. */
export function checkOverride({ after }: GuardedWrite, book: RuleBook): void {
  if (after === undefined || !isOverride(after)) return;
  const reading = readOverride(after);
  const rules = book.ruleSets.flatMap((ruleSet) => ruleSet.rules);
  const issues = reading.kind === 'faults' ? reading.issues : findOverrideFaults(reading.override, rules);
  if (issues.length > 0) throw new Problem('unprocessable', 'the parameters of rules have faults', { issues });
}

/** Whether one of the changes sets, changes or withdraws parameters; the Basics concerned are noted. */
export async function noteOverrides(session: Session, changes: readonly Change[]): Promise<boolean> {
  const ids = [...new Set(changes.filter(({ type }) => type === 'Basic').map(({ id }) => id))];
  if (ids.length === 0) return false;
  const stored = await session.readMany(
    ids.map((id) => `Basic/${id}`),
    everything,
  );
  const setting = stored.filter(({ raw }) => isOverride(JSON.parse(raw) as Resource)).map(({ id }) => id);
  if (setting.length > 0) await keepOverrides(session, setting);
  return setting.length > 0 || (await knownOverrides(session, ids)).length > 0;
}
