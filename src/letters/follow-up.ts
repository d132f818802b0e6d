/**
 * What is to happen after the letter.
 *
 *   section 18776-5 -> CarePlan with the words as description, activities below it
 *   procedure, observation INT -> ServiceRequest     encounter ARQ, INT -> Appointment, proposed until somebody makes it
 *   section 30954-2 (results awaited) -> DiagnosticReport `registered`: known to exist, nothing there yet
 */
import type { Appointment, CarePlan, DiagnosticReport, Period, Reference, ServiceRequest } from 'fhir/r4.js';
import { attribute, child, readCode, textOf, type TimeInterval, type XmlElement } from '../formats/index.ts';
import { codeSystems, concept } from './codes.ts';
import { element } from './element.ts';
import { codeOf, named, period } from './entry-values.ts';
import { type Extraction, lineNote, make, note, type Place, statementText, timeOf } from './extraction.ts';
import { localDay } from './local-day.ts';
import { sectionCodes, sectionText } from './sections.ts';

const textLengthMax = 5000;

const priorities: ReadonlyMap<string, ServiceRequest['priority']> = new Map([
  ['R', 'routine'],
  ['UR', 'urgent'],
  ['RR', 'asap'],
  ['A', 'asap'],
  ['EM', 'stat'],
  ['S', 'stat'],
]);

/** `value` of an observation that asks for something says what, in words. */
export function readRequest(extraction: Extraction, place: Place, statement: XmlElement): Reference | undefined {
  const { around, document } = extraction;
  const coded = codeOf(statement, 'code');
  const text = textOf(child(statement, 'value')) ?? coded?.text ?? statementText(place, statement);
  const code = named(coded, text);
  if (code === undefined) {
    note(extraction, place, 'entry-without-code', 'demande sans nom ; seul le texte est gardé');
    return undefined;
  }
  const time = timeOf(extraction, place, statement);
  const isPoint = time?.start === time?.end;
  const site = codeOf(statement, 'targetSiteCode');
  const resource = element<ServiceRequest>({
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'plan',
    priority: priorities.get(attribute(child(statement, 'priorityCode'), 'code') ?? ''),
    code,
    subject: around.subject,
    encounter: around.encounter,
    occurrenceDateTime: isPoint ? time?.start : undefined,
    occurrencePeriod: isPoint ? undefined : period(time),
    authoredOn: document.effectiveTime,
    requester: around.author,
    bodySite: site && [site],
    note: lineNote(place, statement),
  });
  return make(extraction, place, resource);
}

/** A wish for an appointment: nobody has agreed to it yet, and its day may be all that is known. */
export function readAppointment(extraction: Extraction, place: Place, statement: XmlElement): Reference {
  const { around } = extraction;
  const type = codeOf(statement, 'code');
  const time = timeOf(extraction, place, statement);
  const priority = readCode(child(statement, 'priorityCode'));
  const resource = element<Appointment>({
    resourceType: 'Appointment',
    status: 'proposed',
    serviceType: type && [type],
    description: statementText(place, statement),
    requestedPeriod: requestedPeriod(time, around.zone),
    comment: priority?.display ?? priority?.code,
    participant: [{ actor: around.subject, required: 'required', status: 'needs-action' }],
  });
  return make(extraction, place, resource);
}

function requestedPeriod(time: TimeInterval | undefined, zone: string): Period[] {
  if (time === undefined) return [];
  const isDay = time.start !== undefined && time.start === time.end && localDay(time.start, zone) !== undefined;
  const wanted = isDay ? { start: time.start } : period(time);
  return wanted === undefined ? [] : [{ ...wanted, ...(isDay && time.end !== undefined ? { end: time.end } : {}) }];
}

export function readCarePlan(extraction: Extraction, place: Place, activities: readonly Reference[]): Reference {
  const { around, document } = extraction;
  const category = concept(place.section.code);
  const start = document.encounter?.time?.end ?? document.effectiveTime;
  const resource = element<CarePlan>({
    resourceType: 'CarePlan',
    status: 'active',
    intent: 'plan',
    category: category && [category],
    title: place.section.title ?? 'Suites à donner',
    description: sectionText(place.section, textLengthMax),
    subject: around.subject,
    encounter: around.encounter,
    period: { start },
    created: document.effectiveTime,
    author: around.author,
    activity: activities.map((reference) => ({ reference })),
  });
  return make(extraction, place, resource);
}

export function readAwaitedResults(extraction: Extraction, place: Place): Reference | undefined {
  const { around } = extraction;
  const text = sectionText(place.section, textLengthMax);
  if (text === undefined) return undefined;
  const resource = element<DiagnosticReport>({
    resourceType: 'DiagnosticReport',
    status: 'registered',
    code: { coding: [{ system: codeSystems.loinc, code: sectionCodes.awaitedResults }], text },
    subject: around.subject,
    encounter: around.encounter,
  });
  return make(extraction, place, resource);
}
