/**
 * A letter that is here comes again in an envelope that masks it. Its bytes change nothing; what the envelope forbids to show
 * counts from now on for all that the letter has left, as it would had this envelope come first. Masks are never taken away so.
 */
import type { Coding, DocumentReference } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import { type LetterPlan, masksIn, type PlanEntry } from '../letters/index.ts';
import { everything } from '../store/index.ts';
import type { Ingest } from './letter-store.ts';
import { searchResources } from './search.ts';
import { onItsOwn, putOf, writeGuarded } from './write.ts';

/** More than one letter leaves of one type. */
const madeMax = 1_000;

/** `id`: of the DocumentReference that is known. */
export async function addMasks(run: Ingest, plan: LetterPlan, id: string): Promise<void> {
  const asked = plan.entries.find(({ resource }) => resource.resourceType === 'DocumentReference');
  const stored = await run.session.read('DocumentReference', id, everything);
  if (asked === undefined || stored === undefined) return;
  const letter = JSON.parse(stored.raw) as DocumentReference;
  const there = masksIn(letter).map(({ code }) => code);
  const masks = masksIn(asked.resource as unknown as DocumentReference).filter(({ code }) => !there.includes(code));
  if (masks.length === 0) return;
  const masked = {
    ...letter,
    securityLabel: [...(letter.securityLabel ?? []), ...masks.map((one) => ({ coding: [one] }))],
  };
  const others = await madeOf(run, plan);
  const resources = [masked as unknown as Resource, ...others.filter((one) => one.id !== id)];
  await writeGuarded(
    run.context,
    run.session,
    resources.map((one) => putOf(withMasks(one, masks))),
    onItsOwn,
  );
}

/** What was made of this letter and bears its labels; what a later version has changed since bears those of that one. */
async function madeOf({ context, session }: Ingest, { entries, facts }: LetterPlan): Promise<readonly Resource[]> {
  const labelled = entries.filter(isLabelled);
  const source = labelled[0]?.resource.meta?.source;
  if (source === undefined) return [];
  const types = new Set(labelled.map(({ resource }) => resource.resourceType).filter((type) => type !== 'Binary'));
  const found: Resource[] = [];
  for (const type of types) {
    const parameters = [['_source', source]] as const;
    found.push(...(await searchResources(context, session, { type, parameters, visible: everything, limit: madeMax })));
  }
  const bytes = await session.read('Binary', facts.sha256, everything);
  return bytes === undefined || bytes.isDeleted ? found : [...found, JSON.parse(bytes.raw) as Resource];
}

function isLabelled({ resource }: PlanEntry): boolean {
  return resource.meta?.security !== undefined;
}

function withMasks(resource: Resource, masks: readonly Coding[]): Resource {
  const before = (resource.meta?.security ?? []) as readonly Coding[];
  const added = masks.filter(({ code }) => !before.some((one) => one.code === code));
  return { ...resource, meta: { ...resource.meta, security: [...before, ...added] } } as Resource;
}
