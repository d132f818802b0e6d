/**
 * observation, act (concern), procedure and organizer of a letter -> Observation, Condition, AllergyIntolerance,
 * Procedure and DiagnosticReport. What is negated in a way that FHIR cannot say, or names nothing, is not made into a
 * resource: its words stay in the Composition, and a finding tells.
 */
import type {
  AllergyIntolerance,
  AllergyIntoleranceReaction,
  CodeableConcept,
  Condition,
  DiagnosticReport,
  Observation,
  Procedure,
  Reference,
} from 'fhir/r4.js';
import { attribute, child, children, isElement, readCode, textOf, type XmlElement } from '../formats/index.ts';
import { concept } from './codes.ts';
import { element } from './element.ts';
import { codeOf, named, observationValue, period } from './entry-values.ts';
import { type Extraction, lineNote, make, note, type Place, placeOf, statementText, timeOf } from './extraction.ts';

const hl7 = (system: string, code: string): CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});

function isNegated(statement: XmlElement): boolean {
  return attribute(statement, 'negationInd') === 'true';
}

function statusCode(statement: XmlElement): string | undefined {
  return attribute(child(statement, 'statusCode'), 'code');
}

/** Statements inside a statement, by the kind of the relation. */
function related(statement: XmlElement, typeCode: string): XmlElement[] {
  return children(statement, 'entryRelationship')
    .filter((relation) => attribute(relation, 'typeCode') === typeCode)
    .flatMap((relation) => relation.children.find(isElement) ?? []);
}

const observationStatus: Readonly<Record<string, Observation['status']>> = {
  active: 'preliminary',
  aborted: 'cancelled',
  cancelled: 'cancelled',
};

export function readObservation(extraction: Extraction, place: Place, statement: XmlElement): Reference | undefined {
  const { around, reading } = extraction;
  const code = namedCode(place, statement);
  const value = observationValue(statement, reading);
  if (code === undefined || isNegated(statement)) {
    const text = 'constat négatif ou sans code ; seul le texte est gardé';
    note(extraction, place, code === undefined ? 'entry-without-code' : 'negation-not-mapped', text);
    return undefined;
  }
  const time = timeOf(extraction, place, statement);
  const isPoint = time?.start === time?.end;
  const resource = element<Observation>({
    resourceType: 'Observation',
    status: observationStatus[statusCode(statement) ?? ''] ?? 'final',
    code,
    subject: around.subject,
    encounter: around.encounter,
    effectiveDateTime: isPoint ? time?.start : undefined,
    effectivePeriod: isPoint ? undefined : period(time),
    valueString: undefined,
    note: lineNote(place, statement),
  });
  return make(extraction, place, { ...resource, ...value, derivedFrom: [around.letter] });
}

function namedCode(place: Place, statement: XmlElement): CodeableConcept | undefined {
  const coded = codeOf(statement, 'code');
  const text = coded?.text ?? statementText(place, statement);
  if (coded?.coding !== undefined) return coded;
  return text === undefined ? undefined : { text };
}

/** The value names what there is; without code, the words it points at do. */
function namedValue(place: Place, statement: XmlElement): CodeableConcept | undefined {
  const value = child(statement, 'value');
  const coded = concept(readCode(value));
  const text = coded?.text ?? (value && statementText(place, value)) ?? statementText(place, statement);
  return coded?.coding === undefined ? named(undefined, text) : named(coded, text);
}

const clinicalStates: ReadonlyMap<string, string> = new Map([
  ...['active', 'inactive', 'resolved', 'remission', 'recurrence', 'relapse'].map((code) => [code, code] as const),
  ['55561003', 'active'],
  ['73425007', 'inactive'],
  ['413322009', 'resolved'],
]);

