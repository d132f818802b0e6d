/**
 * $status, $events and $resend of subscriptions (http://hl7.org/fhir/uv/subscriptions-backport, version 1.1 for R4): parameters
 * come from the URL or from a Parameters body.
 */
import { Problem } from '../base/index.ts';
import { toOperationOutcome } from '../fhir/index.ts';
import type { Answers } from '../notify/index.ts';
import type { Request } from './context.ts';
import type { Operation } from './operations.ts';

export function subscriptionOperations(answers: Answers): readonly Operation[] {
  const shared = { type: 'Subscription', takesBytes: false } as const;
  const read = { ...shared, methods: ['GET', 'POST'] } as const;
  return [
    {
      ...read,
      name: 'status',
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
      ...read,
      name: 'status',
      level: 'instance',
      documentation: 'How this subscription stands.',
      run: async (_context, { id = '', visible }) => ({ status: 200, body: await answers.statusOf({ visible, id }) }),
    },
    {
      ...read,
      name: 'events',
      level: 'instance',
      documentation:
        'Events of this subscription from `eventsSinceNumber` to `eventsUntilNumber`, as far as they are kept.',
      async run(_context, request) {
        const { id = '', visible } = request;
        const [since, until] = [readNumber(request, 'eventsSinceNumber'), readNumber(request, 'eventsUntilNumber')];
        const [content] = valuesOf(request, 'content');
        const asked = { visible, id, since, until, content };
        return { status: 200, body: await answers.events(asked) };
      },
    },
    {
      ...shared,
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
