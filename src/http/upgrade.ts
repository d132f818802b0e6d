/**
 * Requests that ask for another protocol. Node takes every one of them out of HTTP as soon as somebody serves websockets; those that
 * ask for anything else (clients of Java try h2c with their first request) go back in without the wish, as RFC 9110 §7.8 allows.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

export interface SocketRoute {
  /** Path of the URL. */
  readonly path: string;
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export function registerUpgrade(server: Server, { path, accept }: SocketRoute): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const asked = (request.url ?? '').split('?', 1)[0];
    const isWebsocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    if (isWebsocket && asked === path) accept(request, socket, head);
    else putBack(server, request, socket, head);
  });
}

const wishes = new Set(['connection', 'upgrade', 'http2-settings']);

/** The same request on the same connection, as if it had not asked. */
function putBack(server: Server, { method, url, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!wishes.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}
