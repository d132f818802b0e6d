/**
 * DocumentReference/[id]/$publish: the document as an ITI-65 submission to the bridge that the settings name (DMP). The request
 * records a Task and a durable job in one transaction; the Task keeps how it went: status, place there, the whole answer as a
 * Binary. Sent again after a lost answer it is the same submission, document id and all: a recipient tells it by that.
 */
import type { Task } from 'fhir/r4.js';
import { formatInstant, Problem } from '../base/index.ts';
import { oidOfUuid, outgoingSubmission, uuidOf } from '../documents/index.ts';
import { type Resource, serializeJson } from '../fhir/index.ts';
import {
  type Answer,
  answerWritten,
  type Context,
  type Operation,
  type Request,
  onItsOwn,
  writeGuarded,
} from '../interactions/index.ts';
import { type CallAnswer, type MakeCall, waitAfter } from '../notify/index.ts';
import { finishJob, type Job, requestJobs, type Work } from '../queue/index.ts';
import { everything } from '../store/index.ts';
import { loadDocument } from './load.ts';
import type { SendingInput } from './mssante.ts';

export interface PublishSettings {
  /** undefined: no bridge is named. */
  readonly bridge: { readonly url: URL; readonly token: string | undefined; readonly call: MakeCall } | undefined;
}

const kind = 'publish';
const concurrency = 2;
const timeoutMs = 30_000;
const taskSystem = 'https://suture.example/fhir/CodeSystem/task';

interface Payload {
  readonly document: string;
  readonly askedAtMs: number;
  readonly failures: number;
}

export function publishOperation(settings: PublishSettings): Operation {
  return {
    name: 'publish',
    type: 'DocumentReference',
    level: 'instance',
    methods: ['POST'],
    takesBytes: false,
    documentation:
      'Submits the document to the bridge of the settings (DMP) by IHE MHD ITI-65; answers the Task that keeps how it goes.',
    run: (context, request) => ask(settings, context, request),
  };
}

async function ask({ bridge }: PublishSettings, context: Context, request: Request): Promise<Answer> {
  if (bridge === undefined)
    throw new Problem('unsupported', 'this server publishes nowhere: its settings name no bridge');
  const askedAtMs = context.clock.now();
  const { reference } = await loadDocument(context, request);
  await compose(context, { document: request.id ?? '', askedAtMs });
  const id = context.ids.next(askedAtMs);
  const at = formatInstant(askedAtMs);
  const task: Task = {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: taskSystem, code: 'publish-document' }], text: 'Publication d’un document' },
    description: 'Publication du document par le connecteur DMP',
    focus: { reference: `DocumentReference/${reference.id}` },
    ...(reference.subject?.reference === undefined ? {} : { for: reference.subject }),
    authoredOn: at,
    lastModified: at,
  };
  const payload: Payload = { document: request.id ?? '', askedAtMs, failures: 0 };
  const written = await context.store.transaction(async (session, tx) => {
    const entry = { method: 'POST' as const, type: 'Task', id, resource: task as unknown as Resource, expectNew: true };
    const [first] = await writeGuarded(context, session, [entry], request);
    await requestJobs(tx, [{ kind, key: id, runAtMs: askedAtMs, payload }]);
    return first;
  });
  if (written === undefined) throw new Error('a commit of one entry answered none');
  return answerWritten(context, { ...request, returnPreference: 'representation' }, written);
}

async function compose(
  context: Context,
  { document, askedAtMs }: Pick<Payload, 'document' | 'askedAtMs'>,
): Promise<string> {
  const { baseUrl } = context;
  const loaded = await loadDocument(context, { id: document, visible: everything });
  const sourceId = `urn:oid:${oidOfUuid(uuidOf(`source ${baseUrl}`))}`;
  return serializeJson(outgoingSubmission(loaded, { baseUrl, sourceId, at: formatInstant(askedAtMs) }));
}

export function createPublishWork({ bridge }: PublishSettings, input: SendingInput): Work {
  return {
    kind,
    concurrency,
    retryAfterMs: () => 60_000,
    handle: (job) => publish(bridge, input, job),
  };
}

