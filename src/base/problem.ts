/**
 * The one error class and its one table.
 *
 * Throw a Problem to stop a request or a job; return a union where the caller must choose.
 * Anything else that is thrown is a `fault`: its text never reaches a client.
 * `issue.code` values are those of https://hl7.org/fhir/R4/valueset-issue-type.html.
 */
export const problemCategories = {
  incorrect: { http: 400, code: 'invalid', log: 'info', retried: false },
  unauthenticated: { http: 401, code: 'login', log: 'warn', retried: false },
  forbidden: { http: 403, code: 'forbidden', log: 'warn', retried: false },
  'not-found': { http: 404, code: 'not-found', log: 'debug', retried: false },
  gone: { http: 410, code: 'deleted', log: 'debug', retried: false },
  conflict: { http: 409, code: 'conflict', log: 'info', retried: true },
  precondition: { http: 412, code: 'conflict', log: 'info', retried: false },
  unprocessable: { http: 422, code: 'processing', log: 'info', retried: false },
  unsupported: { http: 501, code: 'not-supported', log: 'info', retried: false },
  'unsupported-type': { http: 404, code: 'not-supported', log: 'info', retried: false },
  'unsupported-interaction': { http: 405, code: 'not-supported', log: 'info', retried: false },
  'unsupported-parameter': { http: 400, code: 'not-supported', log: 'info', retried: false },
  'not-acceptable': { http: 406, code: 'not-supported', log: 'info', retried: false },
  'media-type': { http: 415, code: 'not-supported', log: 'info', retried: false },
  'too-costly': { http: 400, code: 'too-costly', log: 'info', retried: false },
  'body-too-long': { http: 413, code: 'too-long', log: 'info', retried: false },
  'url-too-long': { http: 414, code: 'too-long', log: 'info', retried: false },
  'headers-too-long': { http: 431, code: 'too-long', log: 'info', retried: false },
  'content-too-costly': { http: 422, code: 'too-costly', log: 'info', retried: false },
  throttled: { http: 429, code: 'throttled', log: 'warn', retried: true },
  unavailable: { http: 503, code: 'transient', log: 'warn', retried: true },
  fault: { http: 500, code: 'exception', log: 'error', retried: true },
} as const;

export type ProblemCategory = keyof typeof problemCategories;

/** One line of an OperationOutcome. `expression` is FHIRPath (or an XPath in a letter); `text` is for people and free of patient data. */
export interface Issue {
  readonly severity: 'fatal' | 'error' | 'warning' | 'information';
  readonly code: string;
  readonly text: string;
  /** The same in French, where it is known. */
  readonly french?: string;
  readonly expression?: string;
  /** The profile that asks for it, by its canonical; base R4 when there is none. */
  readonly profile?: string;
  /** Machine-readable detail without patient data. */
  readonly diagnostics?: string;
}

export interface ProblemDetail {
  readonly issues?: readonly Issue[];
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  /** Answer header Location, e.g. the review Task of a letter that could not be read. */
  readonly location?: string;
  /** Answer header WWW-Authenticate of a 401. */
  readonly challenge?: string;
  /** Answer header Allow: the methods that are served where this one is not. */
  readonly allow?: readonly string[];
}

export class Problem extends Error {
  readonly category: ProblemCategory;
  readonly issues: readonly Issue[];
  readonly retryAfterMs: number | undefined;
  readonly location: string | undefined;
  readonly challenge: string | undefined;
  readonly allow: readonly string[] | undefined;

  constructor(category: ProblemCategory, message: string, detail: ProblemDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'Problem';
    this.category = category;
    this.issues = detail.issues ?? [{ severity: 'error', code: problemCategories[category].code, text: message }];
    this.retryAfterMs = detail.retryAfterMs;
    this.location = detail.location;
    this.challenge = detail.challenge;
    this.allow = detail.allow;
  }
}
