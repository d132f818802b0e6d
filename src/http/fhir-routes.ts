/**
 * The FHIR routes (https://hl7.org/fhir/R4/http.html), one table. What is not in it is 404 or 405; an operation is found
 * by its name, its type and its level among the operations that the parts of the server bring along.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../base/index.ts';
import {
  type Answer,
  capabilities,
  type Context,
  create,
  createBinary,
  historyInstance,
  type Operation,
  processBundle,
  read,
  readBinary,
  readEntry,
  remove,
  type Request,
  search,
  update,
  vread,
} from '../interactions/index.ts';
import type { ErrorAnswer } from './errors.ts';
import { defined, readForm, readQuery, readRequest } from './fhir-request.ts';
import { everything } from '../store/index.ts';
import { sendAnswer } from './send-answer.ts';

type Interact = (context: Context, request: FastifyRequest) => Promise<Answer>;

interface Route {
  readonly path: string;
  readonly methods: Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', Interact>>;
}

export interface FhirRoutesInput {
  readonly context: Context;
  readonly operations: readonly Operation[];
  readonly answerError: (error: unknown) => ErrorAnswer;
}

const allMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export function registerFhirRoutes(server: FastifyInstance, input: FhirRoutesInput): void {
  for (const { path, methods } of routes(input)) {
    const isRoot = path === '';
    for (const method of allMethods) {
      const interact = method === 'PATCH' ? undefined : methods[method];
      server.route({
        method,
        url: isRoot ? '/fhir' : `/fhir${path}`,
        handler: async (request: FastifyRequest, reply: FastifyReply) => {
          if (interact === undefined) throw methodProblem(path, method);
          return sendAnswer(reply, await interact(input.context, request));
        },
      });
    }
  }
}

function methodProblem(path: string, method: string): Problem {
  return new Problem('unsupported-interaction', `${method} is not supported on [base]${path}`);
}

function routes(input: FhirRoutesInput): readonly Route[] {
  const { context } = input;
  const bundle: Interact = (_context, request) =>
    processBundle(context, readRequest(request), (part, place) => performEntry(input, part, place));
  return [
    { path: '', methods: { POST: bundle } },
    {
      path: '/metadata',
      methods: { GET: () => capabilities(context, input.operations) },
    },
    {
      path: '/:type',
      methods: {
        GET: (_c, request) => search(context, readRequest(request)),
        POST: (_c, request) => createAny(context, request),
      },
    },
    { path: '/:type/_search', methods: { POST: (_c, request) => searchByForm(context, request) } },
    {
      path: '/:type/:id',
      methods: {
        GET: (_c, request) => readOrOperate(input, request),
        POST: (_c, request) => operate(input, request, 'type'),
        PUT: (_c, request) => update(context, readRequest(request)),
        DELETE: (_c, request) => remove(context, readRequest(request)),
      },
    },
    { path: '/:type/:id/_history', methods: { GET: (_c, request) => historyInstance(context, readRequest(request)) } },
    { path: '/:type/:id/_history/:versionId', methods: { GET: (_c, request) => vread(context, readRequest(request)) } },
    {
      path: '/:type/:id/:operation',
      methods: {
        GET: (_c, request) => operate(input, request, 'instance'),
        POST: (_c, request) => operate(input, request, 'instance'),
      },
    },
  ];
}

function createAny(context: Context, request: FastifyRequest): Promise<Answer> {
  const isBinary = (request.params as { type: string }).type === 'Binary';
  const parsed = readRequest(request, isBinary);
  return isBinary && parsed.content !== undefined ? createBinary(context, parsed) : create(context, parsed);
}

function searchByForm(context: Context, request: FastifyRequest): Promise<Answer> {
  const form = readForm(request);
  const parsed = readRequest(request);
  return search(context, { ...parsed, query: [...parsed.query, ...form] });
}

function readOrOperate(input: FhirRoutesInput, request: FastifyRequest): Promise<Answer> {
  const { type, id } = request.params as { type: string; id: string };
  if (id.startsWith('$')) return operate(input, request, 'type');
  return type === 'Binary'
    ? readBinary(input.context, readRequest(request, true))
    : read(input.context, readRequest(request));
}

function operate(input: FhirRoutesInput, request: FastifyRequest, level: Operation['level']): Promise<Answer> {
  const { type, id, operation } = request.params as { type: string; id: string; operation?: string };
  const name = level === 'type' ? id : (operation ?? '');
  if (!name.startsWith('$')) {
    if (level === 'type') throw methodProblem('/[type]/[id]', 'POST');
    throw new Problem('not-found', 'nothing is served at this URL');
  }
  const found = input.operations.filter((one) => `$${one.name}` === name && one.type === type && one.level === level);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const chosen = found.find(({ methods }) => methods.some((allowed) => allowed === method));
  if (chosen !== undefined) return chosen.run(input.context, readRequest(request, chosen.takesBytes));
  if (found.length > 0) throw methodProblem(`/${type}/${name}`, method);
  throw new Problem('unsupported', 'no such operation here');
}

/** One entry of a batch: the same interactions, its own answer, its own error. */
async function performEntry(
  input: FhirRoutesInput,
  part: Parameters<typeof readEntry>[1],
  place: number,
): Promise<Answer> {
  try {
    return await interactEntry(input.context, readEntry(input.context, part, place));
  } catch (error) {
    const { status, body } = input.answerError(error);
    return { status, body };
  }
}

function interactEntry(context: Context, entry: ReturnType<typeof readEntry>): Promise<Answer> {
  const request = entryRequest(entry);
  switch (entry.method) {
    case 'GET':
    case 'HEAD':
      if (entry.id === undefined) return search(context, request);
      if (entry.versionId !== undefined) return vread(context, request);
      return entry.isHistory ? historyInstance(context, request) : read(context, request);
    case 'POST':
      return create(context, request);
    case 'PUT':
      if (entry.id === undefined) throw conditionProblem(entry.method);
      return update(context, request);
    case 'DELETE':
      if (entry.id === undefined) throw conditionProblem(entry.method);
      return remove(context, request);
    case 'PATCH':
      throw new Problem('unsupported-interaction', 'PATCH is not supported yet');
  }
}

/** Without an id there would be nothing to delete, and the answer would lie. */
function conditionProblem(method: string): Problem {
  return new Problem(
    'unsupported-interaction',
    `a ${method} by criteria is not supported in a batch: send a transaction`,
  );
}

function entryRequest(entry: ReturnType<typeof readEntry>): Request {
  const { type, id, versionId, ifMatch, ifNoneExist, ifNoneMatch, ifModifiedSince, resource } = entry;
  return {
    type,
    query: readQuery(`?${entry.query ?? ''}`),
    returnPreference: entry.method === 'GET' ? 'representation' : 'minimal',
    visible: everything,
    ...defined({ id, versionId, ifMatch, ifNoneExist, ifNoneMatch, ifModifiedSince, body: resource }),
  };
}
