/** One websocket connection: text both ways, and an end to everything that takes too long or too much. The protocol is that of `ws`. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

export interface Connection {
  send(text: string): void;
  close(code: number): void;
  readonly isOpen: boolean;
}

export interface ConnectionHandlers {
  onText(text: string): void;
  /** Once, however it ended. */
  onEnd(): void;
}

export const connectionLimits = {
  /** Of one command of a client. */
  commandMax: 4096,
  /** A client that does not read is cut off when this much waits for it. */
  waitingMax: 4 * 1024 * 1024,
  /** A client that gives no sign of life from one question to the next is gone: what is written to it would be lost. */
  pingEveryMs: 30_000,
  /** For the client's answer to a close. */
  closeWithinMs: 2_000,
} as const;

/** Why a connection ends (https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1). */
export const closeCodes = { normal: 1000, goingAway: 1001, unsupportedData: 1003, policy: 1008, fault: 1011 } as const;

/** Answers upgrades; a request that asks for no websocket is refused with 400, and `onOpen` is not called. */
export type Upgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  onOpen: (socket: WebSocket) => void,
) => void;

export function createUpgrade(): Upgrade {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: connectionLimits.commandMax,
  });
  return (request, socket, head, onOpen) => server.handleUpgrade(request, socket, head, onOpen);
}

export function openConnection(socket: WebSocket, handlers: ConnectionHandlers): Connection {
  let isAlive = true;
  const pinging = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, connectionLimits.pingEveryMs).unref();
  socket.on('pong', () => void (isAlive = true));
  socket.on('message', (data: RawData, isBinary) => {
    isAlive = true;
    if (socket.readyState !== socket.OPEN) return;
    if (isBinary) connection.close(closeCodes.unsupportedData);
    else handlers.onText(textOf(data));
  });
  // What the protocol forbids ends the connection by itself, with the code that it has for that.
  socket.on('error', () => undefined);
  socket.once('close', () => {
    clearInterval(pinging);
    handlers.onEnd();
  });
  const connection: Connection = {
    send(text) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(text);
      if (socket.bufferedAmount > connectionLimits.waitingMax) socket.terminate();
    },
    close(code) {
      socket.close(code);
      setTimeout(() => socket.terminate(), connectionLimits.closeWithinMs).unref();
    },
    get isOpen() {
      return socket.readyState === socket.OPEN;
    },
  };
  return connection;
}

/** The server asks for whole messages, which come as one Buffer. */
function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : '';
}
