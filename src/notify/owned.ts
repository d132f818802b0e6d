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
import { readOwners, seenVersions } from './owners.sql.ts';

export interface Owned {
  /** What the owner may see; undefined for a subscription of the server's own. */
  visibleOf(subscription: string): Promise<Visible | undefined>;
}

/** For one batch of changes; owners are read once, and only where there are some (`hasSome`). */
export function openOwned(db: Queryable, access: Access, hasSome: boolean): Owned {
  const known = new Map<string, Caller | undefined>();
  return {
    async visibleOf(subscription) {
      if (!hasSome) return undefined;
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

/** The events of each range, as the owner of its subscription may be told of them now. */
export async function readOwnEvents(
  db: Queryable,
  access: Access,
  ranges: readonly EventRange[],
): Promise<readonly (readonly Event[])[]> {
  const all = await readEvents(db, ranges);
  if (!ranges.some(({ isOwned }) => isOwned)) return all;
  const owned = openOwned(db, access, true);
  return Promise.all(
    all.map(async (events, place) => {
      const visible = await owned.visibleOf(ranges[place]?.subscription ?? '');
      return visible === undefined || events.length === 0 ? events : hideUnseen(db, events, visible);
    }),
  );
}

async function hideUnseen(db: Queryable, events: readonly Event[], visible: Visible): Promise<readonly Event[]> {
  const found = await seenVersions(db, [...events, ...events.flatMap(({ context }) => context)], visible);
  const isSeen = (one: { type: string; id: string; version: number }) =>
    found.has(`${one.type}/${one.id}/${one.version}`);
  return events.map((event) =>
    isSeen(event)
      ? { ...event, context: event.context.filter(isSeen) }
      : { ...event, raw: undefined, context: [], isHidden: true as const },
  );
}
