/** What a letter is to the letters that the store has already: new, known, in conflict; and which ones it replaces. */
import type { DocumentReference } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import { versionExtension, versionIn } from './document-reference.ts';
import { type CandidateSearch, identifierSearch, type LetterFacts } from './plan.ts';

export type Arrival =
  | { readonly kind: 'new' }
  /** Same identifier, same bytes: nothing changes. */
  | { readonly kind: 'known'; readonly id: string }
  /** Same identifier, other bytes: refused to review. */
  | { readonly kind: 'conflict'; readonly id: string; readonly reasons: readonly Issue[] };

export function arrivalSearch({ masterIdentifier }: LetterFacts): CandidateSearch {
  return identifierSearch('DocumentReference', [masterIdentifier]);
}

export function decideArrival(facts: LetterFacts, candidates: readonly DocumentReference[]): Arrival {
  const { system, value } = facts.masterIdentifier;
  const same = candidates.filter(
    (candidate) =>
      (candidate.masterIdentifier?.system === system && candidate.masterIdentifier?.value === value) ||
      isOrigin(candidate, facts),
  );
  const known = same.find((candidate) => hasSameBytes(facts, candidate));
  if (known !== undefined) return { kind: 'known', id: known.id ?? '' };
  const other = same[0];
  if (other === undefined) return { kind: 'new' };
  const text = 'un document du même identifiant est connu, avec un autre contenu';
  const reason: Issue = { severity: 'error', code: 'duplicate', text, expression: '/ClinicalDocument/id' };
  return { kind: 'conflict', id: other.id ?? '', reasons: [reason] };
}

/** A document without an identifier of its own, which went out of here and comes back. */
function isOrigin({ id, masterIdentifier }: DocumentReference, { origin }: LetterFacts): boolean {
  return masterIdentifier === undefined && origin?.endsWith(`/DocumentReference/${id}`) === true;
}

/** By SHA-256 where the Binary bears it; by SHA-1 and size where the document came in another way. */
function hasSameBytes({ sha1, sha256, size }: LetterFacts, { content }: DocumentReference): boolean {
  return content.some(({ attachment: { url, hash, size: bytes } }) => {
    const binary = /(?:^|\/)Binary\/([0-9a-f]{64})$/.exec(url ?? '')?.[1];
    return binary === undefined ? hash === sha1 && bytes === size : binary === sha256;
  });
}

export type Replacement =
  /** The former becomes `superseded`, in the commit that stores the letter. */
  | { readonly kind: 'supersedes'; readonly id: string }
  /** The former is not here: the letter is taken, and a later arrival of the former will find itself replaced. */
  | { readonly kind: 'former-unknown' }
  | { readonly kind: 'refused'; readonly reasons: readonly Issue[] };

export function replacementSearches({ replaces }: LetterFacts): readonly CandidateSearch[] {
  return replaces.map((identifier) => identifierSearch('DocumentReference', [identifier]));
}

/** Only the latest version is replaced, by a later one, about the same patient, from the same keeper (codes 900, 901). */
export function decideReplacement(
  facts: LetterFacts,
  former: DocumentReference | undefined,
  letter: { readonly patient: string | undefined; readonly custodian: string | undefined },
): Replacement {
  if (former === undefined) return { kind: 'former-unknown' };
  const isLater = facts.versionNumber === undefined || facts.versionNumber > (versionIn(former, versionExtension) ?? 0);
  const demands: readonly (readonly [isMet: boolean, code: string, text: string, business: string])[] = [
    [former.subject?.reference === letter.patient, 'conflict', 'le document remplacé concerne un autre patient', '904'],
    [
      former.custodian?.reference === letter.custodian,
      'forbidden',
      'le document remplacé est d’une autre structure',
      '901',
    ],
    [former.status === 'current', 'conflict', 'le document remplacé l’a déjà été', '900'],
    [isLater, 'conflict', 'la version n’est pas plus récente que celle qu’elle remplace', '900'],
  ];
  const expression = '/ClinicalDocument/relatedDocument/parentDocument/id';
  const reasons = demands
    .filter(([isMet]) => !isMet)
    .map(([, code, text, diagnostics]): Issue => ({ severity: 'error', code, text, expression, diagnostics }));
  return reasons.length > 0 ? { kind: 'refused', reasons } : { kind: 'supersedes', id: former.id ?? '' };
}
