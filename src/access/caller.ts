/**
 * Who asks: what authentication found out about a request, and all that access decides by. Plain data, so that it can be kept with
 * what goes on without its request: a subscription, an export. Whatever is not stated is not there: a caller without scopes
 * and without rights sees and does nothing.
 */
import type { Scope } from './scope.ts';

/**
 * `system`: the server itself, and everybody where there is no authentication. `client`: an application on its own behalf.
 * `user`: a person by way of an application. `none`: a request without a credential.
 */
export type CallerKind = 'system' | 'client' | 'user' | 'none';

/** Of the policy table (policy.ts): what a caller is to the patients. */
export type Role = 'professional' | 'administrative' | 'patient' | 'representative' | 'application';

/**
 * What no scope gives. `patient-all`: no relation to the patient is asked for. `label-all`: labels hide nothing. `author-of-labels`: may take
 * labels away. `admin`: the server itself: clock, metrics, jobs, definitions of others' rules.
 */
export const rights = [
  'admin',
  'audit-read',
  'audit-write',
  'break-glass',
  'care-team-manage',
  'client-manage',
  'consent-manage',
  'definition-write',
  'directory-write',
  'export',
  'history-all',
  'id-choose',
  'import',
  'indicator-read',
  'label-all',
  'label-remove',
  'letter-ingest',
  'patient-all',
  'subscription-all',
] as const;

export type Right = (typeof rights)[number];

/** Begin of the id of each Basic that is a client (src/identity): such ids are for clients alone. */
export const clientIdPrefix = 'client.';

export interface Subject {
  /** National identifier of the professional (RPPS, 11 digits), never of somebody else. */
  readonly rpps?: string;
  /** FINESS of the organisation on whose behalf the caller acts: for a person the one activity that was chosen. */
  readonly finess?: string;
  /** `Patient/id`: the patient himself or whom he represents, or the launch context. */
  readonly patient?: string;
  readonly roles: readonly Role[];
  /** For the audit, never for a decision. */
  readonly name?: string;
}

/** A person breaks the glass: until the instant the relation to this patient is not asked for, unless he has objected. */
export interface BreakGlass {
  /** `Patient/id` */
  readonly patient: string;
  readonly reason: string;
  readonly untilMs: number;
}

/** By what somebody proved who he is: for the audit, never for a decision. */
export interface Credential {
  readonly issuer: string;
  /** `jti` of the token, where it has one. */
  readonly tokenId?: string;
  /** How surely the person was recognised, as the issuer calls it. */
  readonly assurance?: string;
}

export interface Caller {
  readonly kind: CallerKind;
  readonly clientId?: string;
  readonly subject?: Subject;
  readonly scopes: readonly Scope[];
  readonly rights: readonly Right[];
  readonly breakGlass?: BreakGlass;
  readonly credential?: Credential;
}

/** The server itself, and everybody where there is no authentication: may everything. */
export const systemCaller: Caller = { kind: 'system', scopes: [], rights: [...rights] };

/** A request without a credential, where there is authentication. */
export const nobody: Caller = { kind: 'none', scopes: [], rights: [] };

export function mayEverything({ kind }: Caller): boolean {
  return kind === 'system';
}

export function hasRight(caller: Caller, right: Right): boolean {
  return mayEverything(caller) || caller.rights.includes(right);
}

/**
 * Who it is, for what belongs to one caller: page links, subscriptions, bulk jobs. The same for all tokens of one person through one
 * client on behalf of one organisation, and for nobody else.
 */
export function callerKey({ kind, clientId, subject }: Caller): string {
  if (kind === 'system') return 'anybody';
  return JSON.stringify([
    kind,
    clientId ?? null,
    subject?.rpps ?? null,
    subject?.finess ?? null,
    subject?.patient ?? null,
  ]);
}
