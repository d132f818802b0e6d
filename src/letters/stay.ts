/**
 * The hospital stay -> Encounter.
 *
 *   encompassingEncounter/id -> identifier (VN); none -> derived from setId, which all versions of the letter share
 *   code -> class (IMP by default for a letter)           effectiveTime -> period; serviceEvent time when it has none
 *   healthCareFacility -> contained Location              its organization, the performer's or the custodian -> serviceProvider
 *   responsibleParty, encounterParticipant, performer, REFB -> participant
 *   section 42349-1 -> reasonCode.text                    ORG-070, ORG-074 -> admitSource, dischargeDisposition
 *
 * Only liaison letters make an Encounter. The consultations, laboratory visits and stays in a nursing home that other
 * documents name stay on their DocumentReference: as Encounters they would pass for follow-up that never took place, or
 * for stays whose discharge letter is late.
 */
import type {
  CodeableConcept,
  Coding,
  Encounter,
  EncounterHospitalization,
  EncounterParticipant,
  Identifier,
  Location,
  Period,
  Reference,
} from 'fhir/r4.js';
import type {
  ClinicalDocument,
  CodedValue,
  EncompassingEncounter,
  Facility,
  InstanceIdentifier,
  OrganizationParty,
  Participation,
  TimeInterval,
} from '../formats/index.ts';
import { codeSystems, coding, concept } from './codes.ts';
import { isAdmissionLetter, isDischargeLetter, isLiaisonLetter } from './document-types.ts';
import { element } from './element.ts';
import { persons, plainIdentifier, structures, uriOf } from './identifiers.ts';
import { insAuthority } from './ins.ts';
import { postalAddress } from './people.ts';
import type { Finding } from './plan.ts';
import type { Professionals } from './professionals.ts';
import { entryCodes, entryValue, findSection, sectionCodes, sectionText } from './sections.ts';

/** Identifier system of stays that a letter leaves without a number. */
export const derivedStaySystem = 'https://suture.example/fhir/sid/stay';

const reasonLengthMax = 1000;

export interface Stay {
  readonly encounter: Encounter;
  readonly findings: readonly Finding[];
}

export function readStay(
  document: ClinicalDocument,
  subject: Reference,
  professionals: Professionals,
): Stay | undefined {
  if (!isLiaisonLetter(document)) return undefined;
  const { encounter: source, events } = document;
  const identifier = stayIdentifiers(document);
  const period = readPeriod(document);
  const facility = source?.facility;
  const location = facility && readLocation(facility);
  const encounter = element<Encounter>({
    resourceType: 'Encounter',
    contained: location && [location],
    identifier,
    status: period?.end === undefined || isAdmissionLetter(document) ? 'in-progress' : 'finished',
    class: classOfStay(document),
    subject,
    participant: readParticipants(document, professionals),
    period,
    reasonCode: readReason(document),
    hospitalization: readHospitalization(document),
    location: location && [{ location: { reference: '#location' } }],
    serviceProvider: professionals.organization(providerOf(document)),
  });
  return { encounter, findings: stayFindings(source, identifier, events[0]?.time) };
}

function classOfStay({ encounter }: ClinicalDocument): Coding {
  const said = encounter?.code && coding(encounter.code)[0];
  return said ?? { system: codeSystems.actCode, code: 'IMP', display: 'inpatient encounter' };
}

/** An admission letter is written when the stay begins: the end it may carry is not the discharge. */
function readPeriod(document: ClinicalDocument): Period | undefined {
  const { encounter, events } = document;
  const { start, end } = encounter?.time ?? events[0]?.time ?? { start: undefined, end: undefined };
  const period = element<Period>({ start, end: isAdmissionLetter(document) ? undefined : end });
  return Object.keys(period).length === 0 ? undefined : period;
}

/** Visit numbers; official samples put the doctor's own RPPS there, which is none. */
function isVisitNumber(id: InstanceIdentifier): boolean {
  const isRegister = id.root === persons || id.root === structures;
  const isNational = isRegister && /^\d{9,15}$/.test(id.extension ?? '');
  return !isNational && insAuthority(plainIdentifier(id).system) === undefined;
}

