/** A sender of HL7 v2 messages over MLLP, as hospitals' systems are. */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

export interface MllpSender {
  readonly socket: Socket;
  /** Bytes as they are. */
  write(bytes: string | Uint8Array): void;
  /** One message in its frame; answers the next acknowledgement. */
  send(message: string | Uint8Array): Promise<string>;
  /** The next acknowledgement, without its frame; rejects when the connection ends before. */
  next(): Promise<string>;
  /** Resolves when the other side has ended the connection. */
  readonly ended: Promise<void>;
  close(): void;
}

export function frame(message: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x0b), Buffer.from(message as string), Buffer.of(0x1c, 0x0d)]);
}

export async function connectMllp(port: number, tls?: ConnectionOptions): Promise<MllpSender> {
  const socket =
    tls === undefined ? connectPlain({ port, host: '127.0.0.1' }) : connectTls({ port, host: '127.0.0.1', ...tls });
  await new Promise((resolve, reject) => {
    socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve);
    socket.once('error', reject);
  });
  let received = Buffer.alloc(0);
  let isEnded = false;
  const waiting: { resolve: (text: string) => void; reject: (error: Error) => void }[] = [];
  const serve = (): void => {
    for (let at = received.indexOf(0x1c); at >= 0 && waiting.length > 0; at = received.indexOf(0x1c)) {
      const text = received.subarray(1, at).toString('utf8');
      received = received.subarray(at + 2);
      waiting.shift()?.resolve(text);
    }
    if (isEnded) for (const one of waiting.splice(0)) one.reject(new Error('the connection has ended'));
  };
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    serve();
  });
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isEnded = true;
      serve();
      resolve();
    });
  });
  socket.on('error', () => undefined);
  const next = () =>
    new Promise<string>((resolve, reject) => {
      waiting.push({ resolve, reject });
      serve();
    });
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    send(message) {
      socket.write(frame(message));
      return next();
    },
    next,
    ended,
    close: () => socket.destroy(),
  };
}
