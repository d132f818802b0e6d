/**
 * Versions of a rule set. A rule set that is put with the same `version` is a correction: it counts at once, for everybody.
 * With another `version` it counts for what begins from now on; what the former one had begun, that one goes on judging,
 * until somebody applies the new one ($apply-version): first as a trial, which says what it would open and close.
 */
import type { Resource } from '../fhir/index.ts';
import type { Change } from '../queue/index.ts';
import { canonicalOf, isRuleSet } from '../rules/index.ts';
import type { Session, Store } from '../store/index.ts';
import { readJudgments, requestAllPatients } from './breaks.sql.ts';
import type { EngineInput } from './engine-input.ts';
import { judgeRecord } from './judge-record.ts';
import { groupOf } from './merged.ts';
import { planOf } from './plan-record.ts';
import { loadRecord } from './record.ts';
import { dropHeld, heldBefore, keepHeld } from './versions.sql.ts';

/** Keeps the version that is replaced, in the transaction that replaces it. */
export async function noteReplaced(
  session: Session,
  { before, after }: { readonly before: Resource | undefined; readonly after: Resource | undefined },
): Promise<void> {
  const plan = before?.id;
  if (plan === undefined || before === undefined || !isRuleSet(before)) return;
  if (!isInForce(after)) return void (await dropHeld(session, plan));
  const canonical = canonicalOf(before);
  // The version that was put again is no former one any more.
  await dropHeld(session, plan, canonicalOf(after));
  if (!isInForce(before) || canonical === canonicalOf(after)) return;
  await keepHeld(session, { plan, canonical, version: Number(before.meta?.versionId ?? 1) });
}

function isInForce(resource: Resource | undefined): resource is Resource {
  return resource !== undefined && isRuleSet(resource) && resource['status'] === 'active';
}

/** Those that concern everybody at once; a new version of a rule set in force concerns nobody until it is applied. */
export async function withoutNewVersions(session: Session, changes: readonly Change[]): Promise<readonly Change[]> {
  const plans = changes.filter(({ type }) => type === 'PlanDefinition');
  if (plans.length === 0) return [];
  const held = await heldBefore(session, plans);
  return plans.filter(({ id, version }) => !held.has(`${id}/${version}`));
}

export interface AppliedVersion {
  /** How many former versions have ended. */
  readonly replaced: number;
}

/** From now on the version in force judges everything; everybody is judged again, and told in digests. */
export async function applyVersion(store: Store, plan: string, nowMs: number): Promise<AppliedVersion> {
  return store.transaction(async (_session, tx) => {
    const replaced = await dropHeld(tx, plan);
    // Whatever is recorded by now was there before.
    await requestAllPatients(tx, nowMs, nowMs + 1);
    return { replaced };
  });
}

export interface Trial {
  /** Rules of the breaks that it would open and close: one entry for each. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** Rules of the breaks that would stay, with another deadline. */
  readonly moved: readonly string[];
}

/** What applying the version would do to this patient's breaks; nothing is written. */
export async function tryVersion(
  input: EngineInput,
  session: Session,
  { plan, patient }: { readonly plan: string; readonly patient: string },
): Promise<Trial> {
  const nowMs = input.clock.now();
  const present = await input.ruleBook(session);
  const book = present.applied(`PlanDefinition/${plan}`);
  const { survivor, members } = present.hasMerges
    ? await groupOf(session, patient)
    : { survivor: patient, members: [] };
  // It is looked at with the survivor.
  if (survivor !== patient) return { opened: [], closed: [], moved: [] };
  const known = await readJudgments(session, patient);
  const record = await loadRecord(session, { patient, members, types: book.types });
  const judged = await judgeRecord(input, session, { record, book, known, nowMs });
  const job = { kind: 'judge', key: patient, runAtMs: nowMs, payload: undefined, stamp: '0', attempts: 0 };
  const { lives, opened, closed } = planOf(input, { record, book, judged, nowMs, job });
  const left = [...opened, ...closed];
  const moved = lives.flatMap(({ rule }) => {
    const at = left.indexOf(rule);
    if (at < 0) return [rule];
    left.splice(at, 1);
    return [];
  });
  return { opened, closed, moved };
}
