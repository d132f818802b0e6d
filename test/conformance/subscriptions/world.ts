/**
 * An outsider: a client and a receiver that know FHIR R4 and the Subscriptions R5 Backport guide 1.1, and nothing of the server
 * (no import from src). What a tester of the public kit supplies by hand stands in `Settings`.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Settings {
  readonly baseUrl: string;
  /** Canonical of a topic that the server serves. */
  readonly topic: string;
  /** A filter that the topic allows, and resources that trigger it; the first two for the filter's value. */
  readonly filter: string;
  readonly trigger: (name: string) => Json & { readonly resourceType: string; readonly id: string };
  /** Of another value for the filter. */
  readonly other: (name: string) => Json & { readonly resourceType: string; readonly id: string };
  /** What the server does not support, for 6.2 to 6.7. */
  readonly unsupported: {
    readonly topic: string;
    readonly filter: string;
    readonly endpoint: string;
    readonly payload: string;
  };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what comes from outside has no type yet
export type Json = Record<string, any>;

export interface Answer {
  readonly status: number;
  readonly body: Json;
}

export interface Heard {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export interface World {
  readonly settings: Settings;
  readonly hookUrl: string;
  send(method: string, path: string, body?: Json): Promise<Answer>;
  /** What was heard at this path, oldest first. */
  heard(path: string): readonly Heard[];
  /** Waits until the condition holds for what was heard at the path; fails after 20 s. */
  until(path: string, condition: (heard: readonly Heard[]) => boolean): Promise<readonly Heard[]>;
  /** How to answer at a path; the default is 200. */
  answer(path: string, status: number): void;
  /** Repeats a GET until the condition holds. */
  poll(path: string, condition: (body: Json) => boolean): Promise<Json>;
  close(): Promise<void>;
}

const patienceMs = 20_000;

export async function openWorld(settings: Settings): Promise<World> {
  const heard: Heard[] = [];
  const statuses = new Map<string, number>();
  const listeners = new Set<() => void>();
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = request.url ?? '';
      heard.push({ path, headers: request.headers, text: Buffer.concat(parts).toString('utf8') });
      response.writeHead(statuses.get(path) ?? 200).end();
      for (const listener of listeners) listener();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = (path: string) => heard.filter((one) => one.path === path);
  const send = async (method: string, path: string, body?: Json): Promise<Answer> => {
    const answer = await fetch(`${settings.baseUrl}/${path}`, {
      method,
      headers: { 'content-type': 'application/fhir+json', accept: 'application/fhir+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  };
  return {
    settings,
    hookUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    send,
    heard: at,
    until: (path, condition) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`at ${path} ${at(path).length} notifications came, and not what was expected`));
        }, patienceMs);
        const look = (): void => {
          if (!condition(at(path))) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(at(path));
        };
        listeners.add(look);
        look();
      }),
    answer: (path, status) => void statuses.set(path, status),
    async poll(path, condition) {
      const started = performance.now();
      for (;;) {
        const { body } = await send('GET', path);
        if (condition(body)) return body;
        if (performance.now() - started > patienceMs) throw new Error(`GET ${path} never answered what was expected`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
