/** What a page of a search is made of, whatever its order. */
import type { Condition } from './condition.ts';
import type { SqlBuilder } from './sql.ts';

/** Where a page ended. A sort value is null where the resource has none. */
export interface Position {
  /** The order that it belongs to. */
  readonly order: string;
  readonly values: readonly (string | null)[];
  readonly rid: string;
  readonly type: string;
  readonly id: string;
}

export interface PageScope {
  readonly sql: SqlBuilder;
  readonly types: readonly string[];
  readonly conditions: readonly Condition[];
  /** Placeholder of the page's size and one more. */
  readonly limit: string;
  readonly after: Position | undefined;
}

export interface Page {
  /** `page as (...)`, and what it is made from. */
  readonly with: string;
  readonly columns: readonly string[];
  readonly orderBy: string;
}
