/**
 * The route table on the wire: each path answers every method, with 405 where the table has no row. Operations stand in
 * three places of it, `/$name`, `/[type]/$name` and `/[type]/[id]/$name`.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Asked, mayEverything, requirePermitted } from '../access/index.ts';
import { Problem } from '../base/index.ts';
import {
  type Answer,
  answerAsOld,
  type Content,
  type Context,
  type EntryPart,
  noteShown,
  type Operation,
  type Performed,
  processBundle,
  type Request,
  type Route,
  takePart,
} from '../interactions/index.ts';
import { answerEntry } from './batch-entry.ts';
import { callerOfRequest } from './caller.ts';
import type { ErrorAnswer } from './errors.ts';
import type { Gate } from './gate.ts';
import { type PathParameters, readRequest } from './fhir-request.ts';
import { type Form, readForm, requireFormat } from './formats.ts';
import { askedOperation, askedRoute, requireFhirPolicies } from './permit.ts';
import { createRoutes } from './route-table.ts';
import { sendAnswer } from './send-answer.ts';

export interface FhirRoutesInput {
  readonly context: Context;
  readonly operations: readonly Operation[];
  readonly answerError: (error: unknown) => ErrorAnswer;
  readonly gate: Gate;
}

/** Those that FHIR uses, and two that it does not: they are told so. */
const allMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

/** Where operations are called, with the parameter of the path that holds the name. */
const operationPlaces: ReadonlyMap<string, { readonly level: Operation['level']; readonly at: keyof PathParameters }> =
  new Map([
    ['/:type', { level: 'system', at: 'type' }],
    ['/:type/:id', { level: 'type', at: 'id' }],
    ['/:type/:id/:part', { level: 'instance', at: 'part' }],
  ]);

/** Answers the table, for the documents that are made from it. */
export function registerFhirRoutes(server: FastifyInstance, input: FhirRoutesInput): readonly Route[] {
  const { context, operations, answerError } = input;
  // An entry of a batch is answered as in a transaction: what is sealed stays sealed.
  const inBatch = {
    ...context,
    subscriptions: { ...context.subscriptions, reveal: (raw: string) => Promise.resolve(raw) },
  };
  const routes = createRoutes({
    operations,
    processBundle(_context, asked) {
      const perform = (part: EntryPart, place: number): Promise<Answer> =>
        answerEntry({ context: inBatch, routes, answerError, asked }, part, place);
      return processBundle(context, asked, { routes, perform });
    },
  });
  requireFhirPolicies(routes, operations);
  for (const path of new Set([...routes.map((route) => route.path), ...operationPlaces.keys()])) {
    for (const method of allMethods) {
      const here = routes.filter((one) => one.path === path);
      const route = here.find((one) => one.method === method);
      const served: Served = { path, method, route, allowed: here.map((one) => one.method) };
      server.route({
        method,
        url: path === '' ? '/fhir' : `/fhir${path}`,
        onRequest: async (request) => permit(operations, served, request),
        async handler(request, reply) {
          const { answer, form } = await input.gate.during(request, serve(input, served, request));
          return sendAnswer(reply, answer, { form, definitions: context.definitions });
        },
      });
    }
  }
  return routes;
}

interface Served {
  readonly path: string;
  readonly method: string;
  readonly route: Route | undefined;
  /** The methods that the table has here. */
  readonly allowed: readonly string[];
}

/** Ends when the work is done. Whoever sends the answer may wait for ever: nobody tells when its turn on the connection never comes. */
async function serve(
  input: FhirRoutesInput,
  served: Served,
  request: FastifyRequest,
): Promise<{ readonly answer: Answer; readonly form: Form }> {
  const { context } = input;
  const { content, run, performed } = findWork(input.operations, served, request);
  const form = readForm(request);
  if (content !== 'bytes') requireFormat(form);
  const parsed = readRequest(request, content, context);
  const answer = await noteShown(context, { performed, request: parsed }, async () =>
    takePart(
      context,
      parsed,
      await answerAsOld(context, { ...performed, request: parsed }, (from) => run(from, parsed)),
    ),
  );
  return { answer, form };
}

/** Before the body is read. What is not served at all is told to whoever is known. */
function permit(operations: readonly Operation[], served: Served, request: FastifyRequest): Promise<void> {
  const caller = callerOfRequest(request);
  const { type = '', part } = request.params as PathParameters;
  if (mayEverything(caller)) return Promise.resolve();
  const found = tryFind(operations, served, request);
  if (found === undefined && caller.kind === 'none')
    throw new Problem('unauthenticated', 'a credential is needed here');
  const sought = found?.asked.kind === 'operation' ? type : (part ?? type);
  if (found !== undefined) requirePermitted(caller, found.asked, sought);
  return Promise.resolve();
}

function tryFind(operations: readonly Operation[], served: Served, request: FastifyRequest): Found | undefined {
  try {
    return findWork(operations, served, request);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

interface Found {
  readonly asked: Asked;
  readonly content: Content;
  readonly performed: Performed;
  readonly run: (context: Context, request: Request) => Promise<Answer>;
}

function findWork(operations: readonly Operation[], { path, route, allowed }: Served, request: FastifyRequest): Found {
  const parameters = request.params as PathParameters;
  const place = operationPlaces.get(path);
  const name = place === undefined ? undefined : parameters[place.at];
  if (place !== undefined && name?.startsWith('$') === true) {
    return findOperation(operations, { name: name.slice(1), level: place.level, type: parameters.type ?? '' }, request);
  }
  if (route === undefined) {
    throw methodProblem(path.replace(/:(\w+)/g, '[$1]'), request.method, allowed);
  }
  // The content of a Binary comes and goes as it is.
  const content = takesBytes(route, parameters) ? 'bytes' : route.content;
  return { asked: askedRoute(route), content, performed: route, run: route.run };
}

function takesBytes({ code }: Route, { type }: PathParameters): boolean {
  return type === 'Binary' && (code === 'create' || code === 'read');
}

function methodProblem(path: string, method: string, allowed: readonly string[]): Problem {
  const allow = allowed.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one]));
  return new Problem('unsupported-interaction', `${method} is not supported on [base]${path}`, {
    allow: [...new Set(allow)],
  });
}

interface Called {
  readonly name: string;
  readonly level: Operation['level'];
  readonly type: string;
}

function findOperation(operations: readonly Operation[], called: Called, request: FastifyRequest): Found {
  const found = operations.filter(
    (one) =>
      one.name === called.name &&
      one.level === called.level &&
      (called.level === 'system' || one.type === '*' || one.type === called.type),
  );
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const chosen = found.find(({ methods }) => methods.some((allowed) => allowed === method));
  if (chosen !== undefined) {
    const content = chosen.takesBytes ? 'bytes' : 'resource';
    const performed = { code: 'operation', operation: chosen.name } as const;
    return { asked: askedOperation(chosen), content, performed, run: (context, asked) => chosen.run(context, asked) };
  }
  if (found.length > 0) {
    const path = `/${called.level === 'system' ? '' : '[type]/'}$${called.name}`;
    const allowed = found.flatMap(({ methods }) => methods);
    throw methodProblem(path, method, allowed);
  }
  throw new Problem('unsupported', 'no such operation here');
}
