/** The places of a resource that hold other resources, as JSON pointers. A wrong form there is reported by the schema. */
import { isObject, type Members } from '../fhir/index.ts';
export interface Place {
  readonly data: unknown;
  /** JSON pointer from the outermost resource. */
  readonly path: string;
  /** Contained in another resource: no resource contains resources twice over. */
  readonly isContained?: boolean;
}

export function findPlaces({ data, path }: Place): Place[] {
  const resource = data as Members;
  const contained = itemsOf(resource['contained'], `${path}/contained`).map((place) => ({
    ...place,
    isContained: true,
  }));
  if (resource['resourceType'] === 'Bundle') return [...contained, ...findEntries(resource, path)];
  if (resource['resourceType'] === 'Parameters') return [...contained, ...findParameters(resource, path)];
  return contained;
}

function findEntries(bundle: Members, path: string): Place[] {
  return itemsOf(bundle['entry'], `${path}/entry`).flatMap(({ data: entry, path: at }) => {
    if (!isObject(entry)) return [];
    const outcome = isObject(entry['response']) ? entry['response']['outcome'] : undefined;
    return [...resourceAt(entry['resource'], `${at}/resource`), ...resourceAt(outcome, `${at}/response/outcome`)];
  });
}

function findParameters(parameters: Members, path: string): Place[] {
  const found: Place[] = [];
  const pending = itemsOf(parameters['parameter'], `${path}/parameter`);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (!isObject(next.data)) continue;
    found.push(...resourceAt(next.data['resource'], `${next.path}/resource`));
    for (const part of itemsOf(next.data['part'], `${next.path}/part`)) pending.push(part);
  }
  return found;
}

function itemsOf(list: unknown, path: string): Place[] {
  if (!Array.isArray(list)) return [];
  return list.map((data: unknown, index) => ({ data, path: `${path}/${index}` })).filter(({ data }) => isObject(data));
}

function resourceAt(data: unknown, path: string): Place[] {
  return isObject(data) ? [{ data, path }] : [];
}
