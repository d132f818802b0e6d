/**
 * substanceAdministration (FR-Traitement) -> MedicationStatement.
 *
 * The section decides the status, never statusCode: official samples send `completed` for drugs that begin at discharge.
 * MedicationStatement and not MedicationAdministration (which the draft of the ANS takes): a letter says what is to be
 * taken, not that it was given.
 *
 *   consumable code, translations, name -> medicationCodeableConcept     effectiveTime IVL_TS -> effectivePeriod
 *   doseQuantity, rateQuantity, maxDoseQuantity -> dosage                effectiveTime PIVL_TS, EIVL_TS -> dosage.timing
 *   routeCode, approachSiteCode, precondition -> dosage                  line of the narrative -> note
 */
import type {
  CodeableConcept,
  Dosage,
  DosageDoseAndRate,
  MedicationStatement,
  Quantity,
  Reference,
  TimingRepeat,
} from 'fhir/r4.js';
import { attribute, child, children, readCode, textOf, type TimeInterval, type XmlElement } from '../formats/index.ts';
import { concept } from './codes.ts';
import { element } from './element.ts';
import { codeOf, named, period, quantity, typeOf } from './entry-values.ts';
import { type Extraction, lineNote, make, note, type Place, statementText, timeOf } from './extraction.ts';
import { sectionCodes } from './sections.ts';

export function readMedication(extraction: Extraction, place: Place, statement: XmlElement): Reference | undefined {
  const { around, document } = extraction;
  const medication = medicationOf(place, statement);
  if (medication === undefined) {
    note(extraction, place, 'entry-without-code', 'traitement sans médicament nommé ; seul le texte est gardé');
    return undefined;
  }
  const time = timeOf(extraction, place, statement);
  const dosage = dosageOf(place, statement);
  const statementOf: MedicationStatement = element<MedicationStatement>({
    resourceType: 'MedicationStatement',
    status: statusOf(extraction, place, time),
    medicationCodeableConcept: medication,
    subject: around.subject,
    context: around.encounter,
    effectivePeriod: period(time),
    dateAsserted: document.effectiveTime,
    informationSource: around.author,
    derivedFrom: [around.letter],
    note: lineNote(place, statement),
    dosage: Object.keys(dosage).length === 0 ? [] : [dosage],
  });
  return make(extraction, place, statementOf);
}

function medicationOf(place: Place, statement: XmlElement): CodeableConcept | undefined {
  const material = child(statement, 'consumable', 'manufacturedProduct', 'manufacturedMaterial');
  const code = child(material, 'code');
  const coded = concept(readCode(code));
  const name = textOf(child(material, 'name'));
  const text = name ?? coded?.text ?? (code && statementText(place, code)) ?? statementText(place, statement);
  return named(coded, text);
}

function statusOf(
  { document }: Extraction,
  { section }: Place,
  time: TimeInterval | undefined,
): MedicationStatement['status'] {
  const written = Date.parse(document.effectiveTime);
  const isBefore = (at: string | undefined): boolean => at !== undefined && Date.parse(at) < written - dayMs;
  switch (section.code?.code) {
    case sectionCodes.stoppedDrugs:
      return 'stopped';
    case sectionCodes.dischargeDrugs:
      if (isBefore(time?.end)) return 'completed';
      return time?.start !== undefined && Date.parse(time.start) > written ? 'intended' : 'active';
    case sectionCodes.admissionDrugs:
      return isBefore(time?.end) ? 'completed' : 'active';
    default:
      return 'unknown';
  }
}

/** A treatment that ends on the day of the letter is not over yet. */
const dayMs = 86_400_000;

function dosageOf(place: Place, statement: XmlElement): Dosage {
  const rate = doseAndRate(statement);
  const repeat = repeatOf(statement);
  const condition = child(statement, 'precondition', 'criterion');
  const asNeeded = condition && (codeOf(condition, 'code') ?? textConcept(statementText(place, condition)));
  const most = child(statement, 'maxDoseQuantity');
  const [numerator, denominator] = [quantity(child(most, 'numerator')), quantity(child(most, 'denominator'))];
  return element<Dosage>({
    timing: Object.keys(repeat).length === 0 ? undefined : { repeat },
    asNeededCodeableConcept: asNeeded,
    site: codeOf(statement, 'approachSiteCode'),
    route: codeOf(statement, 'routeCode'),
    doseAndRate: Object.keys(rate).length === 0 ? [] : [rate],
    maxDosePerPeriod: numerator && denominator && { numerator, denominator },
  });
}

function textConcept(text: string | undefined): CodeableConcept | undefined {
  return text === undefined ? undefined : { text };
}

function doseAndRate(statement: XmlElement): DosageDoseAndRate {
  const dose = bounds(child(statement, 'doseQuantity'));
  const rate = bounds(child(statement, 'rateQuantity'));
  return element<DosageDoseAndRate>({
    doseQuantity: dose.only,
    doseRange: dose.range,
    rateQuantity: rate.only,
    rateRange: rate.range,
  });
}

interface Bounds {
  readonly only?: Quantity;
  readonly range?: { readonly low?: Quantity; readonly high?: Quantity };
}

/** IVL_PQ: one quantity where low and high are the same. */
function bounds(value: XmlElement | undefined): Bounds {
  const only = quantity(value);
  if (only !== undefined) return { only };
  const [low, high] = [quantity(child(value, 'low')), quantity(child(value, 'high'))];
  if (low === undefined && high === undefined) return {};
  if (low !== undefined && low.value === high?.value && low.unit === high?.unit) return { only: low };
  return { range: element<{ low?: Quantity; high?: Quantity }>({ low, high }) };
}

const timeUnits: ReadonlySet<string> = new Set(['s', 'min', 'h', 'd', 'wk', 'mo', 'a']);
const events: ReadonlySet<string> = new Set('HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV'.split(' '));

/** PIVL_TS -> period, EIVL_TS -> when; also inside a set of times (SXPR_TS). */
function repeatOf(statement: XmlElement): TimingRepeat {
  const times = children(statement, 'effectiveTime').flatMap((time) => [time, ...children(time, 'comp')]);
  const pivl = times.find((time) => typeOf(time) === 'PIVL_TS');
  const every = quantity(child(pivl, 'period'));
  const unit = every?.unit ?? '';
  const when = times
    .filter((time) => typeOf(time) === 'EIVL_TS')
    .flatMap((time) => attribute(child(time, 'event'), 'code') ?? [])
    .filter((code) => events.has(code));
  const isPeriodic = every?.value !== undefined && every.value > 0 && timeUnits.has(unit);
  return element<TimingRepeat>({
    frequency: isPeriodic ? 1 : undefined,
    period: isPeriodic ? every.value : undefined,
    periodUnit: isPeriodic ? (unit as TimingRepeat['periodUnit']) : undefined,
    when: [...new Set(when)] as TimingRepeat['when'],
  });
}