/** The state that a statement on the problem says (LOINC 33999-4), else the one of the concern around it. */
function clinicalState(problem: XmlElement, concern: XmlElement | undefined): string {
  const said = related(problem, 'REFR')
    .filter((state) => attribute(child(state, 'code'), 'code') === '33999-4')
    .flatMap((state) => clinicalStates.get(attribute(child(state, 'value'), 'code') ?? '') ?? [])[0];
  return said ?? (concern !== undefined && statusCode(concern) === 'completed' ? 'inactive' : 'active');
}

/** Problem entry, alone or in its concern. */
export function readCondition(
  extraction: Extraction,
  place: Place,
  of: { readonly problem: XmlElement; readonly concern: XmlElement | undefined; readonly isOfStay: boolean },
): Reference | undefined {
  const { around, document } = extraction;
  const { problem, concern, isOfStay } = of;
  const code = namedValue(place, problem);
  if (code === undefined) {
    note(extraction, place, 'entry-without-code', 'problème sans nom ; seul le texte est gardé');
    return undefined;
  }
  const time = timeOf(extraction, place, problem);
  const state = clinicalState(problem, concern);
  const hasEnd = time?.end !== undefined && time.end !== time.start;
  const resource = element<Condition>({
    resourceType: 'Condition',
    // con-4: what has an end is not active.
    clinicalStatus: hl7('condition-clinical', hasEnd && state === 'active' ? 'resolved' : state),
    verificationStatus: isNegated(problem) ? hl7('condition-ver-status', 'refuted') : undefined,
    category: [hl7('condition-category', isOfStay ? 'encounter-diagnosis' : 'problem-list-item')],
    code,
    subject: around.subject,
    encounter: isOfStay ? around.encounter : undefined,
    onsetDateTime: time?.start,
    abatementDateTime: hasEnd ? time.end : undefined,
    recordedDate: document.effectiveTime,
    asserter: around.asserter,
    note: lineNote(place, problem),
  });
  return make(extraction, place, resource);
}

const allergyKinds: ReadonlyMap<string, Pick<AllergyIntolerance, 'type' | 'category'>> = new Map([
  ['416098002', { type: 'allergy', category: ['medication'] }],
  ['59037007', { type: 'intolerance', category: ['medication'] }],
  ['419511003', { category: ['medication'] }],
  ['414285001', { type: 'allergy', category: ['food'] }],
  ['235719002', { type: 'intolerance', category: ['food'] }],
  ['418471000', { category: ['food'] }],
  ['426232007', { type: 'allergy', category: ['environment'] }],
  ['419199007', { type: 'allergy' }],
  ['DALG', { type: 'allergy', category: ['medication'] }],
  ['DINT', { type: 'intolerance', category: ['medication'] }],
  ['FALG', { type: 'allergy', category: ['food'] }],
  ['FINT', { type: 'intolerance', category: ['food'] }],
  ['EALG', { type: 'allergy', category: ['environment'] }],
  ['EINT', { type: 'intolerance', category: ['environment'] }],
  ['ALG', { type: 'allergy' }],
]);

/** SNOMED CT: no known allergy, and the same for drugs, food, environment. */
const noKnownAllergy: ReadonlySet<string> = new Set(['716186003', '409137002', '429625007', '428607008']);

/** Concern with its allergy. "None found during this stay" is not "no known allergy": only a code that says so is. */
export function readAllergy(
  extraction: Extraction,
  place: Place,
  of: { readonly allergy: XmlElement; readonly concern: XmlElement | undefined },
): Reference | undefined {
  const { around, document } = extraction;
  const { allergy, concern } = of;
  const code = allergen(place, allergy);
  if (code === undefined || isNegated(allergy)) {
    note(extraction, place, 'entry-without-code', 'allergie sans agent nommé ou niée ; seul le texte est gardé');
    return undefined;
  }
  const kind = allergyKinds.get(attribute(child(allergy, 'code'), 'code') ?? '');
  const state = clinicalState(allergy, concern);
  const resource = element<AllergyIntolerance>({
    resourceType: 'AllergyIntolerance',
    clinicalStatus: hl7(
      'allergyintolerance-clinical',
      ['active', 'inactive', 'resolved'].includes(state) ? state : 'active',
    ),
    type: kind?.type,
    category: kind?.category,
    code,
    patient: around.subject,
    encounter: around.encounter,
    onsetDateTime: timeOf(extraction, place, allergy)?.start,
    recordedDate: document.effectiveTime,
    asserter: around.asserter,
    note: lineNote(place, allergy),
    reaction: reactionsOf(place, allergy),
  });
  return make(extraction, place, resource);
}

