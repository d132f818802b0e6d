/**
 * The body of a letter over its versions: what the former version was read into, whether this version may change it, and what it
 * ends. The rules are in `letters/derived.ts`; here they are held against the store.
 */
import type { Resource } from '../fhir/index.ts';
import { derivedOf, endDerived, isOutdated, type LetterPlan, type PlanEntry } from '../letters/index.ts';
import { everything, type Session } from '../store/index.ts';

export interface FormerBody {
  readonly composition: Resource;
  readonly derived: readonly Resource[];
}

function isOfBody({ match }: PlanEntry): boolean {
  return match.kind === 'derived' || match.kind === 'composition' || match.kind === 'provenance';
}

/** The plan without what its body says: a later version of the letter has spoken. */
export function withoutBody(plan: LetterPlan): LetterPlan {
  return { ...plan, entries: plan.entries.filter((entry) => !isOfBody(entry)) };
}

export function compositionOf(plan: LetterPlan): PlanEntry | undefined {
  return plan.entries.find(({ match }) => match.kind === 'composition');
}

/** `found`: what the search for the Composition of this letter gave. */
export async function readFormer(session: Session, found: readonly Resource[]): Promise<FormerBody | undefined> {
  const composition = found.find(({ resourceType }) => resourceType === 'Composition');
  if (composition === undefined) return undefined;
  const stored = await session.readMany(derivedOf(composition as never), everything);
  const derived = stored.filter(({ isDeleted }) => !isDeleted).map(({ raw }) => JSON.parse(raw) as Resource);
  return { composition, derived };
}

export function isBodyOutdated(plan: LetterPlan, former: FormerBody | undefined): boolean {
  const composition = compositionOf(plan);
  return composition !== undefined && isOutdated(composition.resource as never, former?.composition as never);
}

/** Next versions of what the former version said and this one does not; `kept`: references of what it says. */
export function endWithdrawn(former: FormerBody | undefined, kept: ReadonlySet<string>): readonly Resource[] {
  return (former?.derived ?? [])
    .filter(({ resourceType, id }) => !kept.has(`${resourceType}/${id}`))
    .flatMap((resource) => endDerived(resource) ?? []);
}

/** The Provenance with what this version has ended among its targets. */
export function withTargets(provenance: Resource, ended: readonly Resource[]): Resource {
  const more = ended.map(({ resourceType, id }) => ({ reference: `${resourceType}/${id}` }));
  return { ...provenance, target: [...(provenance['target'] as object[]), ...more] };
}
