/**
 * What the law asks of a liaison letter and this one does not say. Nothing of it refuses a letter: each is a finding.
 *
 * Discharge letter, CSP art. R. 1112-1-2, by its items: L1 médecin traitant or addressing doctor; L2 dates and modes of
 * entry and exit; L3 reason; L4a adverse events, L4b resistant organisms, L4c blood products, L4d implanted devices;
 * L5 discharge drugs; L6 stopped drugs; L7 results awaited; L8 what follows.
 * Admission letter, art. R. 1112-1-1: E1 reason, E2 treatments, E3 allergies.
 * `warning`: must always be there; `information`: only if there was such a thing, so its absence may be right.
 */
import type { Issue } from '../base/index.ts';
import type { ClinicalDocument } from '../formats/index.ts';
import { isAdmissionLetter, isDischargeLetter } from './document-types.ts';
import { isGeneralPractitioner } from './patient.ts';
import { plainIdentifier } from './identifiers.ts';
import { insAuthority } from './ins.ts';
import type { Finding, LetterHints } from './plan.ts';
import { entryCodes, findEntry, findSection, isFilled, sectionCodes } from './sections.ts';

interface Demand {
  readonly code: string;
  readonly severity: Finding['severity'];
  readonly text: string;
  readonly expression: string;
  readonly isMet: (document: ClinicalDocument) => boolean;
}

const bodyPath = '/ClinicalDocument/component/structuredBody';
const hasSection = (code: string) => (document: ClinicalDocument) => isFilled(findSection(document.body, code));
const hasOutcome = (code: string) => (document: ClinicalDocument) =>
  findEntry(findSection(document.body, sectionCodes.outcome), code) !== undefined;

/** Demands that the header answers, and which a letter of level 1 can be held to as well. */
const dischargeHeader: readonly Demand[] = [
  {
    code: 'L1',
    severity: 'warning',
    text: 'la lettre ne nomme ni médecin traitant ni praticien adresseur',
    expression: '/ClinicalDocument/participant',
    isMet: ({ participants }) =>
      participants.some((participant) => isGeneralPractitioner(participant) || participant.typeCode === 'REFB'),
  },
  {
    code: 'L2',
    severity: 'warning',
    text: 'les dates d’entrée et de sortie ne sont pas toutes deux dites',
    expression: '/ClinicalDocument/componentOf/encompassingEncounter/effectiveTime',
    isMet: ({ encounter }) => encounter?.time?.start !== undefined && encounter.time.end !== undefined,
  },
];

const section = (code: string, severity: Finding['severity'], text: string, loinc: string): Demand => {
  const expression = `${bodyPath}/component/section[code/@code='${loinc}']`;
  return { code, severity, text, expression, isMet: hasSection(loinc) };
};

const outcome = (code: string, text: string, entry: string): Demand => {
  const expression = `${bodyPath}/component/section[code/@code='${sectionCodes.outcome}']/entry/observation[code/@code='${entry}']`;
  return { code, severity: 'warning', text, expression, isMet: hasOutcome(entry) };
};

const dischargeBody: readonly Demand[] = [
  outcome('L2', 'la modalité d’entrée n’est pas dite', entryCodes.admissionMode),
  outcome('L2', 'la modalité de sortie n’est pas dite', entryCodes.dischargeMode),
  section('L3', 'warning', 'le motif de l’hospitalisation manque', sectionCodes.reason),
  { ...outcome('L4a', 'aucun événement indésirable n’est évoqué', entryCodes.adverseEvents), severity: 'information' },
  outcome(
    'L4b',
    'la recherche de micro-organismes multirésistants n’est pas dite',
    entryCodes.resistantOrganismsSought,
  ),
  outcome('L4c', 'la transfusion de produits sanguins n’est pas dite', entryCodes.transfusion),
  outcome('L4c', 'l’administration de dérivés du sang n’est pas dite', entryCodes.bloodProducts),
  section('L4d', 'information', 'aucun dispositif médical n’est évoqué', sectionCodes.devices),
  section('L5', 'warning', 'les traitements à la sortie manquent', sectionCodes.dischargeDrugs),
  section('L6', 'information', 'aucun traitement arrêté n’est évoqué', sectionCodes.stoppedDrugs),
  section('L7', 'information', 'aucun résultat attendu n’est évoqué', sectionCodes.awaitedResults),
  section('L8', 'warning', 'les suites à donner manquent', sectionCodes.carePlan),
];

