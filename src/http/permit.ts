/** Whether the caller may ask at all, before a byte of the body is read; and that every route says so (src/access/routes.ts). */
import type { FastifyInstance } from 'fastify';
import { type Asked, requirePermitted, requirePolicies } from '../access/index.ts';
import type { Operation, Route } from '../interactions/index.ts';
import { callerOfRequest } from './caller.ts';

/** Routes outside of FHIR, as they are registered from now on. Throws at the start for one without a policy. */
export function guardOtherRoutes(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (isFhir(route.url)) return;
    for (const method of [route.method].flat()) {
      if (method === 'HEAD' || method === 'OPTIONS') continue;
      const asked: Asked = { kind: 'other', key: `${method} ${route.url}` };
      requirePolicies([asked]);
      const former = [route.onRequest ?? []].flat();
      route.onRequest = [
        ...former,
        async (request) => {
          await Promise.resolve(requirePermitted(callerOfRequest(request), asked, ''));
        },
      ];
    }
  });
}

function isFhir(url: string): boolean {
  return url === '/fhir' || (url.startsWith('/fhir/') && !url.startsWith('/fhir/.well-known/'));
}

export function requireFhirPolicies(routes: readonly Route[], operations: readonly Operation[]): void {
  requirePolicies([...routes.map(askedRoute), ...operations.map(askedOperation)]);
}

export function askedRoute({ method, path }: Pick<Route, 'method' | 'path'>): Asked {
  return { kind: 'fhir', key: `${method} ${path}` };
}

export function askedOperation({ level, name }: Pick<Operation, 'level' | 'name'>): Asked {
  return { kind: 'operation', key: `${level} $${name}` };
}
