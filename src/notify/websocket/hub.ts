/**
 * The websocket channel (http://hl7.org/fhir/uv/subscriptions-backport, channels): here the client calls us. It shows a binding
 * token, hears one handshake for each subscription of the token, then everything that was not sent before, then what happens.
 *
 * A socket has no acknowledgement: what was written to it counts as delivered. What a lost connection swallowed is in $events.
 * The hub looks into the database for news of what is bound here, and holds nothing else; so each instance serves its own
 * connections, whichever instance numbered the event.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Log } from '../../base/index.ts';
import { type BindingsInput, createBindings } from './bindings.ts';
import { closeCodes, type Connection, createUpgrade, openConnection } from './connection.ts';

export interface SocketHub {
  /** Takes over a connection that asks for an upgrade. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sends what there is to send now. */
  flush(): Promise<void>;
  /** Closes every connection, and takes no more. */
  stop(): void;
}

export const hubLimits = {
  connectionsMax: 1000,
  /** Real time in which a connection must show a token. */
  bindWithinMs: 10_000,
  lookEveryMs: 200,
} as const;

const busy = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n';

export function createSocketHub(input: BindingsInput & { readonly log: Log }): SocketHub {
  const connections = new Set<Connection>();
  const bindings = createBindings(input);
  const upgrade = createUpgrade();
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  /** One look after the other; a failing database is looked at again. */
  function flush(): Promise<void> {
    const warn = () => input.log.warn({ component: 'websocket' }, 'a look for events failed');
    looking = looking.then(bindings.look).catch(warn);
    return looking;
  }

  function schedule(): void {
    if (isStopped || timer !== undefined || bindings.count() === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      void flush().finally(schedule);
    }, hubLimits.lookEveryMs);
    timer.unref();
  }

  async function obey(connection: Connection, command: string): Promise<void> {
    const [, token] = /^bind-with-token ([\w-]{1,200})$/.exec(command.trim()) ?? [];
    if (token === undefined || !(await bindings.bind(connection, token))) return connection.close(closeCodes.policy);
    schedule();
    await flush();
  }

  return {
    accept(request, socket, head) {
      if (isStopped || connections.size >= hubLimits.connectionsMax) return void socket.end(busy);
      upgrade(request, socket, head, (opened) => {
        const waiting = setTimeout(() => connection.close(closeCodes.policy), hubLimits.bindWithinMs).unref();
        const connection = openConnection(opened, {
          onText(text) {
            clearTimeout(waiting);
            void obey(connection, text).catch(() => connection.close(closeCodes.fault));
          },
          onEnd() {
            clearTimeout(waiting);
            connections.delete(connection);
            bindings.forget(connection);
          },
        });
        connections.add(connection);
      });
    },
    flush,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      for (const connection of connections) connection.close(closeCodes.goingAway);
    },
  };
}
