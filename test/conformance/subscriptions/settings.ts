/** What a tester of Suture gives to the checks: a topic of its own, what triggers it, and what it does not support. */
import type { Settings } from './world.ts';

const stay = (patient: string) => (id: string) => ({
  resourceType: 'Encounter',
  id,
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject: { reference: `Patient/${patient}` },
});

export function settingsFor(baseUrl: string): Settings {
  return {
    baseUrl,
    topic: 'https://suture.example/fhir/SubscriptionTopic/encounter-discharged',
    filter: 'Encounter?patient=Patient/kit',
    trigger: stay('kit'),
    other: stay('somebody'),
    unsupported: {
      topic: 'https://elsewhere.example/SubscriptionTopic/admission',
      filter: 'Encounter?length=gt5',
      endpoint: 'ftp://hooks.example.org/in',
      payload: 'application/x-yaml',
    },
  };
}
