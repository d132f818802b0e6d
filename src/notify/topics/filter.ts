/**
 * A filter of a subscription to a topic (extension backport-filter-criteria). The guide writes it in three ways, and all are
 * in use: `patient=Patient/1`, `Encounter?patient=Patient/1`, `Encounter.patient=Patient/1`, each with modifiers.
 */
import type { SearchContext } from '../../search/index.ts';
import { compileCriteria, type Criteria, type Fault, queryPairs } from '../criteria.ts';
import type { CompiledTopic } from './compile.ts';
import { comparators } from './form.ts';
import type { AllowedFilter, Topic } from './topic.ts';

export type CompiledFilter =
  /** One of them for each type that it concerns. */
  | { readonly criteria: readonly Criteria[]; readonly faults?: undefined }
  | { readonly criteria?: undefined; readonly faults: readonly Fault[] };

export function compileFilter(
  text: string,
  { topic, types }: CompiledTopic,
  search: SearchContext,
  nowMs: number,
): CompiledFilter {
  const [, type, query = ''] = /^(?:([A-Z][A-Za-z]+)[?.])?(.*)$/s.exec(text) ?? [];
  if (type !== undefined && !types.includes(type)) return fault('its type is not one of the topic');
  const pairs = queryPairs(query);
  if (pairs.length === 0) return fault('expected name=value');
  const concerned = type === undefined ? types : [type];
  for (const one of concerned) {
    const unknown = pairs.find(([name]) => !topic.filters.some((allowed) => allows(allowed, one, name)));
    if (unknown !== undefined)
      return fault(`the topic allows no filter by this parameter: expected ${listOf(topic.filters)}`);
  }
  for (const one of concerned) {
    const refused = pairs.find(([name, value]) => !comparesAsAllowed({ topic, search }, one, name, value));
    if (refused !== undefined) return fault('the topic does not allow this comparator');
  }
  const compiled = concerned.map((one) => compileCriteria(search, one, pairs, nowMs));
  const faults = compiled.flatMap((one) => one.faults ?? []);
  return faults.length > 0 ? { faults } : { criteria: compiled.flatMap((one) => one.criteria ?? []) };
}

function allows({ type, parameter, modifiers }: AllowedFilter, asked: string, name: string): boolean {
  const [code, modifier] = name.split(':', 2);
  return (
    (type === undefined || type === asked) &&
    parameter === code &&
    (modifier === undefined || modifiers.includes(modifier))
  );
}

/** A prefix is part of the value of dates, numbers and quantities alone; none is `eq`. */
function comparesAsAllowed(
  { topic, search }: { readonly topic: Topic; readonly search: SearchContext },
  type: string,
  name: string,
  value: string,
): boolean {
  const [code = ''] = name.split(':', 1);
  const kind = search.parameters(type).parameters.get(code)?.type ?? '';
  if (!['date', 'number', 'quantity'].includes(kind)) return true;
  const prefix = comparators.find((one) => value.startsWith(one)) ?? 'eq';
  return topic.filters.some(
    (allowed) => allows(allowed, type, name) && (allowed.comparators?.includes(prefix) ?? true),
  );
}

function listOf(filters: readonly AllowedFilter[]): string {
  return [...new Set(filters.map(({ parameter }) => parameter))].join(', ') || 'none';
}

function fault(text: string): CompiledFilter {
  return { faults: [{ text, code: 'not-supported' }] };
}
