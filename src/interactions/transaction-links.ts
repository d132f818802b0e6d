/**
 * Links in a transaction (https://hl7.org/fhir/R4/http.html#trules): a link to another entry's fullUrl becomes one to the
 * resource that the entry writes or finds; a conditional reference becomes the one resource that it finds. Everywhere: in
 * references, extensions, contained resources and narrative.
 */
import { Problem } from '../base/index.ts';
import { type Resource, rewriteLinks } from '../fhir/index.ts';
import type { Session, WriteEntry } from '../store/index.ts';
import { type BundleEntry, entryFault } from './bundle-entry.ts';
import type { Context } from './context.ts';
import { type Criteria, findMatch, lockMatches, type MatchSetting } from './match.ts';
import type { Planned } from './transaction.ts';

/** `Patient?identifier=...` as a link, by its text. */
export type ConditionalReferences = ReadonlyMap<string, Criteria>;

export function conditionalReferences(context: Context, resources: readonly Resource[]): ConditionalReferences {
  const found = new Map<string, Criteria>();
  for (const resource of resources) {
    rewriteLinks(context.definitions, resource, (link) => {
      const match = /^([A-Z][A-Za-z]+)\?(.+)$/.exec(link);
      const [, type, criteria] = match ?? [];
      if (type !== undefined && criteria !== undefined && context.definitions.resourceTypes.has(type)) {
        found.set(link, { type, criteria });
      }
      return link;
    });
  }
  return found;
}

export interface Links {
  /** Link -> what it becomes. */
  readonly targets: ReadonlyMap<string, string>;
  /** fullUrls of entries that only read: nothing can point at them. */
  readonly unwritten: ReadonlySet<string>;
}

interface LinkInput {
  readonly planned: readonly Planned[];
  readonly entries: readonly BundleEntry[];
  readonly references: ConditionalReferences;
  readonly setting: MatchSetting;
}

/** A conditional reference that finds none or several fails the whole transaction. */
export async function resolveLinks(context: Context, session: Session, input: LinkInput): Promise<Links> {
  const { planned, entries, setting } = input;
  const targets = new Map<string, string>();
  for (const { entry, plan } of planned) {
    const isThere = entry.method !== 'DELETE' && plan.id !== '';
    if (entry.fullUrl !== undefined && isThere) targets.set(entry.fullUrl, `${plan.type}/${plan.id}`);
  }
  const references = await withPatched(context, session, input);
  for (const [link, criteria] of references) {
    const match = await findMatch(context, session, criteria, setting);
    if (match === undefined) {
      throw new Problem('precondition', `a conditional reference to ${criteria.type} finds no resource`);
    }
    targets.set(link, `${match.type}/${match.id}`);
  }
  const reads = entries.filter(({ method }) => method === 'GET' || method === 'HEAD');
  return { targets, unwritten: new Set(reads.flatMap(({ fullUrl }) => fullUrl ?? [])) };
}

/** What a patch has made is known only now, so its criteria are locked late. */
async function withPatched(context: Context, session: Session, input: LinkInput): Promise<ConditionalReferences> {
  const { references, planned } = input;
  const patched = planned.filter(({ entry }) => entry.method === 'PATCH').flatMap(({ plan }) => plan.writes);
  const all = conditionalReferences(
    context,
    patched.flatMap(({ resource }) => resource ?? []),
  );
  const late = [...all].filter(([link]) => !references.has(link));
  await lockMatches(
    session,
    late.map(([, criteria]) => criteria),
  );
  return new Map([...references, ...late]);
}

interface Linked {
  readonly entry: BundleEntry;
  readonly write: WriteEntry;
}

export function relink(context: Context, { entry, write }: Linked, { targets, unwritten }: Links): WriteEntry {
  if (write.resource === undefined) return write;
  const base = entry.fullUrl === undefined ? undefined : /^(https?:\/\/.*\/)[A-Z]\w+\/[^/]+$/.exec(entry.fullUrl)?.[1];
  const resource = rewriteLinks(context.definitions, write.resource, (link) => {
    const [whole = link, fragment] = link.split('#');
    if (unwritten.has(whole)) throw entryFault(entry.place, 'a link leads to an entry that only reads');
    const target =
      targets.get(link) ?? targets.get(whole) ?? (base === undefined ? undefined : targets.get(base + whole));
    if (target === undefined) return link;
    return fragment === undefined || targets.has(link) ? target : `${target}#${fragment}`;
  });
  return { ...write, resource };
}
