/**
 * Criteria that must find one resource or none: conditional create, update and delete, conditional references
 * (https://hl7.org/fhir/R4/http.html#ccreate). Whoever asks for the same criteria waits for the end of the transaction
 * that asked first, so that two conditional creates never make two resources.
 */
import { Problem } from '../base/index.ts';
import type { Session, StoredVersion, Visible } from '../store/index.ts';
import type { Context } from './context.ts';
import { searchStored } from './search.ts';

export interface Criteria {
  readonly type: string;
  /** `identifier=system|value&...`, without the leading `?`. */
  readonly criteria: string;
}

/** Locks, then finds: for a transaction with one criterion. */
export async function findMatch(
  context: Context,
  session: Session,
  { visible, ...criteria }: Criteria & { readonly visible: Visible },
): Promise<StoredVersion | undefined> {
  await lockMatches(session, [criteria]);
  return findMatchLocked(context, session, criteria, visible);
}

/** Locks all criteria of a transaction at once, in one order for everybody. */
export async function lockMatches(session: Session, criteria: readonly Criteria[]): Promise<void> {
  if (criteria.length === 0) return;
  await session.lockCriteria(criteria.map((one) => `${one.type}?${readCriteria(one).join('&')}`));
}

/** The one match, or undefined; several are `precondition`, and so is no criterion at all. */
export async function findMatchLocked(
  context: Context,
  session: Session,
  criteria: Criteria,
  visible: Visible,
): Promise<StoredVersion | undefined> {
  const parameters = [...new URLSearchParams(criteria.criteria)];
  const matches = await searchStored(context, session, { type: criteria.type, parameters, visible, limit: 2 });
  if (matches.length > 1) throw new Problem('precondition', `the criteria find more than one ${criteria.type}`);
  return matches[0];
}

/** The criteria as sorted `name=value`, so that the same ones in another order meet on the same lock. */
function readCriteria({ criteria }: Criteria): readonly string[] {
  const pairs = [...new URLSearchParams(criteria)].filter(([name]) => !name.startsWith('_format'));
  if (pairs.length === 0) throw new Problem('precondition', 'criteria are missing: a condition must name a parameter');
  return pairs.map(([name, value]) => `${name}=${value}`).sort();
}
