/** Topics: their form as R4 Basic, what triggers them, and their filters. https://hl7.org/fhir/R5/subscriptiontopic.html */
import { describe, expect, it } from '@jest/globals';
import { createLog, createManualClock } from '../../../src/base/index.ts';
import { loadDefinitions, type Resource } from '../../../src/fhir/index.ts';
import { createVersions, type SeenChange } from '../../../src/notify/criteria.ts';
import { isTopic, readTopic, writeTopic } from '../../../src/notify/topics/basic.ts';
import { type CompiledTopic, compileTopic } from '../../../src/notify/topics/compile.ts';
import { compileFilter } from '../../../src/notify/topics/filter.ts';
import { shippedTopicResources, shippedTopics } from '../../../src/notify/topics/shipped.ts';
import type { QueryCriteria, Topic, Trigger } from '../../../src/notify/topics/topic.ts';
import { createSearchContext } from '../../../src/search/index.ts';
import { createValidator } from '../../../src/validation/index.ts';

const definitions = loadDefinitions();
const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://127.0.0.1/fhir' });
const logged: string[] = [];
const log = createLog('debug', (line) => void logged.push(line));
const setting = { search, clock: createManualClock(0), log };
const version = createVersions(search);

const plain: Trigger = {
  type: 'Encounter',
  interactions: ['create', 'update', 'delete'],
  query: undefined,
  fhirPath: undefined,
};
const topic = (trigger: Partial<Trigger>): Topic => ({
  url: 'https://topics.example.org/t',
  version: undefined,
  title: 't',
  description: undefined,
  status: 'active',
  triggers: [{ ...plain, ...trigger }],
  filters: [{ type: 'Encounter', parameter: 'patient', modifiers: [] }],
});

function compiled(trigger: Partial<Trigger>): CompiledTopic {
  const result = compileTopic(topic(trigger), setting);
  if (result.issues !== undefined) throw new Error(JSON.stringify(result.issues));
  return result.compiled;
}

function change(previous: Resource | undefined, current: Resource | undefined): SeenChange {
  const type = (current ?? previous)?.resourceType ?? '';
  const seen = (resource: Resource | undefined) => (resource === undefined ? undefined : version(resource));
  return { type, previous: seen(previous), current: seen(current) };
}

const stay = (status: string, patient = 'p1'): Resource => ({
  resourceType: 'Encounter',
  id: 'e1',
  status,
  class: { code: 'IMP' },
  subject: { reference: `Patient/${patient}` },
});

/** Created, kept, changed both ways, deleted. */
const created = change(undefined, stay('finished'));
const createdOther = change(undefined, stay('planned'));
const became = change(stay('planned'), stay('finished'));
const stayed = change(stay('finished'), stay('finished'));
const ceased = change(stay('finished'), stay('planned'));
const deleted = change(stay('finished'), undefined);
const all = { created, createdOther, became, stayed, ceased, deleted };

function triggering(trigger: Partial<Trigger>): readonly string[] {
  const { isTriggered } = compiled(trigger);
  return Object.entries(all).flatMap(([name, one]) => (isTriggered(one) ? [name] : []));
}

const query = (changed: Partial<QueryCriteria>): QueryCriteria => ({
  previous: undefined,
  current: undefined,
  requireBoth: true,
  resultForCreate: undefined,
  resultForDelete: undefined,
  ...changed,
});
const both = { previous: 'status:not=finished', current: 'status=finished' };

