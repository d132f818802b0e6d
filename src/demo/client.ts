/** The demo speaks to the server as anybody would: over HTTP. */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { instant } from './pathway.ts';

export interface Sending {
  readonly method: 'PUT' | 'POST';
  /** Below the FHIR base. */
  readonly path: string;
  readonly body: string;
  readonly contentType?: string;
}

export interface Client {
  /** Throws when the server refuses. */
  send(sending: Sending): Promise<Resource>;
  /** What $ingest answers, a refusal too. */
  tryLetter(bytes: Uint8Array): Promise<Resource>;
  search(path: string): Promise<readonly Resource[]>;
  moveClock(instantMs: number): Promise<void>;
  settle(): Promise<void>;
}

const done: readonly number[] = [200, 201];

export function createClient(baseUrl: string): Client {
  const adminUrl = baseUrl.replace(/\/fhir$/, '/admin');
  const post = (url: string, body: string) =>
    call(url, { method: 'POST', body, headers: contentType('application/json') });
  return {
    send: async ({ method, path, body, contentType: type = 'application/fhir+json' }) =>
      (await call(`${baseUrl}/${path}`, { method, body, headers: contentType(type) })) as Resource,
    tryLetter: async (bytes) =>
      (await call(
        `${baseUrl}/DocumentReference/$ingest`,
        { method: 'POST', body: new Uint8Array(bytes), headers: contentType('application/octet-stream') },
        [...done, 409, 422],
      )) as Resource,
    async search(path) {
      const bundle = (await call(`${baseUrl}/${path}`, {})) as { entry?: readonly { resource: Resource }[] };
      return bundle.entry?.map(({ resource }) => resource) ?? [];
    },
    moveClock: async (instantMs) => void (await post(`${adminUrl}/clock`, JSON.stringify({ now: instant(instantMs) }))),
    settle: async () => void (await post(`${adminUrl}/settle`, '{}')),
  };
}

function contentType(type: string): Record<string, string> {
  return { 'content-type': type };
}

async function call(url: string, init: RequestInit, allowed = done): Promise<unknown> {
  const response = await fetch(url, init);
  if (!allowed.includes(response.status)) {
    throw new Problem('fault', `the demo was answered ${response.status} at ${new URL(url).pathname}`);
  }
  const text = await response.text();
  return text === '' ? {} : JSON.parse(text);
}