function stayIdentifiers({ encounter, setId, id }: ClinicalDocument): Identifier[] {
  const type = { coding: [{ system: codeSystems.frVisitNumberType, code: 'VN' }] };
  const numbers = (encounter?.ids ?? []).filter(isVisitNumber).map((number) => ({ type, ...plainIdentifier(number) }));
  return numbers.length > 0 ? numbers : [{ type, system: derivedStaySystem, value: uriOf(setId ?? id) }];
}

function readLocation({ code, name, address }: Facility): Location | undefined {
  const type = concept(code);
  if (type === undefined && name === undefined && address === undefined) return undefined;
  return element<Location>({
    resourceType: 'Location',
    id: 'location',
    name,
    type: type && [type],
    address: address && postalAddress(address),
  });
}

/**
 * The hospital. When the facility is not identified: the organization of the act's first performer, then the keeper of
 * the document, which for all but an admission letter (written in town) is the hospital that writes.
 */
function providerOf(document: ClinicalDocument): OrganizationParty | undefined {
  const { encounter, events, custodian } = document;
  const { facility } = encounter ?? {};
  if (facility?.organization !== undefined) return facility.organization;
  if (facility !== undefined && facility.ids.length > 0) {
    const { ids, name, address } = facility;
    const addresses = address === undefined ? [] : [address];
    return { ids, name, addresses, telecoms: [], industry: undefined, partOf: undefined };
  }
  if (isAdmissionLetter(document)) return undefined;
  const performer = events[0]?.performers[0]?.party.organization;
  return performer !== undefined && performer.ids.length > 0 ? performer : custodian;
}

/** The doctor in town who performs the act of an admission letter, which is to write it, takes no part in the stay. */
function readParticipants(document: ClinicalDocument, professionals: Professionals): EncounterParticipant[] {
  const { encounter, events, participants } = document;
  const performers = isAdmissionLetter(document) ? [] : (events[0]?.performers ?? []);
  const primary = performers.map((who) => ({ ...who, typeCode: 'PPRF' }));
  const referrers = participants.filter(({ typeCode }) => typeCode === 'REFB');
  return [...(encounter?.participants ?? []), ...primary, ...referrers].flatMap((who) => {
    const individual = professionals.person(who.party);
    return individual === undefined ? [] : [{ type: [participantType(who)], individual }];
  });
}

function participantType({ typeCode }: Participation): CodeableConcept {
  return { coding: [{ system: codeSystems.participationType, code: typeCode ?? 'RESP' }] };
}

function readReason({ body }: ClinicalDocument): CodeableConcept[] {
  const text = sectionText(findSection(body, sectionCodes.reason), reasonLengthMax);
  return text === undefined ? [] : [{ text }];
}

function readHospitalization(document: ClinicalDocument): EncounterHospitalization | undefined {
  if (!isDischargeLetter(document)) return undefined;
  const outcome = findSection(document.body, sectionCodes.outcome);
  const disposition: CodedValue | undefined =
    document.encounter?.dischargeDisposition ?? entryValue(outcome, entryCodes.dischargeMode);
  const hospitalization = element<EncounterHospitalization>({
    admitSource: concept(entryValue(outcome, entryCodes.admissionMode)),
    dischargeDisposition: concept(disposition),
  });
  return Object.keys(hospitalization).length === 0 ? undefined : hospitalization;
}

function stayFindings(
  encounter: EncompassingEncounter | undefined,
  identifiers: readonly Identifier[],
  event: TimeInterval | undefined,
): readonly Finding[] {
  const found: Finding[] = [];
  const expression = '/ClinicalDocument/componentOf/encompassingEncounter';
  if (identifiers.some(({ system }) => system === derivedStaySystem)) {
    const text = 'le séjour n’a pas de numéro ; un identifiant est tiré de setId';
    found.push({ code: 'stay-without-number', severity: 'information', text, expression: `${expression}/id` });
  }
  const { time } = encounter ?? {};
  if (time !== undefined && event !== undefined && (time.start !== event.start || time.end !== event.end)) {
    const text = 'les dates du séjour et celles de l’acte documenté diffèrent ; les deux sont gardées';
    found.push({ code: 'period-differs', severity: 'information', text, expression: `${expression}/effectiveTime` });
  }
  return found;
}
