/** What a caller may write: before and after are both his to see, and nothing grants him more. Rows A19 to A25, F12, T1 to T12. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { application, physician } from './callers.ts';
import {
  type AccessApp,
  careTeam,
  confidentiality,
  directory,
  document,
  observation,
  patient,
  rpps,
  startAccessApp,
  told,
  visibility,
} from './world.ts';

let app: AccessApp;

beforeAll(async () => {
  app = await startAccessApp({
    'anna-manager': physician(rpps.anna, { rights: ['care-team-manage', 'consent-manage'] }),
    'anna-reader': physician(rpps.anna, { scope: 'user/*.rs' }),
    'anna-writer': physician(rpps.anna, { scope: 'user/Observation.cu' }),
    'anna-chooser': physician(rpps.anna, { rights: ['id-choose'] }),
    auditor: physician(rpps.anna, { rights: ['audit-read', 'audit-write', 'patient-all'] }),
    ward: application('ward', { finess: '750712184', rights: ['care-team-manage'] }),
  });
  await app
    .as('system')
    .putAll(
      ...directory(),
      patient('a', 'Alix', { identifier: [{ system: 'urn:test', value: 'A' }] }),
      patient('b', 'Benoit', { identifier: [{ system: 'urn:test', value: 'B' }] }),
      careTeam('team-a', 'a', 'Practitioner/anna'),
      careTeam('team-b', 'b', 'Practitioner/boris'),
      observation('of-a', 'a'),
      observation('of-b', 'b'),
      document('marked', 'a', { securityLabel: [{ coding: [{ system: visibility, code: 'INVISIBLE_PATIENT' }] }] }),
    );
});

afterAll(() => app.close());

const put = async (name: string, resource: Resource) => (await app.as(name).put(resource)).status;
const post = async (name: string, { id: _id, ...resource }: Resource) =>
  (await app.as(name).post(resource.resourceType, resource)).status;

describe('a write', () => {
  it('T12: needs what is there and what will be there', async () => {
    expect(await put('anna', observation('of-a', 'a', { status: 'amended' }))).toBe(200);
    expect(await put('anna', observation('of-a', 'b'))).toBe(403);
    expect(await put('anna', observation('of-b', 'a'))).toBe(405);
    expect(await post('anna', observation('', 'a'))).toBe(201);
    expect(await post('anna', observation('', 'b'))).toBe(403);
    expect((await app.as('boris').read<Resource>('Observation/of-b')).meta?.versionId).toBe('1');
  });

  it('T2: to an id that the caller does not see is refused as one to an unknown id, byte for byte', async () => {
    const refused = async (id: string) => told(await app.as('anna').put(observation(id, 'a')));
    expect(await refused('of-b')).toBe(await refused('never-was'));
    const withMatch = async (id: string) =>
      told(await app.as('anna').put(observation(id, 'a'), { 'if-match': 'W/"1"' }));
    expect(await withMatch('of-b')).toBe(await withMatch('never-was'));
    const deleted = async (id: string) => told(await app.as('anna').remove(`Observation/${id}`));
    expect(await deleted('of-b')).toBe(await deleted('never-was'));
    const patched = async (id: string) =>
      told(
        await app.as('anna').send('PATCH', `Observation/${id}`, {
          body: JSON.stringify([{ op: 'test', path: '/status', value: 'final' }]),
          type: 'application/json-patch+json',
        }),
      );
    expect(await patched('of-b')).toBe(await patched('never-was'));
    expect((await app.as('boris').get('Observation/of-b')).status).toBe(200);
  });

  it('under a chosen id needs its right', async () => {
    expect(await put('anna', observation('chosen', 'a'))).toBe(405);
    expect(await put('anna-chooser', observation('chosen', 'a'))).toBe(201);
  });

  it('A10: needs the letter of its interaction', async () => {
    expect(await put('anna-reader', observation('of-a', 'a'))).toBe(403);
    expect(await post('anna-reader', observation('', 'a'))).toBe(403);
    expect((await app.as('anna-writer').remove('Observation/of-a')).status).toBe(403);
  });

  it('shows nothing to whom may not read', async () => {
    const reply = await app.as('anna-writer').put(observation('of-a', 'a'), { prefer: 'return=representation' });
    expect([reply.status, reply.text]).toEqual([200, '']);
  });
});

describe('criteria', () => {
  it('F12: find nothing that is not seen', async () => {
    const found = await app.as('anna').get('Patient?identifier=urn:test|B');
    expect(found.json.entry).toBeUndefined();
    const create = await app
      .as('anna')
      .post('Observation', { ...observation('', 'a'), id: undefined }, { 'if-none-exist': '_id=of-b' });
    expect(create.status).toBe(201);
    const put = await app.as('anna').send('PUT', 'Observation?_id=of-b', { body: observation('of-b', 'a') });
    const never = await app.as('anna').send('PUT', 'Observation?_id=nothing', { body: observation('nothing', 'a') });
    expect([put.status, never.status]).toEqual([405, 405]);
    expect((await app.as('anna').send('DELETE', 'Observation?_id=of-b')).status).toBe(204);
    expect((await app.as('boris').get('Observation/of-b')).status).toBe(200);
  });

  it('T1, T2: of a transaction neither', async () => {
    const transaction = (entry: object[]) =>
      app.as('anna').post('', { resourceType: 'Bundle', type: 'transaction', entry });
    const conditional = await transaction([
      {
        request: { method: 'POST', url: 'Observation' },
        resource: { ...observation('', 'a'), id: undefined, focus: [{ reference: 'Patient?identifier=urn:test|B' }] },
      },
    ]);
    expect(conditional.status).toBe(412);
    const read = await transaction([{ request: { method: 'GET', url: 'Patient/b' } }]);
    const never = await transaction([{ request: { method: 'GET', url: 'Patient/c' } }]);
    expect([read.status, told(read)]).toEqual([404, told(never)]);
    const batch = await app.as('anna').post('', {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [
        { request: { method: 'GET', url: 'Patient/b' } },
        { request: { method: 'GET', url: 'Patient/a' } },
        { request: { method: 'GET', url: 'Observation?patient=b' } },
      ],
    });
    const entries = batch.json.entry as { response: { status: string }; resource?: { entry?: unknown } }[];
    expect(entries.map(({ response }) => response.status)).toEqual(['404', '200', '200']);
    expect(entries[2]?.resource?.entry).toBeUndefined();
  });
});

describe('access itself', () => {
  it('A22, T3: nobody adds himself to a care team, with the right to manage teams or without', async () => {
    expect(await post('anna', careTeam('', 'b', 'Practitioner/anna'))).toBe(403);
    for (const member of ['Practitioner/anna', 'PractitionerRole/anna-role']) {
      expect(await post('anna-manager', careTeam('', 'a', member))).toBe(403);
    }
    expect(await post('anna-manager', careTeam('', 'a', 'Practitioner/boris'))).toBe(201);
    const longer = careTeam('team-a', 'a', 'Practitioner/anna', { name: 'équipe' });
    expect(await put('anna-manager', longer)).toBe(200);
    expect(await post('feed', careTeam('', 'b', 'Practitioner/anna'))).toBe(201);
    await app.as('system').remove('CareTeam?patient=b&participant=Practitioner/anna');
  });

  it('A22: an organisation does not add itself either', async () => {
    await app.as('system').putAll(careTeam('ward-a', 'a', 'Organization/hospital'));
    expect(await post('ward', careTeam('', 'a', 'Practitioner/boris'))).toBe(201);
    expect(await post('ward', careTeam('', 'a', 'Organization/hospital'))).toBe(403);
    expect(await post('ward', careTeam('', 'b', 'Organization/hospital'))).toBe(403);
  });

  it('A22: nor by a stay, or a practice, of a patient whom he does not see', async () => {
    const stay = (of: string) => ({
      resourceType: 'Encounter',
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: { reference: `Patient/${of}` },
      participant: [{ individual: { reference: 'Practitioner/anna' } }],
    });
    expect(await post('anna', stay('b'))).toBe(403);
    const own = patient('mine', 'Nouveau', { generalPractitioner: [{ reference: 'Practitioner/anna' }] });
    expect(await post('anna', own)).toBe(403);
  });

  it('A22: consents and refusals need their right, and are not undone by whom they refuse', async () => {
    const consent: Resource = {
      resourceType: 'Consent',
      id: 'refusal',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ text: 'opposition' }],
      patient: { reference: 'Patient/a' },
      policyRule: { text: 'opposition' },
      provision: {
        type: 'deny',
        purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'ETREAT' }],
      },
    };
    expect(await post('anna', consent)).toBe(403);
    await app.as('system').putAll(consent);
    expect((await app.as('anna').remove('Consent/refusal')).status).toBe(403);
    expect((await app.as('anna-manager').remove('Consent/refusal')).status).toBe(403);
    expect(await put('anna-manager', { ...consent, status: 'inactive' })).toBe(403);
    expect(await put('anna-manager', { ...consent, language: 'fr' })).toBe(200);
  });

  it('labels are added freely, and taken away by right', async () => {
    const relabelled = (security: object[]) => document('marked', 'a', { securityLabel: security });
    expect(await put('anna', relabelled([{ coding: [{ system: confidentiality, code: 'N' }] }]))).toBe(403);
    const more = ['INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX'].map((code) => ({
      coding: [{ system: visibility, code }],
    }));
    expect(await put('anna', relabelled(more))).toBe(200);
    const meta = { name: 'meta', valueMeta: { security: [] } };
    expect(
      (
        await app
          .as('anna')
          .post('DocumentReference/marked/$meta-add', { resourceType: 'Parameters', parameter: [meta] })
      ).status,
    ).toBeLessThan(300);
  });

  it('A24: an AuditEvent is never changed, and who has no right makes none', async () => {
    const event: Resource = {
      resourceType: 'AuditEvent',
      id: 'kept',
      type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110112' },
      recorded: '2026-03-02T08:00:00+01:00',
      agent: [{ requestor: true, who: { display: 'x' } }],
      source: { observer: { display: 'Suture' } },
    };
    expect(await post('anna', event)).toBe(403);
    await app.as('system').putAll(event);
    expect((await app.as('anna').get('AuditEvent/kept')).status).toBe(404);
    expect((await app.as('auditor').get('AuditEvent/kept')).status).toBe(200);
    expect(await put('auditor', { ...event, language: 'fr' })).toBe(405);
    expect((await app.as('auditor').remove('AuditEvent/kept')).status).toBe(405);
    expect(await post('auditor', event)).toBe(201);
  });

  it('A25: definitions and the directory need their rights', async () => {
    const identifier = [{ system: 'https://rpps.esante.gouv.fr', value: rpps.anna }];
    expect(await put('anna', { resourceType: 'Practitioner', id: 'boris', identifier })).toBe(403);
    expect(await post('anna', { resourceType: 'Practitioner', id: '', identifier })).toBe(403);
    expect(await post('anna', { resourceType: 'ValueSet', id: '', url: 'urn:x', status: 'draft' })).toBe(403);
  });
});
