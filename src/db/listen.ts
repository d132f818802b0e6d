/**
 * LISTEN as a wake-up hint. PostgreSQL keeps no notification for a listener that is away, so each time the connection
 * has been made the listener is woken too, and whoever relies on it also looks by himself from time to time.
 */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { databaseLimits, type Log } from '../base/index.ts';
import { backOffMs } from './back-off.ts';
import type { Listener } from './database.ts';
import { clientConfig } from './pool.ts';

export interface ListenerOptions {
  readonly url: string;
  readonly log: Log;
  readonly random: () => number;
}

export function openListener(options: ListenerOptions, channel: string, onWake: () => void): Listener {
  const closing = new AbortController();
  let client = new pg.Client(clientConfig(options.url));

  async function follow(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; failures++) {
      client = new pg.Client(clientConfig(options.url));
      const wasConnected = await listenUntilEnd(client, channel, onWake);
      if (closing.signal.aborted) return;
      if (wasConnected) failures = 0;
      if (failures === 0) options.log.warn({ component: 'db' }, 'the listener lost its connection');
      await pause(
        backOffMs(failures + 1, databaseLimits.reconnectWaitMs, databaseLimits.reconnectWaitMaxMs, options.random),
      );
    }
  }

  async function pause(durationMs: number): Promise<void> {
    await wait(durationMs, undefined, { signal: closing.signal }).catch(() => undefined);
  }

  const following = follow();
  return {
    async close() {
      closing.abort();
      await client.end();
      await following;
    },
  };
}

/** Ends with the connection; answers whether there was one. */
async function listenUntilEnd(client: pg.Client, channel: string, onWake: () => void): Promise<boolean> {
  const end = new Promise<void>((resolve) => client.once('end', resolve));
  client.on('error', () => undefined); // 'end' follows
  client.on('notification', onWake);
  try {
    // Whoever is ended while it connects never hears of its connection (pg).
    await Promise.race([client.connect(), end.then(() => Promise.reject(new Error('ended before it was connected')))]);
    await client.query(`listen ${pg.escapeIdentifier(channel)}`);
  } catch {
    await client.end().catch(() => undefined);
    return false;
  }
  onWake();
  await end;
  return true;
}
