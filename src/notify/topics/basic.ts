/**
 * A topic as an R4 resource: `Basic` whose extensions carry the elements of the R5 SubscriptionTopic. The guide 1.1 leaves open how
 * R4 shows topics; the form is that of the cross-version extensions (http://hl7.org/fhir/5.0/StructureDefinition/extension-...),
 * read with the base 4.3 too, which is in use for the same.
 */
import type { Basic, Extension } from 'fhir/r4.js';
import type { Issue } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import type { AllowedFilter, Interaction, QueryCriteria, Topic, Trigger } from './topic.ts';

const base = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.';
const bases = [base, 'http://hl7.org/fhir/4.3/StructureDefinition/extension-SubscriptionTopic.'];
const codeSystem = 'http://hl7.org/fhir/fhir-types';

export function isTopic(resource: Resource | undefined): resource is Resource {
  const basic = resource as Partial<Basic> | undefined;
  return (
    basic?.resourceType === 'Basic' &&
    (basic.code?.coding ?? []).some(({ system, code }) => system === codeSystem && code === 'SubscriptionTopic')
  );
}

export type ReadTopic =
  | { readonly topic: Topic; readonly issues?: undefined }
  | { readonly topic?: undefined; readonly issues: readonly Issue[] };

/** Reads the form; what the expressions in it mean is for compileTopic. */
export function readTopic(resource: Resource): ReadTopic {
  const basic = resource as unknown as Basic;
  const all = [...(basic.extension ?? []), ...(basic.modifierExtension ?? [])];
  const elements: Elements = (name) => all.filter(({ url }) => bases.some((one) => url === one + name));
  const issues = faultsOf(elements);
  const [url, status] = [elements('url')[0]?.valueUri, elements('status')[0]?.valueCode];
  if (url === undefined || !isStatus(status) || issues.length > 0) return { issues };
  const topic: Topic = {
    url,
    version: elements('version')[0]?.valueString,
    title: elements('title')[0]?.valueString ?? url,
    description: elements('description')[0]?.valueMarkdown,
    status,
    triggers: elements('resourceTrigger').map(readTrigger),
    filters: elements('canFilterBy').map(readFilter),
  };
  return { topic };
}

type Elements = (name: string) => readonly Extension[];

function faultsOf(elements: Elements): readonly Issue[] {
  const url = elements('url')[0]?.valueUri ?? '';
  const faults: readonly (readonly [boolean, string, string])[] = [
    [!/^(?:https?:\/\/|urn:)[^\s|]+$/.test(url), 'url', 'it has no canonical url'],
    [!isStatus(elements('status')[0]?.valueCode), 'status', 'its status is none of draft, active, retired, unknown'],
    [
      elements('resourceTrigger').length === 0,
      'resourceTrigger',
      'it has no resourceTrigger, and no other is supported',
    ],
    [elements('eventTrigger').length > 0, 'eventTrigger', 'triggers by event codes are not supported'],
  ];
  return faults
    .filter(([isFault]) => isFault)
    .map(([, name, what]) => ({
      severity: 'error',
      code: 'value',
      text: `the topic cannot be served: ${what}`,
      expression: `Basic.extension('${base}${name}')`,
    }));
}

function isStatus(status: string | undefined): status is Topic['status'] {
  return status === 'draft' || status === 'active' || status === 'retired' || status === 'unknown';
}

function readTrigger({ extension = [] }: Extension): Trigger {
  const interactions = parts(extension, 'supportedInteraction').map(({ valueCode }) => valueCode as Interaction);
  const query = parts(extension, 'queryCriteria')[0]?.extension;
  return {
    type: typeName(parts(extension, 'resource')[0]?.valueUri),
    interactions: interactions.length === 0 ? ['create', 'update', 'delete'] : interactions,
    query: query === undefined ? undefined : readQuery(query),
    fhirPath: parts(extension, 'fhirPathCriteria')[0]?.valueString,
  };
}

function readQuery(extension: readonly Extension[]): QueryCriteria {
  const behaviour = (name: string) => {
    const code = parts(extension, name)[0]?.valueCode;
    return code === undefined ? undefined : code === 'test-passes';
  };
  return {
    previous: parts(extension, 'previous')[0]?.valueString,
    current: parts(extension, 'current')[0]?.valueString,
    requireBoth: parts(extension, 'requireBoth')[0]?.valueBoolean ?? false,
    resultForCreate: behaviour('resultForCreate'),
    resultForDelete: behaviour('resultForDelete'),
  };
}

function readFilter({ extension = [] }: Extension): AllowedFilter {
  const resource = parts(extension, 'resource')[0]?.valueUri;
  return {
    type: resource === undefined ? undefined : typeName(resource),
    parameter: parts(extension, 'filterParameter')[0]?.valueString ?? '',
    modifiers: parts(extension, 'modifier').map(({ valueCode = '' }) => valueCode),
  };
}

/** A part of a complex extension, by its name or by the full URL of the element. */
function parts(extension: readonly Extension[], name: string): readonly Extension[] {
  return extension.filter(({ url }) => url === name);
}

function typeName(uri: string | undefined): string {
  return (uri ?? '').replace('http://hl7.org/fhir/StructureDefinition/', '');
}

export function writeTopic(id: string, topic: Topic): Resource {
  const { url, version, title, description, status, triggers, filters } = topic;
  return {
    resourceType: 'Basic',
    id,
    extension: [
      { url: `${base}url`, valueUri: url },
      ...(version === undefined ? [] : [{ url: `${base}version`, valueString: version }]),
      { url: `${base}title`, valueString: title },
      ...(description === undefined ? [] : [{ url: `${base}description`, valueMarkdown: description }]),
      ...triggers.map((trigger) => ({ url: `${base}resourceTrigger`, extension: writeTrigger(trigger) })),
      ...filters.map((filter) => ({ url: `${base}canFilterBy`, extension: writeFilter(filter) })),
    ],
    modifierExtension: [{ url: `${base}status`, valueCode: status }],
    code: { coding: [{ system: codeSystem, code: 'SubscriptionTopic' }] },
  };
}

function writeTrigger({ type, interactions, query, fhirPath }: Trigger): readonly Extension[] {
  return [
    { url: 'resource', valueUri: `http://hl7.org/fhir/StructureDefinition/${type}` },
    ...interactions.map((valueCode) => ({ url: 'supportedInteraction', valueCode })),
    ...(query === undefined ? [] : [{ url: 'queryCriteria', extension: writeQuery(query) }]),
    ...(fhirPath === undefined ? [] : [{ url: 'fhirPathCriteria', valueString: fhirPath }]),
  ];
}

function writeQuery({ previous, current, requireBoth, resultForCreate, resultForDelete }: QueryCriteria): Extension[] {
  const behaviour = (url: string, passes: boolean | undefined): Extension[] =>
    passes === undefined ? [] : [{ url, valueCode: passes ? 'test-passes' : 'test-fails' }];
  return [
    ...(previous === undefined ? [] : [{ url: 'previous', valueString: previous }]),
    ...behaviour('resultForCreate', resultForCreate),
    ...(current === undefined ? [] : [{ url: 'current', valueString: current }]),
    ...behaviour('resultForDelete', resultForDelete),
    { url: 'requireBoth', valueBoolean: requireBoth },
  ];
}

function writeFilter({ type, parameter, modifiers }: AllowedFilter): readonly Extension[] {
  return [
    ...(type === undefined ? [] : [{ url: 'resource', valueUri: type }]),
    { url: 'filterParameter', valueString: parameter },
    ...modifiers.map((valueCode) => ({ url: 'modifier', valueCode })),
  ];
}
