/** Invariants of the resources that a care pathway is made of; those of the pages' "Constraints" sections in R4. */
import type { Members } from '../../fhir/index.ts';
import { type Check, countIn, has, hasChoice, hasCoding, isAfter, itemsIn, objectIn, ucum } from './members.ts';

const allergyVerification = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification';
const conditionVerification = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';
const conditionClinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';

export const resourceInvariants: Readonly<Record<string, Check>> = {
  'AllergyIntolerance ait-1': (allergy) => isWrong(allergy, allergyVerification) || has(allergy, 'clinicalStatus'),
  'AllergyIntolerance ait-2': (allergy) => !isWrong(allergy, allergyVerification) || !has(allergy, 'clinicalStatus'),
  'Appointment app-2': (appointment) => has(appointment, 'start') === has(appointment, 'end'),
  'Appointment app-3': (appointment) =>
    (has(appointment, 'start') && has(appointment, 'end')) ||
    isIn(appointment, 'status', 'proposed', 'cancelled', 'waitlist'),
  'Appointment app-4': (appointment) =>
    !has(appointment, 'cancelationReason') || isIn(appointment, 'status', 'noshow', 'cancelled'),
  'Appointment.participant app-1': (participant) => has(participant, 'type') || has(participant, 'actor'),
  'AppointmentResponse apr-1': (response) => has(response, 'participantType') || has(response, 'actor'),
  'AuditEvent.entity sev-1': (entity) => !has(entity, 'name') || !has(entity, 'query'),
  'CarePlan.activity cpl-3': (activity) => !has(activity, 'detail') || !has(activity, 'reference'),
  'Composition.section cmp-1': (section) => has(section, 'text') || has(section, 'entry') || has(section, 'section'),
  'Composition.section cmp-2': (section) => !has(section, 'emptyReason') || !has(section, 'entry'),
  'Condition con-4': (condition) =>
    !hasChoice(condition, 'abatement') ||
    hasCoding(objectIn(condition, 'clinicalStatus'), conditionClinical, ['resolved', 'remission', 'inactive']),
  'Condition con-5': (condition) => !isWrong(condition, conditionVerification) || !has(condition, 'clinicalStatus'),
  'Condition.stage con-1': (stage) => has(stage, 'summary') || has(stage, 'assessment'),
  'Condition.evidence con-2': (evidence) => has(evidence, 'code') || has(evidence, 'detail'),
  'Consent ppc-1': (consent) => has(consent, 'policy') || has(consent, 'policyRule'),
  'FamilyMemberHistory fhs-1': (history) => !hasChoice(history, 'age') || !hasChoice(history, 'born'),
  'FamilyMemberHistory fhs-2': (history) => hasChoice(history, 'age') || !has(history, 'estimatedAge'),
  'Goal.target gol-1': (target) => !hasChoice(target, 'detail') || has(target, 'measure'),
  'Group grp-1': (group) => !has(group, 'member') || group['actual'] === true,
  'Immunization.education imm-1': (education) => has(education, 'documentType') || has(education, 'reference'),
  'ImmunizationRecommendation.recommendation imr-1': (recommendation) =>
    has(recommendation, 'vaccineCode') || has(recommendation, 'targetDisease'),
  'Linkage lnk-1': (linkage) => countIn(linkage, 'item') > 1,
  'List lst-1': (list) => !has(list, 'emptyReason') || !has(list, 'entry'),
  'List lst-2': (list) => list['mode'] === 'changes' || !itemsIn(list, 'entry').some((entry) => has(entry, 'deleted')),
  'List lst-3': (list) => list['mode'] === 'working' || !itemsIn(list, 'entry').some((entry) => has(entry, 'date')),
  'MedicationAdministration.dosage mad-1': (dosage) => has(dosage, 'dose') || hasChoice(dosage, 'rate'),
  'MedicationDispense mdd-1': (dispense) => !isAfter(dispense['whenPrepared'], dispense['whenHandedOver']),
  'MeasureReport mrp-1': (report) => report['type'] !== 'data-collection' || !has(report, 'group'),
  'Observation obs-6': (observation) => !has(observation, 'dataAbsentReason') || !hasChoice(observation, 'value'),
  'Observation obs-7': (observation) => !hasChoice(observation, 'value') || !repeatsItsCode(observation),
  'Observation.referenceRange obs-3': (range) => has(range, 'low') || has(range, 'high') || has(range, 'text'),
  'Organization org-1': (organization) => has(organization, 'identifier') || has(organization, 'name'),
  'Organization org-2': isNotHome,
  'Organization org-3': isNotHome,
  'Patient.contact pat-1': (contact) =>
    has(contact, 'name') || has(contact, 'telecom') || has(contact, 'address') || has(contact, 'organization'),
  'Questionnaire que-2': (questionnaire) => areDistinct(questionnaire, 'linkId'),
  'Questionnaire.item que-1': (item) =>
    (item['type'] !== 'group' || has(item, 'item')) && (item['type'] !== 'display' || !has(item, 'item')),
  'Questionnaire.item que-3': (item) => item['type'] !== 'display' || !has(item, 'code'),
  'Questionnaire.item que-4': (item) => !has(item, 'answerOption') || !has(item, 'answerValueSet'),
  'Questionnaire.item que-5': (item) =>
    (!has(item, 'answerValueSet') && !has(item, 'answerOption')) ||
    isIn(item, 'type', 'choice', 'open-choice', 'decimal', 'integer', 'date', 'dateTime', 'time', 'string', 'quantity'),
  'Questionnaire.item que-6': (item) => item['type'] !== 'display' || (!has(item, 'required') && !has(item, 'repeats')),
  'Questionnaire.item que-8': (item) => !isIn(item, 'type', 'group', 'display') || !has(item, 'initial'),
  'Questionnaire.item que-9': (item) => item['type'] !== 'display' || !has(item, 'readOnly'),
  'Questionnaire.item que-10': (item) =>
    !has(item, 'maxLength') ||
    isIn(item, 'type', 'boolean', 'decimal', 'integer', 'string', 'text', 'url', 'open-choice'),
  'Questionnaire.item que-11': (item) => !has(item, 'answerOption') || !has(item, 'initial'),
  'Questionnaire.item que-12': (item) => countIn(item, 'enableWhen') <= 2 || has(item, 'enableBehavior'),
  'Questionnaire.item que-13': (item) => item['repeats'] === true || countIn(item, 'initial') <= 1,
  'QuestionnaireResponse.item qrs-1': (item) => !has(item, 'answer') || !has(item, 'item'),
  'RequestGroup.action rqg-1': (action) => has(action, 'resource') !== has(action, 'action'),
  'RiskAssessment.prediction ras-1': (probability) =>
    isPercentage(probability, 'low') && isPercentage(probability, 'high'),
  'RiskAssessment.prediction ras-2': ({ probabilityDecimal }) =>
    typeof probabilityDecimal !== 'number' || probabilityDecimal <= 100,
  'SearchParameter spd-1': (parameter) => !has(parameter, 'xpath') || has(parameter, 'xpathUsage'),
  'SearchParameter spd-2': (parameter) => !has(parameter, 'chain') || parameter['type'] === 'reference',
  'ServiceRequest prr-1': (request) => !has(request, 'orderDetail') || has(request, 'code'),
  'Task inv-1': (task) => !isAfter(task['authoredOn'], task['lastModified']),
  'ValueSet.compose.include vsd-1': (include) => has(include, 'valueSet') || has(include, 'system'),
  'ValueSet.compose.include vsd-2': (include) =>
    (!has(include, 'concept') && !has(include, 'filter')) || has(include, 'system'),
  'ValueSet.compose.include vsd-3': (include) => !has(include, 'concept') || !has(include, 'filter'),
};

