/** capabilities (https://hl7.org/fhir/R4/http.html#capabilities): what is true of this server, from the tables that route. */
import { formatInstant } from '../base/index.ts';
import { unsupportedParameters } from '../search/index.ts';
import type { Answer, Context } from './context.ts';
import type { Operation } from './operations.ts';
import { subscriptionCapabilities, subscriptionServer } from './subscription-operations.ts';

const interactions = ['read', 'vread', 'update', 'delete', 'history-instance', 'create', 'search-type'];

export async function capabilities(context: Context, operations: readonly Operation[]): Promise<Answer> {
  const extras = new Map([['Subscription', subscriptionCapabilities(await context.subscriptions.topics())]]);
  const statement = {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: formatInstant(context.startedAtMs),
    kind: 'instance',
    instantiates: [subscriptionServer],
    software: { name: 'Suture', version: context.softwareVersion },
    implementation: { description: 'Suture, FHIR R4 server for care pathways', url: context.baseUrl },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    ...guidesPart(context),
    rest: [
      {
        mode: 'server',
        resource: [...context.definitions.resourceTypes]
          .sort()
          .map((type) => ({ ...resourcePart(context, operations, type), ...extras.get(type) })),
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
      },
    ],
  };
  return { status: 200, body: JSON.stringify(statement) };
}

/** The packages that are loaded: their canonical where they have one, and name and version for all. */
function guidesPart({ packages }: Context): object {
  const loaded = packages();
  const guides = loaded.flatMap(({ canonical, version }) => (canonical === null ? [] : [`${canonical}|${version}`]));
  if (loaded.length === 0) return {};
  const extension = loaded.map(({ name, version }) => ({
    url: 'https://suture.example/fhir/StructureDefinition/loaded-package',
    valueString: `${name}#${version}`,
  }));
  return { ...(guides.length === 0 ? {} : { implementationGuide: guides }), extension };
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
    ...(own.length === 0 ? {} : { operation: operationParts(own) }),
  };
}

/** One definition may cover both levels; it is named once. */
function operationParts(operations: readonly Operation[]): readonly object[] {
  const parts = operations.map(({ name, type, level, documentation, definition }) => {
    const own = `https://suture.example/fhir/OperationDefinition/${type}-${level === 'instance' ? 'i' : 't'}-${name}`;
    return { name, definition: definition ?? own, documentation };
  });
  return [...new Map(parts.map((part) => [part.definition, part])).values()];
}
