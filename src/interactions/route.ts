/**
 * What is served, in one table's rows: http/route-table.ts fills it, HTTP requests and the entries of batches and
 * transactions are led by it, and the capability statement and the OpenAPI document are read from it.
 */
import type { Answer, Context, Request } from './context.ts';

/** https://hl7.org/fhir/R4/valueset-restful-interaction.html */
export type InteractionCode =
  | 'read'
  | 'vread'
  | 'update'
  | 'patch'
  | 'delete'
  | 'history-instance'
  | 'history-type'
  | 'history-system'
  | 'create'
  | 'search-type'
  | 'search-system'
  | 'capabilities'
  | 'transaction'
  | 'operation';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * What is taken as the body: a resource; bytes of any type beside it; a form; a patch document; nothing.
 */
export type Content = 'resource' | 'bytes' | 'form' | 'patch' | 'none';

export interface Route {
  readonly code: InteractionCode;
  readonly method: Method;
  /** Below the base: `/:type/:id`. */
  readonly path: string;
  /** By criteria in the query instead of an id (https://hl7.org/fhir/R4/http.html#cond-update). */
  readonly isConditional?: true;
  readonly content: Content;
  /** One sentence for the OpenAPI document. */
  readonly summary: string;
  run(context: Context, request: Request): Promise<Answer>;
}
