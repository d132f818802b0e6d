/**
 * What a subscription may tell is what its owner may see: when a change is matched, so that nothing else is numbered, and again when
 * the event is sent or asked for. An event that its owner no longer sees keeps its number and tells nothing.
 */
import type { Access, Caller } from '../access/index.ts';
import type { Queryable } from '../db/index.ts';
import type { Change } from '../queue/index.ts';
import type { Visible } from '../store/index.ts';
import type { SeenChange } from './criteria.ts';
import { type Event, type EventRange, readEvents } from './events.sql.ts';
import { hasOwners, readOwners, seenVersions } from './owners.sql.ts';

export interface Owned {
  /** What the owner may see; undefined for a subscription of the server's own. */
  visibleOf(subscription: string): Promise<Visible | undefined>;
}

/** For one batch of changes; owners are read once. */
export async function openOwned(db: Queryable, access: Access): Promise<Owned> {
  if (!(await hasOwners(db))) return { visibleOf: () => Promise.resolve(undefined) };
  const known = new Map<string, Caller | undefined>();
  return {
    async visibleOf(subscription) {
      if (!known.has(subscription)) {
        known.set(subscription, (await readOwners(db, [subscription])).get(subscription));
      }
      const caller = known.get(subscription);
      return caller === undefined ? undefined : access.visibleTo(caller);
    },
  };
}

/** The change as the owner sees it; undefined when he does not see what it made, or deleted. */
export async function asSeen(
  db: Queryable,
  { change, seen }: { readonly change: Change; readonly seen: SeenChange },
  visible: Visible,
): Promise<SeenChange | undefined> {
  const { type, id, version } = change;
  const name = (of: number): string => `${type}/${id}/${of}`;
  const versions = [version, version - 1].filter((of) => of > 0).map((of) => ({ type, id, version: of }));
  const found = await seenVersions(db, versions, visible);
  if (!found.has(name(version))) return undefined;
  return found.has(name(version - 1)) ? seen : { ...seen, previous: undefined };
}

/** Events of a subscription, as its owner may be told of them now. */
export async function readOwnEvents(db: Queryable, access: Access, range: EventRange): Promise<readonly Event[]> {
  const events = await readEvents(db, range);
  const visible = await (await openOwned(db, access)).visibleOf(range.subscription);
  if (visible === undefined || events.length === 0) return events;
  const found = await seenVersions(db, [...events, ...events.flatMap(({ context }) => context)], visible);
  const isSeen = (one: { type: string; id: string; version: number }) =>
    found.has(`${one.type}/${one.id}/${one.version}`);
  return events.map((event) =>
    isSeen(event)
      ? { ...event, context: event.context.filter(isSeen) }
      : { ...event, raw: undefined, context: [], isHidden: true as const },
  );
}
