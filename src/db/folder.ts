/** Folders that appear whole or not at all: made beside their place under the name of their maker, then renamed. */
import { access, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive } from './postmaster.ts';

const mark = '.new-';

export function draftOf(folder: string): string {
  return `${folder}${mark}${process.pid}`;
}

/** Gives the draft its name; when another process was quicker, its folder stands and the draft goes. */
export async function putInPlace(folder: string): Promise<void> {
  try {
    await rename(draftOf(folder), folder);
  } catch (error) {
    await rm(draftOf(folder), { recursive: true });
    if (!(await isThere(folder))) throw error;
  }
}

/** Drafts of makers that were killed. */
export async function removeAbandonedDrafts(folder: string): Promise<void> {
  const names = await readdir(dirname(folder));
  for (const name of names.filter((each) => each.startsWith(basename(folder) + mark))) {
    const maker = Number(name.slice(name.lastIndexOf('-') + 1));
    if (!isAlive(maker) || maker === process.pid) await rm(join(dirname(folder), name), { recursive: true });
  }
}

export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