describe('a trigger', () => {
  it.each<[string, Partial<Trigger>, readonly string[]]>([
    ['without criteria meets every change', {}, Object.keys(all)],
    ['by interaction', { interactions: ['create'] }, ['created', 'createdOther']],
    ['by another interaction', { interactions: ['delete'] }, ['deleted']],
    [
      'of the current version',
      { query: query({ current: 'status=finished' }) },
      ['created', 'became', 'stayed', 'deleted'],
    ],
    [
      'of the previous version',
      { query: query({ previous: 'status=finished' }) },
      ['created', 'createdOther', 'stayed', 'ceased', 'deleted'],
    ],
    ['of both', { query: query(both) }, ['created', 'became']],
    [
      'of both, creations passing',
      { query: query({ ...both, resultForCreate: true, resultForDelete: false }) },
      ['created', 'became'],
    ],
    ['of both, creations failing', { query: query({ ...both, resultForCreate: false }) }, ['became']],
    ['of either', { query: query({ ...both, requireBoth: false }) }, ['created', 'became', 'stayed']],
    [
      'of either, creations passing',
      { query: query({ ...both, requireBoth: false, resultForCreate: true }) },
      ['created', 'createdOther', 'became', 'stayed'],
    ],
    ['by FHIRPath', { fhirPath: "%previous.status != 'finished' and %current.status = 'finished'" }, ['became']],
    [
      'by FHIRPath on what is not there',
      { fhirPath: "%previous.empty() and %current.status = 'finished'" },
      ['created'],
    ],
    ['by FHIRPath on what is no more', { fhirPath: '%current.empty()' }, ['deleted']],
    [
      'by a query and FHIRPath together',
      { query: query({ current: 'status=finished' }), fhirPath: '%previous.exists() and %current.exists()' },
      ['became', 'stayed'],
    ],
  ])('%s', (_title, trigger, expected) => {
    expect(triggering(trigger)).toEqual(expected);
  });

  it('does not concern other types', () => {
    expect(compiled({}).isTriggered(change(undefined, { resourceType: 'Patient', id: 'p' }))).toBe(false);
  });

  it('whose FHIRPath fails on a resource says so in the log, without the resource', () => {
    logged.length = 0;
    expect(triggering({ fhirPath: '%current.length' }).length).toBe(0);
    expect(logged.join('')).toContain('the FHIRPath of a topic failed');
    expect(logged.join('')).not.toContain('finished');
  });

  it.each<[string, Partial<Trigger>]>([
    ['an unknown type', { type: 'Stay' }],
    ['an unknown search parameter', { query: query({ current: 'state=finished' }) }],
    ['a search that follows references', { query: query({ current: 'patient.name=a' }) }],
    ['a misspelt path', { fhirPath: "%current.statut = 'finished'" }],
    ['an unknown variable', { fhirPath: '%former.exists()' }],
    ['FHIRPath that is none', { fhirPath: '%current.(' }],
  ])('is refused with %s', (_title, trigger) => {
    expect(compileTopic(topic(trigger), setting).issues).toHaveLength(1);
  });
});

describe('a filter', () => {
  const allowed = compiled({});
  it.each(['patient=Patient/p1', 'Encounter?patient=Patient/p1', 'Encounter.patient=Patient/p1', 'patient=p1'])(
    '%s is applied',
    (text) => {
      const { criteria = [] } = compileFilter(text, allowed, search, 0);
      expect(criteria.map((one) => one.matches(version(stay('planned'))))).toEqual([true]);
      expect(criteria.map((one) => one.matches(version(stay('planned', 'p2'))))).toEqual([false]);
      expect(criteria.map(({ anchors }) => anchors !== undefined && anchors.length > 0)).toEqual([true]);
    },
  );

  it.each([
    'status=finished',
    'Patient?name=a',
    'patient:identifier=a|b',
    'patient',
    '',
    'Encounter?',
    'patient=Martian/1',
  ])('%j is refused', (text) => {
    expect(compileFilter(text, allowed, search, 0).faults).toHaveLength(1);
  });
});

describe('a topic as Basic', () => {
  it('is read as it was written', () => {
    const written = { ...topic({ query: query(both), fhirPath: '%current.exists()' }), version: '2', description: 'd' };
    const resource = writeTopic('t', written);
    expect(isTopic(resource)).toBe(true);
    expect(readTopic(resource)).toEqual({ topic: written });
  });

  it('is read in the older form of its extensions too', () => {
    const text = JSON.stringify(writeTopic('t', topic({}))).replaceAll('fhir/5.0/', 'fhir/4.3/');
    expect(readTopic(JSON.parse(text) as Resource)).toEqual({ topic: topic({}) });
  });

  it('is refused without url, status or trigger', () => {
    const bare = {
      resourceType: 'Basic',
      code: { coding: [{ system: 'http://hl7.org/fhir/fhir-types', code: 'SubscriptionTopic' }] },
    };
    expect(readTopic(bare).issues?.map(({ text }) => text.replace(/.*: /, ''))).toEqual([
      'it has no canonical url',
      'its status is none of draft, active, retired, unknown',
      'it has no resourceTrigger, and no other is supported',
    ]);
  });
});

