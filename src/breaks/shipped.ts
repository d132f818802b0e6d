/**
 * What Suture brings along: its rule sets, code systems, extensions and search parameters, put into the record at the
 * start. A resource is written when it is not there, or when it still carries the mark of an older shipped version; one
 * that a site has replaced by its own (without the mark) is left alone.
 */
import { readdir, readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { everything, type Store } from '../store/index.ts';
import { usedReferences } from './breaks.sql.ts';
import { canonicalBase } from './resources.ts';
import type { IsOwn } from './rule-book.ts';
import { noteReplaced } from './versions.ts';

export const shippedSystem = `${canonicalBase}/CodeSystem/shipped`;

interface Tag {
  readonly system?: string;
  readonly code?: string;
}

const folders = ['code-systems', 'value-sets', 'extensions', 'structures', 'search-parameters', 'rules'];

/** The files under `profiles/`. */
export async function readShipped(): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  for (const folder of folders) {
    const path = new URL(`../../profiles/${folder}/`, import.meta.url);
    for (const name of (await readdir(path)).filter((one) => one.endsWith('.json')).sort()) {
      resources.push(JSON.parse(await readFile(new URL(name, path), 'utf8')) as Resource);
    }
  }
  return resources;
}

/** So often one instance waits for another that is at it; each wait is as long as a lock may be waited for. */
const attemptsMax = 15;

/** Writes the shipped resources that are missing or outdated; answers how many that were. Several instances may start at once. */
export async function installShipped(store: Store, resources: readonly Resource[]): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await installOnce(store, resources);
    } catch (error) {
      if (attempt === attemptsMax || !(error instanceof Problem) || error.category !== 'unavailable') throw error;
    }
  }
}

function installOnce(store: Store, resources: readonly Resource[]): Promise<number> {
  return store.transaction(async (session) => {
    await session.lockCriteria(['shipped resources']);
    const references = resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
    const stored = await session.readMany(references, everything);
    const there = new Map(stored.map((one) => [`${one.type}/${one.id}`, JSON.parse(one.raw) as Resource]));
    const used = await usedReferences(session, references);
    const deleted = new Set(used.filter((reference) => !there.has(reference)));
    const wanted = resources.filter((resource) => {
      const reference = `${resource.resourceType}/${resource.id}`;
      return !deleted.has(reference) && needsWriting(resource, there.get(reference));
    });
    for (const after of wanted)
      await noteReplaced(session, { before: there.get(`${after.resourceType}/${after.id}`), after });
    await session.commit(
      wanted.map((resource) => ({
        method: 'PUT',
        type: resource.resourceType,
        id: resource.id ?? '',
        resource: marked(resource),
      })),
    );
    return wanted.length;
  });
}

/** Whether it says what this server ships, whatever its place in the record. */
export function createOwnCheck(shipped: readonly Resource[]): IsOwn {
  const byUrl = new Map(shipped.map((resource) => [resource['url'], resource]));
  return (resource) => {
    const ours = byUrl.get(resource['url']);
    return ours !== undefined && isDeepStrictEqual(withoutMeta(ours), withoutMeta(resource));
  };
}

function withoutMeta({ meta: _meta, ...rest }: Resource): object {
  return rest;
}

function needsWriting(resource: Resource, there: Resource | undefined): boolean {
  if (there === undefined) return true;
  const mark = (there.meta?.tag as readonly Tag[] | undefined)?.find(({ system }) => system === shippedSystem);
  return mark !== undefined && mark.code !== versionOf(resource);
}

function versionOf(resource: Resource): string {
  const { version } = resource as { readonly version?: string };
  return version ?? '1';
}

function marked(resource: Resource): Resource {
  const tag = [...(resource.meta?.tag ?? []), { system: shippedSystem, code: versionOf(resource) }];
  return { ...resource, meta: { ...resource.meta, tag } };
}
