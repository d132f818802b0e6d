/** The tables of packages (migration 0018). A package is written in one transaction. */
import type { Queryable } from '../db/index.ts';
import type { PackageFile } from './read-package.ts';

export interface LoadedPackage {
  readonly name: string;
  readonly version: string;
  readonly canonical: string | null;
  readonly title: string | null;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly contentHash: Buffer;
}

export function readPackages(db: Queryable): Promise<readonly LoadedPackage[]> {
  return db.query<LoadedPackage>({
    text: `select name, version, canonical, title, dependencies, content_hash as "contentHash"
           from package order by name, version`,
  });
}

export async function insertPackage(db: Queryable, file: PackageFile, nowMs: number): Promise<void> {
  const { name, version, canonical, title, dependencies, contentHash } = file;
  await db.query({
    text: `insert into package (name, version, canonical, title, dependencies, content_hash, loaded_at)
           values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      name,
      version,
      canonical ?? null,
      title ?? null,
      JSON.stringify(dependencies),
      contentHash,
      new Date(nowMs),
    ],
  });
  for (let start = 0; start < file.definitions.length; start += chunk) {
    const rows = file.definitions.slice(start, start + chunk);
    await db.query({
      text: `insert into package_resource (package_name, package_version, type, url, version, body)
             select $1, $2, type, url, version, body
             from json_to_recordset($3) as one (type text, url text, version text, body text)`,
      values: [name, version, JSON.stringify(rows)],
    });
  }
}

/** Rows for each statement: a package may have thousands, of 100 kB and more. */
const chunk = 50;

export interface IndexRow {
  readonly type: string;
  readonly url: string;
  readonly version: string;
  readonly packageName: string;
  readonly packageVersion: string;
}

export function readIndex(db: Queryable, types: readonly string[]): Promise<readonly IndexRow[]> {
  return db.query<IndexRow>({
    text: `select type, url, version, package_name as "packageName", package_version as "packageVersion"
           from package_resource where type = any($1)`,
    values: [types],
  });
}

export async function readBody(db: Queryable, row: IndexRow): Promise<string | undefined> {
  const rows = await db.query<{ readonly body: string }>({
    name: 'package-body',
    text: `select body from package_resource
           where type = $1 and url = $2 and version = $3 and package_name = $4 and package_version = $5`,
    values: [row.type, row.url, row.version, row.packageName, row.packageVersion],
  });
  return rows[0]?.body;
}

/** Other instances look again at what is loaded. */
export async function announcePackages(db: Queryable): Promise<void> {
  await db.query({ text: 'select pg_notify($1, $2)', values: [packagesChannel, ''] });
}

export const packagesChannel = 'suture_packages';