describe('the form of a topic', () => {
  const base = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.';
  type Extensions = { url: string; extension?: object[]; [value: string]: unknown }[];
  const resource = writeTopic('t', topic({}));
  const own = resource['extension'] as Extensions;
  const withMore = (...more: Extensions): Resource => ({ ...resource, extension: [...own, ...more] });
  const withTrigger = (...parts: object[]): Resource => ({
    ...resource,
    extension: [
      ...own.filter(({ url }) => !url.endsWith('.resourceTrigger')),
      { url: `${base}resourceTrigger`, extension: parts },
    ],
  });
  const encounter = { url: 'resource', valueUri: 'http://hl7.org/fhir/StructureDefinition/Encounter' };
  const element = (name: string, place = 0) => `Basic.extension('${base}${name}')[${place}]`;

  it.each<[string, Resource, string, readonly string[]]>([
    [
      'an element that a topic does not have',
      withMore({ url: `${base}trigger`, valueString: 'x' }),
      element('trigger'),
      ['a SubscriptionTopic has no trigger'],
    ],
    ['an event trigger', withMore({ url: `${base}eventTrigger` }), element('eventTrigger'), ['not supported']],
    ['a trigger without type', withTrigger(), element('resourceTrigger'), ['has no resource']],
    [
      'an unknown interaction, an unknown outcome, a part of another type and one too many',
      withTrigger(
        encounter,
        { url: 'supportedInteraction', valueCode: 'patch' },
        {
          url: 'queryCriteria',
          extension: [
            { url: 'resultForCreate', valueCode: 'true' },
            { url: 'requireBoth', valueString: 'true' },
          ],
        },
        { url: 'fhirPathCriteria', valueString: 'true' },
        { url: 'fhirPathCriteria', valueString: 'false' },
        { url: 'fhirpath', valueString: 'x' },
      ),
      element('resourceTrigger'),
      ['not known', 'none of create', 'none of test-passes', 'no valueBoolean', 'more than one fhirPathCriteria'],
    ],
    [
      'a filter without parameter and with an unknown comparator',
      withMore({ url: `${base}canFilterBy`, extension: [{ url: 'comparator', valueCode: 'like' }] }),
      element('canFilterBy', 1),
      ['has no filterParameter', 'none of eq'],
    ],
    [
      'a modifier extension that is not known',
      { ...resource, modifierExtension: [...(resource['modifierExtension'] as object[]), { url: 'urn:x' }] },
      'Basic.modifierExtension',
      ['not known'],
    ],
  ])('names %s', (_title, wrong, expression, texts) => {
    const { issues = [] } = readTopic(wrong);
    expect(new Set(issues.map((issue) => issue.expression))).toEqual(new Set([expression]));
    expect(issues).toHaveLength(texts.length);
    for (const [index, text] of texts.entries()) expect(issues[index]?.text).toContain(text);
  });

  it('may say who published it, and for what', () => {
    const more = ['name', 'publisher', 'purpose', 'derivedFrom'].map((name) => ({
      url: base + name,
      valueString: 'x',
    }));
    expect(readTopic(withMore(...more)).issues).toBeUndefined();
  });

  it('is kept with its shapes and comparators', () => {
    const shaped: Topic = {
      ...topic({}),
      filters: [{ type: 'Encounter', parameter: 'date', modifiers: [], comparators: ['ge', 'lt'] }],
      shapes: [{ type: 'Encounter', includes: ['Encounter:patient'], revIncludes: ['Task:focus'] }],
    };
    expect(readTopic(writeTopic('t', shaped))).toEqual({ topic: shaped });
  });

  it('allows the comparators that it names, and no others', () => {
    const result = compileTopic(
      { ...topic({}), filters: [{ type: 'Encounter', parameter: 'date', modifiers: [], comparators: ['ge'] }] },
      setting,
    );
    if (result.issues !== undefined) throw new Error(JSON.stringify(result.issues));
    const faults = (text: string) => compileFilter(text, result.compiled, search, 0).faults?.length ?? 0;
    expect(['date=ge2026-01-01', 'date=lt2026-01-01', 'date=2026-01-01'].map(faults)).toEqual([0, 1, 1]);
  });

  it.each([
    ['an include of another form', ['Encounter:patient&iterate=Patient.link'], []],
    ['an include by no parameter', ['Encounter:colour'], []],
    ['a revInclude of no type', [], ['Tusk:focus']],
  ])('names %s in its shape', (_title, includes, revIncludes) => {
    const { issues = [] } = compileTopic(
      { ...topic({}), shapes: [{ type: 'Encounter', includes, revIncludes }] },
      setting,
    );
    expect(issues).toHaveLength(1);
    expect(issues[0]?.expression).toBe(element('notificationShape'));
  });
});

