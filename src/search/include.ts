/**
 * `_include` and `_revinclude` (https://hl7.org/fhir/R4/search.html#include): one statement for what a page refers to and
 * what refers to it. For `:iterate` the caller asks again with what was found, until nothing new is.
 */
import { hash } from 'node:crypto';
import type { Resource } from '../fhir/index.ts';
import type { SearchContext } from './context.ts';
import { collect } from './indexer.ts';
import { keyText } from './keys.ts';
import { joinResource, SqlBuilder, type Visible } from './sql.ts';
import type { SearchStatement } from './to-sql.ts';
import type { Include } from './tree.ts';

export interface IncludeRequest {
  readonly visible: Visible;
  /** At most so many resources; the statement yields one more when there are more. */
  readonly limit: number;
}

/** `undefined` when nothing can be found. Rows are those of a page, without sort values; some may be of the page itself. */
export function toIncludeSql(
  context: SearchContext,
  includes: readonly Include[],
  resources: readonly Resource[],
  { visible, limit }: IncludeRequest,
): SearchStatement | undefined {
  const wanted = forwardReferences(context, includes, resources);
  const keys = reverseKeys(context, includes, resources);
  if (wanted.length === 0 && keys.length === 0) return undefined;
  const sql = new SqlBuilder(visible, 'each');
  const most = sql.bind(limit + 1, 'integer');
  const parts = [
    ...(wanted.length === 0 ? [] : [forwardText(sql, wanted)]),
    ...(keys.length === 0 ? [] : [reverseText(sql, keys)]),
  ];
  const text = `with found as (${parts.join(' union ')})
select r.type, r.id, r.version, r.last_updated, r.raw, r.rid
from found join resource r on r.rid = found.rid and r.shard = found.shard order by r.rid limit ${most}`;
  return { name: `include-${hash('sha256', text).slice(0, 24)}`, text, values: sql.values };
}

function forwardReferences(
  context: SearchContext,
  includes: readonly Include[],
  resources: readonly Resource[],
): readonly string[] {
  const forward = includes.filter(({ kind }) => kind === 'include');
  if (forward.length === 0) return [];
  const found = new Set<string>();
  for (const resource of resources) {
    const own = forward.filter(({ type }) => type === resource.resourceType);
    if (own.length === 0) continue;
    for (const { path, reference } of collect(context.parameters, context.readers, resource).links) {
      if (own.some((include) => leadsTo(include, path, reference.split('/', 1)[0]))) found.add(reference);
    }
  }
  return [...found];
}

function leadsTo({ parameter, target }: Include, path: string, type: string | undefined): boolean {
  if (target !== undefined && target !== type) return false;
  return parameter.paths.some(
    ({ name, restriction }) => name === path && (restriction === undefined || restriction === type),
  );
}

function reverseKeys(
  context: SearchContext,
  includes: readonly Include[],
  resources: readonly Resource[],
): readonly bigint[] {
  const keys = includes
    .filter(({ kind }) => kind === 'revinclude')
    .flatMap((include) => resources.flatMap((resource) => keysTo(context, include, resource)));
  return [...new Set(keys)];
}

function keysTo(
  { readers }: SearchContext,
  { parameter, target }: Include,
  { resourceType, id }: Resource,
): readonly bigint[] {
  if (target !== undefined && target !== resourceType) return [];
  return parameter.paths
    .filter(({ restriction }) => restriction === undefined || restriction === resourceType)
    .map(({ name }) => readers.hash(`${keyText.referencePrefix(name)}${resourceType}/${id}`));
}

function forwardText(sql: SqlBuilder, references: readonly string[]): string {
  const pairs = references.map((reference) => reference.split('/'));
  const types = sql.bind(
    pairs.map(([type]) => type),
    'text[]',
  );
  const ids = sql.bind(
    pairs.map(([, id]) => id),
    'text[]',
  );
  return `select r.rid, r.shard from unnest(${types}, ${ids}) as wanted(type, id)
  join resource r on r.type = wanted.type and r.id = wanted.id where ${sql.standing('r').join(' and ')}`;
}

function reverseText(sql: SqlBuilder, keys: readonly bigint[]): string {
  return `select r.rid, r.shard from token_index d ${joinResource('r', 'd')}
  where d.k = any (${sql.bind(keys, 'bigint[]')}) and ${sql.standing('r').join(' and ')}`;
}
