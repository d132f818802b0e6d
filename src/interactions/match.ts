/**
 * Criteria that must find one resource or none: conditional create, update, patch and delete, conditional references
 * (https://hl7.org/fhir/R4/http.html#ccreate). Whoever asks for the same criteria waits for the end of the transaction
 * that asked first, so that two conditional creates never make two resources.
 *
 * Inside a transaction Bundle what the entries before have done counts too (`Draft`), though nothing is written yet: what
 * they delete or change is no longer found as it was, what they make is found.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { createPredicate, parseSearch, type Predicate } from '../search/index.ts';
import type { Session, StoredVersion, Visible } from '../store/index.ts';
import type { Context } from './context.ts';
import { searchStored } from './search.ts';

export interface Criteria {
  readonly type: string;
  /** `identifier=system|value&...`, without the leading `?`. */
  readonly criteria: string;
}

/** What a transaction will have done: by `Type/id`, undefined where it deletes. */
export type Draft = ReadonlyMap<string, Resource | undefined>;

export interface Match {
  readonly type: string;
  readonly id: string;
  /** Absent for what this transaction makes itself. */
  readonly stored?: StoredVersion;
}

export interface MatchSetting {
  readonly visible: Visible;
  readonly draft?: Draft;
}

/** Locks all criteria of a transaction at once, in one order for everybody. */
export async function lockMatches(session: Session, criteria: readonly Criteria[]): Promise<void> {
  if (criteria.length === 0) return;
  await session.lockCriteria(criteria.map((one) => `${one.type}?${readCriteria(one).join('&')}`));
}

/** The one match, or undefined; several are `precondition`, and so is no criterion at all. Call it under the lock. */
export async function findMatch(
  context: Context,
  session: Session,
  criteria: Criteria,
  setting: MatchSetting,
): Promise<Match | undefined> {
  const [match, other] = await findMatches(context, session, criteria, { ...setting, limit: 2 });
  if (other !== undefined) throw new Problem('precondition', `the criteria find more than one ${criteria.type}`);
  return match;
}

/** Up to `limit` matches. */
export async function findMatches(
  context: Context,
  session: Session,
  { type, criteria }: Criteria,
  { visible, draft = new Map(), limit }: MatchSetting & { readonly limit: number },
): Promise<readonly Match[]> {
  readCriteria({ type, criteria });
  const parameters = [...new URLSearchParams(criteria)];
  const touched = [...draft.keys()].filter((reference) => reference.startsWith(`${type}/`));
  const stored = await searchStored(context, session, { type, parameters, visible, limit: limit + touched.length });
  const untouched = stored.filter(({ id }) => !draft.has(`${type}/${id}`));
  const matches = untouched.map((one): Match => ({ type, id: one.id, stored: one }));
  return [...matches, ...findDrafted(context, { type, parameters, draft, touched })].slice(0, limit);
}

interface DraftedInput {
  readonly type: string;
  readonly parameters: readonly (readonly [string, string])[];
  readonly draft: Draft;
  readonly touched: readonly string[];
}

function findDrafted(context: Context, { type, parameters, draft, touched }: DraftedInput): readonly Match[] {
  const drafted = touched.flatMap((reference) => draft.get(reference) ?? []);
  if (drafted.length === 0) return [];
  const predicate = predicateOf(context, type, parameters);
  return drafted.filter((resource) => predicate(resource)).map(({ id = '' }): Match => ({ type, id }));
}

/** Criteria that follow references ask about other resources: what is not stored yet does not meet them. */
function predicateOf(context: Context, type: string, parameters: DraftedInput['parameters']): Predicate {
  const search = parseSearch(context.search, type, parameters, { now: context.clock.now() });
  try {
    return createPredicate(context.search, search);
  } catch (error) {
    if (error instanceof Problem && error.category === 'unsupported-parameter') return () => false;
    throw error;
  }
}

/** Parameters that say how an answer is given are no criteria. */
const noCriteria: ReadonlySet<string> = new Set([
  '_format',
  '_pretty',
  '_summary',
  '_elements',
  '_count',
  '_sort',
  '_total',
]);

/** The criteria as sorted `name=value`, so that the same ones in another order meet on the same lock. */
function readCriteria({ criteria }: Criteria): readonly string[] {
  const pairs = [...new URLSearchParams(criteria)].filter(([name]) => !noCriteria.has(name));
  if (pairs.length === 0) throw new Problem('precondition', 'criteria are missing: a condition must name a parameter');
  if (pairs.some(([, value]) => value === '')) throw new Problem('precondition', 'a criterion has no value');
  return pairs.map(([name, value]) => `${name}=${value}`).sort();
}
