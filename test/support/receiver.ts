/** A subscriber in the world: an HTTP server on loopback that keeps what it was sent and answers as it is told. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** Of the caller: the same on the same connection. */
  readonly port: number | undefined;
}

/** A status with headers, or a way to fail. */
export type Reply =
  | { readonly status: number; readonly headers?: http.OutgoingHttpHeaders; readonly body?: string }
  /** Does not answer before `release`. */
  | 'hang'
  /** Breaks the connection. */
  | 'reset'
  /** Answers 200, then one byte now and then, for ever. */
  | 'drip'
  /** Answers 200 with more than anybody should read. */
  | 'flood';

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** How to answer from now on; the default is 200 without body. */
  answer(reply: (received: Received, index: number) => Reply): void;
  /** Answers 200 to all that hang. */
  release(): void;
  forget(): void;
  close(): Promise<void>;
}

export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const hanging = new Set<http.ServerResponse>();
  let reply: (received: Received, index: number) => Reply = () => ({ status: 200 });
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = {
        method,
        path: url,
        headers,
        body: Buffer.concat(parts).toString(),
        port: request.socket.remotePort,
      };
      received.push(one);
      const how = reply(one, received.length - 1);
      if (how === 'hang') hanging.add(response);
      else respond(response, how);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answer: (next) => void (reply = next),
    release() {
      for (const response of hanging) response.end();
      hanging.clear();
    },
    forget() {
      received.length = 0;
      reply = () => ({ status: 200 });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function respond(response: http.ServerResponse, reply: Exclude<Reply, 'hang'>): void {
  response.on('error', () => undefined);
  if (typeof reply === 'object') {
    response.writeHead(reply.status, reply.headers).end(reply.body);
    return;
  }
  switch (reply) {
    case 'reset':
      response.destroy();
      return;
    case 'drip':
      drip(response);
      return;
    case 'flood':
      flood(response);
  }
}

function drip(response: http.ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), 20);
  response.once('close', () => clearInterval(timer));
}

function flood(response: http.ServerResponse): void {
  response.writeHead(200);
  const chunk = 'x'.repeat(65_536);
  const pour = (): void => {
    while (!response.destroyed && response.write(chunk)) continue;
    if (!response.destroyed) response.once('drain', pour);
  };
  pour();
}
