/** Keeps an instance's search parameters as they are stored: read at the start, and again whenever an instance changes them. */
import type { Log } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import type { CustomParameter } from '../search/index.ts';
import { readCustomParameters } from './search-parameters.sql.ts';

export interface CustomParameters {
  reload(): Promise<void>;
  close(): Promise<void>;
}

export async function followCustomParameters({
  db,
  log,
  define,
}: {
  readonly db: Database;
  readonly log: Log;
  readonly define: (custom: readonly CustomParameter[]) => void;
}): Promise<CustomParameters> {
  let known = '[]';
  async function reload(): Promise<void> {
    const custom = await readCustomParameters(db);
    const text = JSON.stringify(custom);
    // Compiling them takes a while: only when they are others.
    if (text !== known) define(custom);
    known = text;
  }
  await reload();
  const listener = db.listen('search_parameter', () => {
    reload().catch(() => log.warn({ component: 'search' }, 'the search parameters could not be read again'));
  });
  return { reload, close: () => listener.close() };
}
