/** capabilities (https://hl7.org/fhir/R4/http.html#capabilities): what is true of this server, from the tables that route. */
import { formatInstant } from '../base/index.ts';
import { unsupportedParameters } from '../search/index.ts';
import type { Answer, Context } from './context.ts';
import type { Operation } from './operations.ts';

const interactions = ['read', 'vread', 'update', 'delete', 'history-instance', 'create', 'search-type'];

export function capabilities(context: Context, operations: readonly Operation[]): Promise<Answer> {
  const statement = {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: formatInstant(context.startedAtMs),
    kind: 'instance',
    software: { name: 'Suture', version: context.softwareVersion },
    implementation: { description: 'Suture, FHIR R4 server for care pathways', url: context.baseUrl },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [
      {
        mode: 'server',
        resource: [...context.definitions.resourceTypes].sort().map((type) => resourcePart(context, operations, type)),
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
      },
    ],
  };
  return Promise.resolve({ status: 200, body: JSON.stringify(statement) });
}

function resourcePart(context: Context, operations: readonly Operation[], type: string): object {
  const unsupported = new Set(unsupportedParameters(context.search, type).keys());
  const parameters = [...context.definitions.searchParameters(type).values()]
    .filter(({ code }) => !unsupported.has(code))
    .map(({ code, url, type: kind }) => ({ name: code, definition: url, type: kind }));
  const own = operations.filter((operation) => operation.type === type);
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    interaction: interactions.map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: false,
    conditionalDelete: 'not-supported',
    ...(parameters.length === 0 ? {} : { searchParam: parameters }),
    ...(own.length === 0 ? {} : { operation: own.map(operationPart) }),
  };
}

function operationPart({ name, type, level, documentation }: Operation): object {
  const definition = `https://suture.example/fhir/OperationDefinition/${type}-${level === 'instance' ? 'i' : 't'}-${name}`;
  return { name, definition, documentation };
}