function allergen(place: Place, allergy: XmlElement): CodeableConcept | undefined {
  const agent = children(allergy, 'participant').find((who) => attribute(who, 'typeCode') === 'CSM');
  const entity = child(agent, 'participantRole', 'playingEntity');
  const coded = codeOf(entity, 'code');
  const code = child(entity, 'code');
  const text = textOf(child(entity, 'name')) ?? coded?.text ?? (code && statementText(place, code));
  if (coded !== undefined || text !== undefined) return named(coded, text);
  const value = readCode(child(allergy, 'value'));
  return noKnownAllergy.has(value?.code ?? '') ? concept(value) : undefined;
}

const severities: ReadonlyMap<string, AllergyIntoleranceReaction['severity']> = new Map([
  ['255604002', 'mild'],
  ['L', 'mild'],
  ['6736007', 'moderate'],
  ['M', 'moderate'],
  ['24484000', 'severe'],
  ['H', 'severe'],
]);

function reactionsOf(place: Place, allergy: XmlElement): AllergyIntoleranceReaction[] {
  const severity = related(allergy, 'SUBJ')
    .filter((one) => attribute(child(one, 'code'), 'code') === 'SEV')
    .flatMap((one) => severities.get(attribute(child(one, 'value'), 'code') ?? '') ?? [])[0];
  return related(allergy, 'MFST')
    .filter((reaction) => !isNegated(reaction))
    .flatMap((reaction) => {
      const manifestation = namedValue(place, reaction);
      return manifestation === undefined
        ? []
        : [element<AllergyIntoleranceReaction>({ manifestation: [manifestation], severity })];
    });
}

export function readProcedure(extraction: Extraction, place: Place, statement: XmlElement): Reference | undefined {
  const { around } = extraction;
  const code = namedCode(place, statement);
  if (code === undefined) {
    note(extraction, place, 'entry-without-code', 'acte sans nom ; seul le texte est gardé');
    return undefined;
  }
  const time = timeOf(extraction, place, statement);
  const site = codeOf(statement, 'targetSiteCode');
  const resource = element<Procedure>({
    resourceType: 'Procedure',
    status: isNegated(statement) ? 'not-done' : (procedureStatus[statusCode(statement) ?? ''] ?? 'completed'),
    code,
    subject: around.subject,
    performedPeriod: period(time),
    bodySite: site && [site],
    note: lineNote(place, statement),
  });
  return make(extraction, place, resource);
}

const procedureStatus: Readonly<Record<string, Procedure['status']>> = {
  active: 'in-progress',
  aborted: 'stopped',
  cancelled: 'not-done',
};

/** A group of results, and each of them. */
export function readReport(extraction: Extraction, place: Place, statement: XmlElement): readonly Reference[] {
  const { around } = extraction;
  const results = children(statement, 'component').flatMap((component) => {
    const observation = child(component, 'observation');
    if (observation === undefined) return [];
    return readObservation(extraction, placeOf(extraction, place.section, observation), observation) ?? [];
  });
  const code = namedCode(place, statement);
  if (code === undefined) return results;
  const resource = element<DiagnosticReport>({
    resourceType: 'DiagnosticReport',
    status: 'final',
    code,
    subject: around.subject,
    encounter: around.encounter,
    effectivePeriod: period(timeOf(extraction, place, statement)),
    result: results,
  });
  return [make(extraction, place, resource), ...results];
}
