/** Breaking the glass: with a reason, for a while, never against the patient's will, and always in the audit log (row A23). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from 'fhir/r4.js';
import { application, physician } from './callers.ts';
import { type AccessApp, directory, observation, patient, rpps, startAccessApp } from './world.ts';

let app: AccessApp;

beforeAll(async () => {
  const mayBreak = physician(rpps.boris, { rights: ['break-glass'] });
  app = await startAccessApp(
    {
      boris: mayBreak,
      other: { ...mayBreak, clientId: 'other' },
      third: { ...mayBreak, clientId: 'third' },
      box: application('box', { rights: ['break-glass'] }),
      auditor: application('auditor', { rights: ['audit-read', 'patient-all'] }),
    },
    { settings: { SUTURE_AUDIT: 'on' } },
  );
  const feed = app.as('feed');
  await feed.putAll(...directory(), ...['a', 'b', 'c'].map((id) => patient(id, `Martin-${id}`)));
  await feed.putAll(observation('oa', 'a'), observation('ob', 'b'));
  const refusal = { resourceType: 'Consent', status: 'active', patient: { reference: 'Patient/b' } };
  const codes = { scope: { text: 'privacy' }, category: [{ text: 'opposition' }], policyRule: { text: 'opposition' } };
  await app.as('system').putAll({ ...refusal, ...codes, id: 'no', provision: { type: 'deny' } });
});

afterAll(() => app.close());

const reason = 'Patient inconscient aux urgences, traitement en cours inconnu';

function ask(caller: string, id: string, given: object = { valueString: reason }) {
  const parameter = [{ name: 'reason', ...given }];
  return app.as(caller).post(`Patient/${id}/$break-glass`, { resourceType: 'Parameters', parameter });
}

const audited = (query: string) => app.as('auditor').search<AuditEvent>(`AuditEvent?${query}`);

describe('breaking the glass', () => {
  it('A23: is refused without a reason, with a text as long as a book, without the right, and to what is no person', async () => {
    const statuses = [
      (await ask('boris', 'a', {})).status,
      (await ask('boris', 'a', { valueString: 'urgent' })).status,
      (await ask('boris', 'a', { valueString: ' \n '.repeat(20) })).status,
      (await ask('boris', 'a', { valueString: 'x'.repeat(1_000_000) })).status,
      (await ask('anna', 'a')).status,
      (await ask('box', 'a')).status,
      (await ask('boris', 'nobody')).status,
    ];
    expect(statuses).toEqual([400, 400, 400, 400, 403, 403, 404]);
    expect((await app.as('boris').get('Observation/oa')).status).toBe(404);
  });

  it('opens the record of this patient, and of no other, until it is ended; all of it is told', async () => {
    const given = await ask('boris', 'a');
    expect(given.status).toBe(200);
    expect(given.json.parameter).toContainEqual({ name: 'until', valueDateTime: '2026-03-02T11:00:00.000Z' });
    const status = async (path: string) => (await app.as('boris').get(path)).status;
    expect([await status('Observation/oa'), await status('Observation/ob')]).toEqual([200, 404]);
    expect((await app.as('other').get('Observation/oa')).status).toBe(404);
    const [began] = await audited('subtype=break-glass&patient=a');
    expect(began).toMatchObject({ outcome: '0', purposeOfEvent: [{ coding: [{ code: 'BTG' }], text: reason }] });
    const [read] = await audited('subtype=read&patient=a&outcome=0');
    expect(read?.purposeOfEvent?.[0]?.coding?.[0]?.code).toBe('BTG');
    expect((await app.as('boris').post('Patient/a/$break-glass-end', { resourceType: 'Parameters' })).status).toBe(204);
    expect(await status('Observation/oa')).toBe(404);
    expect(await audited('subtype=break-glass-end&patient=a')).toHaveLength(1);
    expect((await app.as('boris').post('Patient/a/$break-glass-end', { resourceType: 'Parameters' })).status).toBe(404);
  });

  it('A23: never goes over the express opposition of the patient, and the attempt is noted', async () => {
    expect((await ask('boris', 'b')).status).toBe(403);
    expect((await app.as('boris').get('Observation/ob')).status).toBe(404);
    const [refused] = await audited('subtype=operation&patient=b&outcome=4');
    expect(refused?.subtype?.map(({ code }) => code)).toEqual(['operation', 'break-glass']);
  });

  it('A23: is done five times an hour at most, however they race', async () => {
    const racing = await Promise.all(Array.from({ length: 12 }, () => ask('third', 'c')));
    const statuses = racing.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(7).fill(429)]);
  });

  it('A23: is over after four hours', async () => {
    expect((await ask('other', 'a')).status).toBe(200);
    expect((await app.as('other').get('Observation/oa')).status).toBe(200);
    await app.as('system').moveClock('2026-03-02T12:00:01+01:00');
    expect((await app.as('other').get('Observation/oa')).status).toBe(404);
  });
});
