/** Authentication on the wire: the token endpoint, introspection, and what SMART clients look for first. */
import { httpLimits } from '../base/index.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Identity, OAuthAnswer } from '../identity/index.ts';
import { mediaType } from './formats.ts';
import { createPace } from './pace.ts';

/** Notes who was given a token, or asked about one, and who was refused; throws when it cannot be noted that one was given. */
export type NoteToken = (
  request: FastifyRequest,
  asked: { readonly code: 'token' | 'introspect'; readonly status: number; readonly clientId: string | undefined },
) => Promise<void>;

export function registerOAuthRoutes(
  server: FastifyInstance,
  identity: Identity,
  { note, onRefused }: { readonly note: NoteToken; readonly onRefused: (limit: string) => void },
): void {
  const pace = createPace({
    ...{ perMinute: httpLimits.tokenRequestsPerMinute, burstMs: httpLimits.tokenBurstMs },
    ...{ now: () => performance.now(), onRefused: () => onRefused('tokenRequests') },
  });
  for (const url of ['/fhir/.well-known/smart-configuration', '/.well-known/smart-configuration']) {
    server.get(url, (_request, reply) => reply.header('content-type', 'application/json').send(identity.configuration));
  }
  for (const code of ['token', 'introspect'] as const) {
    server.post(`/auth/${code}`, { bodyLimit: httpLimits.tokenFormBytesMax }, async (request, reply) => {
      const form = readForm(request);
      if (form !== undefined && code === 'token') pace.take(JSON.stringify([request.ip, claimedClient(form)]));
      const answer = form === undefined ? noForm : await identity[code](form, request.raw);
      await note(request, { code, status: answer.status, clientId: answer.clientId });
      return send(reply, answer);
    });
  }
}

/** Who somebody says he is, before anything is proved: who tries many names is slowed by the gate alone, and slows nobody else. */
function claimedClient(form: URLSearchParams): string | undefined {
  const [, payload = ''] = (form.get('client_assertion') ?? '').split('.', 3);
  const claimed = /"iss"\s*:\s*"([^"]{1,200})"/.exec(Buffer.from(payload, 'base64url').toString('latin1'))?.[1];
  return claimed ?? form.get('client_id') ?? undefined;
}

const noForm: OAuthAnswer = {
  status: 400,
  body: { error: 'invalid_request', error_description: 'expected a body of type application/x-www-form-urlencoded' },
};

function readForm({ headers, body }: FastifyRequest): URLSearchParams | undefined {
  const isForm = mediaType(headers['content-type'] ?? '') === 'application/x-www-form-urlencoded';
  return isForm && body instanceof Uint8Array ? new URLSearchParams(Buffer.from(body).toString('utf8')) : undefined;
}

/** RFC 6749 §5.1: never kept anywhere. */
function send(reply: FastifyReply, { status, body }: OAuthAnswer): FastifyReply {
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', pragma: 'no-cache', 'content-type': 'application/json' })
    .send(JSON.stringify(body));
}
