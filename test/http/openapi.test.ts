/** The OpenAPI document and the capability statement say the same, and what they say is served. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CapabilityStatement } from 'fhir/r4.js';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
let document: {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly operationId: string; readonly parameters?: readonly { $ref: string }[] }>>
    >
  >;
  readonly components: { readonly parameters: Readonly<Record<string, { schema: { enum?: readonly string[] } }>> };
};

beforeAll(async () => {
  test = await startTestApp();
  document = (await test.client.get('/openapi.json')).json as typeof document;
});
afterAll(() => test?.close());

const served = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ path, method, one })),
  );

describe('GET /openapi.json', () => {
  it('is OpenAPI 3.1, each operation with a name of its own, each parameter explained', () => {
    expect(document.openapi).toBe('3.1.0');
    const names = served().map(({ one }) => one.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, one } of served()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `#/components/parameters/${name}`);
      expect((one.parameters ?? []).map(({ $ref }) => $ref)).toEqual(inPath);
      for (const name of inPath) expect(document.components.parameters[name.split('/').at(-1) ?? '']).toBeDefined();
    }
  });

  it('names what is served: nothing in it is 405, or a URL that is not there', async () => {
    const values: Readonly<Record<string, string>> = {
      type: 'Basic',
      id: 'x',
      versionId: '1',
      number: '1',
      target: 'Basic',
    };
    for (const { path, method } of served()) {
      const url = path.replace(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? '').slice(1);
      const reply = await test.client.send(method.toUpperCase(), url);
      expect([method, path, reply.status === 405]).toEqual([method, path, false]);
      expect(reply.text).not.toContain('nothing is served at this URL');
    }
  });

  it('has every operation and interaction of the capability statement', async () => {
    const statement = await test.client.read<CapabilityStatement>('metadata');
    const [rest] = statement.rest ?? [];
    const paths = Object.keys(document.paths);
    const ofTypes = (rest?.resource ?? []).flatMap(({ type, operation = [] }) =>
      operation.map(({ name }) => [type, name] as const),
    );
    for (const [type, name] of ofTypes)
      expect(paths.some((path) => path.startsWith(`/${type}`) && path.endsWith(`/$${name}`))).toBe(true);
    for (const { name } of rest?.operation ?? []) expect(paths.some((path) => path.endsWith(`/$${name}`))).toBe(true);
    expect(document.components.parameters['type']?.schema.enum).toEqual((rest?.resource ?? []).map(({ type }) => type));
    expect(rest?.interaction?.map(({ code }) => code)).toEqual([
      'transaction',
      'batch',
      'search-system',
      'history-system',
    ]);
    expect(paths).toEqual(
      expect.arrayContaining(['/', '/_history', '/{type}/_history', '/{type}/{id}/{target}', '/metadata']),
    );
  });
});
