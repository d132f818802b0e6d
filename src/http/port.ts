/** A port of our own: with PORT=0 the base URL needs to know it long before the server listens. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

export interface ReservedPort {
  readonly port: number;
  /** Lets go of the port; call it right before listening, so that nobody else gets it meanwhile. */
  release(): Promise<void>;
}

/** `port` 0 finds a free one and holds it; any other is taken as it is. */
export async function reservePort(host: string, port: number): Promise<ReservedPort> {
  if (port !== 0) return { port, release: () => Promise.resolve() };
  const server = createServer((socket) => socket.destroy());
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async release() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
