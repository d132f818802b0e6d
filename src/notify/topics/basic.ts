/**
 * A topic as an R4 resource: `Basic` whose extensions carry the elements of the R5 SubscriptionTopic. The guide 1.1 leaves open how
 * R4 shows topics; the form is that of the cross-version extensions (http://hl7.org/fhir/5.0/StructureDefinition/extension-...),
 * read with the base 4.3 too, which is in use for the same.
 */
import type { Basic, Extension } from 'fhir/r4.js';
import type { Issue } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import { faultsOfElement } from './form.ts';
import type { AllowedFilter, Interaction, QueryCriteria, Shape, Topic, Trigger } from './topic.ts';

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
  const issues = [...faultsOf(elements), ...faultsOfForm(basic)];
  const [url, status] = [elements('url')[0]?.valueUri, elements('status')[0]?.valueCode];
  if (url === undefined || !isStatus(status) || issues.length > 0) return { issues };
  return { topic: topicOf(elements, url, status) };
}

function topicOf(elements: Elements, url: string, status: Topic['status']): Topic {
  const shapes = elements('notificationShape').map(readShape);
  return {
    url,
    version: elements('version')[0]?.valueString,
    title: elements('title')[0]?.valueString ?? url,
    description: elements('description')[0]?.valueMarkdown,
    status,
    triggers: elements('resourceTrigger').map(readTrigger),
    filters: elements('canFilterBy').map(readFilter),
    ...(shapes.length === 0 ? {} : { shapes }),
  };
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
  ];
  return faults
    .filter(([isFault]) => isFault)
    .map(([, name, what]) => issueOf(`Basic.extension('${base}${name}')`, what));
}

function issueOf(expression: string, what: string): Issue {
  return { severity: 'error', code: 'value', text: `the topic cannot be served: ${what}`, expression };
}

/** Every element in its form; and no modifier that could turn the meaning of the whole into something unknown. */
function faultsOfForm({ extension = [], modifierExtension = [] }: Basic): readonly Issue[] {
  const foreign = modifierExtension.filter(({ url }) => elementName(url) === undefined);
  const places = new Map<string, number>();
  const faults = [...extension, ...modifierExtension].flatMap((one) => {
    const name = elementName(one.url);
    if (name === undefined) return [];
    const place = places.get(name) ?? 0;
    places.set(name, place + 1);
    return faultsOfElement(name, place, one);
  });
  return [
    ...foreign.map(() => issueOf('Basic.modifierExtension', 'it has a modifier extension that is not known')),
    ...faults.map(({ element, place, text }) => issueOf(`Basic.extension('${base}${element}')[${place}]`, text)),
  ];
}

function elementName(url: string): string | undefined {
  const found = bases.find((one) => url.startsWith(one));
  return found === undefined ? undefined : url.slice(found.length);
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
  const comparators = parts(extension, 'comparator').map(({ valueCode = '' }) => valueCode);
  return {
    type: resource === undefined ? undefined : typeName(resource),
    parameter: parts(extension, 'filterParameter')[0]?.valueString ?? '',
    modifiers: parts(extension, 'modifier').map(({ valueCode = '' }) => valueCode),
    ...(comparators.length === 0 ? {} : { comparators }),
  };
}

function readShape({ extension = [] }: Extension): Shape {
  const texts = (name: string) => parts(extension, name).map(({ valueString = '' }) => valueString);
  return {
    type: typeName(parts(extension, 'resource')[0]?.valueUri),
    includes: texts('include'),
    revIncludes: texts('revInclude'),
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
  const { url, version, title, description, status, triggers, filters, shapes = [] } = topic;
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
      ...shapes.map((shape) => ({ url: `${base}notificationShape`, extension: writeShape(shape) })),
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

function writeShape({ type, includes, revIncludes }: Shape): readonly Extension[] {
  return [
    { url: 'resource', valueUri: `http://hl7.org/fhir/StructureDefinition/${type}` },
    ...includes.map((valueString) => ({ url: 'include', valueString })),
    ...revIncludes.map((valueString) => ({ url: 'revInclude', valueString })),
  ];
}

function writeFilter({ type, parameter, modifiers, comparators = [] }: AllowedFilter): readonly Extension[] {
  return [
    ...(type === undefined ? [] : [{ url: 'resource', valueUri: type }]),
    { url: 'filterParameter', valueString: parameter },
    ...comparators.map((valueCode) => ({ url: 'comparator', valueCode })),
    ...modifiers.map((valueCode) => ({ url: 'modifier', valueCode })),
  ];
}