/** No two members of that name, however deep, have one value. */
function areDistinct(resource: Members, name: string): boolean {
  const found: unknown[] = [];
  const gather = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const member in value) {
      if (member === name) found.push((value as Members)[member]);
      else gather((value as Members)[member]);
    }
  };
  gather(resource);
  return new Set(found).size === found.length;
}

/** Recorded in error. */
function isWrong(resource: Members, system: string): boolean {
  return hasCoding(objectIn(resource, 'verificationStatus'), system, ['entered-in-error']);
}

function isIn(data: Members, name: string, ...codes: readonly string[]): boolean {
  return codes.includes(data[name] as string);
}

/** An address or a telecom of an organization. */
function isNotHome(contact: Members): boolean {
  return contact['use'] !== 'home';
}

function isPercentage(range: Members, end: 'low' | 'high'): boolean {
  const { code, system } = objectIn(range, end);
  return !has(range, end) || (code === '%' && system === ucum);
}

function repeatsItsCode(observation: Members): boolean {
  const own = new Set(itemsIn(objectIn(observation, 'code'), 'coding').map(print));
  const components = itemsIn(observation, 'component').map((component) => objectIn(component, 'code'));
  return components.some((code) => itemsIn(code, 'coding').some((coding) => own.has(print(coding))));
}

function print(coding: Members): string {
  return JSON.stringify(['system', 'version', 'code', 'display', 'userSelected'].map((name) => coding[name] ?? null));
}
