/** history of a type and of everything (https://hl7.org/fhir/R4/http.html#history): order, `_since`, `_at`, pages that bear writes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';

let test: TestApp;
let client: Client;

const patient = (id: string, family: string) => ({ resourceType: 'Patient', id, name: [{ family }] });

beforeAll(async () => {
  test = await startTestApp({ clock: '2026-03-02T08:00:00Z' });
  client = test.client;
  await client.putAll(patient('a', 'un'), patient('b', 'un'));
  await client.moveClock('2026-03-02T09:00:00Z');
  await client.putAll(patient('a', 'deux'), { resourceType: 'Basic', id: 'x', code: { text: 'x' } });
  await client.moveClock('2026-03-02T10:00:00Z');
  await client.remove('Patient/b');
  await client.putAll(patient('c', 'un'));
});
afterAll(() => test?.close());

interface HistoryEntry {
  readonly fullUrl: string;
  readonly request: { readonly method: string; readonly url: string };
  readonly response: { readonly etag: string; readonly lastModified: string };
}

function told(reply: Reply): readonly string[] {
  expect(reply.status).toBe(200);
  expect(reply.json.type).toBe('history');
  return ((reply.json.entry ?? []) as HistoryEntry[])
    .map(({ fullUrl, request, response }) => [request.method, fullUrl.slice(client.baseUrl.length + 1), response.etag])
    .filter(([, target]) => /^(Patient|Basic)/.test(target ?? ''))
    .map((parts) => parts.join(' '));
}

function next(reply: Reply): string | undefined {
  const links = reply.json.link as { relation: string; url: string }[];
  return links.find(({ relation }) => relation === 'next')?.url.slice(client.baseUrl.length + 1);
}

async function pages(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let at: string | undefined = path; at !== undefined; ) {
    const reply: Reply = await client.get(at);
    found.push(...told(reply));
    at = next(reply);
  }
  return found;
}

const c1 = 'PUT Patient/c W/"1"';
const b2 = 'DELETE Patient/b W/"2"';
const a2 = 'PUT Patient/a W/"2"';
const [a1, b1] = ['PUT Patient/a W/"1"', 'PUT Patient/b W/"1"'];
const x1 = 'PUT Basic/x W/"1"';

describe('The history of a type', () => {
  it('has the versions of all its resources, deletions too, newest first', async () => {
    expect(told(await client.get('Patient/_history'))).toEqual([c1, b2, a2, b1, a1]);
  });

  it('is the same in pages of any size', async () => {
    for (const count of [1, 2, 3])
      expect(await pages(`Patient/_history?_count=${count}`)).toEqual([c1, b2, a2, b1, a1]);
  });

  it.each([
    ['_since=2026-03-02T09:00:00Z', [c1, b2, a2]],
    ['_since=2026-03-02T10:00:00%2B00:00', [c1, b2]],
    ['_since=2026-03-02T12:00:00Z', []],
    ['_at=2026-03-02T08:30:00Z', [b1, a1]],
    ['_at=2026-03-02T09:30:00Z', [a2, b1]],
    ['_at=2026-03-02T10:30:00Z', [c1, b2, a2]],
    ['_at=2026-03-02', [c1, b2, a2, b1, a1]],
    ['_at=2026-03-01', []],
  ])('with %s has what that says', async (query, expected) => {
    expect(told(await client.get(`Patient/_history?${query}`))).toEqual(expected);
  });

  it('counts when it is asked for no entries', async () => {
    const { json } = await client.get('Patient/_history?_count=0&_since=2026-03-02T09:00:00Z');
    expect([json.total, json.entry]).toEqual([3, undefined]);
  });

  it('keeps its place while others write', async () => {
    const first = await client.get('Patient/_history?_count=2');
    await client.moveClock('2026-03-02T11:00:00Z');
    await client.putAll(patient('a', 'trois'), patient('d', 'un'));
    const rest = await pages(next(first) ?? '');
    expect([...told(first), ...rest]).toEqual([c1, b2, a2, b1, a1]);
    expect((await pages('Patient/_history?_count=2')).slice(0, 2).sort()).toEqual(
      ['PUT Patient/a W/"3"', 'PUT Patient/d W/"1"'].sort(),
    );
  });
});

describe('The history of everything', () => {
  it('has all types', async () => {
    const all = await pages('_history?_count=50');
    expect(all).toEqual(expect.arrayContaining([c1, b2, a2, x1, b1, a1]));
    expect(all.indexOf(a2)).toBeLessThan(all.indexOf(b1));
    expect(new Set(all).size).toBe(all.length);
  });

  it('can stand in a batch and in a transaction', async () => {
    for (const type of ['batch', 'transaction']) {
      const entry = [
        { request: { method: 'GET', url: '_history?_count=1' } },
        { request: { method: 'GET', url: 'Patient/_history?_count=1' } },
        { request: { method: 'GET', url: 'Patient/a/_history/1' } },
      ];
      const { status, json } = await client.post('', { resourceType: 'Bundle', type, entry });
      expect(status).toBe(200);
      expect(json.entry[0].resource.type).toBe('history');
      expect(json.entry[1].resource.entry).toHaveLength(1);
      expect(json.entry[2].resource.name[0].family).toBe('un');
    }
  });
});

describe('The history of a resource', () => {
  it('takes _since and _at too', async () => {
    expect(told(await client.get('Patient/b/_history?_since=2026-03-02T09:30:00Z'))).toEqual([b2]);
    expect(told(await client.get('Patient/b/_history?_at=2026-03-02T09:30:00Z'))).toEqual([b1]);
  });

  it('is empty, not missing, when nothing happened since', async () => {
    expect(told(await client.get('Patient/b/_history?_since=2027-01-01'))).toEqual([]);
  });
});

describe('A history', () => {
  it.each([
    ['an unknown parameter', 'Patient/_history?name=x', 400],
    ['a date that is none', 'Patient/_history?_since=yesterday', 400],
    ['a parameter twice', '_history?_count=1&_count=2', 400],
    ['a negative count', '_history?_count=-1', 400],
    ['an invented page', 'Patient/_history?_cursor=abcdefgh', 400],
    ['an unknown type', 'Patients/_history', 404],
  ])('is refused with %s', async (_what, path, status) => {
    const reply = await client.get(path);
    expect([reply.status, reply.json.resourceType]).toEqual([status, 'OperationOutcome']);
  });

  it('does not take the page of another one (F7)', async () => {
    const path = next(await client.get('Patient/_history?_count=1')) ?? '';
    expect((await client.get(path)).status).toBe(200);
    expect((await client.get(path.replace('Patient/', ''))).status).toBe(400);
    expect((await client.get(`${path}&_since=2026-01-01`)).status).toBe(400);
  });
});
