/**
 * References that are enforced (SUTURE_REFERENCES=enforced, https://hl7.org/fhir/R4/http.html#integrity): what a write refers
 * to must be there when it is committed, and what is pointed at cannot be deleted. Where they are only recorded, feeds
 * arrive in any order, and $dangling-references lists what leads to nothing yet.
 */
import { type Caller, mayEverything } from '../access/index.ts';
import { type Issue, Problem } from '../base/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import { decodeCursor, encodeCursor } from '../search/index.ts';
import { everything, type Session, type WriteEntry } from '../store/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { many, readInputs, single } from './inputs.ts';
import type { Operation } from './operations.ts';

/**
 * Before the commit. Throws `conflict` with the place of each reference that leads to nothing, or newly to what the caller does not see:
 * otherwise he could ask of any id whether there is something.
 */
export async function requireTargets(
  context: Context,
  session: Session,
  { entries, caller }: { readonly entries: readonly WriteEntry[]; readonly caller: Caller },
): Promise<void> {
  const own = new Set(entries.flatMap(({ type, id, resource }) => (resource === undefined ? [] : [`${type}/${id}`])));
  const wanted = new Set(
    entries.flatMap(({ resource }) => (resource === undefined ? [] : context.indexValues(resource).references)),
  );
  const others = [...wanted].filter((reference) => !own.has(reference));
  const unseen = await hiddenOf(context, session, { entries, caller, references: others });
  const missing = new Set([...(await session.missingOf(others)), ...unseen]);
  if (missing.size === 0) return;
  const issues = entries.flatMap(({ resource }) =>
    resource === undefined ? [] : danglingIssues(context, resource, missing),
  );
  throw new Problem('conflict', 'a reference leads to nothing that is there', { issues });
}

interface Pointing {
  readonly entries: readonly WriteEntry[];
  readonly caller: Caller;
  /** `Type/id` */
  readonly references: readonly string[];
}

/**
 * Those that are not seen, and that none of the resources pointed at before. Whoever may write need not have the scope to read what he
 * refers to; and a Binary is seen by its document only, which comes after it.
 */
async function hiddenOf(
  context: Context,
  session: Session,
  { entries, caller, references }: Pointing,
): Promise<readonly string[]> {
  const sought = references.filter((reference) => !reference.startsWith('Binary/'));
  if (mayEverything(caller) || sought.length === 0) return [];
  const scopes = caller.scopes.map(({ level }) => ({ level, type: '*', interactions: 'r', constraint: [] }));
  const seen = await session.readMany(sought, context.access.visibleTo({ ...caller, scopes }));
  const seenReferences = new Set(seen.map(({ type, id }) => `${type}/${id}`));
  const unseen = sought.filter((reference) => !seenReferences.has(reference));
  if (unseen.length === 0) return [];
  const before = await session.readMany(
    entries.map(({ type, id }) => `${type}/${id}`),
    everything,
  );
  const known = new Set(before.flatMap(({ raw }) => context.indexValues(parseJson(raw) as Resource).references));
  return unseen.filter((reference) => !known.has(reference));
}

/** After the commit, in its transaction, whose locks keep new pointers away. */
export async function requireNoPointers(session: Session, entries: readonly WriteEntry[]): Promise<void> {
  const deleted = entries.filter(({ method }) => method === 'DELETE').map(({ type, id }) => `${type}/${id}`);
  if (deleted.length === 0 || !(await session.arePointedAt(deleted))) return;
  throw new Problem('conflict', 'the resource cannot be deleted while others refer to it');
}

function danglingIssues(context: Context, resource: Resource, missing: ReadonlySet<string>): readonly Issue[] {
  return danglingIn(context, resource, missing).map(({ expression, target }) => ({
    severity: 'error',
    code: 'conflict',
    text: `expected a ${target.split('/')[0]} that is there, found a reference to none`,
    expression,
  }));
}

interface Dangling {
  readonly expression: string;
  readonly target: string;
}

/** FHIRPath of each reference to one of these. Depth is that of the resource, which its reader has bounded. */
function danglingIn(context: Context, resource: Resource, missing: ReadonlySet<string>): readonly Dangling[] {
  const found: Dangling[] = [];
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) value.forEach((one, index) => walk(one, `${path}[${index}]`));
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        if (name === 'reference' && typeof member === 'string') take(member, `${path}.reference`);
        else walk(member, `${path}.${name}`);
      }
    }
  };
  const take = (text: string, expression: string): void => {
    const parsed = context.search.readers.references(text);
    const target = parsed.kind === 'local' ? `${parsed.type}/${parsed.id}` : '';
    if (missing.has(target)) found.push({ expression, target });
  };
  walk(resource, resource.resourceType);
  return found;
}

export const referenceOperations: readonly Operation[] = [
  {
    name: 'dangling-references',
    type: '',
    level: 'system',
    methods: ['GET'],
    takesBytes: false,
    documentation:
      'References to what is not there: parameters `dangling` with the parts `source`, `target`, `expression`. Resources are looked through page by page; `next` leads on.',
    run: listDangling,
  },
];

/** Resources looked through for one answer. */
const lookedThroughMax = 1000;

async function listDangling(context: Context, request: Request): Promise<Answer> {
  const inputs = readInputs(request, ['_type', '_cursor']);
  const types = many(inputs, '_type');
  const binding = JSON.stringify(['dangling', types]);
  const cursor = single(inputs, '_cursor');
  const afterRid = cursor === undefined ? '0' : decodeCursor(context.secret, binding, cursor).rid;
  const page = { types: types.length === 0 ? undefined : types, afterRid, limit: lookedThroughMax };
  const stored = await context.store.scan(page, request.visible);
  const resources = stored.map(({ raw }) => JSON.parse(raw) as Resource);
  const wanted = new Set(resources.flatMap((resource) => context.indexValues(resource).references));
  const missing = new Set(await context.store.missingOf([...wanted]));
  const parameter: object[] = resources.flatMap((resource) =>
    danglingIn(context, resource, missing).map((dangling) => danglingPart(resource, dangling)),
  );
  const last = stored.at(-1);
  if (last !== undefined && stored.length === lookedThroughMax) {
    const text = encodeCursor(context.secret, binding, {
      order: 'dangling',
      values: [],
      rid: last.rid,
      type: '',
      id: '',
    });
    const query = new URLSearchParams([...types.map((type): [string, string] => ['_type', type]), ['_cursor', text]]);
    parameter.push({ name: 'next', valueUri: `${context.baseUrl}/$dangling-references?${query.toString()}` });
  }
  const body = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
  return { status: 200, body: JSON.stringify(body) };
}

function danglingPart(resource: Resource, { expression, target }: Dangling): object {
  const part = [
    { name: 'source', valueReference: { reference: `${resource.resourceType}/${resource.id}` } },
    { name: 'target', valueReference: { reference: target } },
    { name: 'expression', valueString: expression },
  ];
  return { name: 'dangling', part };
}
