/** Callers for tests: the fake of authentication. The app is given a function that looks them up by a token that only the test knows. */
import { type Caller, nobody, parseScopes, type Right, systemCaller } from '../../src/access/index.ts';
import { Problem } from '../../src/base/index.ts';
import type { CallerOf } from '../../src/http/index.ts';

export const everyScope = 'user/*.cruds';

interface Described {
  readonly scope?: string;
  readonly rights?: readonly Right[];
  readonly patient?: string;
  readonly finess?: string;
}

/** A physician, known by RPPS. */
export function physician(rpps: string, { scope = everyScope, rights = [], patient, finess }: Described = {}): Caller {
  return {
    kind: 'user',
    clientId: 'portal',
    subject: { rpps, roles: ['professional'], ...(patient && { patient }), ...(finess && { finess }) },
    scopes: parseScopes(scope).scopes,
    rights,
  };
}

export function patientUser(patient: string, scope = 'patient/*.rs'): Caller {
  return {
    kind: 'user',
    clientId: 'app',
    subject: { patient, roles: ['patient'] },
    scopes: parseScopes(scope).scopes,
    rights: [],
  };
}

export function application(
  clientId: string,
  { scope = 'system/*.cruds', rights = [], finess }: Described = {},
): Caller {
  return {
    kind: 'client',
    clientId,
    subject: { roles: ['application'], ...(finess && { finess }) },
    scopes: parseScopes(scope).scopes,
    rights,
  };
}

/** `Authorization: Bearer NAME` is this caller; `Bearer system` the server itself. */
export function callersBy(callers: Readonly<Record<string, Caller>>): CallerOf {
  return ({ headers }) => {
    const token = headers.authorization?.replace('Bearer ', '');
    if (token === undefined) return nobody;
    const caller = token === 'system' ? systemCaller : callers[token];
    if (caller === undefined) throw new Problem('unauthenticated', 'a credential is needed here');
    return caller;
  };
}
