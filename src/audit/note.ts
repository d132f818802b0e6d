/** What is noted of one thing that somebody did; one note becomes one AuditEvent for each patient concerned. */
import type { Caller } from '../access/index.ts';

/** Whence a request came. */
export interface Origin {
  readonly requestId: string;
  /** Network address of the client. */
  readonly address: string;
}

export interface Note {
  /** That it goes under; undefined: a new one. */
  readonly id?: string | undefined;
  /** Of http://hl7.org/fhir/restful-interaction: `read`, `search-type`, `create`, `operation`, ...; or one of ours (resource.ts). */
  readonly code: string;
  /** Of code `operation`: its name, without `$`. */
  readonly operation?: string | undefined;
  /** As HTTP says it: from 400 on it was refused, or failed. */
  readonly status: number;
  readonly caller: Caller;
  /** `Type/id`: whose patients are concerned. */
  readonly concerns: readonly string[];
  /** `Patient/id`: the patients concerned, where they are known and need not be looked up. */
  readonly patients?: readonly string[] | undefined;
  /** `Type/id[/_history/n]`: what was read or written itself; undefined for a search. */
  readonly data?: readonly string[] | undefined;
  /** The request as it came, of a search. */
  readonly query?: string | undefined;
  readonly origin?: Origin | undefined;
  readonly detail?: Detail | undefined;
  /** An AuditEvent that somebody gave us, as JSON text. */
  readonly raw?: string | undefined;
}

export interface Detail {
  /** Why the glass was broken. */
  readonly reason?: string;
  /** To whom something was told. */
  readonly recipient?: string;
  readonly topic?: string;
}

/** A row of audit_event, as far as it is told. */
export interface AuditRow {
  readonly id: string;
  readonly recorded_at: Date;
  readonly code: string;
  readonly operation: string | null;
  readonly status: number;
  readonly patient: string | null;
  readonly data: readonly string[] | null;
  readonly client: string | null;
  readonly who: string | null;
  readonly agent: Agent;
  readonly query: string | null;
  readonly request: string | null;
  readonly address: string | null;
  readonly detail: Detail | null;
  readonly raw: string | null;
}

/** Who did it, beside what can be searched for. */
export interface Agent {
  readonly kind: Caller['kind'];
  readonly finess?: string;
  readonly name?: string;
  readonly issuer?: string;
  readonly tokenId?: string;
  readonly assurance?: string;
  /** The glass was broken for this. */
  readonly emergency?: string;
}

export function agentOf({ kind, subject, credential, breakGlass }: Caller): Agent {
  return {
    kind,
    ...(subject?.finess && { finess: subject.finess }),
    ...(subject?.name && { name: subject.name }),
    ...(credential && { issuer: credential.issuer }),
    ...(credential?.tokenId && { tokenId: credential.tokenId }),
    ...(credential?.assurance && { assurance: credential.assurance }),
    ...(breakGlass && { emergency: breakGlass.patient }),
  };
}

/** The person: by RPPS, or the patient himself; undefined where an application acts for itself. */
export function personOf({ kind, subject }: Caller): string | undefined {
  if (kind !== 'user') return undefined;
  return subject?.rpps === undefined ? subject?.patient : `rpps|${subject.rpps}`;
}
