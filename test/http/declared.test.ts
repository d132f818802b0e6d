/**
 * GET [base]/metadata (https://hl7.org/fhir/R4/http.html#capabilities), the OpenAPI document and the server say the same, both ways: what
 * is declared is answered, and what is not declared is refused.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CapabilityStatement, CapabilityStatementRest, CapabilityStatementRestResource } from 'fhir/r4.js';
import { loadDefinitions } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
let rest: CapabilityStatementRest;
let resources: readonly CapabilityStatementRestResource[];
let paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;

beforeAll(async () => {
  test = await startTestApp();
  const statement = await test.client.read<CapabilityStatement>('metadata');
  rest = statement.rest?.[0] ?? { mode: 'server' };
  resources = rest.resource ?? [];
  paths = ((await test.client.get('/openapi.json')).json as { paths: typeof paths }).paths;
});
afterAll(() => test?.close());

/** Interaction -> where the OpenAPI document has it. */
const places: Readonly<Record<string, readonly string[]>> = {
  read: ['get /{type}/{id}'],
  vread: ['get /{type}/{id}/_history/{versionId}'],
  update: ['put /{type}/{id}', 'put /{type}'],
  patch: ['patch /{type}/{id}', 'patch /{type}'],
  delete: ['delete /{type}/{id}', 'delete /{type}'],
  'history-instance': ['get /{type}/{id}/_history'],
  'history-type': ['get /{type}/_history'],
  create: ['post /{type}'],
  'search-type': [
    'get /{type}',
    'post /{type}/_search',
    'get /{type}/{id}/{target}',
    'post /{type}/{id}/{target}/_search',
  ],
  transaction: ['post /'],
  batch: ['post /'],
  'search-system': ['get /', 'post /_search'],
  'history-system': ['get /_history'],
};

const documented = (): readonly string[] =>
  Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));

async function statusesOf(urls: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let at = 0; at < urls.length; at += 400) {
    const part = urls.slice(at, at + 400);
    const entry = part.map((url) => ({ request: { method: 'GET', url } }));
    const { json } = await test.client.post('', { resourceType: 'Bundle', type: 'batch', entry });
    const answers = json.entry as { response: { status: string } }[];
    answers.forEach(({ response }, index) => found.set(part[index] ?? '', response.status));
  }
  return found;
}

describe('The capability statement and the OpenAPI document', () => {
  it('have the same interactions, and no other rows than operations, files and metadata', () => {
    const declared = [
      ...(rest.interaction ?? []).map(({ code }) => code),
      ...resources.flatMap(({ interaction = [] }) => interaction.map(({ code }) => code)),
    ];
    const listed = [...new Set(declared)].flatMap((code) => places[code] ?? [`unknown interaction ${code}`]);
    const rows = documented().filter((one) => !/\/\$|\/metadata$|\/_bulk/.test(one));
    expect([...new Set(listed)].sort()).toEqual([...rows].sort());
  });

  it('have the same operations at the same types', () => {
    const declared = [
      ...(rest.operation ?? []).map(({ name }) => `* $${name}`),
      ...resources.flatMap(({ type, operation = [] }) => operation.map(({ name }) => `${type} $${name}`)),
    ];
    const listed = documented().flatMap((one) => {
      const [, owner = '', name = ''] = /^\w+ \/(?:([^/$]+)\/)?(?:\{id\}\/)?\$([\w-]+)$/.exec(one) ?? [];
      return name === '' ? [] : [`${owner === '' || owner === '{type}' ? '*' : owner} $${name}`];
    });
    expect([...new Set(declared)].sort()).toEqual([...new Set(listed)].sort());
  });

  it('leave out no operation that is answered: an unknown one is 501, a declared one never', async () => {
    for (const { type, operation = [] } of resources) {
      for (const { name } of operation) {
        const replies = await Promise.all([
          test.client.get(`${type}/$${name}`),
          test.client.get(`${type}/never/$${name}`),
        ]);
        expect([type, name, replies.some(({ status }) => status !== 501)]).toEqual([type, name, true]);
      }
    }
    expect((await test.client.get('Patient/$unheard-of')).status).toBe(501);
  });
});

describe('Search parameters', () => {
  it('that R4 defines and the statement leaves out are refused', async () => {
    const definitions = loadDefinitions();
    const asked: string[] = [];
    for (const { type, searchParam = [] } of resources) {
      const declared = new Set(searchParam.map(({ name }) => name));
      for (const code of definitions.searchParameters(type).keys())
        if (!declared.has(code)) asked.push(`${type}?${code}=x`);
    }
    const statuses = await statusesOf(asked);
    expect([...statuses].filter(([, status]) => status === '200')).toEqual([]);
  });

  it('are declared with the url and type that R4 gives them', () => {
    const definitions = loadDefinitions();
    for (const { type, searchParam = [] } of resources) {
      for (const { name, definition, type: kind } of searchParam) {
        const defined = definitions.searchParameters(type).get(name);
        expect([type, name, definition, kind]).toEqual([type, name, defined?.url, defined?.type]);
      }
    }
  });

  it('of references can be included, each way that is declared, and no other', async () => {
    const asked = resources.flatMap(({ type, searchInclude = [], searchRevInclude = [] }) => [
      ...searchInclude.map((name) => `${type}?_id=none&_include=${name}`),
      ...searchRevInclude.map((name) => `${type}?_id=none&_revinclude=${name}`),
    ]);
    expect(asked.length).toBeGreaterThan(2000);
    // Each parameter once, each way: the same name is declared for each type that it leads to.
    const once = new Map(asked.map((url) => [url.replace(/^\w+\?/, ''), url]));
    const refused = [...(await statusesOf([...once.values()]))].filter(([, status]) => status !== '200');
    expect(refused).toEqual([]);
    const others = ['Patient?_id=none&_include=Patient:name', 'Patient?_id=none&_revinclude=Observation:code'];
    expect([...(await statusesOf(others)).values()]).toEqual(['400', '400']);
  }, 120_000);
});
