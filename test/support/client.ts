/** A client as anybody would write one: FHIR JSON over HTTP, with what tests ask for again and again. */
import type { Resource } from '../../src/fhir/index.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; an empty object where there is none. Loosely typed: tests look at shapes that are refused too. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
  readonly json: any;
}

export interface Sent {
  readonly body?: object | string | Uint8Array;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Client {
  readonly baseUrl: string;
  /** `path` is below the FHIR base; one that begins with `/` is below the server. */
  send(method: string, path: string, sent?: Sent): Promise<Reply>;
  get(path: string, headers?: Sent['headers']): Promise<Reply>;
  post(path: string, body: NonNullable<Sent['body']>, headers?: Sent['headers']): Promise<Reply>;
  /** To `[type]/[id]` of the resource. */
  put(resource: Resource, headers?: Sent['headers']): Promise<Reply>;
  remove(path: string, headers?: Sent['headers']): Promise<Reply>;

  /** Writes each resource; throws with the outcome when one is refused. */
  putAll(...resources: readonly Resource[]): Promise<void>;
  /** The resource; throws when it cannot be read. */
  read<T = Resource>(path: string): Promise<T>;
  /** The matches of a search, first page. */
  search<T = Resource>(path: string): Promise<readonly T[]>;
  ingest(bytes: Uint8Array | string, type?: string): Promise<Reply>;
  /** Answers how many jobs ran. */
  moveClock(now: string): Promise<number>;
  settle(): Promise<void>;
  /** The same with these headers on every request. */
  with(headers: Readonly<Record<string, string>>): Client;
}

export function createClient(baseUrl: string, always: Readonly<Record<string, string>> = {}): Client {
  const serverUrl = baseUrl.replace(/\/fhir$/, '');
  const send: Client['send'] = async (method, path, { body, type, headers } = {}) => {
    const url = path.startsWith('/') ? serverUrl + path : path === '' ? baseUrl : `${baseUrl}/${path}`;
    const content = body === undefined ? {} : { body: contentOf(body) };
    const contentType = body === undefined ? {} : { 'content-type': type ?? 'application/fhir+json' };
    const answer = await fetch(url, { method, headers: { ...always, ...contentType, ...headers }, ...content });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const text = bytes.toString('utf8');
    return { status: answer.status, headers: answer.headers, bytes, text, json: parsed(text) };
  };
  const expectOk = (reply: Reply, what: string): Reply => {
    if (reply.status < 300) return reply;
    throw new Error(`${what} was answered ${reply.status}: ${reply.text.slice(0, 2000)}`);
  };
  const given = (headers: Sent['headers']) => (headers === undefined ? {} : { headers });
  return {
    baseUrl,
    send,
    get: (path, headers) => send('GET', path, given(headers)),
    post: (path, body, headers) => send('POST', path, { body, ...given(headers) }),
    put: (resource, headers) =>
      send('PUT', `${resource.resourceType}/${resource.id}`, { body: resource, ...given(headers) }),
    remove: (path, headers) => send('DELETE', path, given(headers)),
    async putAll(...resources) {
      for (const resource of resources) {
        const path = `${resource.resourceType}/${resource.id}`;
        expectOk(await send('PUT', path, { body: resource }), `PUT ${path}`);
      }
    },
    read: async <T>(path: string) => expectOk(await send('GET', path), `GET ${path}`).json as T,
    async search<T>(path: string) {
      const { json } = expectOk(await send('GET', path), `GET ${path}`);
      return ((json.entry ?? []) as { resource: T; search?: { mode: string } }[])
        .filter(({ search }) => search?.mode !== 'include')
        .map(({ resource }) => resource);
    },
    ingest: (bytes, type = 'application/cda+xml') =>
      send('POST', 'DocumentReference/$ingest', { body: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, type }),
    async moveClock(now) {
      const reply = await send('POST', '/admin/clock', { body: { now }, type: 'application/json' });
      return expectOk(reply, `moving the clock to ${now}`).json.fired as number;
    },
    settle: async () => void expectOk(await send('POST', '/admin/settle'), 'settle'),
    with: (headers) => createClient(baseUrl, { ...always, ...headers }),
  };
}

function contentOf(body: NonNullable<Sent['body']>): string | Uint8Array<ArrayBuffer> {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
}

function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return {};
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
