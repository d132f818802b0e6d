/** The inventory of routes (row A20): each route and operation that is served has a policy, and none is served without. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nobody, policyOf, requirePermitted, requirePolicies, systemCaller } from '../../src/access/index.ts';
import { application, patientUser, physician } from './callers.ts';
import { type AccessApp, startAccessApp } from './world.ts';

let app: AccessApp;

beforeAll(async () => {
  app = await startAccessApp();
});

afterAll(() => app.close());

describe('a policy', () => {
  it('A20: is asked of every route that is served, or the server does not start', () => {
    const served = app.app.http.printRoutes({ commonPrefix: false });
    expect(served).toContain('/fhir');
    expect(() => requirePolicies([{ kind: 'fhir', key: 'GET /:type' }])).not.toThrow();
    for (const asked of [
      { kind: 'fhir', key: 'GET /:type/:id/secret' },
      { kind: 'operation', key: 'instance $forgotten' },
      { kind: 'other', key: 'GET /backdoor' },
    ] as const) {
      expect(() => requirePolicies([asked])).toThrow(asked.key);
      expect(() => app.app.http.get('/backdoor', () => '')).toThrow();
    }
  });

  it('A21: that is missing permits nobody, and rights that are missing permit nothing', () => {
    const unknown = { kind: 'operation', key: 'system $forgotten' } as const;
    const empty = { kind: 'client', scopes: [], rights: [] } as const;
    for (const caller of [nobody, empty, physician('1'), patientUser('Patient/1'), application('x')]) {
      expect(() => requirePermitted(caller, unknown, '')).toThrow();
    }
    expect(() => requirePermitted(empty, { kind: 'fhir', key: 'GET /:type' }, 'Patient')).toThrow();
    expect(() => requirePermitted(systemCaller, unknown, '')).not.toThrow();
    expect(policyOf({ kind: 'fhir', key: 'constructor' })).toBeUndefined();
  });

  it('A11: lets nobody without a credential ask for anything but what is public', async () => {
    const paths = [
      'Patient',
      'Patient/1',
      'Patient/1/_history',
      '_history',
      'Patient/1/$everything',
      '_bulk/1',
      '$export',
      '$nothing',
      'Nothing/x/y/z',
    ];
    const statuses = await Promise.all(paths.map(async (path) => (await app.client.get(path)).status));
    expect(statuses.slice(0, -1)).toEqual(paths.slice(0, -1).map(() => 401));
    const posted = await app.client.send('POST', 'Patient', { body: '{'.repeat(5_000_000) });
    expect(posted.status).toBe(401);
    const open = await Promise.all(
      ['metadata', '/health/live', '/openapi.json'].map(async (path) => (await app.client.get(path)).status),
    );
    expect(open).toEqual([200, 200, 200]);
  });
});
