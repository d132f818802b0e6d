/**
 * $meta, $meta-add, $meta-delete (https://hl7.org/fhir/R4/resource-operations.html#meta) and $convert
 * (https://hl7.org/fhir/R4/resource-operation-convert.html). A changed meta is a new version: versions never change here.
 */
import { Problem } from '../base/index.ts';
import { parseJson, type Resource, serializeJson } from '../fhir/index.ts';
import { type Answer, type Context, type Request, requireType } from './context.ts';
import { readInputs } from './inputs.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';
import { writePlanned } from './write.ts';

type Meta = NonNullable<Resource['meta']>;

const standard = 'http://hl7.org/fhir/OperationDefinition';
const ofAnyInstance = { type: '*', level: 'instance', takesBytes: false } as const;

/** Labels that one answer tells of. */
const labelsMax = 1000;

const ofAll = {
  name: 'meta',
  methods: ['GET', 'POST'],
  takesBytes: false,
  definition: `${standard}/Resource-meta`,
} as const;

export const metaOperations: readonly Operation[] = [
  {
    ...ofAll,
    type: '',
    level: 'system',
    documentation: 'The profiles, tags and security labels that are in use.',
    run: (context, request) => summary(context, request, undefined),
  },
  {
    ...ofAll,
    type: '*',
    level: 'type',
    documentation: 'The profiles, tags and security labels that resources of the type have.',
    run: (context, request) => summary(context, request, [request.type]),
  },
  {
    ...ofAnyInstance,
    name: 'meta',
    methods: ['GET', 'POST'],
    documentation: 'The profiles, tags and security labels of a resource.',
    definition: `${standard}/Resource-meta`,
    async run(context, request) {
      readInputs(request, []);
      const { meta = {} } = JSON.parse((await readStored(context, request)).raw) as Resource;
      return answerMeta(meta);
    },
  },
  {
    ...ofAnyInstance,
    name: 'meta-add',
    methods: ['POST'],
    documentation: 'Adds profiles, tags and security labels to a resource, as a new version.',
    definition: `${standard}/Resource-meta-add`,
    run: (context, request) => change(context, request, add),
  },
  {
    ...ofAnyInstance,
    name: 'meta-delete',
    methods: ['POST'],
    documentation: 'Takes profiles, tags and security labels from a resource, as a new version.',
    definition: `${standard}/Resource-meta-delete`,
    run: (context, request) => change(context, request, subtract),
  },
  {
    name: 'convert',
    type: '',
    level: 'system',
    methods: ['POST'],
    takesBytes: false,
    documentation: 'Answers the resource that is sent in the format that is asked for; stores nothing.',
    definition: `${standard}/Resource-convert`,
    run: (context, request) => Promise.resolve(convert(context, request)),
  },
];

async function summary(context: Context, request: Request, types: readonly string[] | undefined): Promise<Answer> {
  readInputs(request, []);
  for (const type of types ?? []) requireType(context, type);
  const found = await context.store.labels(types, labelsMax + 1, request.visible);
  if (found.length > labelsMax) throw new Problem('too-costly', `more than ${labelsMax} labels are in use`);
  const of = (kind: string) => found.filter((row) => row.kind === kind).map(({ item }) => item);
  const meta = lists.map((name) => [name, of(name)] as const).filter(([, items]) => items.length > 0);
  return answerMeta(Object.fromEntries(meta));
}

function convert(context: Context, { body }: Request): Answer {
  const type = (body as Partial<Resource> | null | undefined)?.resourceType;
  if (typeof type !== 'string') throw new Problem('incorrect', 'the body is no resource: there is nothing to convert');
  requireType(context, type);
  return { status: 200, body: serializeJson(body) };
}

function answerMeta(meta: Meta): Answer {
  const body = { resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: meta }] };
  return { status: 200, body: JSON.stringify(body) };
}

async function change(
  context: Context,
  request: Request,
  combine: (before: Meta, given: Meta) => Meta,
): Promise<Answer> {
  requireType(context, request.type);
  const { type, id = '' } = request;
  const [given, ...others] = readInputs(request, ['meta']);
  if (given === undefined || others.length > 0 || typeof given.value !== 'object' || given.value === null) {
    throw new Problem('incorrect', 'expected one parameter meta with a valueMeta');
  }
  const patch = ({ meta = {}, ...resource }: Resource): Resource => ({
    ...resource,
    meta: combine(meta, given.value as Meta),
  });
  const { written } = await writePlanned(context, request, { method: 'PATCH', type, id, patch });
  const { meta = {} } = parseJson(written[0]?.raw ?? '{}') as Resource;
  return { ...answerMeta(meta), ...(written[0] === undefined ? {} : { version: written[0].version }) };
}

const lists = ['profile', 'security', 'tag'] as const;

type Item = string | { readonly system?: string; readonly code?: string };

/** Labels and tags are the same when system and code are; their display does not matter. */
function identityOf(item: Item): string {
  return typeof item === 'string' ? item : `${item.system ?? ''}|${item.code ?? ''}`;
}

function add(before: Meta, given: Meta): Meta {
  return combineLists(before, given, (own, more) => {
    const known = new Set(own.map(identityOf));
    return [...own, ...more.filter((item) => !known.has(identityOf(item)))];
  });
}

function subtract(before: Meta, given: Meta): Meta {
  return combineLists(before, given, (own, less) => {
    const unwanted = new Set(less.map(identityOf));
    return own.filter((item) => !unwanted.has(identityOf(item)));
  });
}

function combineLists(
  before: Meta,
  given: Meta,
  combine: (own: readonly Item[], given: readonly Item[]) => readonly Item[],
): Meta {
  const { profile: _profile, security: _security, tag: _tag, ...rest } = before;
  const combined = lists.map((name) => [name, combine(before[name] ?? [], given[name] ?? [])] as const);
  return { ...rest, ...Object.fromEntries(combined.filter(([, items]) => items.length > 0)) };
}
