/**
 * What a letter asks the store to hold: resources that point at each other by temporary `urn:uuid` names, in an order
 * in which each points only backwards (Binary alone points forward to the DocumentReference, to which it belongs; what was
 * read from the body comes after it), and for each the rule that says whether the store has it already. Whoever stores it goes through the entries once: search
 * the candidates, let `matchEntry` decide, replace the name by the reference found or made; then one commit.
 */
import type { Identifier } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { XdmDocument } from '../formats/index.ts';

export interface PlanEntry {
  /** `urn:uuid:` and an id that the resource may keep. */
  readonly fullUrl: string;
  readonly resource: Resource;
  readonly match: MatchRule;
  /** Of a Binary: its data, which the resource does not repeat. */
  readonly content?: Uint8Array;
}

/** A search whose results may be the resource; values that are `urn:uuid:` names stand for references to be filled in. */
export interface CandidateSearch {
  readonly type: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

export type MatchKind =
  | 'organization'
  | 'practitioner'
  | 'practitioner-role'
  | 'patient'
  | 'encounter'
  /** Of a hospital's own messages (`admission/match.ts`). */
  | 'admitted-patient'
  | 'admitted-stay';

export type MatchRule =
  /** Stored under its own id, which is the hash of its bytes; there already = the same. */
  | { readonly kind: 'content' }
  /** Always new; `decideArrival` has said so before. */
  | { readonly kind: 'new' }
  /** Read from the body: found again by its key among what the Composition of the former version names (`derived.ts`). */
  | { readonly kind: 'derived' }
  | { readonly kind: 'composition'; readonly searches: readonly CandidateSearch[] }
  /** From what was read of the body to this version; left out with it. */
  | { readonly kind: 'provenance' }
  | { readonly kind: MatchKind; readonly searches: readonly CandidateSearch[] };

/** What is said about a letter without refusing it. `code` is from the CodeSystem letter-finding. */
export interface Finding {
  readonly code: string;
  readonly severity: 'warning' | 'information';
  readonly text: string;
  /** XPath in the letter. */
  readonly expression?: string;
}

/** What tells one letter from another before anything of it is stored. */
export interface LetterFacts {
  /** DocumentReference.masterIdentifier. */
  readonly masterIdentifier: Required<Pick<Identifier, 'system' | 'value'>>;
  readonly versionNumber: number | undefined;
  /** Master identifiers of the documents it replaces. */
  readonly replaces: readonly { readonly system: string; readonly value: string }[];
  readonly size: number;
  /** Base64, as Attachment.hash. */
  readonly sha1: string;
  /** Hex; also the id of the Binary. */
  readonly sha256: string;
  /** URL of the DocumentReference from which the carrier was made. */
  readonly origin?: string;
  /** `urn:uuid:` by which archives name the document to each other, in place of its own identifier. */
  readonly entryUuid?: string;
}

/** What the carrier says of the document that it carries. */
export interface LetterClaims {
  /** `root`, or `root^extension`. */
  readonly uniqueId: string | undefined;
  /** HL7 CX. */
  readonly patientId: string | undefined;
  readonly typeCode: string | undefined;
  /** FHIR date. */
  readonly birthDate?: string | undefined;
  /** The document replaces another: its id, as `uniqueId`; '' = the carrier does not say which. */
  readonly replaces?: string | undefined;
  /** Where the claims stand, for the reasons of a doubt. */
  readonly from: string;
}

/** What a mail says of its letters by hand: compared and told, never trusted. */
export interface LetterHints {
  /** X-MSS-CODECDA. */
  readonly codes: readonly string[];
  /** X-MSS-INS. */
  readonly isInsQualified: boolean | undefined;
  /** FHIR date, from the subject. */
  readonly birthDate: string | undefined;
}

export interface LetterSettings {
  /** IANA zone of times without offset, and of the days by which stays are told apart. */
  readonly zone: string;
  /** Ids of the new resources; called in a fixed order. */
  readonly newId: () => string;
  /** Instant at which the letter came in. */
  readonly receivedAt: string;
  /** Visibility codes that the carrier gave beside the document (HL7 v2 flags, XDS metadata). */
  readonly visibility?: readonly string[];
  readonly claims?: LetterClaims;
  readonly hints?: LetterHints;
  /** What the archive says of the document, for one that is no CDA. */
  readonly metadata?: XdmDocument;
}

export interface LetterPlan {
  readonly facts: LetterFacts;
  readonly entries: readonly PlanEntry[];
  /** Also on the DocumentReference. */
  readonly findings: readonly Finding[];
}

export type LetterResult =
  | { readonly kind: 'letter'; readonly plan: LetterPlan }
  | { readonly kind: 'review'; readonly reasons: readonly Issue[] };

/** Searches by any of the identifiers, in raw and in national form. */
export function identifierSearch(type: string, identifiers: readonly Identifier[]): CandidateSearch {
  const values = identifiers.flatMap(({ system, value }) =>
    value === undefined ? [] : `${system}|${escapeToken(value)}`,
  );
  return { type, parameters: [['identifier', values.join(',')]] };
}

/** https://hl7.org/fhir/R4/search.html#escaping */
function escapeToken(value: string): string {
  return value.replace(/[\\,$|]/g, '\\$&');
}

/** Whether letters that came together are of several patients: no identifier of one is among those of the first. */
export function patientsDiffer(plans: readonly LetterPlan[]): boolean {
  const [first = [], ...others] = plans.map(identifiersOfPatient);
  return others.some((identifiers) => !identifiers.some((one) => first.includes(one)));
}

function identifiersOfPatient({ entries }: LetterPlan): string[] {
  const patient = entries.find(({ match }) => match.kind === 'patient')?.resource;
  const identifiers = (patient?.['identifier'] ?? []) as readonly Identifier[];
  return identifiers.map(({ system, value }) => `${system}|${value}`);
}
