/** An operation: `$name` on the system, on a type or on an instance (https://hl7.org/fhir/R4/operations.html). */
import type { Answer, Context, Request } from './context.ts';

export interface Operation {
  /** Without `$`. */
  readonly name: string;
  /** A resource type; `*` for every one; '' at the level of the system. */
  readonly type: string;
  readonly level: 'system' | 'type' | 'instance';
  readonly methods: readonly ('GET' | 'POST')[];
  /** Takes the bytes as they come, whatever their type. */
  readonly takesBytes: boolean;
  readonly documentation: string;
  /** Canonical of the definition in its guide; undefined: it is of this server. */
  readonly definition?: string;
  run(context: Context, request: Request): Promise<Answer>;
}
