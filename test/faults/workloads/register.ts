/** A few care plans that everybody writes, patches, deletes and reads at once; half of the updates say which version they expect. */
import { checkRegister, deleted, type Read, type Version, type Write } from '../checks/register.ts';
import { checkSeen, type Seen } from '../checks/seen.ts';
import type { Asked } from '../ask.ts';
import { type Entry, type Ground, readAll, type Resource, searchAll, type Workload } from './workload.ts';

const system = 'https://hopital.example/essai/plan';
/** So many of the last values are sought in the end. */
const formerSought = 4;

export interface Register extends Workload {
  readonly keys: readonly string[];
  /** What the server says in the end, oldest first; `resource` is undefined for a deletion. */
  history(key: string): Promise<readonly (Version & { readonly resource: Resource | undefined })[]>;
}

export function createRegister({ ask, chance, any }: Ground, keysCount = 8): Register {
  const keys = Array.from({ length: keysCount }, (_none, index) => `plan-${index}`);
  const operations = new Map<string, (Write | Read)[]>(keys.map((key) => [key, []]));
  /** The newest version that a client knows of. */
  const known = new Map<string, number>();
  let count = 0;

  function note(key: string, operation: Write | Read): void {
    operations.get(key)?.push(operation);
    if (operation.version !== undefined && operation.version > (known.get(key) ?? 0)) known.set(key, operation.version);
  }

  function noteWrite(key: string, asked: Asked, value: string, expected: number | undefined): void {
    const { calledAt, endedAt, result, version } = asked;
    const more = { ...(version === undefined ? {} : { version }), ...(expected === undefined ? {} : { expected }) };
    note(key, { kind: 'write', id: `write ${count}`, calledAt, endedAt, result, value, ...more });
  }

  async function write(key: string, mayPatch = true): Promise<void> {
    const value = `value ${++count}`;
    const expected = chance.next() < 0.5 ? known.get(key) : undefined;
    const headers: Record<string, string> = expected === undefined ? {} : { 'if-match': `W/"${expected}"` };
    const url = `${any()}/CarePlan/${key}`;
    const asked =
      mayPatch && chance.next() < 0.3
        ? await ask('PATCH', url, {
            body: [
              { op: 'replace', path: '/title', value },
              { op: 'replace', path: '/identifier/0/value', value },
            ],
            type: 'application/json-patch+json',
            headers,
            isRepeatable: expected !== undefined,
          })
        : await ask('PUT', url, { body: carePlan(key, value), headers, isRepeatable: expected !== undefined });
    noteWrite(key, asked, value, expected);
  }

  async function remove(key: string): Promise<void> {
    count++;
    noteWrite(key, await ask('DELETE', `${any()}/CarePlan/${key}`), deleted, undefined);
  }

  async function read(key: string): Promise<void> {
    const asked = await ask('GET', `${any()}/CarePlan/${key}`);
    if (asked.status !== 200) return;
    const { meta, title } = JSON.parse(asked.text) as Resource;
    const { calledAt, endedAt } = asked;
    note(key, {
      kind: 'read',
      id: `read ${++count}`,
      calledAt,
      endedAt,
      version: Number(meta.versionId),
      value: String(title),
    });
  }

  async function history(key: string) {
    const entries = await readAll(ask, `${any()}/CarePlan/${key}/_history?_count=500`);
    return entries
      .map(({ resource, response }) => ({
        version: Number(/"(\d+)"/.exec(response?.etag ?? '')?.[1]),
        value: resource === undefined ? deleted : String(resource['title']),
        lastUpdated: response?.lastModified ?? '',
        resource,
      }))
      .toSorted((a, b) => a.version - b.version);
  }

  return {
    name: 'register',
    keys,
    history,
    async prepare() {
      for (const key of keys) await write(key, false);
    },
    async step() {
      const key = keys[chance.whole(0, keys.length - 1)] ?? '';
      const dice = chance.next();
      if (dice < 0.5) await write(key);
      else if (dice < 0.56) await remove(key);
      else await read(key);
    },
    async verify() {
      const found: string[] = [];
      const seen: Seen[] = [];
      for (const key of keys) {
        const versions = await history(key);
        found.push(...checkRegister(operations.get(key) ?? [], versions).map((line) => `CarePlan/${key}: ${line}`));
        found.push(...(await readAgain(key, versions)));
        seen.push({ key, versions, foundBy: await foundBy(key, versions) });
      }
      const told = (await readAll(ask, `${any()}/CarePlan/_history?_count=500`)).map(toldAs);
      return [...found, ...checkSeen(seen, told).map((line) => `CarePlan: ${line}`)];
    },
    count: () => `${[...operations.values()].flat().length} reads and writes of ${keys.length} resources`,
  };

  /** Under which values a search finds it: that of now, and some of before. */
  async function foundBy(key: string, versions: readonly Version[]): Promise<ReadonlySet<string>> {
    const values = versions.filter(({ value }, index) => value !== deleted && index >= versions.length - formerSought);
    const found = new Set<string>();
    for (const { value } of values) {
      const url = `${any()}/CarePlan?identifier=${encodeURIComponent(`${system}|${value}`)}`;
      for (const { id } of await searchAll(ask, url)) if (id === key) found.add(value);
    }
    return found;
  }

  /** Some versions, one by one: vread says what history says. */
  async function readAgain(key: string, versions: readonly Version[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const { version, value } of versions.filter(({ version: one }) => one % 7 === 1)) {
      const { status, text } = await ask('GET', `${any()}/CarePlan/${key}/_history/${version}`);
      const seen =
        status === 410
          ? deleted
          : status === 200
            ? String((JSON.parse(text) as Resource)['title'])
            : `status ${status}`;
      if (seen !== value) found.push(`CarePlan/${key}: version ${version} reads ${seen}, history says ${value}`);
    }
    return found;
  }
}

const toldAs = ({ resource, request, response }: Entry): string =>
  `${resource?.id ?? request?.url?.split('/')[1]}/${/"(\d+)"/.exec(response?.etag ?? '')?.[1]}`;

function carePlan(id: string, title: string): object {
  const subject = { reference: 'Patient/faults' };
  const identifier = [{ system, value: title }];
  return { resourceType: 'CarePlan', id, identifier, status: 'active', intent: 'plan', title, subject };
}
