/**
 * A wanted write -> the writes that it means, inside a transaction and under the locks of its criteria: one place for
 * single requests and for the entries of a transaction (https://hl7.org/fhir/R4/http.html#cond-update, #ccreate, #patch,
 * #3.1.0.7.1 for deletes).
 */
import { Problem } from '../base/index.ts';
import { requirePatchAllowed } from '../documents/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import type { Session, StoredVersion, WriteEntry } from '../store/index.ts';
import { type Context, readEntityTag } from './context.ts';
import { type Criteria, findMatch, findMatches, type Match, type MatchSetting } from './match.ts';
import type { ApplyPatch } from './patch-document.ts';
import { requireResource } from './valid.ts';

export interface Wanted {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly type: string;
  readonly id?: string | undefined;
  /** In place of an id; for POST those of If-None-Exist. */
  readonly criteria?: string | undefined;
  /** Valid, for POST and PUT. */
  readonly resource?: Resource | undefined;
  readonly patch?: ApplyPatch | undefined;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

export interface Plan {
  readonly type: string;
  /** '' for a deletion that finds nothing. */
  readonly id: string;
  readonly writes: readonly WriteEntry[];
  /** What a conditional create found instead of making it. */
  readonly found?: Match;
}

export function criteriaOf({ type, criteria }: Wanted): readonly Criteria[] {
  return criteria === undefined ? [] : [{ type, criteria }];
}

/** Throws `precondition` where several match, or a version is not the one that If-Match names. */
export async function planWrite(
  context: Context,
  session: Session,
  wanted: Wanted,
  setting: MatchSetting,
): Promise<Plan> {
  const [criteria] = criteriaOf(wanted);
  if (wanted.method === 'DELETE' && criteria !== undefined) {
    return planDeletes(context, session, { wanted, criteria, setting });
  }
  const match = criteria === undefined ? undefined : await findMatch(context, session, criteria, setting);
  switch (wanted.method) {
    case 'POST':
      if (match !== undefined) return { type: wanted.type, id: match.id, writes: [], found: match };
      return write(wanted, context.ids.next(context.clock.now()), { method: 'POST', expectNew: true });
    case 'PUT':
      return criteria === undefined
        ? planUpdate(session, wanted, setting)
        : planByCriteria(context, session, { wanted, match, setting });
    case 'PATCH':
      return planPatch(context, session, { wanted, match, setting });
    case 'DELETE':
      return write(wanted, wanted.id ?? '', { method: 'DELETE', ...expectedVersion(wanted) });
  }
}

function write(
  { type, resource }: Wanted,
  id: string,
  rest: Pick<WriteEntry, 'method' | 'expectNew' | 'expectVersion'>,
): Plan {
  const body = rest.method === 'DELETE' || resource === undefined ? {} : { resource: { ...resource, id } };
  return { type, id, writes: [{ type, id, ...rest, ...body }] };
}

function expectedVersion({ ifMatch }: Wanted): { expectVersion?: number } {
  return ifMatch === undefined ? {} : { expectVersion: readEntityTag(ifMatch) };
}

/** `If-None-Match: *` lets an update create only. */
async function planUpdate(session: Session, wanted: Wanted, { visible }: MatchSetting): Promise<Plan> {
  const { type, id = '', ifNoneMatch } = wanted;
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*') throw new Problem('precondition', 'If-None-Match of an update can only be *');
    await session.lockResources([`${type}/${id}`]);
    const stored = await session.read(type, id, visible);
    if (stored !== undefined && !stored.isDeleted) {
      throw new Problem('precondition', `the ${type} exists, and If-None-Match says that it must not`);
    }
  }
  return write(wanted, id, { method: 'PUT', ...expectedVersion(wanted) });
}

/** No match: create, under the id of the resource if it has one. One match: its id, which the resource may not contradict. */
async function planByCriteria(
  context: Context,
  session: Session,
  { wanted, match, setting }: PatchInput,
): Promise<Plan> {
  const given = wanted.resource?.id;
  if (match !== undefined) {
    if (given !== undefined && given !== match.id) {
      throw new Problem('incorrect', 'the id in the resource is not the id of the resource that the criteria find');
    }
    return write(wanted, match.id, { method: 'PUT', ...expectedVersion(wanted) });
  }
  if (wanted.ifMatch !== undefined)
    throw new Problem('precondition', 'the criteria find nothing that If-Match could name');
  if (given === undefined)
    return write(wanted, context.ids.next(context.clock.now()), { method: 'PUT', expectNew: true });
  const stored = await lockAndRead(session, `${wanted.type}/${given}`, setting);
  if (stored !== undefined && !stored.isDeleted) {
    throw new Problem('conflict', 'the id in the resource belongs to one that the criteria do not find');
  }
  return write(wanted, given, { method: 'PUT' });
}

async function lockAndRead(
  session: Session,
  reference: string,
  { visible }: MatchSetting,
): Promise<StoredVersion | undefined> {
  const [type = '', id = ''] = reference.split('/');
  await session.lockResources([reference]);
  return session.read(type, id, visible);
}

interface PatchInput {
  readonly wanted: Wanted;
  readonly match: Match | undefined;
  readonly setting: MatchSetting;
}

/** Under the row's lock, so that no version comes between what was read and what is written. */
async function planPatch(context: Context, session: Session, { wanted, match, setting }: PatchInput): Promise<Plan> {
  const { type, patch } = wanted;
  const id = wanted.id ?? match?.id;
  if (id === undefined) throw new Problem('not-found', `the criteria find no ${type} to patch`);
  await session.lockResources([`${type}/${id}`]);
  const stored = await session.read(type, id, setting.visible);
  if (stored === undefined) throw new Problem('not-found', `no ${type} with this id`);
  if (stored.isDeleted) throw new Problem('gone', `the ${type} was deleted`);
  const expected = expectedVersion(wanted).expectVersion ?? stored.version;
  const before = parseJson(stored.raw) as Resource;
  const after = patch === undefined ? before : patch(before);
  const resource = await requireResource(context, type, after);
  requirePatchAllowed(before, resource);
  if (resource.id !== id) throw new Problem('unprocessable', 'a patch cannot change the id of a resource');
  return write({ ...wanted, resource }, id, { method: 'PATCH', expectVersion: expected });
}

interface DeletesInput {
  readonly wanted: Wanted;
  readonly criteria: Criteria;
  readonly setting: MatchSetting;
}

async function planDeletes(context: Context, session: Session, input: DeletesInput): Promise<Plan> {
  const { wanted, criteria, setting } = input;
  const { deletesMax } = context.limits;
  const matches = await findMatches(context, session, criteria, { ...setting, limit: deletesMax + 1 });
  if (matches.length > deletesMax) {
    const text =
      deletesMax === 1
        ? `the criteria find more than one ${wanted.type}`
        : `the criteria find more than the ${deletesMax} that are deleted at once`;
    throw new Problem('precondition', text);
  }
  const [first] = matches;
  if (first === undefined) return { type: wanted.type, id: '', writes: [] };
  const expected = expectedVersion(wanted);
  const writes = matches.map(({ type, id }): WriteEntry => ({ method: 'DELETE', type, id, ...expected }));
  return { type: wanted.type, id: first.id, writes };
}
