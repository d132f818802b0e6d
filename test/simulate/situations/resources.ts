/** Minimal resources of the situations, as senders write them. */
import type { Resource } from '../../../src/fhir/index.ts';
import { hourMs, text } from '../time.ts';
import { gp, nurse, site, suture, type World } from '../world.ts';

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const loinc = 'http://loinc.org';
const icd10 = 'http://hl7.org/fhir/sid/icd-10';
const atc = 'http://www.whocc.no/atc';

export const own = (system: string, code: string) => ({ coding: [{ system: `${suture}/${system}`, code }] });

export function encounter(
  world: World,
  id: string,
  of: { kind: string; startMs: number; endMs?: number; more?: object },
): Resource {
  const { kind, startMs, endMs, more = {} } = of;
  return {
    resourceType: 'Encounter',
    id: `${world.id}-${id}`,
    status: endMs === undefined ? 'in-progress' : 'finished',
    class: { system: actCode, code: kind },
    subject: { reference: world.patient },
    period: { start: text(startMs), ...(endMs === undefined ? {} : { end: text(endMs) }) },
    serviceProvider: { reference: site },
    ...more,
  };
}

export function visit(world: World, id: string, atMs: number, more: object = {}, kind = 'AMB'): Resource {
  return encounter(world, id, { kind, startMs: atMs, endMs: atMs + hourMs, more });
}

export function document(world: World, id: string, code: string, atMs: number, more: object = {}): Resource {
  return {
    resourceType: 'DocumentReference',
    id: `${world.id}-${id}`,
    status: 'current',
    type: { coding: [{ system: loinc, code }] },
    subject: { reference: world.patient },
    date: text(atMs),
    content: [{ attachment: { contentType: 'application/pdf', creation: text(atMs) } }],
    ...more,
  };
}

export function message(
  world: World,
  id: string,
  atMs: number,
  of: { about?: string; to?: string; more?: object },
): Resource {
  const { about, to = gp, more = {} } = of;
  return {
    resourceType: 'Communication',
    id: `${world.id}-${id}`,
    status: 'completed',
    subject: { reference: world.patient },
    ...(about === undefined ? {} : { about: [{ reference: about }] }),
    sent: text(atMs),
    recipient: [{ reference: to }],
    sender: { reference: nurse },
    ...more,
  };
}

export function condition(world: World, id: string, of: { code: string; status: string; atMs: number }): Resource {
  return {
    resourceType: 'Condition',
    id: `${world.id}-${id}`,
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: of.status }],
    },
    code: { coding: [{ system: icd10, code: of.code }] },
    subject: { reference: world.patient },
    recordedDate: text(of.atMs),
  };
}

export function request(world: World, id: string, atMs: number, more: object): Resource {
  return {
    resourceType: 'ServiceRequest',
    id: `${world.id}-${id}`,
    status: 'active',
    intent: 'order',
    subject: { reference: world.patient },
    authoredOn: text(atMs),
    requester: { reference: gp },
    ...more,
  };
}

export function task(world: World, id: string, of: { focus: string; atMs: number; more?: object }): Resource {
  return {
    resourceType: 'Task',
    id: `${world.id}-${id}`,
    status: 'completed',
    intent: 'order',
    focus: { reference: of.focus },
    for: { reference: world.patient },
    executionPeriod: { end: text(of.atMs) },
    lastModified: text(of.atMs),
    ...of.more,
  };
}

export function procedure(world: World, id: string, atMs: number, more: object): Resource {
  return {
    resourceType: 'Procedure',
    id: `${world.id}-${id}`,
    status: 'completed',
    subject: { reference: world.patient },
    performedDateTime: text(atMs),
    ...more,
  };
}

export function observation(world: World, id: string, atMs: number, of: { score: string; value: number }): Resource {
  return {
    resourceType: 'Observation',
    id: `${world.id}-${id}`,
    status: 'final',
    code: own('score', of.score),
    subject: { reference: world.patient },
    effectiveDateTime: text(atMs),
    valueInteger: of.value,
  };
}

export const oralDrug = { coding: [{ system: atc, code: 'L01EA01' }] };

export function appointment(
  world: World,
  id: string,
  of: { status: string; startMs: number; createdMs: number; more?: object },
): Resource {
  const { status, startMs, createdMs, more = {} } = of;
  return {
    resourceType: 'Appointment',
    id: `${world.id}-${id}`,
    status,
    created: text(createdMs),
    start: text(startMs),
    end: text(startMs + hourMs),
    participant: [{ actor: { reference: world.patient }, status: 'accepted' }],
    ...more,
  };
}

export function answers(world: World, id: string, atMs: number, more: object = {}): Resource {
  return {
    resourceType: 'QuestionnaireResponse',
    id: `${world.id}-${id}`,
    status: 'completed',
    questionnaire: 'https://suture.example/fhir/Questionnaire/suivi-hebdomadaire',
    subject: { reference: world.patient },
    source: { reference: world.patient },
    authored: text(atMs),
    ...more,
  };
}

export function dispense(world: World, id: string, atMs: number, more: object = {}): Resource {
  return {
    resourceType: 'MedicationDispense',
    id: `${world.id}-${id}`,
    status: 'completed',
    medicationCodeableConcept: oralDrug,
    subject: { reference: world.patient },
    whenHandedOver: text(atMs),
    ...more,
  };
}

/** An active plan of care; what is in it is told by the situation. */
export function carePlan(world: World, atMs: number, more: object = {}): Resource {
  return {
    resourceType: 'CarePlan',
    id: `${world.id}-plan`,
    status: 'active',
    intent: 'plan',
    subject: { reference: world.patient },
    created: text(atMs),
    ...more,
  };
}
