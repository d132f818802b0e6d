/**
 * The document types of the CI-SIS (JDV_J07 XdsTypeCode), and what XDS derives from type and template: class and
 * format. Type is read from ClinicalDocument/code only: LOINC 18776-5 is both a document (PPS) and a section of the
 * letter, and a letter of level 1 has no template of its own.
 */
import type { Coding } from 'fhir/r4.js';
import type { ClinicalDocument, CodedValue } from '../formats/index.ts';
import { codeSystems, oids } from './codes.ts';

export const dischargeLetter = '11490-0';
export const admissionLetter = '18761-7';

/** HL7 France and CI-SIS header: every French document claims it, whatever its own template. */
const frenchHeaderTemplate = '1.2.250.1.213.1.1.1.1';

const loincTypes: ReadonlySet<string> = new Set(
  `11369-6 11488-4 11490-0 11502-2 11505-5 11506-3 15507-7 15508-5 18748-4 18761-7 18776-5 28617-9 28653-4 29274-8
  34112-3 34120-6 34133-9 34749-2 34794-8 34842-5 34874-8 34875-5 34876-3 34895-3 47420-5 51851-4 51969-4 52040-3
  55115-0 56445-0 56446-8 57055-6 57057-2 57075-4 57828-6 57832-8 57833-6 59283-2 59284-0 60280-5 60568-3 60591-5
  60593-1 61357-0 67851-6 68599-0 68814-3 68817-6 70004-7 74207-2 74465-6 75468-9 75482-0 75492-9 75496-0 77436-4
  77604-7 78341-5 78489-2 78513-9 78601-2 80565-5 80771-9 80788-3 80820-4 83836-7 83869-8 83901-9 83963-9 83981-1
  84067-8 85208-7 85895-1 86531-1 87273-9 88348-8 89233-1 89235-6 89601-9 93024-8 96163-1 96173-0 96349-6 96874-3
  97694-4 100967-9 101881-1`.split(/\s+/),
);

const complementTypes: ReadonlySet<string> = new Set(
  `ATTEST-ASS-COMPL ATTEST-DROITS-AM ATTEST-HEBGT ATTEST-RESID AUTORIS-SOINS BIL_AUTO CERT_DECL DISP_AUT DOCPAT01
  DOCPAT02 DOCPAT03 DOCPAT04 DOCPAT05 DOCPAT06 DOCPAT07 DOCPAT08 DOCPAT09 EXPORT_DUI EXPPAT_1 EXPPAT_2 EXPPAT_3
  FEUILLE-DE-STYLE FICHE-CONTACTS IMG-KOS PIECE-IDENTITE PRESC-AAT PRESC-BIO PRESC-INF PRESC-KINE PRESC-ORTHOPHO
  PRESC-ORTHOPTIE PRESC-PEDI PROT_ALD REMB SYNTH`.split(/\s+/),
);

export function isFrenchDocument(document: ClinicalDocument): boolean {
  return document.templateIds.some(({ root }) => root === frenchHeaderTemplate);
}

export function isKnownType({ code = '', system }: CodedValue): boolean {
  if (system === oids.loinc) return loincTypes.has(code);
  return system === oids.documentTypeComplement && complementTypes.has(code);
}

export function isLiaisonLetter({ code }: ClinicalDocument): boolean {
  return code.system === oids.loinc && (code.code === dischargeLetter || code.code === admissionLetter);
}

export function isDischargeLetter({ code }: ClinicalDocument): boolean {
  return code.system === oids.loinc && code.code === dischargeLetter;
}

export function isAdmissionLetter({ code }: ClinicalDocument): boolean {
  return code.system === oids.loinc && code.code === admissionLetter;
}

/**
 * Document class (TRE_A03) of the types we are sure of. The official table ASS_X04 was not at hand: both letters are
 * taken as "Compte rendu" (10), the class of hospital reports. A type that is not here gets no class rather than a guess.
 */
