/** The packages of a folder (`SUTURE_PACKAGES`), loaded at start where they are not yet: what others depend on first. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, Problem } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import { addPackage } from './add-package.ts';
import { readPackages } from './packages.sql.ts';

export interface FolderInput {
  readonly db: Database;
  readonly folder: string;
  readonly log: Log;
  readonly nowMs: number;
}

/** A package that cannot be loaded is told in the log and left out: it does not stop the server. */
export async function loadFolder({ db, folder, log, nowMs }: FolderInput): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.tgz')).sort();
  const before = (await readPackages(db)).length;
  for (const name of names) {
    try {
      const added = await addPackage(db, await readFile(join(folder, name)), { nowMs, allowsMissing: true });
      if (added.outcome === 'added')
        log.info({ component: 'packages', reason: `${added.name} ${added.version}` }, 'package loaded');
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      log.warn({ component: 'packages', reason: `${name}: ${error.message}` }, 'package left out');
    }
  }
  const loaded = await readPackages(db);
  if (loaded.length === before) return;
  const present = new Set(loaded.map((one) => one.name));
  const missing = loaded
    .flatMap((one) => Object.keys(one.dependencies))
    .filter((name) => !present.has(name) && !/^hl7\.fhir\.r4\./.test(name));
  if (missing.length > 0)
    log.warn(
      { component: 'packages', reason: [...new Set(missing)].join(', ') },
      'packages that others depend on are not loaded',
    );
}
