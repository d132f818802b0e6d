/** Which connection has the notifications of which subscription, and what was sent to it already. */
import type { Access } from '../../access/index.ts';
import type { Clock } from '../../base/index.ts';
import type { Database } from '../../db/index.ts';
import type { Notification } from '../channel.ts';
import type { ChannelRules } from '../channel-terms.ts';
import { compose } from '../compose.ts';
import { createDueReader, type Due, hasTexts, type ReadDue } from '../due.ts';
import type { Event } from '../events.sql.ts';
import { readOwnEvents } from '../owned.ts';
import { recordAttempt } from '../record.sql.ts';
import { type Mark, readMarks } from '../state.sql.ts';
import type { Subscription } from '../subscription.ts';
import { closeCodes, type Connection } from './connection.ts';
import { spendToken } from './tokens.sql.ts';

export interface Bindings {
  /** Binds the connection to the subscriptions of the token; false when it is good for none. */
  bind(connection: Connection, token: string): Promise<boolean>;
  /** Sends what there is to send, and closes connections that nothing is bound to any more. */
  look(): Promise<void>;
  forget(connection: Connection): void;
  count(): number;
}

export interface BindingsInput {
  readonly db: Database;
  readonly access: Access;
  readonly clock: Clock;
  readonly rules: ChannelRules;
  readonly baseUrl: string;
}

/** Of one connection. */
const bindingsMax = 100;

interface Binding {
  readonly connection: Connection;
  readonly id: string;
  /** As it was read last. */
  due: Served;
  /** Events up to this one were sent here. */
  sentNumber: number;
  sentAtMs: number;
}

export function createBindings(input: BindingsInput): Bindings {
  const readDue = createDueReader(input.db, input.rules);
  let bindings: readonly Binding[] = [];

  function drop(dropped: Binding): void {
    bindings = bindings.filter((binding) => binding !== dropped);
    if (!bindings.some(({ connection }) => connection === dropped.connection))
      dropped.connection.close(closeCodes.normal);
  }

  return {
    async bind(connection, token) {
      const ids = await spendToken(input.db, token, input.clock.now());
      const dues = await Promise.all((ids ?? []).map(readDue));
      const served = dues.filter(isServed).slice(0, bindingsMax);
      const sentAtMs = input.clock.now();
      const bound = served.map((due) => ({
        connection,
        id: due.id,
        due,
        sentNumber: due.standing.deliveredNumber,
        sentAtMs,
      }));
      for (const { due } of bound) connection.send(textOf(input, due, 'handshake', []));
      const isReplaced = (one: Binding) => one.connection === connection && served.some(({ id }) => id === one.id);
      bindings = [...bindings.filter((one) => !isReplaced(one)), ...bound];
      return bound.length > 0;
    },
    async look() {
      if (bindings.length === 0) return;
      const marks = await readMarks(input.db, [...new Set(bindings.map(({ id }) => id))]);
      for (const binding of bindings) {
        const mark = marks.get(binding.id);
        if (mark === undefined || !(await isFresh(readDue, binding, mark))) drop(binding);
        else await serve(input, binding, mark);
      }
    },
    forget(connection) {
      bindings = bindings.filter((binding) => binding.connection !== connection);
    },
    count: () => bindings.length,
  };
}

interface Served extends Due {
  readonly subscription: Subscription;
}

function isServed(due: Due | undefined): due is Served {
  return due?.standing.status === 'active' && due.subscription?.channel.type === 'websocket';
}

/** Whether the binding still holds; its terms are read again when another version is in force. */
async function isFresh(readDue: ReadDue, binding: Binding, mark: Mark): Promise<boolean> {
  if (mark.status !== 'active') return false;
  if (binding.due.version === mark.version) return true;
  const due = await readDue(binding.id);
  if (!isServed(due)) return false;
  binding.due = due;
  return true;
}

/** Sends the events that the binding has not had, in order, and a heartbeat when nothing was said for long enough. */
async function serve(input: BindingsInput, binding: Binding, { lastNumber, deliveredNumber }: Mark): Promise<void> {
  const { subscription } = binding.due;
  const { eventsMax, heartbeatMs } = subscription.channel;
  // Somebody has put the place back ($resend), or what was sent could not be recorded: again, under the same numbers.
  binding.sentNumber = Math.min(binding.sentNumber, deliveredNumber);
  while (binding.connection.isOpen && binding.sentNumber < lastNumber) {
    const numbers = { from: binding.sentNumber + 1, until: lastNumber, limit: eventsMax };
    const range = { subscription: binding.id, ...numbers, hasTexts: hasTexts(subscription), isOwned: true };
    const [events = []] = await readOwnEvents(input.db, input.access, [range]);
    if (events.length === 0) return;
    await say(input, binding, 'event-notification', events);
  }
  const isSilent = heartbeatMs !== undefined && binding.sentAtMs + heartbeatMs <= input.clock.now();
  if (isSilent) await say(input, binding, 'heartbeat', []);
}

async function say(input: BindingsInput, binding: Binding, kind: Said, events: readonly Event[]): Promise<void> {
  const { due } = binding;
  const nowMs = input.clock.now();
  binding.connection.send(textOf(input, due, kind, events));
  binding.sentNumber = events.at(-1)?.number ?? binding.sentNumber;
  binding.sentAtMs = nowMs;
  const [firstNumber, lastNumber] = [events[0]?.number, events.at(-1)?.number];
  const attempted = {
    kind,
    outcome: { kind: 'delivered' as const },
    firstNumber,
    lastNumber,
    nowMs,
    durationMs: 0,
    random: 0,
  };
  const after = { ...due.standing, deliveredNumber: binding.sentNumber, sentAtMs: nowMs, isSlow: false };
  const logged = { ...attempted, subscription: binding.id, attempt: 1 };
  await recordAttempt(input.db, logged, due.version, { ...after, version: due.version });
}

type Said = Notification['kind'];

function textOf({ baseUrl, clock }: BindingsInput, due: Served, kind: Said, events: readonly Event[]): string {
  const { subscription, standing } = due;
  return compose({ kind, subscription, standing, events, baseUrl, nowMs: clock.now() }).body ?? '';
}
