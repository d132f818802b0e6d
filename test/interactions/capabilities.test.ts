/** GET [base]/metadata says what is true (https://hl7.org/fhir/R4/http.html#capabilities): everything in it is tried. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CapabilityStatement, CapabilityStatementRestResource } from 'fhir/r4.js';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;
let statement: CapabilityStatement;
let resources: readonly CapabilityStatementRestResource[];

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  statement = await client.read<CapabilityStatement>('metadata');
  resources = statement.rest?.[0]?.resource ?? [];
});
afterAll(() => test?.close());

const values: Readonly<Record<string, string>> = {
  token: 'x',
  reference: 'Patient/x',
  date: 'ge2026-01-01',
  string: 'x',
  number: '1',
  quantity: 'gt1',
  uri: 'urn:x',
  composite: 'x$x',
};

/** Runs GETs as batches; answers the status of each. */
async function statuses(urls: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const found: [string, string][] = [];
  for (let at = 0; at < urls.length; at += 400) {
    const part = urls.slice(at, at + 400);
    const entry = part.map((url) => ({ request: { method: 'GET', url } }));
    const { json } = await client.post('', { resourceType: 'Bundle', type: 'batch', entry });
    const answers = json.entry as { response: { status: string } }[];
    found.push(...answers.map(({ response }, index) => [part[index] ?? '', response.status] as [string, string]));
  }
  return found;
}

describe('The capability statement', () => {
  it('is one of R4 about this server, and valid itself', async () => {
    expect(statement).toMatchObject({
      resourceType: 'CapabilityStatement',
      status: 'active',
      kind: 'instance',
      fhirVersion: '4.0.1',
      software: { name: 'Suture' },
      implementation: { url: client.baseUrl },
    });
    expect((await client.post('CapabilityStatement', statement)).status).toBe(201);
  });

  it('names every resource type of R4, each once', () => {
    const types = resources.map(({ type }) => type);
    expect(new Set(types).size).toBe(types.length);
    expect(types).toEqual(expect.arrayContaining(['Patient', 'CarePlan', 'Encounter', 'Binary', 'PlanDefinition']));
    expect(types.length).toBe(146); // of the 148 codes of R4, Resource and DomainResource are abstract
  });

  it('lists search parameters that work, each of them', async () => {
    const asked = new Map<string, string>();
    for (const { type, searchParam = [] } of resources) {
      for (const { name, definition = name, type: kind } of searchParam) {
        if (!asked.has(definition)) asked.set(definition, `${type}?${name}=${values[kind] ?? 'x'}&_count=1`);
      }
    }
    const urls = [...asked.values()];
    expect(urls.length).toBeGreaterThan(1000);
    const notFound = async (asked: readonly string[]) =>
      (await statuses(asked)).filter(([, status]) => status !== '200').map(([url]) => url);
    let refused = await notFound(urls);
    // Tokens of booleans take nothing but true and false; a composite takes what its components do.
    const others = [
      'true',
      'x$gt1',
      'x$ge2026-01-01',
      'x$Patient/x',
      'Patient/x$x',
      'ge2026-01-01$x',
      'x$true',
      'x$1',
      'x$x',
      'x$1$1',
      'x$gt1$lt9',
      '48.1|-1.6|10|km',
    ];
    for (const value of others) {
      refused = await notFound(refused.map((url) => url.replace(/=[^&]*/, () => `=${value}`)));
    }
    expect(refused).toEqual([]);
  }, 60_000);

  it('says nothing of parameters that are refused', async () => {
    const { searchParam = [] } = resources.find(({ type }) => type === 'Patient') ?? {};
    const names = searchParam.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['identifier', 'name', 'birthdate', '_id', '_lastUpdated']));
    for (const name of ['_text', '_content', '_filter']) {
      const { status } = await client.get(`Patient?${name}=x`);
      expect([name, names.includes(name)]).toEqual([name, status === 200]);
    }
  });

  it('lists the interactions that each type has', async () => {
    for (const type of ['Patient', 'Basic', 'Binary', 'Parameters', 'Bundle']) {
      const own = resources.find((one) => one.type === type);
      const listed = own?.interaction?.map(({ code }) => code).sort();
      expect(listed).toEqual([
        'create',
        'delete',
        'history-instance',
        'history-type',
        'patch',
        'read',
        'search-type',
        'update',
        'vread',
      ]);
      const body = { resourceType: type, id: 'one', ...needed[type] };
      const path = `${type}/one`;
      expect((await client.post(type, body)).status).toBe(201);
      expect((await client.put(body as never)).status).toBe(201);
      expect((await client.get(path, { accept: 'application/fhir+json' })).status).toBe(200);
      expect((await client.get(`${path}/_history/1`)).status).toBe(200);
      expect((await client.get(`${path}/_history`)).status).toBe(200);
      expect((await client.get(`${type}/_history`)).status).toBe(200);
      const patch = { body: '[{"op":"add","path":"/language","value":"fr"}]', type: 'application/json-patch+json' };
      expect((await client.send('PATCH', path, patch)).json.meta.versionId).toBe('2');
      expect((await client.get(`${type}?_id=one`)).json.entry).toHaveLength(1);
      expect((await client.remove(path)).status).toBe(204);
    }
  });

  const needed: Readonly<Record<string, object>> = {
    Basic: { code: { text: 'x' } },
    Binary: { contentType: 'text/plain' },
    Parameters: { parameter: [{ name: 'x', valueString: 'y' }] },
    Bundle: { type: 'collection' },
  };

  it('promises what is done by criteria as it is', async () => {
    for (const { conditionalCreate, conditionalRead, conditionalUpdate, conditionalDelete } of resources) {
      expect([conditionalCreate, conditionalRead, conditionalUpdate, conditionalDelete]).toEqual([
        true,
        'full-support',
        true,
        'single',
      ]);
    }
    const body = { resourceType: 'Basic', code: { coding: [{ system: 'urn:x', code: 'by-criteria' }] } };
    const url = 'Basic?code=urn:x|by-criteria';
    expect((await client.send('PUT', url, { body })).status).toBe(201);
    expect((await client.send('PUT', url, { body })).status).toBe(200);
    expect((await client.remove(url)).status).toBe(204);
  });

  it('names the operations that are there, and they answer', async () => {
    const operations = resources.flatMap(({ type, operation = [] }) => operation.map(({ name }) => `${type}/$${name}`));
    expect(operations.sort()).toEqual(
      expect.arrayContaining(['DetectedIssue/$explain', 'DocumentReference/$ingest', 'Patient/$breaks', 'Task/$retry']),
    );
    expect((await client.get('Patient/never/$breaks')).status).toBe(404);
    expect((await client.get('DetectedIssue/never/$explain')).status).toBe(404);
    expect((await client.send('POST', 'Task/never/$retry')).status).toBe(404);
    expect((await client.send('POST', 'DocumentReference/$ingest')).status).toBe(415);
    expect((await client.get('DocumentReference/$ingest')).status).toBe(405);
    const unknown = await client.get('Patient/never/$unheard-of');
    expect([unknown.status, unknown.json.issue[0].code]).toEqual([501, 'not-supported']);
  });
});
