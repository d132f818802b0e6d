/**
 * What each route and operation asks of its caller, listed one by one. A route that is not in it stops the start (`requirePolicies`): nothing
 * is served because somebody forgot to say for whom.
 *
 *     public    anybody, without a credential too
 *     caller    anybody who is known
 *     c r u d s letters of a scope for the type of the URL; two letters: both
 *     rights    besides letters, where there are some: all of them
 *
 * That a caller may ask does not say what he sees: that is decided in the statement (visible.sql.ts).
 */
import { Problem } from '../base/index.ts';
import { type Caller, hasRight, mayEverything, type Right } from './caller.ts';
import { typesOfRoles } from './policy.ts';
import type { Interaction } from './scope.ts';

export interface RoutePolicy {
  readonly isPublic?: true;
  readonly letters?: string;
  /** All of them. */
  readonly rights?: readonly Right[];
  /** Of which type the letters are asked; without it that of the URL. */
  readonly type?: string;
}

const isPublic = { isPublic: true } as const;
const caller = {} as const;
const letters = (text: string, ...rights: readonly Right[]): RoutePolicy => ({ letters: text, rights });
const right = (...rights: readonly Right[]): RoutePolicy => ({ rights });

/** `METHOD path` below the FHIR base, as in http/route-table.ts. */
const fhirRoutes: Readonly<Record<string, RoutePolicy>> = {
  'GET /metadata': isPublic,
  // Each entry is asked as a request of its own.
  'POST ': caller,
  'GET ': letters('s'),
  'POST /_search': letters('s'),
  'GET /:type': letters('s'),
  'POST /:type/_search': letters('s'),
  'GET /:type/:id/:part': letters('s'),
  'POST /:type/:id/:part/_search': letters('s'),
  'POST /:type': letters('c'),
  'GET /:type/:id': letters('r'),
  'PUT /:type/:id': letters('u'),
  'PATCH /:type/:id': letters('u'),
  'PUT /:type': letters('us'),
  'PATCH /:type': letters('us'),
  'DELETE /:type': letters('ds'),
  'DELETE /:type/:id': letters('d'),
  'GET /:type/:id/_history': letters('r'),
  'GET /:type/_history': letters('s'),
  'GET /_history': right('history-all'),
  'GET /:type/:id/_history/:versionId': letters('r'),
  // Of whoever asked for the job.
  'GET /_bulk/:id': caller,
  'DELETE /_bulk/:id': caller,
  'GET /_bulk/:id/:versionId': caller,
};

/** `level $name`, with the type before it where it differs by type. */
const operations: Readonly<Record<string, RoutePolicy>> = {
  'instance $breaks': { letters: 'r', type: 'DetectedIssue' },
  'instance $explain': letters('r'),
  // A rule of anybody's asked of everybody: what it counts is of all patients, whatever is masked.
  'type $backtest': right('indicator-read', 'patient-all', 'label-all'),
  'instance $backtest': letters('r', 'indicator-read', 'patient-all', 'label-all'),
  'instance $apply-version': letters('u', 'admin'),
  'instance $fixtures': letters('r'),
  'instance $counts': letters('r', 'indicator-read', 'patient-all', 'label-all'),
  'instance $evaluate-measure': letters('r', 'indicator-read'),
  'type $ingest': right('letter-ingest'),
  'instance $retry': right('letter-ingest'),
  'type $status': letters('s'),
  'instance $status': letters('r'),
  'instance $events': letters('r'),
  'instance $resend': letters('u'),
  'type $get-ws-binding-token': letters('s'),
  'instance $get-ws-binding-token': letters('r'),
  'instance $everything': letters('rs'),
  // Of himself, or with the right to read the log: decided there.
  'instance $accesses': letters('r'),
  'instance $break-glass': right('break-glass'),
  'instance $break-glass-end': right('break-glass'),
  'instance $xdm': letters('r'),
  // What is sent is written down as a Communication or a Task: that asks for letters of its own.
  'instance $mssante': letters('r'),
  'instance $publish': letters('r'),
  'instance $document': letters('r'),
  'type $generate-metadata': right('letter-ingest'),
  'system $meta': right('history-all'),
  'type $meta': letters('s'),
  'instance $meta': letters('r'),
  'instance $meta-add': letters('ru'),
  'instance $meta-delete': letters('ru'),
  'system $convert': caller,
  'system $dangling-references': right('admin'),
  'system $export': right('export'),
  'type $export': right('export'),
  'instance $export': letters('r', 'export'),
  'system $import': right('import'),
  'type $expand': caller,
  'instance $expand': letters('r'),
  'type $validate-code': caller,
  'instance $validate-code': letters('r'),
  'type $lookup': caller,
  'type $subsumes': caller,
  'type $validate': caller,
  'instance $validate': letters('r'),
};