describe('the topics of Suture', () => {
  it('are the eight of the contract, compile, and are valid resources', () => {
    expect(shippedTopics.map(({ url }) => url.replace('https://suture.example/fhir/SubscriptionTopic/', ''))).toEqual([
      ...['break-opened', 'break-changed', 'break-closed', 'letter-received', 'letter-in-review'],
      ...['care-plan-changed', 'encounter-discharged', 'message-undelivered'],
    ]);
    for (const one of shippedTopics) {
      expect(compileTopic(one, setting).issues).toBeUndefined();
      expect(one.filters.map(({ parameter }) => parameter)).toContain('patient');
    }
  });

  it('are valid resources', async () => {
    const validator = await createValidator({ definitions });
    for (const resource of shippedTopicResources) expect(validator.validate(resource)).toEqual([]);
  });

  const issue = (state: string | undefined): Resource => ({
    resourceType: 'DetectedIssue',
    id: 'd1',
    status: 'final',
    ...(state === undefined
      ? {}
      : { extension: [{ url: 'https://suture.example/fhir/StructureDefinition/break-state', valueCode: state }] }),
  });
  const document: Resource = { resourceType: 'DocumentReference', id: 'l1', status: 'current', content: [] };
  const task = (code: string): Resource => ({
    resourceType: 'Task',
    id: 't1',
    status: 'requested',
    code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/task', code }] },
  });
  const message = (status: string): Resource => ({ resourceType: 'Communication', id: 'c1', status });

  it.each<[string, SeenChange, readonly string[]]>([
    ['a break announced', change(undefined, issue('pre-alert')), ['break-changed']],
    ['a break opened', change(undefined, issue('open')), ['break-opened', 'break-changed']],
    [
      'a break opened after its announcement',
      change(issue('pre-alert'), issue('open')),
      ['break-opened', 'break-changed'],
    ],
    ['a break acknowledged', change(issue('open'), issue('acknowledged')), ['break-changed']],
    ['a break repaired', change(issue('open'), issue('repaired')), ['break-changed', 'break-closed']],
    ['a break that was closed already', change(issue('repaired'), issue('repaired')), ['break-changed']],
    ['a break opened again', change(issue('moot'), issue('open')), ['break-opened', 'break-changed']],
    ['a problem that is no break', change(undefined, issue(undefined)), []],
    ['a letter', change(undefined, document), ['letter-received']],
    ['a letter changed', change(document, document), []],
    ['a letter to review', change(undefined, task('review-letter')), ['letter-in-review']],
    ['another task', change(undefined, task('repair-break')), []],
    ['a stay finished', became, ['encounter-discharged']],
    ['a stay that was finished', stayed, []],
    ['a message that did not arrive', change(message('in-progress'), message('stopped')), ['message-undelivered']],
    ['a message that arrived', change(message('in-progress'), message('completed')), []],
    ['a plan deleted', change({ resourceType: 'CarePlan', id: 'c' }, undefined), ['care-plan-changed']],
  ])('%s triggers its own', (_title, one, expected) => {
    const triggered = shippedTopics.filter((shipped) => {
      const result = compileTopic(shipped, setting);
      return result.issues === undefined && result.compiled.isTriggered(one);
    });
    expect(triggered.map(({ url }) => url.split('/').at(-1))).toEqual(expected);
  });
});
