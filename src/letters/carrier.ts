/**
 * What comes around a letter: an XDM archive -> the letters in it, each with what the archive claims of it. Claims are held
 * against the document itself (`checkClaims`): bytes by hash and size, patient, id and type. For these the document must
 * agree; nothing else of the metadata is taken, but the masks, which no CDA can hold.
 */
import { createHash } from 'node:crypto';
import type { Issue } from '../base/index.ts';
import { type ClinicalDocument, readXdm, readZip, type XdmDocument } from '../formats/index.ts';
import type { LetterClaims } from './plan.ts';

export interface CarriedLetter {
  readonly bytes: Uint8Array;
  readonly claims?: LetterClaims;
  /** Mask codes of the carrier. */
  readonly visibility: readonly string[];
  /** The sender takes the document back. */
  readonly isWithdrawal: boolean;
}

export type CarrierResult =
  | { readonly kind: 'letters'; readonly letters: readonly CarriedLetter[] }
  | { readonly kind: 'review'; readonly reasons: readonly Issue[] };

/** XDM in a zip: all its documents, of one patient, or none. */
export async function openArchive(bytes: Uint8Array): Promise<CarrierResult> {
  const zip = await readZip(bytes);
  if (zip.kind === 'refused') return { kind: 'review', reasons: [zip.issue] };
  const xdm = readXdm(zip.entries);
  if (xdm.kind === 'refused') return { kind: 'review', reasons: xdm.issues };
  const { documents } = xdm;
  const reasons = documents.flatMap(bytesDoubts);
  if (new Set(documents.map(({ patientId }) => patientId)).size > 1) {
    reasons.push({ severity: 'error', code: 'conflict', text: 'l’archive porte les documents de plusieurs patients' });
  }
  if (reasons.length > 0) return { kind: 'review', reasons };
  return { kind: 'letters', letters: documents.map(letterOf) };
}

/** Row Z9: what is in the archive is not what its metadata describe. */
function bytesDoubts({ bytes, hash, size }: XdmDocument): Issue[] {
  const actual = createHash('sha1').update(bytes).digest('hex');
  const isOther = hash !== undefined && hash.toLowerCase() !== actual;
  const reasons: Issue[] = [];
  if (isOther)
    reasons.push({ severity: 'error', code: 'conflict', text: 'le document n’a pas l’empreinte que METADATA.XML dit' });
  if (size !== undefined && size !== bytes.length)
    reasons.push({ severity: 'error', code: 'conflict', text: 'le document n’a pas la taille que METADATA.XML dit' });
  return reasons;
}

/** TRE_A07 under its OID or its name; whoever spells it otherwise means one of the confidentiality levels. */
const maskSystem = /1\.2\.250\.1\.213\.1\.1\.4\.13|A07/i;

function letterOf(document: XdmDocument): CarriedLetter {
  const { bytes, uniqueId, patientId, typeCode, confidentialityCodes, action } = document;
  const masks = confidentialityCodes.filter(
    ({ code, system }) => maskSystem.test(system ?? '') || /MASQUE|INVISIBLE/i.test(code),
  );
  return {
    bytes,
    claims: { uniqueId, patientId, typeCode, from: 'METADATA.XML' },
    visibility: masks.map(({ code }) => code),
    isWithdrawal: action === 'D',
  };
}

/** What the carrier claims and the document contradicts; business code 904 where it is the patient. */
export function checkClaims(document: ClinicalDocument, claims: LetterClaims): readonly Issue[] {
  const { uniqueId, patientId, typeCode, birthDate, from } = claims;
  const reasons: Issue[] = [];
  const conflict = (text: string, expression: string, diagnostics?: string): void => {
    reasons.push({ severity: 'error', code: 'conflict', text, expression, ...(diagnostics && { diagnostics }) });
  };
  const { root, extension } = document.id;
  const ids = extension === undefined ? [root] : [`${root}^${extension}`, `${extension}^^${root}^ISO`];
  if (uniqueId !== undefined && !ids.includes(uniqueId.replace(/^urn:(?:oid|uuid):/, ''))) {
    conflict(`l’identifiant du document n’est pas celui que dit ${from}`, '/ClinicalDocument/id');
  }
  if (typeCode !== undefined && typeCode !== document.code.code) {
    conflict(`le type du document n’est pas celui que dit ${from}`, '/ClinicalDocument/code/@code');
  }
  if (patientId !== undefined && !isOneOf(patientId, document)) {
    conflict(`le patient du document n’est pas celui que dit ${from}`, '/ClinicalDocument/recordTarget', '904');
  }
  const { birthTime } = document.patient;
  if (birthDate !== undefined && birthTime !== undefined && birthDate !== birthTime) {
    conflict(`la date de naissance n’est pas celle que dit ${from}`, '/ClinicalDocument/recordTarget', '904');
  }
  return reasons;
}

/** CX against II: value, and authority where it is said as an OID. */
function isOneOf(cx: string, { patient }: ClinicalDocument): boolean {
  const [value = '', , , authority = ''] = cx.split('^');
  const oid = authority.split('&')[1] ?? '';
  return patient.ids.some(({ root, extension }) => extension === value.trim() && (oid === '' || oid === root));
}