/** Outside of FHIR: `METHOD url`. */
const otherRoutes: Readonly<Record<string, RoutePolicy>> = {
  'POST /admin/clock': right('admin'),
  'POST /admin/settle': right('admin'),
  'GET /metrics': right('admin'),
  'GET /health/live': isPublic,
  'GET /health/ready': isPublic,
  'GET /openapi.json': isPublic,
  // By discovery and by the credential in the body (authentication).
  'GET /fhir/.well-known/smart-configuration': isPublic,
  'GET /.well-known/smart-configuration': isPublic,
  'POST /auth/token': isPublic,
  'POST /auth/introspect': isPublic,
};

export interface Asked {
  readonly kind: 'fhir' | 'operation' | 'other';
  /** `GET /:type`, `instance $everything`. */
  readonly key: string;
}

const tables = { fhir: fhirRoutes, operation: operations, other: otherRoutes } as const;

export function policyOf({ kind, key }: Asked): RoutePolicy | undefined {
  return Object.hasOwn(tables[kind], key) ? tables[kind][key] : undefined;
}

/** All that has a policy, whether it is served or not. */
export function everyPolicy(): readonly Asked[] {
  return (Object.keys(tables) as Asked['kind'][]).flatMap((kind) =>
    Object.keys(tables[kind]).map((key) => ({ kind, key })),
  );
}

/** Throws when one of these is in no table: then the server does not start. */
export function requirePolicies(served: readonly Asked[]): void {
  const missing = [...new Set(served.filter((one) => policyOf(one) === undefined).map(({ key }) => key))];
  if (missing.length === 0) return;
  throw new Error(`no policy says who may call ${missing.join(', ')}: add it to src/access/routes.ts`);
}

/** Throws `unauthenticated` or `forbidden`. `type` is that of the URL; '' and `*`: any that the caller may. */
export function requirePermitted(who: Caller, asked: Asked, type: string): void {
  if (mayEverything(who)) return;
  const policy = policyOf(asked);
  if (policy?.isPublic === true) return;
  if (who.kind === 'none') throw new Problem('unauthenticated', 'a credential is needed here');
  if (policy === undefined || !isPermitted(who, policy, type)) throw forbidden();
}

export function forbidden(): Problem {
  return new Problem('forbidden', 'the caller has no right to this');
}

function isPermitted(who: Caller, policy: RoutePolicy, type: string): boolean {
  const hasLetters = [...(policy.letters ?? '')].every((one) => mayOn(who, one as Interaction, policy.type ?? type));
  return hasLetters && (policy.rights ?? []).every((one) => hasRight(who, one));
}

/** Whether a scope, and a role, gives this interaction on the type; on '' or `*`: on any. */
export function mayOn(who: Caller, letter: Interaction, type: string): boolean {
  if (mayEverything(who)) return true;
  const isAny = type === '' || type === '*';
  const ofRoles = typesOfRoles(who);
  if (!isAny && ofRoles !== undefined && !ofRoles.includes(type)) return false;
  return who.scopes.some(
    (scope) =>
      scope.interactions.includes(letter) &&
      (isAny || scope.type === '*' || scope.type === type) &&
      (scope.level !== 'patient' || who.subject?.patient !== undefined),
  );
}