const admissionBody: readonly Demand[] = [
  section('E1', 'warning', 'le motif de l’hospitalisation manque', sectionCodes.reason),
  section('E2', 'warning', 'les traitements en cours manquent', sectionCodes.admissionDrugs),
  section('E3', 'warning', 'les allergies connues ne sont pas dites', sectionCodes.allergies),
];

export function legalFindings(document: ClinicalDocument): readonly Finding[] {
  const isReadable = document.body.kind === 'structured';
  const demands = isDischargeLetter(document)
    ? [...dischargeHeader, ...(isReadable ? dischargeBody : [])]
    : isAdmissionLetter(document) && isReadable
      ? admissionBody
      : [];
  return demands
    .filter(({ isMet }) => !isMet(document))
    .map(({ code, severity, text, expression }) => ({ code, severity, text, expression }));
}

/** A body of level 1 is kept and not read; its bytes may not be what they are said to be. */
export function bodyFindings({ body }: ClinicalDocument): readonly Finding[] {
  if (body.kind === 'structured') return [];
  const expression = '/ClinicalDocument/component/nonXMLBody/text';
  const text = 'document de niveau 1 : seul l’en-tête est lu';
  const found: Finding[] = [{ code: 'header-only', severity: 'information', text, expression }];
  return [...found, ...mediaTypeFindings(body, `${expression}/@mediaType`)];
}

/** Bytes that begin as another format than they are said to have. */
export function mediaTypeFindings(
  { read, mediaType }: Omit<Extract<ClinicalDocument['body'], { kind: 'unstructured' }>, 'kind'>,
  expression: string,
): readonly Finding[] {
  const actual = sniff(read(signatureBytesMax));
  if (actual === undefined || actual === mediaType) return [];
  const text = `le corps se dit ${mediaType} et commence comme ${actual}`;
  return [{ code: 'media-type-mismatch', severity: 'warning', text, expression }];
}

/** First bytes of the formats that letters hold, and of two that pass for them. */
const signatures: readonly (readonly [mediaType: string, bytes: string])[] = [
  ['application/pdf', '%PDF-'],
  ['image/png', '\u0089PNG'],
  ['image/jpeg', '\u00ff\u00d8\u00ff'],
  ['image/tiff', 'II*\u0000'],
  ['image/tiff', 'MM\u0000*'],
  ['text/rtf', '{\\rtf'],
  ['application/zip', 'PK\u0003\u0004'],
  ['text/html', '<!DOCTYPE'],
];

const signatureBytesMax = 16;

function sniff(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes).toString('latin1');
  return signatures.find(([, signature]) => start.startsWith(signature))?.[0];
}

const headerCodes: ReadonlyMap<string, string> = new Map([
  ['required', 'header-missing'],
  ['value', 'header-unreadable'],
  ['incomplete', 'header-imprecise'],
]);

/** What reading the header found, as findings. */
export function headerFindings(issues: readonly Issue[]): readonly Finding[] {
  return issues.map(({ code, severity, text, expression }) => ({
    code: headerCodes.get(code) ?? 'header-unreadable',
    severity: severity === 'information' ? severity : 'warning',
    text,
    ...(expression && { expression }),
  }));
}

/** Where subject or X-MSS headers of the mail say another thing than the document (ECO.2.1.3, 2.4.1, 2.4.2). */
export function hintFindings(document: ClinicalDocument, hints: LetterHints | undefined): readonly Finding[] {
  if (hints === undefined) return [];
  const { patient, code } = document;
  const hasIns = patient.ids.some((id) => insAuthority(plainIdentifier(id).system)?.kind === 'production');
  const { birthTime } = patient;
  const differs = [
    [
      hints.birthDate !== undefined && birthTime !== undefined && hints.birthDate !== birthTime,
      'l’objet du courriel dit une autre date de naissance',
      'recordTarget',
    ],
    [
      hints.codes.length > 0 && !hints.codes.includes(code.code ?? ''),
      'X-MSS-CODECDA ne dit pas le type du document',
      'code/@code',
    ],
    [
      hints.isInsQualified === true && !hasIns,
      'X-MSS-INS dit une INS qualifiée que le document n’a pas',
      'recordTarget/patientRole/id',
    ],
  ] as const;
  return differs
    .filter(([is]) => is)
    .map(([, text, path]) => ({
      code: 'mail-differs',
      severity: 'warning',
      text,
      expression: `/ClinicalDocument/${path}`,
    }));
}
