/**
 * capabilities (https://hl7.org/fhir/R4/http.html#capabilities): what is true of this server, from the tables that route: a
 * row of the route table is an interaction, an operation is one that can be called, a search parameter one that is compiled.
 */
import { formatInstant } from '../base/index.ts';
import { documentSharing, supportedProfiles } from '../documents/index.ts';
import { securityPart } from '../identity/index.ts';
import { includeNames, unsupportedParameters } from '../search/index.ts';
import type { Answer, Context } from './context.ts';
import type { Operation } from './operations.ts';
import type { InteractionCode, Route } from './route.ts';
import { subscriptionCapabilities, subscriptionServer } from './subscription-operations.ts';

export interface Served {
  readonly routes: readonly Route[];
  readonly operations: readonly Operation[];
}

export async function capabilities(context: Context, served: Served): Promise<Answer> {
  const { routes, operations } = served;
  const extras = new Map<string, object>([
    ['Subscription', subscriptionCapabilities(await context.subscriptions.topics())],
    ['DocumentReference', { supportedProfile: supportedProfiles.DocumentReference }],
    ['List', { supportedProfile: supportedProfiles.List }],
  ]);
  const includes = includeNames(context.search);
  const ofSystem = operations.filter(({ level, type }) => level === 'system' || type === '*');
  const statement = {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: formatInstant(context.startedAtMs),
    kind: 'instance',
    instantiates: [subscriptionServer, ...documentSharing],
    software: { name: 'Suture', version: context.softwareVersion },
    implementation: { description: 'Suture, FHIR R4 server for care pathways', url: context.baseUrl },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'application/fhir+xml', 'json', 'xml'],
    ...(has(routes, 'patch')
      ? { patchFormat: ['application/json-patch+json', 'application/fhir+json', 'application/fhir+xml'] }
      : {}),
    ...guidesPart(context),
    rest: [
      {
        mode: 'server',
        documentation: documentation(context),
        ...(context.oauth && { security: securityPart(context.oauth) }),
        resource: [...context.definitions.resourceTypes].sort().map((type) => ({
          ...resourcePart(context, served, type),
          // An empty list would say that there are none.
          searchInclude: includes.get(type)?.include,
          searchRevInclude: includes.get(type)?.revInclude,
          ...extras.get(type),
        })),
        interaction: systemInteractions.filter((code) => has(routes, codeOf(code))).map((code) => ({ code })),
        ...(ofSystem.length === 0 ? {} : { operation: uniqueByName(ofSystem).map(operationPart) }),
        ...(compartments(routes) ? { compartment: ['http://hl7.org/fhir/CompartmentDefinition/patient'] } : {}),
      },
    ],
  };
  return { status: 200, body: JSON.stringify(statement) };
}

const systemInteractions = ['transaction', 'batch', 'search-system', 'history-system'] as const;
const typeInteractions = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
] as const satisfies readonly InteractionCode[];

/** One row of the table takes Bundles of both types. */
function codeOf(code: (typeof systemInteractions)[number]): InteractionCode {
  return code === 'batch' ? 'transaction' : code;
}

function has(routes: readonly Route[], code: InteractionCode): boolean {
  return routes.some((route) => route.code === code && route.isConditional !== true);
}

function hasConditional(routes: readonly Route[], code: InteractionCode): boolean {
  return routes.some((route) => route.code === code && route.isConditional === true);
}

function compartments(routes: readonly Route[]): boolean {
  return routes.some(({ path }) => path === '/:type/:id/:part');
}

function documentation({ references, limits }: Context): string {
  const enforced =
    references === 'enforced'
      ? 'A reference must lead to what is there.'
      : 'A reference to what is not there yet is kept.';
  return `Unknown search parameters are refused unless Prefer: handling=lenient. ${enforced} A Bundle may have ${limits.bundleEntriesMax} entries.`;
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

function resourcePart(context: Context, { routes, operations }: Served, type: string): object {
  const unsupported = new Set(unsupportedParameters(context.search, type).keys());
  const parameters = [...context.search.parameters.defined(type).values()]
    .filter(({ code }) => !unsupported.has(code))
    .map(({ code, url, type: kind }) => ({ name: code, definition: url, type: kind }));
  const own = operations.filter((operation) => operation.type === type);
  const conditionalDelete = context.limits.deletesMax === 1 ? 'single' : 'multiple';
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    interaction: typeInteractions.filter((code) => has(routes, code)).map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: has(routes, 'vread'),
    updateCreate: true,
    conditionalCreate: has(routes, 'create'),
    conditionalRead: 'full-support',
    conditionalUpdate: hasConditional(routes, 'update'),
    conditionalDelete: hasConditional(routes, 'delete') ? conditionalDelete : 'not-supported',
    referencePolicy: ['literal', 'logical', 'local', ...(context.references === 'enforced' ? ['enforced'] : [])],
    ...(parameters.length === 0 ? {} : { searchParam: parameters }),
    ...(own.length === 0 ? {} : { operation: uniqueByName(own).map(operationPart) }),
  };
}

/** An operation that stands at several levels is one definition. */
function uniqueByName(operations: readonly Operation[]): readonly Operation[] {
  return [...new Map(operations.map((one) => [one.definition ?? `${one.type} ${one.name}`, one] as const)).values()];
}

function operationPart({ name, type, level, documentation, definition }: Operation): object {
  const own = `https://suture.example/fhir/OperationDefinition/${type}-${level === 'instance' ? 'i' : 't'}-${name}`;
  return { name, definition: definition ?? own, documentation };
}
