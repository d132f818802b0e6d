/**
 * Subscribers that hear of what the other workloads do: each version of a care plan (a criteria subscription), the number of its
 * changes (a topic), each break that opens (a topic). They fail as they are told to.
 */
import { openReceiver, type Received, type Receiver, type Reply } from '../../support/receiver.ts';
import { checkEvents, type Heard } from '../checks/events.ts';
import type { Deadlines } from './deadlines.ts';
import type { Register } from './register.ts';
import { expectDone, type Ground, type Workload } from './workload.ts';

const guide = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
const topic = 'https://suture.example/fhir/SubscriptionTopic/';

export interface Events extends Workload {
  /** How subscribers answer from now on; undefined: as they should. */
  setMood(mood: (() => Reply) | undefined): void;
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
    heeded.push({ path: received.path.slice(1), isAccepted, received });
    return reply;
  });

  /** Events that one path heard, handshakes and heartbeats left out. */
  function heard(path: string, versionOf: (event: Told) => string): readonly Heard[] {
    return heeded
      .filter((one) => one.path === path)
      .flatMap(({ received, isAccepted }) =>
        told(received).map((event) => ({ number: event.number, version: versionOf(event), isAccepted })),
      );
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
    const opened = (await deadlines.opened()).map((id) => `DetectedIssue/${id}/_history/1`);
    const all = heard('breaks', ({ focus }) => `${focus}/_history/1`);
    return checkEvents(all, opened);
  }

  return {
    name: 'events',
    setMood(next) {
      mood = next;
      receiver.release();
    },
    async prepare() {
      const base = any();
      await expectDone(ask('PUT', `${base}/Subscription/versions`, { body: byCriteria(receiver.url) }));
      await expectDone(
        ask('PUT', `${base}/Subscription/changes`, { body: byTopic('changes', 'care-plan-changed', receiver.url) }),
      );
      await expectDone(
        ask('PUT', `${base}/Subscription/breaks`, { body: byTopic('breaks', 'break-opened', receiver.url) }),
      );
    },
    step: async () => undefined,
    async verify() {
      const name = (path: string, lines: readonly string[]) => lines.map((line) => `Subscription/${path}: ${line}`);
      return [
        ...name('versions', await checkVersions()),
        ...name('changes', await checkCount()),
        ...name('breaks', await checkBreaks()),
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
  readonly valueCode?: string;
  readonly valueString?: string;
  readonly valueReference?: { readonly reference: string };
  readonly part?: readonly Part[];
}

function told({ headers, body }: Received): readonly Told[] {
  const json = JSON.parse(body) as {
    readonly resourceType: string;
    readonly id: string;
    readonly meta: { readonly versionId: string };
    readonly entry?: readonly { readonly resource: { readonly parameter: readonly Part[] } }[];
  };
  if (json.resourceType !== 'Bundle') {
    const focus = `${json.resourceType}/${json.id}/_history/${json.meta.versionId}`;
    return [{ number: Number(headers['x-suture-event-number']), focus }];
  }
  const events = (json.entry?.[0]?.resource.parameter ?? []).filter(({ name }) => name === 'notification-event');
  return events.map(({ part = [] }) => {
    const of = (name: string) => part.find((one) => one.name === name);
    const reference = of('focus')?.valueReference?.reference ?? '';
    return { number: Number(of('event-number')?.valueString), focus: reference.split('/').slice(-2).join('/') };
  });
}

function byCriteria(url: string): object {
  return {
    resourceType: 'Subscription',
    id: 'versions',
    status: 'requested',
    reason: 'essai de pannes',
    criteria: 'CarePlan?status=active',
    channel: { type: 'rest-hook', endpoint: `${url}/versions`, payload: 'application/fhir+json' },
  };
}

function byTopic(id: string, name: string, url: string): object {
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
