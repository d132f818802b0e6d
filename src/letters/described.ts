/**
 * A document that is no CDA (PDF, text, RTF, JPEG, TIFF) with what METADATA.XML says of it -> LetterPlan. The metadata stand for the
 * header that the document lacks, and go the same way: the same rules of identity, labels, versions and professionals.
 *
 *   patientId, sourcePatientId, PID-3 -> Patient.identifier     PID-5 (L at birth, D in use), PID-7, PID-8 -> name, birthDate, gender
 *   uniqueId -> masterIdentifier     entryUUID -> identifier    RPLC -> relatesTo, by entryUUID
 *   typeCode, classCode, formatCode -> type, category, format   authorPerson, authorInstitution -> author; the first structure
 *   confidentialityCode -> securityLabel                        also custodian, for XDS names no other keeper
 *
 * Nothing is guessed: without unique id and patient it is for a person, no stay is made, and what the law asks of a letter is not
 * judged, since nobody has read it.
 */
import type { DocumentReference } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type {
  ClinicalDocument,
  CodedValue,
  InstanceIdentifier,
  OrganizationParty,
  Participation,
  PatientRole,
  PersonName,
  XdmDocument,
  XdmEntry,
  XdsAuthor,
  XdsCode,
} from '../formats/index.ts';
import { buildPlan, type LetterBytes } from './build-plan.ts';
import { isMask } from './carrier.ts';
import { coding, concept } from './codes.ts';
import { isKnownType, isPlainMediaType } from './document-types.ts';
import { element } from './element.ts';
import { mediaTypeFindings } from './findings.ts';
import type { Finding, LetterResult, LetterSettings } from './plan.ts';

export function isDescribed({ entry }: XdmDocument): boolean {
  return isPlainMediaType(entry.mimeType);
}

export function planDescribed(metadata: XdmDocument, bytes: LetterBytes, settings: LetterSettings): LetterResult {
  const id = instanceOf(metadata.uniqueId);
  const { entry } = metadata;
  const reasons = [
    ...(id === undefined ? [reason('required', 'METADATA.XML ne dit pas l’identifiant du document', 'uniqueId')] : []),
    ...(metadata.patientId === undefined
      ? [reason('required', 'METADATA.XML ne dit pas le patient du document', 'patientId')]
      : []),
    ...(metadata.action === 'C' && entry.replaces.length === 0
      ? [reason('conflict', 'METADATA.XML dit un remplacement et ne dit pas de quel document', 'RPLC')]
      : []),
  ];
  if (id === undefined || reasons.length > 0) return { kind: 'review', reasons };
  const document = documentOf(metadata, id, settings.receivedAt);
  const plan = buildPlan(document, bytes, {
    ...settings,
    issues: [],
    described: { findings: findingsOf(metadata, document), complete: (letter) => complete(letter, entry) },
  });
  return { kind: 'letter', plan };
}

function reason(code: string, text: string, expression: string): Issue {
  return { severity: 'error', code, text, expression: `/METADATA.XML/${expression}` };
}

function findingsOf({ entry, bytes }: XdmDocument, { code }: ClinicalDocument): readonly Finding[] {
  const expression = '/METADATA.XML/typeCode';
  const text = 'type de document absent, ou inconnu du CI-SIS (jeu de valeurs JDV_J07)';
  return [
    { code: 'header-only', severity: 'information', text: 'document sans CDA : seul METADATA.XML est lu' },
    ...(isKnownType(code) ? [] : [{ code: 'type-unknown', severity: 'warning' as const, text, expression }]),
    ...mediaTypeFindings(
      { read: (max) => bytes.subarray(0, max), mediaType: entry.mimeType },
      '/METADATA.XML/mimeType',
    ),
  ];
}

