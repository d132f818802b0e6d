/**
 * COPY as streams, over one connection of the driver (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY). The
 * driver knows the messages but not the streams; a slow reader or writer at the other end slows the connection down, nothing is
 * collected in memory.
 */
import { Readable, Writable } from 'node:stream';
import type pg from 'pg';

/** What the driver calls on whatever it sends. */
interface Wire {
  readonly stream: NodeJS.WritableStream & { readonly writableNeedDrain: boolean; pause(): void; resume(): void };
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

interface Submitted {
  submit(wire: Wire): void;
  handleError(error: Error): void;
  handleReadyForQuery(): void;
}

const ignored = {
  handleRowDescription: () => undefined,
  handleDataRow: () => undefined,
  handlePortalSuspended: () => undefined,
  handleEmptyQuery: () => undefined,
  handleCommandComplete: () => undefined,
  handleCopyInResponse: () => undefined,
};

function send(client: pg.ClientBase, submitted: Submitted): void {
  client.query(submitted as unknown as pg.Submittable);
}

/** Node 20 has no Promise.withResolvers. */
function promised<T>() {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((...given) => ([resolve, reject] = given));
  return { promise, resolve: (value: T) => resolve(value), reject: (error: Error) => reject(error) };
}

/** `text`: COPY ... TO STDOUT. */
export function copyOut(client: pg.ClientBase, text: string): Readable {
  let wire: Wire | undefined;
  const rows = new Readable({ read: () => wire?.stream.resume() });
  send(client, {
    ...ignored,
    submit(given: Wire) {
      wire = given;
      given.query(text);
    },
    handleCopyData({ chunk }: { readonly chunk: Buffer }) {
      // A copy: the driver reads its next bytes into the same memory.
      if (!rows.push(Buffer.from(chunk))) wire?.stream.pause();
    },
    handleError: (error: Error) => void rows.destroy(error),
    handleReadyForQuery: () => void rows.push(null),
  } as Submitted);
  return rows;
}

/** `text`: COPY ... FROM STDIN. The stream has finished when PostgreSQL has taken everything. */
export function copyIn(client: pg.ClientBase, text: string): Writable {
  const opened = promised<Wire>();
  const ended = promised<undefined>();
  for (const { promise } of [opened, ended]) promise.catch(() => undefined);
  let wire: Wire | undefined;
  send(client, {
    ...ignored,
    submit(given: Wire) {
      wire = given;
      given.query(text);
    },
    handleCopyInResponse: () => void (wire && opened.resolve(wire)),
    handleError(error: Error) {
      opened.reject(error);
      ended.reject(error);
    },
    handleReadyForQuery: () => ended.resolve(undefined),
  } as Submitted);
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const taken = opened.promise.then(async ({ stream, sendCopyFromChunk }) => {
        sendCopyFromChunk.call(wire, chunk);
        if (stream.writableNeedDrain) await new Promise((resume) => stream.once('drain', resume));
      });
      taken.then(() => done(), done);
    },
    final(done) {
      const all = opened.promise.then((open) => {
        open.endCopyFrom();
        return ended.promise;
      });
      all.then(() => done(), done);
    },
    destroy(error, done) {
      if (error !== null && wire !== undefined) wire.sendCopyFail('the backup cannot be read');
      done(error);
    },
  });
}