async function publish(bridge: PublishSettings['bridge'], input: SendingInput, job: Job): Promise<void> {
  const { context, holder } = input;
  const payload = job.payload as Payload;
  const answer = bridge === undefined ? ({ kind: 'no-response' } as const) : await send(bridge, context, payload);
  if (answer.kind !== 'settled') {
    const failures = payload.failures + 1;
    const nowMs = context.clock.now();
    const retryAfterMs = answer.kind === 'answered' ? answer.retryAfterMs : undefined;
    const failure = { failures, failingSinceMs: payload.askedAtMs, nowMs, retryAfterMs, random: input.random() };
    const waitMs = waitAfter(failure);
    if (waitMs !== undefined) {
      return context.store.transaction((_session, tx) =>
        finishJob(tx, job, holder, { runAtMs: nowMs + waitMs, payload: { ...payload, failures } }),
      );
    }
  }
  return keep(input, job, answer);
}

type Settled =
  | { readonly kind: 'settled'; readonly status: number; readonly body: string }
  | { readonly kind: 'settled'; readonly status: undefined; readonly body: '' }
  | CallAnswer;

/** Anything but success and a refusal for good is tried again. */
async function send(
  bridge: NonNullable<PublishSettings['bridge']>,
  context: Context,
  payload: Payload,
): Promise<Settled> {
  const body = await compose(context, payload).catch((error: unknown) => {
    if (error instanceof Problem && error.category !== 'unavailable') return undefined;
    throw error;
  });
  if (body === undefined) return { kind: 'settled', status: undefined, body: '' };
  const headers = {
    'content-type': 'application/fhir+json',
    accept: 'application/fhir+json',
    'user-agent': 'Suture',
    ...(bridge.token === undefined ? {} : { authorization: `Bearer ${bridge.token}` }),
  };
  const answer = await bridge.call({ method: 'POST', url: bridge.url, headers, body, timeoutMs, keepsBody: true });
  if (answer.kind !== 'answered') return answer;
  const { status } = answer;
  const isPassing =
    status === 408 || status === 425 || status === 429 || status >= 500 || (status >= 300 && status < 400);
  return isPassing ? answer : { kind: 'settled', status, body: answer.body ?? '' };
}

/** The Task with its outcome, the whole answer as a Binary, and the end of the job in one transaction. */
function keep({ context, holder }: SendingInput, job: Job, answer: Settled): Promise<void> {
  return context.store.transaction(async (session, tx) => {
    await session.lockResources([`Task/${job.key}`]);
    const stored = await session.read('Task', job.key, everything);
    if (stored !== undefined && !stored.isDeleted) {
      const binary = binaryOf(context, answer);
      const task = outcomeOf(JSON.parse(stored.raw) as Task, answer, {
        binary: binary?.id,
        at: formatInstant(context.clock.now()),
      });
      await writeGuarded(
        context,
        session,
        [
          ...(binary === undefined
            ? []
            : [{ method: 'POST' as const, type: 'Binary', id: binary.id ?? '', resource: binary }]),
          { method: 'PUT' as const, type: 'Task', id: job.key, resource: task as unknown as Resource },
        ],
        onItsOwn,
      );
    }
    await finishJob(tx, job, holder);
  });
}

function binaryOf({ ids, clock }: Context, answer: Settled): Resource | undefined {
  if (answer.kind !== 'settled' || answer.body === '') return undefined;
  const data = Buffer.from(answer.body).toString('base64');
  return {
    resourceType: 'Binary',
    id: ids.next(clock.now()),
    contentType: 'application/octet-stream',
    data,
  } as Resource;
}

function outcomeOf(
  task: Task,
  answer: Settled,
  { binary, at }: { readonly binary: string | undefined; readonly at: string },
): Task {
  const status = answer.kind === 'settled' || answer.kind === 'answered' ? answer.status : undefined;
  const isDone = answer.kind === 'settled' && status !== undefined && status < 300;
  const location =
    answer.kind === 'settled' ? /"location"\s*:\s*"([^"]*DocumentReference\/[^"]+)"/.exec(answer.body)?.[1] : undefined;
  const said = (text: string, value: object) => ({ type: { text }, ...value });
  return {
    ...task,
    status: isDone ? 'completed' : 'failed',
    lastModified: at,
    ...(isDone
      ? {}
      : {
          statusReason: {
            text: status === undefined ? 'sans réponse du connecteur' : `refusé par le connecteur (${status})`,
          },
        }),
    output: [
      ...(status === undefined ? [] : [said('statut HTTP', { valueInteger: status })]),
      ...(location === undefined ? [] : [said('emplacement', { valueString: location.slice(0, 1000) })]),
      ...(binary === undefined ? [] : [said('réponse', { valueReference: { reference: `Binary/${binary}` } })]),
    ] as NonNullable<Task['output']>,
  };
}
