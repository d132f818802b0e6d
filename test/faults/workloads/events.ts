/**
 * Subscribers that hear of what the other workloads do: each version of a care plan (a criteria subscription), the number of its
 * changes (a topic), each break that opens (a topic). They fail as they are told to.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openReceiver, type Received, type Receiver, type Reply } from '../../support/receiver.ts';
import { checkEvents, type Heard } from '../checks/events.ts';
import type { Deadlines } from './deadlines.ts';
import type { Register } from './register.ts';
import { expectDone, type Ground, type Resource, searchAll, type Workload } from './workload.ts';

const guide = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
const topic = 'https://suture.example/fhir/SubscriptionTopic/';

export interface Events extends Workload {
  /** How subscribers answer from now on; undefined: as they should. */
  setMood(mood: (() => Reply) | undefined): void;
  /** Notifications that were accepted up to now. */
  accepted(): number;
  close(): Promise<void>;
}

interface Heeded {
  readonly path: string;
  readonly isAccepted: boolean;
  readonly received: Received;
}

export async function createEvents(
  { ask, any }: Ground,
  { register, deadlines }: { readonly register: Register; readonly deadlines: Deadlines },
): Promise<Events> {
  const receiver: Receiver = await openReceiver();
  const heeded: Heeded[] = [];
  let mood: (() => Reply) | undefined;
  receiver.answer((received) => {
    const reply = mood?.() ?? { status: 200 };
    const isAccepted = typeof reply === 'object' && reply.status === 200;
    heeded.push({ path: received.path.split('/')[1] ?? '', isAccepted, received });
    return reply;
  });

  /** What one path heard; handshakes and heartbeats hold no event. */
  function heard(path: string, nameOf: (event: Told) => string): readonly Heard[] {
    return heeded
      .filter((one) => one.path === path)
      .map(({ received, isAccepted }) => ({
        events: told(received).map((event) => ({ number: event.number, version: nameOf(event) })),
        isAccepted,
      }))
      .filter(({ events }) => events.length > 0);
  }

  async function checkVersions(): Promise<readonly string[]> {
    const changes: string[] = [];
    for (const key of register.keys) {
      const versions = await register.history(key);
      changes.push(
        ...versions
          .filter(({ resource }) => resource !== undefined)
          .map(({ version }) => `CarePlan/${key}/_history/${version}`),
      );
    }
    return checkEvents(
      heard('versions', ({ focus }) => focus),
      changes,
    );
  }

  async function checkCount(): Promise<readonly string[]> {
    let count = 0;
    for (const key of register.keys) count += (await register.history(key)).length;
    const changes = Array.from({ length: count }, (_none, index) => `Change/${index + 1}/_history/1`);
    return checkEvents(
      heard('changes', ({ number }) => `Change/${number}/_history/1`),
      changes,
    );
  }

  async function checkBreaks(): Promise<readonly string[]> {
    return checkEvents(
      heard('breaks', ({ focus }) => focus),
      await deadlines.opened(),
    );
  }

  /** What a resource that should not be there is. */
  async function withNames(lines: readonly string[]): Promise<readonly string[]> {
    const named: string[] = [];
    for (const line of lines) {
      const path = /^(DetectedIssue\/\S+)\/_history/.exec(line)?.[1];
      const answer = path === undefined ? undefined : await ask('GET', `${any()}/${path}`);
      named.push(answer === undefined ? line : `${line} (${answer.status}: ${answer.text.slice(0, 1_500)})`);
    }
    return named;
  }

  return {
    name: 'events',
    setMood: (next) => void (mood = next),
    accepted: () => heeded.filter(({ isAccepted }) => isAccepted).length,
    async prepare() {
      const bodies = [
        byCriteria(receiver.url),
        byTopic('changes', 'care-plan-changed', receiver.url),
        ofPatient(byTopic('breaks', 'break-opened', receiver.url)),
      ];
      for (const body of bodies) await expectDone(ask('PUT', `${any()}/Subscription/${body.id}`, { body }));
      for (let active = 0; active < bodies.length; await delay(100)) {
        active = (await searchAll(ask, `${any()}/Subscription?status=active`)).length;
      }
    },
    step: async () => undefined,
    async verify() {
      const name = (path: string, lines: readonly string[]) => lines.map((line) => `Subscription/${path}: ${line}`);
      return [
        ...name('versions', await checkVersions()),
        ...name('changes', await checkCount()),
        ...name('breaks', await withNames(await checkBreaks())),
      ];
    },
    count: () =>
      `${heeded.length} notifications, ${heeded.filter(({ isAccepted }) => !isAccepted).length} of them refused`,
    close: () => receiver.close(),
  };
}

interface Told {
  readonly number: number;
  readonly focus: string;
}

interface Part {
  readonly name: string;
  readonly valueString?: string;
  readonly part?: readonly Part[];
}

const versionOf = ({ resourceType, id, meta }: Resource) => `${resourceType}/${id}/_history/${meta.versionId}`;

/** The focus is told where the payload holds it. */
function told({ headers, body }: Received): readonly Told[] {
  const json = JSON.parse(body) as Resource & {
    readonly entry?: readonly { readonly resource: Resource & { readonly parameter?: readonly Part[] } }[];
  };
  if (json.resourceType !== 'Bundle')
    return [{ number: Number(headers['x-suture-event-number']), focus: versionOf(json) }];
  const [status, ...others] = (json.entry ?? []).map(({ resource }) => resource);
  const events = (status?.parameter ?? []).filter(({ name }) => name === 'notification-event');
  return events.map(({ part = [] }, index) => {
    const number = Number(part.find(({ name }) => name === 'event-number')?.valueString);
    const focus = others[index];
    return { number, focus: focus === undefined ? '' : versionOf(focus) };
  });
}

function byCriteria(url: string): Subscribed {
  return {
    resourceType: 'Subscription',
    id: 'versions',
    status: 'requested',
    reason: 'essai de pannes',
    criteria: 'CarePlan?status=active',
    channel: { type: 'rest-hook', endpoint: `${url}/versions`, payload: 'application/fhir+json' },
  };
}

interface Subscribed {
  readonly resourceType: 'Subscription';
  readonly id: string;
  readonly status: string;
  readonly reason: string;
  readonly criteria: string;
  readonly channel: { readonly [member: string]: unknown };
  readonly _criteria?: object;
}

/** Only what concerns the patient of the deadlines, and with the whole resource, so that its version is told. */
function ofPatient(subscription: Subscribed): Subscribed {
  const filter = { url: `${guide}backport-filter-criteria`, valueString: 'patient=Patient/faults' };
  const content = { url: `${guide}backport-payload-content`, valueCode: 'full-resource' };
  const channel = {
    ...subscription.channel,
    extension: [{ url: `${guide}backport-max-count`, valuePositiveInt: 1 }],
    _payload: { extension: [content] },
  };
  return { ...subscription, _criteria: { extension: [filter] }, channel };
}

function byTopic(id: string, name: string, url: string): Subscribed {
  return {
    resourceType: 'Subscription',
    id,
    status: 'requested',
    reason: 'essai de pannes',
    criteria: topic + name,
    channel: {
      extension: [{ url: `${guide}backport-max-count`, valuePositiveInt: 10 }],
      type: 'rest-hook',
      endpoint: `${url}/${id}`,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${guide}backport-payload-content`, valueCode: 'id-only' }] },
    },
  };
}
