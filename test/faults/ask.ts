/**
 * A client that notes what it asked and what came of it. Whatever is not an answer of the server's own judgment (a time-out, a broken
 * connection, any 5xx) is `unknown`: it may have been done.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Asked {
  /** Milliseconds of this process's monotonic clock. */
  readonly calledAt: number;
  readonly endedAt: number;
  readonly result: 'done' | 'refused' | 'unknown';
  readonly status: number | undefined;
  /** Of the ETag. */
  readonly version: number | undefined;
  readonly text: string;
}

export interface Ask {
  (method: string, url: string, sent?: Sent): Promise<Asked>;
}

export interface Sent {
  readonly body?: object | Uint8Array;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** May come twice and late: it says by itself when it holds (If-Match, If-None-Exist, a letter). */
  readonly isRepeatable?: boolean;
}

/** What the network between the clients and the servers does to a request; `twice`: both copies at once; `again`: a copy later. */
export type Passage =
  | { readonly kind: 'once' }
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'twice' }
  | { readonly kind: 'again'; readonly ms: number };

export interface Network {
  /** How requests pass from now on; undefined: as they should. */
  setMood(mood: (() => Passage) | undefined): void;
  /** All copies that were sent late have come to their end. */
  settle(): Promise<void>;
}

/** Nothing may take longer than this, whatever happens below the server (liveness). */
export const answerMaxMs = 31_000;

export interface Journal {
  /** One line before, one after each request. */
  write(line: object): void;
}

/** Asks through a network that may repeat and delay what says that it may be repeated. */
export function createNetwork(ask: Ask): Network & { readonly ask: Ask } {
  let mood: (() => Passage) | undefined;
  const copies = new Set<Promise<unknown>>();
  const later = (ms: number, send: () => Promise<Asked>) => {
    const copy = delay(ms)
      .then(send)
      .finally(() => copies.delete(copy));
    copies.add(copy);
  };
  const pass: Ask = async (method, url, sent) => {
    const passage = sent?.isRepeatable === true ? (mood?.() ?? once) : once;
    const send = () => ask(method, url, sent);
    switch (passage.kind) {
      case 'once':
        return send();
      case 'late': {
        const calledAt = performance.now();
        await delay(passage.ms);
        return { ...(await send()), calledAt };
      }
      case 'twice':
        return better(...(await Promise.all([send(), send()])));
      case 'again': {
        const first = await send();
        // One that was refused stays refused: its copy would only say so again, or hold where the first did not.
        if (first.result !== 'refused') later(passage.ms, send);
        return first;
      }
    }
  };
  return { ask: pass, setMood: (next) => void (mood = next), settle: async () => void (await Promise.all(copies)) };
}

const once: Passage = { kind: 'once' };

/** The client takes the good answer of two; what one of two refused, the other may have done without saying so. */
function better(one: Asked, other: Asked): Asked {
  const calledAt = Math.min(one.calledAt, other.calledAt);
  const both = [one, other];
  const answer = both.find(({ result }) => result === 'done') ?? both.find(({ result }) => result === 'unknown') ?? one;
  return { ...answer, calledAt };
}

/** Asks that end up in the journal, and in the figures. */
export function createAsk(journal: Journal, figures: Figures): Ask {
  let count = 0;
  return async (method, url, { body, type = 'application/fhir+json', headers = {} } = {}) => {
    const id = ++count;
    const content =
      body === undefined ? undefined : body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
    journal.write({ id, method, url, headers, ...(typeof content === 'string' ? { body: content } : {}) });
    const calledAt = performance.now();
    const answer = await send(method, url, {
      headers: content === undefined ? headers : { 'content-type': type, ...headers },
      ...(content === undefined ? {} : { body: content }),
    });
    const endedAt = performance.now();
    journal.write({ id, status: answer.status, etag: answer.etag, ms: Math.round(endedAt - calledAt) });
    figures.note(answer.status, endedAt - calledAt, endedAt);
    const version = /^W\/"(\d+)"$/.exec(answer.etag ?? '')?.[1];
    return {
      calledAt,
      endedAt,
      result: resultOf(answer.status),
      status: answer.status,
      version: version === undefined ? undefined : Number(version),
      text: answer.text,
    };
  };
}

async function send(method: string, url: string, more: RequestInit) {
  try {
    const answer = await fetch(url, { method, ...more, signal: AbortSignal.timeout(answerMaxMs) });
    return { status: answer.status, etag: answer.headers.get('etag'), text: await answer.text() };
  } catch {
    return { status: undefined, etag: null, text: '' };
  }
}

function resultOf(status: number | undefined): Asked['result'] {
  if (status === undefined || status >= 500) return 'unknown';
  return status < 300 ? 'done' : 'refused';
}

export interface Figures {
  note(status: number | undefined, tookMs: number, atMs: number): void;
  /** Requests by status (`none`: no answer), the longest answer, and the longest time without a good one. */
  read(): { readonly byStatus: Readonly<Record<string, number>>; readonly longestMs: number; readonly gapMs: number };
}

export function createFigures(startMs: number): Figures {
  const byStatus: Record<string, number> = {};
  let [longestMs, gapMs, lastGood] = [0, 0, startMs];
  return {
    note(status, tookMs, atMs) {
      const name = status === undefined ? 'none' : String(status);
      byStatus[name] = (byStatus[name] ?? 0) + 1;
      longestMs = Math.max(longestMs, tookMs);
      if (status === undefined || status >= 500) return;
      gapMs = Math.max(gapMs, atMs - lastGood);
      lastGood = atMs;
    },
    read: () => ({ byStatus, longestMs, gapMs }),
  };
}