const classByType: ReadonlyMap<string, Coding> = new Map(
  [
    {
      code: '10',
      display: 'Compte rendu',
      types: [dischargeLetter, admissionLetter, '34112-3', '34133-9', '34794-8', '34874-8'],
    },
    { code: '11', display: 'Synthèse', types: ['SYNTH', '96163-1'] },
    { code: '31', display: 'Imagerie médicale', types: ['85895-1'] },
    { code: '44', display: 'Plan de soins, protocole de soins', types: ['18776-5', 'PROT_ALD'] },
    { code: '52', display: 'Certificat, déclaration', types: ['CERT_DECL'] },
    { code: '60', display: 'Données de remboursement', types: ['REMB'] },
  ].flatMap(({ code, display, types }) =>
    types.map((type): [string, Coding] => [type, { system: codeSystems.documentClass, code, display }]),
  ),
);

export function classOf({ code = '' }: CodedValue): Coding | undefined {
  return classByType.get(code);
}

const formatByTemplate: ReadonlyMap<string, string> = new Map([
  ['1.2.250.1.213.1.1.1.29', 'urn:asip:ci-sis:ldl-ses:2017'],
  ['1.2.250.1.213.1.1.1.21', 'urn:asip:ci-sis:ldl-ees:2017'],
  ['1.2.250.1.213.1.1.1.5.4', 'urn:ans:ci-sis:cse-mde:2023'],
  ['1.2.250.1.213.1.1.1.8', 'urn:asip:ci-sis:frcp:2011'],
  ['1.2.250.1.213.1.1.1.13', 'urn:asip:ci-sis:vsm:2012'],
  ['1.2.250.1.213.1.1.1.22', 'urn:asip:ci-sis:dlu:2015'],
  ['1.2.250.1.213.1.1.1.23', 'urn:asip:ci-sis:fludt:2017'],
  ['1.2.250.1.213.1.1.1.24', 'urn:asip:ci-sis:fludr:2017'],
  ['1.2.250.1.213.1.1.1.26', 'urn:asip:ci-sis:pps-cancer:2017'],
  ['1.2.250.1.213.1.1.1.27', 'urn:asip:ci-sis:d2lm-fin:2017'],
  ['1.2.250.1.213.1.1.1.28', 'urn:asip:ci-sis:d2lm-fidd:2017'],
  ['1.2.250.1.213.1.1.1.32', 'urn:asip:ci-sis:crgm:2018'],
  ['1.2.250.1.213.1.1.1.40', 'urn:asip:ci-sis:cr-anest:2020'],
  ['1.2.250.1.213.1.1.1.45', 'urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013'],
  ['1.2.250.1.213.1.1.1.47', 'urn:ans:ci-sis:img-da:2022'],
  ['1.2.250.1.213.1.1.1.55', 'urn:ihe:lab:xd-lab:2008'],
  ['1.2.250.1.213.1.1.1.56', 'urn:asip:ci-sis:ppp:2023'],
  ['1.2.250.1.213.1.1.1.57', 'urn:ihe:palm:apsr:2016'],
]);

const formatByMediaType: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'urn:ihe:iti:xds-sd:pdf:2008'],
  ['text/plain', 'urn:ihe:iti:xds-sd:text:2008'],
  ['text/rtf', 'urn:ihe:iti-fr:xds-sd:rtf:2010'],
  ['image/jpeg', 'urn:ihe:iti-fr:xds-sd:jpeg:2010'],
  ['image/tiff', 'urn:ihe:iti-fr:xds-sd:tiff:2010'],
]);

/** Whether documents of this media type are shared without a CDA around them. */
export function isPlainMediaType(mediaType: string): boolean {
  return formatByMediaType.has(mediaType);
}

/** Of a document that no guide describes. */
const formatOther = 'urn:asipSante:modelesHorsProfils:2011';

/** Association ASS_A11 (template -> format); at level 1 the media type decides (ASS_A12), whatever templates are claimed. */
export function formatOf({ body, templateIds }: ClinicalDocument): Coding {
  const format =
    body.kind === 'unstructured'
      ? formatByMediaType.get(body.mediaType)
      : templateIds.flatMap(({ root }) => formatByTemplate.get(root) ?? [])[0];
  const code = format ?? formatOther;
  const system = code.startsWith('urn:ihe:') ? codeSystems.formatIhe : codeSystems.formatComplement;
  return { system, code };
}
