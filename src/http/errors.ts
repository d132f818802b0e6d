/**
 * Errors become answers here, and only here. A Problem says what it is; anything else is a fault: fixed text and an id
 * that the log has too, never a message or a stack.
 */
import type { FastifyError } from 'fastify';
import { type Log, Problem, problemCategories, type ProblemCategory } from '../base/index.ts';
import { toOperationOutcome } from '../fhir/index.ts';
import { isCrowded } from './gate.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the HTTP library itself refuses, before any handler runs. */
const libraryErrors: Readonly<Record<string, readonly [ProblemCategory, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-long', 'the body is larger than this server takes'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['incorrect', 'Content-Length does not match the body'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['media-type', 'the content type is not supported here'],
  FST_ERR_BAD_URL: ['incorrect', 'the URL is not well formed'],
  FST_CP_ERR_INVALID_CONTENT_ENCODING: [
    'media-type',
    'Content-Encoding is not supported: expected gzip, br or deflate',
  ],
  FST_CP_ERR_INVALID_CONTENT: ['incorrect', 'the body cannot be decompressed as Content-Encoding says'],
  FST_ERR_MAX_PARAM_LENGTH: ['url-too-long', 'a part of the path is too long'],
};

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = (error as Partial<FastifyError> | null)?.code;
  const known = code === undefined ? undefined : libraryErrors[code];
  if (known !== undefined) return new Problem(known[0], known[1]);
  return new Problem('fault', 'something went wrong in the server', { cause: error });
}

export function answerError(error: unknown, log: Log, errorId: () => string): ErrorAnswer {
  const problem = asProblem(error);
  const { http, log: level } = problemCategories[problem.category];
  if (problem.category === 'fault') {
    const id = errorId();
    log.error({ component: 'http', errorId: id, stack: framesOf(problem.cause ?? problem) }, 'a request failed');
    const issue = {
      severity: 'fatal' as const,
      code: 'exception',
      text: problem.message,
      diagnostics: `error id ${id}`,
    };
    return { status: http, body: JSON.stringify(toOperationOutcome([issue])), headers: {} };
  }
  if (!isCrowded(error))
    log[level]({ component: 'http', reason: problem.category, status: http }, 'a request was refused');
  return {
    status: http,
    body: JSON.stringify(toOperationOutcome(problem.issues)),
    headers: {
      // https://www.rfc-editor.org/rfc/rfc6750#section-3
      ...(problem.category === 'unauthenticated' ? { 'www-authenticate': problem.challenge ?? 'Bearer' } : {}),
      ...(problem.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(problem.retryAfterMs / 1000)) }),
      ...(problem.location === undefined ? {} : { location: problem.location }),
      // https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
      ...(problem.allow === undefined ? {} : { allow: problem.allow.join(', ') }),
    },
  };
}

/** Function names and lines only: the message of an error may quote data. */
function framesOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = (error as { code?: unknown }).code;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [`${error.name}${typeof code === 'string' ? ` ${code}` : ''}`, ...frames.slice(0, 8)].join('\n');
}
