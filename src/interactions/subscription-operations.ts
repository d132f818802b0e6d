/**
 * $status, $events, $get-ws-binding-token and $resend of subscriptions (http://hl7.org/fhir/uv/subscriptions-backport, version 1.1 for R4): parameters
 * come from the URL or from a Parameters body.
 */
import { formatInstant, Problem } from '../base/index.ts';
import { toOperationOutcome } from '../fhir/index.ts';
import type { Answers } from '../notify/index.ts';
import type { Answer, Request } from './context.ts';
import type { Operation } from './operations.ts';

const guide = 'http://hl7.org/fhir/uv/subscriptions-backport/';
const definition = (name: string) => `${guide}OperationDefinition/backport-subscription-${name}`;
const subscription = { type: 'Subscription', takesBytes: false } as const;
const readable = { ...subscription, methods: ['GET', 'POST'] } as const;

export function subscriptionOperations(answers: Answers): readonly Operation[] {
  return [...statusOperations(answers), ...eventOperations(answers), ...tokenOperations(answers)];
}

/** What the CapabilityStatement says of Subscription beyond the usual: the profile, and the topics that are served. */
export function subscriptionCapabilities(topics: readonly string[]): object {
  const url = `${guide}StructureDefinition/capabilitystatement-subscriptiontopic-canonical`;
  return {
    extension: topics.map((valueCanonical) => ({ url, valueCanonical })),
    supportedProfile: [`${guide}StructureDefinition/backport-subscription`],
  };
}

/** What this server claims to be, for `CapabilityStatement.instantiates`. */
export const subscriptionServer = `${guide}CapabilityStatement/backport-subscription-server-r4`;

function statusOperations(answers: Answers): readonly Operation[] {
  return [
    {
      ...readable,
      name: 'status',
      definition: definition('status'),
      level: 'type',
      documentation:
        'How subscriptions stand: those named by `id`, in one of the states named by `status`; all without.',
      async run(_context, request) {
        const [ids, statuses] = [valuesOf(request, 'id'), valuesOf(request, 'status')];
        const asked = { ...(ids.length === 0 ? {} : { ids }), ...(statuses.length === 0 ? {} : { statuses }) };
        return { status: 200, body: await answers.status({ visible: request.visible, ...asked }) };
      },
    },
    {
      ...readable,
      name: 'status',
      definition: definition('status'),
      level: 'instance',
      documentation: 'How this subscription stands.',
      run: async (_context, { id = '', visible }) => ({ status: 200, body: await answers.statusOf({ visible, id }) }),
    },
  ];
}

function eventOperations(answers: Answers): readonly Operation[] {
  return [
    {
      ...readable,
      name: 'events',
      definition: definition('events'),
      level: 'instance',
      documentation:
        'Events of this subscription from `eventsSinceNumber` to `eventsUntilNumber`, as far as they are kept.',
      async run(_context, request) {
        const { id = '', visible } = request;
        const [since, until] = [readNumber(request, 'eventsSinceNumber'), readNumber(request, 'eventsUntilNumber')];
        const [content] = valuesOf(request, 'content');
        return { status: 200, body: await answers.events({ visible, id, since, until, content }) };
      },
    },
    {
      ...subscription,
      methods: ['POST'],
      name: 'resend',
      level: 'instance',
      documentation: 'Delivers again from the event `eventsSinceNumber` on, in order and under the same numbers.',
      async run(_context, request) {
        const { id = '', visible } = request;
        const since = readNumber(request, 'eventsSinceNumber');
        if (since === undefined) throw new Problem('incorrect', 'the parameter eventsSinceNumber is missing');
        await answers.resend({ visible, id, since });
        const text = `events are delivered again from number ${since} on`;
        const outcome = toOperationOutcome([{ severity: 'information', code: 'informational', text }]);
        return { status: 200, body: JSON.stringify(outcome) };
      },
    },
  ];
}

function tokenOperations(answers: Answers): readonly Operation[] {
  const name = 'get-ws-binding-token';
  const token = { ...readable, name, definition: definition(name) } as const;
  return [
    {
      ...token,
      level: 'type',
      documentation: 'A token that binds a websocket to the subscriptions named by `id`, or to all by websocket.',
      run(_context, request) {
        const ids = valuesOf(request, 'id');
        return issueToken(answers, { visible: request.visible, ...(ids.length === 0 ? {} : { ids }) });
      },
    },
    {
      ...token,
      level: 'instance',
      documentation: 'A token that binds a websocket to this subscription.',
      run: (_context, { id = '', visible }) => issueToken(answers, { visible, ids: [id] }),
    },
  ];
}

async function issueToken(answers: Answers, asked: Parameters<Answers['bindingToken']>[0]): Promise<Answer> {
  const { token, expiresAtMs, subscriptions, url } = await answers.bindingToken(asked);
  const parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'token', valueString: token },
      { name: 'expiration', valueDateTime: formatInstant(expiresAtMs) },
      ...subscriptions.map((id) => ({ name: 'subscription', valueString: `Subscription/${id}` })),
      { name: 'websocket-url', valueUrl: url },
    ],
  };
  return { status: 200, body: JSON.stringify(parameters) };
}

/** The guide gives numbers as strings, because a 64-bit number is none in JSON. */
function readNumber(request: Request, name: string): number | undefined {
  const [value] = valuesOf(request, name);
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new Problem('incorrect', `the parameter ${name} is not the number of an event: expected 1 or more`);
}

interface ParametersBody {
  readonly parameter?: readonly { readonly name?: unknown; readonly [value: string]: unknown }[];
}

/** In the URL, commas part values; in a body, each is a parameter with a value of some primitive type. */
function valuesOf({ query, body }: Request, name: string): readonly string[] {
  const fromUrl = query.filter(([one]) => one === name).flatMap(([, value]) => value.split(','));
  const parameters = (body as ParametersBody | undefined)?.parameter;
  const fromBody = (Array.isArray(parameters) ? (parameters as ParametersBody['parameter'] & object) : [])
    .filter((parameter) => parameter.name === name)
    .flatMap((parameter) => Object.entries(parameter))
    .filter(([member, value]) => member.startsWith('value') && ['string', 'number'].includes(typeof value))
    .map(([, value]) => String(value));
  return [...fromUrl, ...fromBody].filter((value) => value !== '');
}