/** The header that the document would have. */
function documentOf(metadata: XdmDocument, id: InstanceIdentifier, receivedAt: string): ClinicalDocument {
  const { entry, bytes } = metadata;
  const authors = entry.authors.map(authorOf);
  return {
    templateIds: [],
    id,
    code: entry.typeCode === undefined ? noCode : codedValue(entry.typeCode),
    title: entry.title,
    effectiveTime: fhirTime(entry.creationTime) ?? receivedAt,
    confidentialityCodes: entry.confidentiality.filter((code) => !isMask(code)).map(codedValue),
    language: entry.languageCode,
    setId: undefined,
    versionNumber: undefined,
    patient: patientOf(metadata),
    authors,
    dataEnterer: undefined,
    informants: [],
    custodian: authors.find(({ party }) => party.organization !== undefined)?.party.organization,
    recipients: [],
    legalAuthenticator:
      entry.legalAuthenticator === undefined ? undefined : participation(entry.legalAuthenticator, undefined),
    authenticators: [],
    participants: [],
    orders: [],
    events: [],
    relatedDocuments: entry.replaces.flatMap((target) => {
      const replaced = instanceOf(target);
      return replaced === undefined ? [] : [{ typeCode: 'RPLC', ids: [replaced] }];
    }),
    encounter: undefined,
    body: { kind: 'unstructured', mediaType: entry.mimeType, read: (max) => bytes.subarray(0, max) },
  };
}

/** What XDS says in words of its own, and no header. */
function complete(letter: DocumentReference, entry: XdmEntry): DocumentReference {
  const [first] = letter.content;
  const concepts = (code: XdsCode | undefined) => code && concept(codedValue(code));
  const category = concepts(entry.classCode);
  const format = entry.formatCode && coding(codedValue(entry.formatCode))[0];
  const period = element({ start: fhirTime(entry.serviceStartTime), end: fhirTime(entry.serviceStopTime) });
  const attachment = { ...first?.attachment, title: entry.title, creation: fhirTime(entry.creationTime) };
  return element<DocumentReference>({
    ...letter,
    identifier: entry.entryUuid === undefined ? [] : [{ system: 'urn:ietf:rfc:3986', value: entry.entryUuid }],
    category: category === undefined ? letter.category : [category],
    description: entry.description,
    content: [element({ ...first, attachment: element(attachment), format: format ?? first?.format })],
    context: element({
      ...letter.context,
      event: entry.events.flatMap((event) => concept(codedValue(event)) ?? []),
      period: Object.keys(period).length === 0 ? undefined : period,
      facilityType: concepts(entry.facilityType),
      practiceSetting: concepts(entry.practiceSetting),
    }),
  });
}

const noCode: CodedValue = {
  code: undefined,
  system: undefined,
  display: undefined,
  originalText: undefined,
  translations: [],
};

function codedValue({ code, system, display }: XdsCode): CodedValue {
  return { ...noCode, code, system: system === '' ? undefined : system, display };
}

/** An OID or UUID, with or without `urn:`, or `root^extension`; undefined for what is none. */
function instanceOf(text: string | undefined): InstanceIdentifier | undefined {
  const [root = '', extension] = (text ?? '').replace(/^urn:(?:oid|uuid):/i, '').split('^', 2);
  const isRoot = /^[0-2](?:\.\d+)+$/.test(root) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(root);
  return isRoot ? { root: root.toLowerCase(), extension: extension || undefined } : undefined;
}

/** `YYYY[MM[DD[hh[mm[ss]]]]]` in UTC -> FHIR dateTime of the same precision, hours to the second; undefined for no such time. */
function fhirTime(text: string | undefined): string | undefined {
  const [, year, month, day, hour, minute = '00', second = '00'] =
    /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d\d)?)?)?)?)?$/.exec(text ?? '') ?? [];
  if (year === undefined) return undefined;
  const date = [year, month, day].filter((part) => part !== undefined).join('-');
  const time = hour === undefined ? date : `${date}T${hour}:${minute}:${second}Z`;
  const at = Date.parse(time);
  // A 30 February is read as March.
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(date) ? undefined : time;
}

const unescaped: Readonly<Record<string, string>> = { F: '|', S: '^', T: '&', R: '~', E: '\\' };

/** Components of one HL7 v2 value, those of the next level whole. */
function components(text: string): readonly string[] {
  return text.split('^').map((part) => part.trim());
}

function plain(text: string | undefined): string | undefined {
  return (text ?? '').replace(/\\([FSTRE])\\/g, (_, name: string) => unescaped[name] ?? '') || undefined;
}

