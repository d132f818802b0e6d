/**
 * An independent client (fhir-kit-client) does a day's work: create, read, vread, update, patch, search, paging, compartment, history,
 * batch, transaction, operation, delete. Nothing here is ours but the server.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'fhir-kit-client';
import type { Bundle, OperationOutcome, Patient } from 'fhir/r4.js';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = new Client({ baseUrl: test.app.baseUrl });
});
afterAll(() => test?.close());

const system = 'urn:oid:1.2.250.1.999.7.1';
const patient = (value: string): Patient => ({
  resourceType: 'Patient',
  active: true,
  identifier: [{ system, value }],
  name: [{ family: 'Tanguy', given: ['Soazig'] }],
});

/** The library types its answers loosely. */
const as = <T>(value: unknown): T => value as T;
const entries = (bundle: Bundle): readonly { readonly resourceType: string; readonly id?: string | undefined }[] =>
  (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);

describe('fhir-kit-client', () => {
  it('reads what the server can do', async () => {
    const statement = await client.capabilityStatement();
    expect(statement).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
  });

  it('creates, reads, updates, reads a version, patches and deletes', async () => {
    const made = as<Patient>(await client.create({ resourceType: 'Patient', body: as(patient('k1')) }));
    const id = made.id ?? '';
    expect(as<Patient>(await client.read({ resourceType: 'Patient', id })).identifier?.[0]?.value).toBe('k1');
    const updated = as<Patient>(
      await client.update({ resourceType: 'Patient', id, body: as({ ...made, gender: 'female' }) }),
    );
    expect(updated.meta?.versionId).toBe('2');
    expect(as<Patient>(await client.vread({ resourceType: 'Patient', id, version: '1' })).gender).toBeUndefined();
    const patch = [{ op: 'replace' as const, path: '/gender', value: 'unknown' }];
    expect(as<Patient>(await client.patch({ resourceType: 'Patient', id, jsonPatch: patch })).gender).toBe('unknown');
    const history = as<Bundle>(await client.history({ resourceType: 'Patient', id }));
    expect(history.entry?.map(({ request }) => request?.method)).toEqual(['PATCH', 'PUT', 'POST']);
    await client.delete({ resourceType: 'Patient', id });
    await expect(client.read({ resourceType: 'Patient', id })).rejects.toMatchObject({ response: { status: 410 } });
  });

  it('searches by URL and by form, and pages by the links', async () => {
    for (const value of ['s1', 's2', 's3', 's4', 's5'])
      await client.create({ resourceType: 'Patient', body: as(patient(value)) });
    const searchParams = { family: 'tang', _count: '2', _sort: 'family' };
    const seen = new Set<string>();
    let page: Bundle | undefined = as<Bundle>(await client.search({ resourceType: 'Patient', searchParams }));
    while (page !== undefined && (page.entry?.length ?? 0) > 0) {
      for (const { id } of entries(page)) seen.add(id ?? '');
      const hasNext: boolean = page.link?.some(({ relation }) => relation === 'next') ?? false;
      page = hasNext ? as<Bundle>(await client.nextPage({ bundle: as(page) })) : undefined;
    }
    expect(seen.size).toBe(5);
    const byForm = as<Bundle>(
      await client.search({
        resourceType: 'Patient',
        searchParams: { identifier: `${system}|s3` },
        options: { postSearch: true },
      }),
    );
    expect(entries(byForm)).toHaveLength(1);
  });

  it('carries out batches and transactions, and follows histories of a type and of everything', async () => {
    const fullUrl = 'urn:uuid:6f0d6f8e-93c4-4a3a-8f3e-6d6b1c7e0a11';
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'Poids' },
      subject: { reference: fullUrl },
    };
    const body = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { fullUrl, resource: patient('t1'), request: { method: 'POST', url: 'Patient' } },
        { resource: observation, request: { method: 'POST', url: 'Observation' } },
      ],
    };
    const done = as<Bundle>(await client.transaction({ body: as(body) }));
    expect(done.entry?.map(({ response }) => response?.status)).toEqual(['201', '201']);
    const id = /Patient\/([^/]+)/.exec(done.entry?.[0]?.response?.location ?? '')?.[1] ?? '';
    const found = as<Bundle>(
      await client.search({
        resourceType: 'Observation',
        compartment: { resourceType: 'Patient', id },
        searchParams: {},
      }),
    );
    expect(entries(found)).toHaveLength(1);
    const batch = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ request: { method: 'GET', url: `Patient/${id}` } }],
    };
    expect(as<Bundle>(await client.batch({ body: as(batch) })).entry?.[0]?.resource).toMatchObject({ id });
    expect(as<Bundle>(await client.typeHistory({ resourceType: 'Patient' })).type).toBe('history');
    expect(as<Bundle>(await client.systemHistory()).entry?.length).toBeGreaterThan(0);
    const record = as<Bundle>(
      await client.operation({ name: 'everything', resourceType: 'Patient', id, method: 'GET' }),
    );
    expect(entries(record).map(({ resourceType }) => resourceType)).toEqual(['Patient', 'Observation']);
  });

  it('is told what is wrong in a way that it understands', async () => {
    const refused = client.create({ resourceType: 'Patient', body: as({ resourceType: 'Patient', nmae: 'x' }) });
    await expect(refused).rejects.toMatchObject({ response: { status: 400 } });
    const data = await refused.catch(
      (error: unknown) => as<{ response: { data: OperationOutcome } }>(error).response.data,
    );
    expect(as<OperationOutcome>(data).issue[0]?.expression).toEqual(['Patient.nmae']);
  });
});
