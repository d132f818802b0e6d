/**
 * Writes of a caller who may not everything, held against access inside the transaction and under the locks of what they change: what
 * is there must be seen, what will be there must be seen, and what grants access needs a right of its own (access/writes.ts).
 *
 * What is not seen was never there: a PUT to it is refused as one to an unknown id, a DELETE of it changes nothing.
 */
import {
  type Caller,
  type Facts,
  forbidden,
  hasRight,
  type Interaction,
  labelsOf,
  mayOn,
  noFacts,
  requireWritable,
} from '../access/index.ts';
import { Problem } from '../base/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import { everything, type Session, type StoredVersion, type WriteEntry } from '../store/index.ts';
import type { Context } from './context.ts';

/** The entries that may be written; those that delete what the caller does not see are left out. */
export async function permitWrites(
  context: Context,
  session: Session,
  entries: readonly WriteEntry[],
  caller: Caller,
): Promise<readonly WriteEntry[]> {
  await session.lockResources(entries.map(({ type, id }) => `${type}/${id}`));
  const who = await session.knownAs(context.access.namesOf(caller), context.clock.now());
  const permitted: WriteEntry[] = [];
  for (const entry of entries) {
    if (await isPermitted(context, session, { entry, caller, who })) permitted.push(entry);
  }
  return permitted;
}

interface Asked {
  readonly entry: WriteEntry;
  readonly caller: Caller;
  readonly who: readonly string[];
}

async function isPermitted(context: Context, session: Session, { entry, caller, who }: Asked): Promise<boolean> {
  const { type, id, resource } = entry;
  const found = await session.read(type, id, everything);
  const letter = letterOf(entry, found !== undefined && !found.isDeleted);
  const visible = context.access.visibleTo(caller, letter);
  const seen = found === undefined ? undefined : await session.read(type, id, visible);
  if (seen === undefined && resource === undefined) return false;
  if (seen === undefined && !mayMake(entry, found, caller)) throw unknownId();
  if (!mayOn(caller, letter, type)) throw forbidden();
  const before = contentOf(seen);
  requireWritable(caller, type, {
    ...{ before, after: resource, who },
    factsBefore: factsOf(context, before),
    factsAfter: factsOf(context, resource),
    labelsBefore: labelsOf(before),
    labelsAfter: labelsOf(resource),
  });
  if (resource !== undefined && !decidedElsewhere.has(type) && !(await session.sees({ ...resource, id }, visible))) {
    throw forbidden();
  }
  return true;
}

/** Under an id that the server chose, or that the caller may choose and nobody has. */
function mayMake({ expectNew }: WriteEntry, found: StoredVersion | undefined, caller: Caller): boolean {
  return expectNew === true || (found === undefined && hasRight(caller, 'id-choose'));
}

function contentOf(stored: StoredVersion | undefined): Resource | undefined {
  return stored === undefined || stored.isDeleted ? undefined : (parseJson(stored.raw) as Resource);
}

/** A Binary is seen by its documents, a Subscription by its owner: both come with the write or after it. Who audits need not read. */
const decidedElsewhere: ReadonlySet<string> = new Set(['AuditEvent', 'Binary', 'Subscription']);

function letterOf({ method, expectNew }: WriteEntry, isThere: boolean): Interaction {
  if (method === 'DELETE') return 'd';
  return method === 'POST' || expectNew === true || !isThere ? 'c' : 'u';
}

/** The same whether nothing has this id or the caller does not see it. */
function unknownId(): Problem {
  return new Problem('unsupported-interaction', 'nothing has this id, and the caller may not choose ids');
}

function factsOf({ facts }: Context, resource: Resource | undefined): Facts {
  return resource === undefined ? noFacts : facts(resource);
}