/** HD: `name&OID&ISO`. */
function oidIn(authority: string | undefined): string | undefined {
  const [, oid = ''] = (authority ?? '').split('&');
  return /^[0-2](?:\.\d+)+$/.test(oid) ? oid : undefined;
}

function patientOf({ patientId, entry }: XdmDocument): PatientRole {
  const fields = (name: string) =>
    entry.sourcePatientInfo
      .filter((line) => line.startsWith(`${name}|`))
      .flatMap((line) => line.slice(name.length + 1).split('~'));
  const ids = [patientId, entry.sourcePatientId, ...fields('PID-3')].flatMap((cx) => patientIdOf(cx ?? ''));
  const isFirst = (id: InstanceIdentifier, place: number) =>
    ids.findIndex(({ root, extension }) => root === id.root && extension === id.extension) === place;
  const [sex = ''] = fields('PID-8');
  return {
    ids: ids.filter(isFirst),
    addresses: [],
    telecoms: [],
    names: fields('PID-5').flatMap(patientNameOf),
    gender: /^[MFOU]$/.test(sex) ? { ...noCode, code: sex === 'O' ? 'UN' : sex } : undefined,
    birthTime: fhirTime(fields('PID-7')[0]?.slice(0, 8)),
    birthplace: undefined,
    guardians: [],
    provider: undefined,
  };
}

function patientIdOf(cx: string): readonly InstanceIdentifier[] {
  const [value, , , authority] = components(cx);
  const root = oidIn(authority);
  const extension = plain(value);
  return root === undefined || extension === undefined ? [] : [{ root, extension }];
}

/** Types of HL7 table 0200. */
const nameTypes: ReadonlyMap<string, string> = new Map([
  ['L', 'BR'],
  ['M', 'BR'],
  ['D', 'CL'],
]);

function patientNameOf(xpn: string): readonly PersonName[] {
  const parts = components(xpn);
  const qualifier = nameTypes.get(parts[6] ?? '');
  const named = nameOf(plain(parts[0]), plain(parts[1]), qualifier);
  return named === undefined ? [] : [named];
}

function nameOf(family: string | undefined, given: string | undefined, qualifier?: string): PersonName | undefined {
  if (family === undefined && given === undefined) return undefined;
  const part = (text: string | undefined) => (text === undefined ? [] : [{ text, qualifier }]);
  return { families: part(family), givens: part(given), prefixes: [], suffixes: [], text: undefined };
}

function authorOf({ person, institutions, specialty }: XdsAuthor): Participation {
  const [code, display, system] = components(specialty ?? '').map(plain);
  const author = participation(person ?? '', organizationOf(institutions[0]));
  if (code === undefined) return author;
  return { ...author, party: { ...author.party, code: { ...noCode, code, display, system } } };
}

/** XCN: `id^family^given^^^^^^&OID&ISO^D`; a device has type U, its model and software as names. */
function participation(xcn: string, organization: OrganizationParty | undefined): Participation {
  const parts = components(xcn);
  const [value, family, given] = parts.map(plain);
  const root = oidIn(parts[8]);
  const isDevice = parts[9] === 'U';
  return {
    typeCode: undefined,
    functionCode: undefined,
    time: undefined,
    party: {
      classCode: undefined,
      ids: root === undefined || value === undefined ? [] : [{ root, extension: value }],
      code: undefined,
      telecoms: [],
      addresses: [],
      name: isDevice ? undefined : nameOf(family, given),
      device: isDevice ? { model: family, software: given } : undefined,
      organization,
    },
  };
}

/** XON: `name^^^^^&OID&ISO^IDNST^^^id`. */
function organizationOf(xon: string | undefined): OrganizationParty | undefined {
  const parts = components(xon ?? '');
  const root = oidIn(parts[5]);
  const value = plain(parts[9]);
  const name = plain(parts[0]);
  if (name === undefined && value === undefined) return undefined;
  const ids = root === undefined || value === undefined ? [] : [{ root, extension: value }];
  return { ids, name, telecoms: [], addresses: [], industry: undefined, partOf: undefined };
}
