/**
 * What comes around a letter: an XDM archive -> the letters in it, each with what the archive claims of it. Claims are held
 * against the document itself (`checkClaims`): bytes by hash and size, patient, id and type. For these the document must
 * agree; nothing else of the metadata is taken, but the masks, which no CDA can hold.
 */
import { createHash } from 'node:crypto';
import type { Issue } from '../base/index.ts';
import { type ClinicalDocument, readXdm, readZip, type XdmDocument, type XdsCode } from '../formats/index.ts';
import type { LetterClaims, LetterHints } from './plan.ts';

export interface CarriedLetter {
  readonly bytes: Uint8Array;
  readonly claims?: LetterClaims;
  /** Mask codes of the carrier. */
  readonly visibility: readonly string[];
  /** The sender takes the document back. */
  readonly isWithdrawal: boolean;
  readonly hints?: LetterHints;
  /** Of the archive: all that is known of a document that says nothing itself. */
  readonly metadata?: XdmDocument;
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

export function isMask({ code, system }: XdsCode): boolean {
  return maskSystem.test(system) || /MASQUE|INVISIBLE/i.test(code);
}

function letterOf(document: XdmDocument): CarriedLetter {
  const { bytes, uniqueId, patientId, action, entry } = document;
  const masks = entry.confidentiality.filter(isMask);
  return {
    bytes,
    claims: {
      uniqueId,
      patientId,
      typeCode: entry.typeCode?.code,
      ...((document.isReplacement || action === 'C') && { replaces: '' }),
      from: 'METADATA.XML',
    },
    visibility: masks.map(({ code }) => code),
    isWithdrawal: action === 'D',
    metadata: document,
  };
}

/** What the carrier claims and the document contradicts; business code 904 where it is the patient, 900 where it is the version. */
export function checkClaims(document: ClinicalDocument, claims: LetterClaims): readonly Issue[] {
  const { uniqueId, patientId, patientNumbers = [], typeCode, birthDate, replaces, from } = claims;
  const { birthTime } = document.patient;
  const isOtherDay = birthDate !== undefined && birthTime !== undefined && birthDate !== birthTime;
  const contradicted: readonly (readonly [is: boolean, text: string, expression: string, diagnostics?: string])[] = [
    [
      uniqueId !== undefined && !isNamed(document.id, uniqueId),
      'l’identifiant du document n’est pas celui que dit',
      'id',
    ],
    [
      typeCode !== undefined && typeCode !== document.code.code,
      'le type du document n’est pas celui que dit',
      'code/@code',
    ],
    [
      (patientId !== undefined && !isOneOf(patientId, document)) || patientNumbers.some((cx) => isOther(cx, document)),
      'le patient du document n’est pas celui que dit',
      'recordTarget',
      '904',
    ],
    [isOtherDay, 'la date de naissance n’est pas celle que dit', 'recordTarget', '904'],
    [isOtherParent(document, replaces), 'le document ne dit pas remplacer celui que dit', 'relatedDocument', '900'],
  ];
  return contradicted
    .filter(([is]) => is)
    .map(
      ([, text, path, diagnostics]): Issue => ({
        severity: 'error',
        code: 'conflict',
        text: `${text} ${from}`,
        expression: `/ClinicalDocument/${path}`,
        ...(diagnostics && { diagnostics }),
      }),
    );
}

function isOtherParent({ relatedDocuments }: ClinicalDocument, replaces: string | undefined): boolean {
  if (replaces === undefined) return false;
  const replaced = relatedDocuments.filter(({ typeCode }) => typeCode === 'RPLC').flatMap(({ ids }) => ids);
  return replaces === '' ? replaced.length === 0 : !replaced.some((id) => isNamed(id, replaces));
}

function isNamed({ root, extension }: ClinicalDocument['id'], uniqueId: string): boolean {
  const names = extension === undefined ? [root] : [`${root}^${extension}`, `${extension}^^${root}^ISO`];
  return names.includes(uniqueId.replace(/^urn:(?:oid|uuid):/, ''));
}

/** The authority has given the patient of the document numbers, and this is none of them. */
function isOther(cx: string, { patient }: ClinicalDocument): boolean {
  const [value = '', , , authority = ''] = cx.split('^');
  const oid = authority.split('&')[1] ?? '';
  const own = patient.ids.filter(({ root, extension }) => root === oid && extension !== undefined);
  return own.length > 0 && !own.some(({ extension }) => extension === value.trim());
}

/** CX against II: value, and authority where it is said as an OID. */
function isOneOf(cx: string, { patient }: ClinicalDocument): boolean {
  const [value = '', , , authority = ''] = cx.split('^');
  const oid = authority.split('&')[1] ?? '';
  return patient.ids.some(({ root, extension }) => extension === value.trim() && (oid === '' || oid === root));
}
