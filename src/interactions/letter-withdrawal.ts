/**
 * The sender takes a document back (XDM action D, MDM^T04): its DocumentReference becomes `entered-in-error`, what its body
 * was read into is ended, and nothing is erased. Only the structure that keeps the document may do so, for the same patient.
 */
import type { DocumentReference } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { arrivalSearch, isSameVersion, type LetterPlan } from '../letters/index.ts';
import { endWithdrawn } from './letter-body.ts';
import {
  answerKnown,
  decideBody,
  find,
  type Ingest,
  lockPlan,
  refuse,
  resolveEntries,
  type Stored,
} from './letter-store.ts';
import { onItsOwn, putOf, writeGuarded } from './write.ts';

export async function withdrawPlan(run: Ingest, plan: LetterPlan): Promise<Stored> {
  await lockPlan(run, plan);
  const { system, value } = plan.facts.masterIdentifier;
  const known = (await find(run, arrivalSearch(plan.facts))) as unknown as readonly DocumentReference[];
  const letter = known.find(({ masterIdentifier: other }) => other?.system === system && other?.value === value);
  if (letter === undefined)
    return refuse('unprocessable', [reason('not-found', 'le document à retirer n’est pas connu', '900')]);
  if (letter.status === 'entered-in-error') return answerKnown(run, letter.id ?? '');
  const decided = await decideBody(run, plan);
  const resolved = await resolveEntries(run, decided);
  if (resolved.kind === 'doubt') return refuse('unprocessable', resolved.reasons);
  const reasons = forbidden(plan, letter, resolved.links);
  if (reasons.length > 0) return refuse('unprocessable', reasons);
  const isLatest = decided.former !== undefined && isSameVersion(plan, decided.former.composition as never);
  const ended = isLatest ? endWithdrawn(decided.former, new Set()) : [];
  const resources = [{ ...letter, status: 'entered-in-error' } as unknown as Resource, ...ended];
  await writeGuarded(
    run.context,
    run.session,
    resources.map((one) => putOf(one)),
    onItsOwn,
  );
  return answerKnown(run, letter.id ?? '');
}

function forbidden(plan: LetterPlan, letter: DocumentReference, links: ReadonlyMap<string, string>): readonly Issue[] {
  const own = plan.entries.find(({ resource }) => resource.resourceType === 'DocumentReference')?.resource;
  const linkOf = (name: 'subject' | 'custodian'): string | undefined => {
    const { reference } = (own?.[name] ?? {}) as { reference?: string };
    return reference === undefined ? undefined : (links.get(reference) ?? reference);
  };
  const isOfOther = letter.subject?.reference !== linkOf('subject');
  const isElsewhere = letter.custodian?.reference !== linkOf('custodian');
  return [
    ...(isOfOther ? [reason('conflict', 'le document à retirer concerne un autre patient', '904')] : []),
    ...(isElsewhere ? [reason('forbidden', 'le document à retirer est d’une autre structure', '901')] : []),
  ];
}

function reason(code: string, text: string, diagnostics: string): Issue {
  return { severity: 'error', code, text, expression: '/ClinicalDocument/id', diagnostics };
}
