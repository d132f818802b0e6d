/**
 * The OpenAPI document (https://spec.openapis.org/oas/v3.1.0), made from the tables that route, so that it cannot say anything
 * else than they do. FHIR's own shapes stay with FHIR: bodies are named by media type, not described.
 */
import type { Operation, Route } from '../interactions/index.ts';

export interface OpenApiInput {
  readonly routes: readonly Route[];
  readonly operations: readonly Operation[];
  readonly resourceTypes: Iterable<string>;
  readonly baseUrl: string;
  readonly softwareVersion: string;
}

interface Described {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly content: Route['content'];
  readonly operationId: string;
}

export function openApi(input: OpenApiInput): object {
  const { routes, operations, resourceTypes, baseUrl, softwareVersion } = input;
  const paths: Record<string, Record<string, object>> = {};
  for (const one of [...routes.map(ofRoute), ...operations.flatMap(ofOperation)]) {
    paths[one.path] = { ...paths[one.path], [one.method.toLowerCase()]: describe(one) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Suture',
      version: softwareVersion,
      summary: 'FHIR R4 server that finds the breaks in care pathways',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: baseUrl }],
    externalDocs: { url: 'https://hl7.org/fhir/R4/http.html' },
    paths,
    components: {
      parameters: Object.fromEntries(Object.entries(pathParameters([...resourceTypes].sort()))),
      schemas: {
        Resource: { type: 'object', required: ['resourceType'], properties: { resourceType: { type: 'string' } } },
        OperationOutcome: { type: 'object', required: ['resourceType', 'issue'] },
      },
      responses: {
        Outcome: {
          description: 'An OperationOutcome says what, where, and what was expected.',
          content: fhir('OperationOutcome'),
        },
      },
    },
  };
}

function ofRoute({ method, path, summary, content, code, isConditional }: Route): Described {
  const names: Readonly<Record<string, string>> = {
    versionId: path.startsWith('/_bulk') ? 'number' : 'versionId',
    part: 'target',
  };
  const printed = path.replace(/:(\w+)/g, (_all, name: string) => `{${names[name] ?? name}}`);
  const where = printed.replace(/[^\w]+/g, '_');
  return {
    method,
    path: printed || '/',
    summary,
    content,
    operationId: `${code}${isConditional ? '-by-criteria' : ''}${where}-${method}`,
  };
}

function ofOperation({ name, type, level, methods, documentation, takesBytes }: Operation): readonly Described[] {
  const ofType = type === '*' ? '/{type}' : `/${type}`;
  const before = { system: '', type: ofType, instance: `${ofType}/{id}` }[level];
  const owner = level === 'system' ? 'system' : type === '*' ? 'any' : type;
  return methods.map((method) => ({
    method,
    path: `${before}/$${name}`,
    summary: documentation,
    content: method === 'GET' ? 'none' : takesBytes ? 'bytes' : 'resource',
    operationId: `${owner}-${level}-${name}-${method}`,
  }));
}

function describe({ path, summary, content, operationId }: Described): object {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ $ref: `#/components/parameters/${name}` }));
  const types = bodyTypes(content);
  return {
    operationId,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(types === undefined ? {} : { requestBody: { required: content !== 'form', content: types } }),
    responses: {
      '2XX': { description: 'Done.', content: fhir('Resource') },
      '4XX': { $ref: '#/components/responses/Outcome' },
      '5XX': { $ref: '#/components/responses/Outcome' },
    },
  };
}

function fhir(schema: string): object {
  const media = { schema: { $ref: `#/components/schemas/${schema}` } };
  return { 'application/fhir+json': media, 'application/fhir+xml': media };
}

function bodyTypes(content: Route['content']): object | undefined {
  const any = { schema: {} };
  switch (content) {
    case 'none':
      return undefined;
    case 'resource':
      return fhir('Resource');
    case 'bytes':
      return { '*/*': any };
    case 'form':
      return { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } };
    case 'patch':
      return { 'application/json-patch+json': { schema: { type: 'array' } }, ...fhir('Resource') };
  }
}

function pathParameters(types: readonly string[]): Readonly<Record<string, object>> {
  const inPath = (name: string, description: string, schema: object): object => ({
    name,
    in: 'path',
    required: true,
    description,
    schema,
  });
  const id = { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' };
  return {
    type: inPath('type', 'A resource type of FHIR R4.', { type: 'string', enum: types }),
    id: inPath('id', 'The id of a resource, or of a bulk job.', id),
    versionId: inPath('versionId', 'The number of a version.', { type: 'string', pattern: '^[1-9][0-9]*$' }),
    number: inPath('number', 'The number of a file.', { type: 'integer', minimum: 1 }),
    target: inPath('target', 'The type sought in the compartment, or * for every one.', { type: 'string' }),
  };
}
