/** A websocket client of the world, as subscribers have one. */
import { WebSocket } from 'ws';

export interface SocketClient {
  /** Texts that came, oldest first. */
  readonly texts: readonly string[];
  /** The code that the connection ended with; undefined while it is open. */
  readonly closeCode: number | undefined;
  send(data: string | Buffer): void;
  /** Reads nothing any more. */
  pause(): void;
  resume(): void;
  /** Resolves when the condition holds; looks again at every sign of the server, and gives up after 5 s. */
  until(condition: () => boolean): Promise<void>;
  close(): void;
}

/** Rejects when the server does not switch protocols. */
export async function openSocket(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SocketClient> {
  const socket = new WebSocket(url, { headers });
  const texts: string[] = [];
  let closeCode: number | undefined;
  let look = (): void => undefined;
  socket.on('message', (data: Buffer) => {
    texts.push(data.toString('utf8'));
    look();
  });
  socket.on('close', (code) => {
    closeCode = code;
    look();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return {
    texts,
    get closeCode() {
      return closeCode;
    },
    send: (data) => socket.send(data),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    until: (condition) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the server did not do in 5 s what was expected')), 5_000);
        look = () => {
          if (!condition()) return;
          clearTimeout(timer);
          resolve();
        };
        look();
      }),
    close: () => socket.terminate(),
  };
}
