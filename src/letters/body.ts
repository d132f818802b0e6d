/**
 * Body of a liaison letter (LDL-SES, LDL-EES, level 3) -> resources, section by section. A pure map of what is coded; what
 * is only written stays narrative in the Composition, and is not guessed at.
 *
 *   42349-1 reason            Condition for a coded problem (the words are Encounter.reasonCode)
 *   42545-4 outcome           Observation per entry (modes of entry and exit are on the Encounter)
 *   18610-6, 10183-2, 42346-7 MedicationStatement stopped, active or intended, active
 *   30954-2 awaited results   DiagnosticReport registered          18776-5 what follows   CarePlan, ServiceRequest, Appointment
 *   46264-8 devices           Device, DeviceUseStatement           48765-2 allergies      AllergyIntolerance
 *   11348-0, 47519-4 history  Condition, Procedure                 33557-0 status         Composition.status
 *   other sections            the same by the kind of each entry
 */
import type { Reference } from 'fhir/r4.js';
import {
  attribute,
  type ClinicalDocument,
  child,
  children,
  isElement,
  type Section,
  type XmlElement,
} from '../formats/index.ts';
import { readDevice } from './devices.ts';
import { type Around, type Derived, type Extraction, note, type Place, placeOf } from './extraction.ts';
import { readAppointment, readAwaitedResults, readCarePlan, readRequest } from './follow-up.ts';
import { readMedication } from './medications.ts';
import type { Finding } from './plan.ts';
import { entryCodes, isFilled, sectionCodes } from './sections.ts';
import { readAllergy, readCondition, readObservation, readProcedure, readReport } from './statements.ts';

/** Entries that are read of one letter; the largest official sample has 18. */
const entriesMax = 300;

export interface BodyResources {
  readonly made: readonly Derived[];
  /** What was made of each section, for the Composition. */
  readonly bySection: ReadonlyMap<Section, readonly Reference[]>;
  readonly findings: readonly Finding[];
}

export function readBodyResources(document: ClinicalDocument, around: Around): BodyResources {
  const reading = { zone: around.zone, issues: [] };
  const extraction: Extraction = { document, around, reading, findings: [], made: [], keys: new Map() };
  const bySection = new Map<Section, readonly Reference[]>();
  const budget = { left: entriesMax };
  const sections = document.body.kind === 'structured' ? allSections(document.body.sections) : [];
  for (const section of sections) bySection.set(section, readSection(extraction, section, budget));
  if (budget.left < 0) {
    const text = `plus de ${entriesMax} entrées codées ; les suivantes restent dans le texte`;
    extraction.findings.push({ code: 'too-many-entries', severity: 'warning', text });
  }
  const unreadable = extraction.reading.issues.map(({ text, expression }): Finding => {
    return { code: 'entry-unreadable', severity: 'information', text, ...(expression && { expression }) };
  });
  return { made: extraction.made, bySection, findings: [...extraction.findings, ...unreadable] };
}

function allSections(sections: readonly Section[]): readonly Section[] {
  return sections.flatMap((section) => [section, ...allSections(section.sections)]);
}

function readSection(extraction: Extraction, section: Section, budget: { left: number }): readonly Reference[] {
  const references = section.entries.flatMap((entry) => {
    budget.left -= 1;
    return budget.left < 0 ? [] : readEntry(extraction, placeOf(extraction, section, entry), entry);
  });
  const whole = (): Place => placeOf(extraction, section, undefined);
  switch (section.code?.code) {
    case sectionCodes.carePlan:
      return isFilled(section)
        ? [readCarePlan(extraction, whole(), plannedOf(extraction, references)), ...references]
        : references;
    case sectionCodes.awaitedResults:
      return [...references, readAwaitedResults(extraction, whole()) ?? []].flat();
    default:
      return references;
  }
}

/** Of the section that plans, what can be an activity: it may hold facts as well. */
function plannedOf({ made }: Extraction, references: readonly Reference[]): readonly Reference[] {
  const typeOf = new Map(made.map(({ fullUrl, resource }) => [fullUrl, resource.resourceType]));
  return references.filter(({ reference = '' }) => activityTypes.has(typeOf.get(reference) ?? ''));
}

const activityTypes: ReadonlySet<string> = new Set(['ServiceRequest', 'Appointment']);

/** What the letter asks for rather than tells. */
const planned: ReadonlySet<string> = new Set(['INT', 'RQO', 'PRP', 'ARQ', 'APT', 'PRMS', 'GOL']);

function readEntry(extraction: Extraction, place: Place, entry: XmlElement): readonly Reference[] {
  const isPlanned = planned.has(attribute(entry, 'moodCode') ?? '');
  const one = (reference: Reference | undefined): readonly Reference[] => (reference === undefined ? [] : [reference]);
  switch (entry.name) {
    case 'substanceAdministration':
      return one(readMedication(extraction, place, entry));
    case 'procedure':
      return one(isPlanned ? readRequest(extraction, place, entry) : readProcedure(extraction, place, entry));
    case 'observation':
      return one(isPlanned ? readRequest(extraction, place, entry) : readStatement(extraction, place, entry));
    case 'act':
      return readConcern(extraction, place, entry);
    case 'supply':
      return readDevice(extraction, place, entry);
    case 'organizer':
      return readReport(extraction, place, entry);
    case 'encounter':
      if (isPlanned) return [readAppointment(extraction, place, entry)];
  }
  note(extraction, place, 'entry-not-mapped', 'entrée sans équivalent ; elle reste dans le document');
  return [];
}

/** Entries that say something of the stay or of the document, not of the patient. */
const elsewhere: ReadonlySet<string> = new Set([
  entryCodes.admissionMode,
  entryCodes.dischargeMode,
  entryCodes.documentStatus,
]);

const problemTemplate = '1.3.6.1.4.1.19376.1.5.3.1.4.5';
const allergyTemplate = '1.3.6.1.4.1.19376.1.5.3.1.4.6';

function hasTemplate(statement: XmlElement, root: string): boolean {
  return children(statement, 'templateId').some((id) => attribute(id, 'root') === root);
}

function readStatement(
  extraction: Extraction,
  place: Place,
  statement: XmlElement,
  concern?: XmlElement,
): Reference | undefined {
  const section = place.section.code?.code;
  if (elsewhere.has(attribute(child(statement, 'code'), 'code') ?? '')) return undefined;
  if (section === sectionCodes.allergies || hasTemplate(statement, allergyTemplate)) {
    return readAllergy(extraction, place, { allergy: statement, concern });
  }
  if (concern !== undefined || section === sectionCodes.medicalHistory || hasTemplate(statement, problemTemplate)) {
    const isOfStay = section === sectionCodes.reason || section === sectionCodes.outcome;
    return readCondition(extraction, place, { problem: statement, concern, isOfStay });
  }
  return readObservation(extraction, place, statement);
}

/** act: a concern, and the problems or allergies it is about. */
function readConcern(extraction: Extraction, place: Place, act: XmlElement): readonly Reference[] {
  const statements = children(act, 'entryRelationship')
    .filter((relation) => attribute(relation, 'typeCode') === 'SUBJ')
    .flatMap((relation) => relation.children.filter(isElement).filter(({ name }) => name === 'observation'));
  if (statements.length === 0) {
    note(extraction, place, 'entry-not-mapped', 'entrée sans équivalent ; elle reste dans le document');
  }
  return statements.flatMap((statement, index) => {
    const at = index === 0 ? place : { ...place, key: `${place.key}/${index + 1}` };
    return readStatement(extraction, at, statement, act) ?? [];
  });
}
