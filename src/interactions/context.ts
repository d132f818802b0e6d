/** What every interaction is given, what it is asked, and what it answers. Nothing here knows HTTP's library. */
import { type Clock, type Ids, type Issue, Problem } from '../base/index.ts';
import type { Access, Caller, FactReader } from '../access/index.ts';
import type { AuditLog, Origin } from '../audit/index.ts';
import type { OAuthUrls } from '../identity/index.ts';
import type { ConformanceResource, Definitions, Resource } from '../fhir/index.ts';
import type { Session, Store, StoredVersion, Visible } from '../store/index.ts';
import type { IndexValues, SearchContext } from '../search/index.ts';

export interface Context {
  readonly store: Store;
  /** The record as it was a moment ago; absent where there is no replica (staleness.ts). */
  readonly replica?: ReplicaStore;
  readonly access: Access;
  /** What a resource says of who may see what. */
  readonly facts: FactReader;
  readonly definitions: Definitions;
  readonly search: SearchContext;
  /**
   * Reads a search with what is known of codes: `:in`, `:below` and the like over the packages that are loaded, and over these value
   * sets by the name under which the search calls them. `work` may run several times.
   */
  readonly withTerms: <T>(
    work: (search: SearchContext) => T,
    valueSets?: ReadonlyMap<string, ConformanceResource>,
  ) => Promise<T>;
  /** What a resource is found by, and what it refers to. */
  readonly indexValues: (resource: Resource) => IndexValues;
  /** Faults and warnings of a resource against base R4 and the profiles it must conform to; empty when there are none. */
  readonly validate: (resource: unknown, typeExpected?: string) => Promise<readonly Issue[]>;
  /** The FHIR packages that are loaded. */
  readonly packages: () => readonly {
    readonly name: string;
    readonly version: string;
    readonly canonical: string | null;
  }[];
  /** Refuses what no schema can: rule sets, subscriptions, breaks moved by hand. Runs inside the write's transaction. */
  readonly guards: readonly WriteGuard[];
  readonly subscriptions: {
    /** Canonicals of the topics that take subscriptions. */
    topics(): Promise<readonly string[]>;
    /** A stored Subscription with its secrets, as JSON text: for the answer to whoever has just made it, and nobody else. */
    reveal(raw: string): Promise<string>;
  };
  readonly clock: Clock;
  readonly ids: Ids;
  /** `enforced`: what a write refers to must be there (references.ts). */
  readonly references: 'recorded' | 'enforced';
  /** Without trailing slash, e.g. `http://127.0.0.1:8080/fhir`. */
  readonly baseUrl: string;
  readonly limits: InteractionLimits;
  /** Who did what; absent where it is not noted. */
  readonly audit?: AuditLog;
  /** Where tokens are had; absent where none are needed. */
  readonly oauth?: OAuthUrls;
  /** Key of page links; the same on all instances. */
  readonly secret: Uint8Array;
  readonly softwareVersion: string;
  readonly startedAtMs: number;
}

export interface ReplicaStore {
  readonly store: Store;
  /** How old what it answers is at most; undefined: nothing that it has is young enough for anybody. */
  ageMs(): number | undefined;
  /** By whom a request that bears an older answer was answered. */
  count(answeredBy: 'replica' | 'primary'): void;
}

export interface InteractionLimits {
  readonly bundleEntriesMax: number;
  readonly pageDefault: number;
  readonly pageMax: number;
  /** Resources that one conditional delete may take; 1 where it is for single ones. */
  readonly deletesMax: number;
}

/**
 * Looks at a write before it happens: throws a Problem to refuse it, or answers the resource as it shall be stored
 * (a Subscription that is `requested` becomes `active`).
 */
export interface WriteGuard {
  readonly types: readonly string[];
  /** 'deletions': of other writes only what is written matters; `before` is not read for it, and is undefined. */
  readonly looksBack?: 'always' | 'deletions';
  check(
    session: Session,
    write: {
      readonly before: Resource | undefined;
      readonly after: Resource | undefined;
      readonly id: string;
      /** Its bytes are written beside it, which no client can ask for. */
      readonly hasContent: boolean;
      /** On whose behalf. */
      readonly caller: Caller;
    },
  ): Promise<Resource | undefined>;
}

/** One interaction as asked, parsed at the edge. */
export interface Request {
  readonly type: string;
  readonly id?: string;
  readonly versionId?: string;
  /** Behind the id: the type sought in a compartment. */
  readonly part?: string;
  readonly query: readonly (readonly [string, string])[];
  /** The parsed JSON; absent when the content is not FHIR. */
  readonly body?: unknown;
  /** The bytes as they came, with their type: for Binary and $ingest. */
  readonly content?: { readonly type: string; readonly bytes: Uint8Array };
  /** The Accept header. */
  readonly accept?: string;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly ifModifiedSince?: string;
  readonly ifNoneExist?: string;
  /** The X-Provenance header, parsed. */
  readonly provenance?: unknown;
  readonly returnPreference: 'unstated' | 'minimal' | 'representation' | 'OperationOutcome';
  /** Prefer: handling=lenient: what a search does not know may be left out, and the answer says so. */
  readonly isLenient?: boolean;
  /** Prefer: respond-async. */
  readonly isAsync?: boolean;
  /** Cache-Control: max-stale: how old an answer the client bears, in ms. */
  readonly staleMs?: number;
  /** Who asks, as authentication found out. */
  readonly caller: Caller;
  /** Whence it came; for the audit alone. */
  readonly origin?: Origin;
  /** What the caller may see; stands in every statement that produces a resource. */
  readonly visible: Visible;
}

export interface Answer {
  readonly status: number;
  /** JSON text, ready to send. */
  readonly body?: string;
  /** `body` is a Bundle put together for this answer, not a stored one. */
  readonly isAssembled?: true;
  /** `Type/id` of what is in it, where that is more than the resource that was asked for; for the audit alone. */
  readonly shown?: readonly string[];
  /** `Patient/id` of those whose record it is, where they are known; for the audit alone. */
  readonly patients?: readonly string[];
  /** Instead of `body`: content that is not FHIR (a Binary read raw). */
  readonly bytes?: { readonly contentType: string; readonly content: Buffer };
  readonly version?: number;
  readonly lastModified?: Date;
  readonly location?: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

type ToAnswer = Pick<StoredVersion, 'raw' | 'version' | 'lastUpdated' | 'patients'>;

export function answerStored(status: number, { raw, version, lastUpdated, patients }: ToAnswer): Answer {
  return { status, body: raw, version, lastModified: lastUpdated, ...(patients && { patients }) };
}

/** The version that an If-Match or If-None-Match header names, `W/"3"` or `"3"`; anything else is `precondition`. */
export function readEntityTag(header: string): number {
  const found = /^\s*(?:W\/)?"?([1-9]\d{0,8}|0)"?\s*$/.exec(header)?.[1];
  if (found === undefined) throw new Problem('precondition', 'the entity tag names no version: expected W/"1"');
  return Number(found);
}

export function requireType(context: Context, type: string): void {
  if (context.definitions.resourceTypes.has(type)) return;
  throw new Problem('unsupported-type', 'the resource type is unknown to FHIR R4');
}

const idForm = /^[A-Za-z0-9\-.]{1,64}$/;

export function requireId(id: string): void {
  if (!idForm.test(id)) throw new Problem('incorrect', 'the id is not valid: expected 1 to 64 letters, digits, - or .');
}

/** A URL may name an id that cannot exist; then nothing is there. */
export function isId(id: string): boolean {
  return idForm.test(id);
}
