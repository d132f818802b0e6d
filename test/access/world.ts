/** A small territory for tests of access: two patients in two circles of care, who are connected in many ways. */
import type { Resource } from '../../src/fhir/index.ts';
import { type Client } from '../support/client.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/app.ts';
import type { Caller } from '../../src/access/index.ts';
import { application, callersBy, patientUser, physician } from './callers.ts';

export const rpps = { anna: '10100000011', boris: '10100000022' };
export const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
export const visibility =
  'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument';

export const callers: Readonly<Record<string, Caller>> = {
  anna: physician(rpps.anna),
  boris: physician(rpps.boris),
  patientA: patientUser('Patient/a'),
  feed: application('feed', {
    rights: ['patient-all', 'id-choose', 'care-team-manage', 'directory-write', 'subscription-all'],
  }),
};

export interface AccessApp extends TestApp {
  /** A client with the token of this caller. */
  as(name: string): Client;
}

export async function startAccessApp(
  more: Readonly<Record<string, Caller>> = {},
  options: TestAppOptions = {},
): Promise<AccessApp> {
  const app = await startTestApp({ ...options, callerOf: callersBy({ ...callers, ...more }) });
  return { ...app, as: (name) => app.client.with({ authorization: `Bearer ${name}` }) };
}

export function directory(): readonly Resource[] {
  const practitioner = (id: string, number: string, family: string): Resource => ({
    resourceType: 'Practitioner',
    id,
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: number }],
    name: [{ family }],
  });
  return [
    practitioner('anna', rpps.anna, 'Lefèvre'),
    practitioner('boris', rpps.boris, 'Roux'),
    {
      resourceType: 'Organization',
      id: 'hospital',
      identifier: [{ system: 'https://finess.esante.gouv.fr', value: '750712184' }],
      name: 'Hôpital Sainte-Marie',
    },
    {
      resourceType: 'PractitionerRole',
      id: 'anna-role',
      practitioner: { reference: 'Practitioner/anna' },
      organization: { reference: 'Organization/hospital' },
    },
  ];
}

export function patient(id: string, family: string, changes: object = {}): Resource {
  return { resourceType: 'Patient', id, active: true, name: [{ family }], birthDate: '1950-04-02', ...changes };
}

export function careTeam(id: string, of: string, member: string, changes: object = {}): Resource {
  return {
    resourceType: 'CareTeam',
    id,
    status: 'active',
    subject: { reference: `Patient/${of}` },
    participant: [{ member: { reference: member } }],
    ...changes,
  };
}

export function observation(id: string, of: string, changes: object = {}): Resource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: `Patient/${of}` },
    effectiveDateTime: '2026-03-01T10:00:00+01:00',
    valueQuantity: { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
    ...changes,
  };
}

export function document(id: string, of: string, changes: object = {}): Resource {
  return {
    resourceType: 'DocumentReference',
    id,
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '34112-3' }] },
    subject: { reference: `Patient/${of}` },
    date: '2026-03-01T10:00:00+01:00',
    content: [{ attachment: { contentType: 'text/plain', url: `Binary/${id}-content` } }],
    ...changes,
  };
}

export function binary(id: string): Resource {
  return {
    resourceType: 'Binary',
    id,
    contentType: 'text/plain',
    data: Buffer.from(`content of ${id}`).toString('base64'),
  };
}

/** The text of an answer without what the instance decides: its own port. */
export function told({ status, text, headers }: Awaited<ReturnType<Client['get']>>): string {
  const kept = ['etag', 'last-modified', 'location', 'content-type', 'content-location', 'www-authenticate'];
  const shown = kept.map((name) => `${name}: ${headers.get(name) ?? '-'}`);
  return [status, ...shown, text].join('\n').replaceAll(/127\.0\.0\.1:\d+/g, 'server');
}
