/** What people read: French first, English beside it. Nothing of the patient's identity stands in it; the subject is a reference. */
import { type Resource } from '../fhir/index.ts';

export interface BreakText {
  readonly fr: string;
  readonly en: string;
}

export interface TextInput {
  readonly code: string;
  readonly title: BreakText;
  /** What is missing, as a noun phrase: "la lettre de liaison de sortie". */
  readonly missing: BreakText;
  readonly focus: Resource;
  readonly dueAtMs: number | undefined;
  readonly nowMs: number;
  readonly zone: string;
}

/** One line that names what is missing, for what, and since when; before the deadline, until when. */
export function alertText(input: TextInput): BreakText {
  const { code, missing, focus, dueAtMs, zone } = input;
  const about = focusText(focus, zone);
  if (dueAtMs === undefined) {
    return {
      fr: `${code} : ${input.title.fr}, pour ${about.fr}.`,
      en: `${code}: ${input.title.en}, for ${about.en}.`,
    };
  }
  const isOverdue = input.nowMs >= dueAtMs;
  const [until, untilEn] = isOverdue
    ? ['échéance dépassée depuis le', 'overdue since']
    : ['à faire avant le', 'due before'];
  return {
    fr: `${code} : il manque ${missing.fr} pour ${about.fr} ; ${until} ${moment(dueAtMs, zone, 'fr')}.`,
    en: `${code}: ${missing.en} is missing for ${about.en}; ${untilEn} ${moment(dueAtMs, zone, 'en')}.`,
  };
}

/** The same line, told again to a wider circle. */
export function escalatedText({ fr, en }: BreakText, level: number): BreakText {
  return { fr: `Relance n° ${level}, sans réponse. ${fr}`, en: `Reminder ${level}, no answer yet. ${en}` };
}

/** The focus in a reader's words: "le séjour du 27/02/2026 au 02/03/2026 (Centre Martin)". */
export function focusText(focus: Resource, zone: string): BreakText {
  switch (focus.resourceType) {
    case 'Encounter':
      return encounterText(focus, zone);
    case 'CareTeam':
      return { fr: 'le cercle de soins', en: 'the care team' };
    case 'CarePlan':
      return { fr: 'le plan de soins', en: 'the care plan' };
    case 'Communication':
      return {
        fr: `le message${onDay(focus['sent'], zone, ' du ')}`,
        en: `the message${onDay(focus['sent'], zone, ' of ')}`,
      };
    case 'Patient':
      return { fr: "l'identité du patient", en: "the patient's identity" };
    default:
      return datedText(focus, zone);
  }
}

/** Type → its name in both languages, and the element that dates it. */
const datedNames: Readonly<Record<string, readonly [fr: string, en: string, date: string]>> = {
  Appointment: ['le rendez-vous', 'the appointment', 'start'],
  Condition: ['le diagnostic', 'the diagnosis', 'recordedDate'],
  DiagnosticReport: ['le résultat', 'the result', 'issued'],
  DocumentReference: ['le document', 'the document', 'date'],
  MedicationAdministration: ["l'administration", 'the administration', 'effectiveDateTime'],
  MedicationDispense: ['la délivrance', 'the dispensation', 'whenHandedOver'],
  MedicationRequest: ['la prescription', 'the prescription', 'authoredOn'],
  Observation: ["l'observation", 'the observation', 'effectiveDateTime'],
  Procedure: ["l'acte", 'the procedure', 'performedDateTime'],
  QuestionnaireResponse: ['le questionnaire', 'the questionnaire', 'authored'],
  ServiceRequest: ['la demande', 'the request', 'authoredOn'],
  Task: ['la tâche', 'the task', 'authoredOn'],
};

function datedText(focus: Resource, zone: string): BreakText {
  const { resourceType } = focus;
  const [fr, en, date] = datedNames[resourceType] ?? [`la ressource ${resourceType}`, `the ${resourceType}`, ''];
  return { fr: fr + onDay(focus[date], zone, ' du '), en: en + onDay(focus[date], zone, ' of ') };
}

function encounterText(focus: Resource, zone: string): BreakText {
  const period = focus['period'] as { start?: string; end?: string } | undefined;
  const provider = (focus['serviceProvider'] as { display?: string } | undefined)?.display;
  const where = provider === undefined ? '' : ` (${provider})`;
  const from = onDay(period?.start, zone, ' du ');
  const to = onDay(period?.end, zone, ' au ');
  return {
    fr: `le séjour${from}${to}${where}`,
    en: `the stay${onDay(period?.start, zone, ' from ')}${onDay(period?.end, zone, ' to ')}${where}`,
  };
}

/** The local day of a FHIR date or dateTime, `02/03/2026`, behind `lead`; nothing where it is unknown. */
function onDay(value: unknown, zone: string, lead: string): string {
  if (typeof value !== 'string' || value.length < 10) return '';
  if (value.length === 10) return `${lead}${value.split('-').reverse().join('/')}`;
  const instant = Date.parse(value);
  return Number.isNaN(instant) ? '' : lead + dayFormat(zone).format(instant);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dayFormat(zone: string): Intl.DateTimeFormat {
  return rememberFormat(`day ${zone}`, { timeZone: zone, day: '2-digit', month: '2-digit', year: 'numeric' });
}

function moment(instantMs: number, zone: string, language: 'fr' | 'en'): string {
  const day = dayFormat(zone).format(instantMs);
  const time = rememberFormat(`time ${zone}`, { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(instantMs);
  return language === 'fr' ? `${day} à ${time}` : `${day} at ${time}`;
}

/** Formats are costly to make and few: one for each zone of the territory. */
function rememberFormat(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const found = formats.get(key) ?? new Intl.DateTimeFormat('fr-FR', options);
  formats.set(key, found);
  return found;
}
