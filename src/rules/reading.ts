/** What the reading of a rule set carries along: the setting it is checked against, and the faults found so far. */
import type { Issue } from '../base/index.ts';
import type { Definitions } from '../fhir/index.ts';

export interface RuleSetting {
  readonly definitions: Definitions;
  /** What is wrong with a search of the type; the query has sample values in place of its templates. */
  checkQuery(type: string, query: string): readonly Issue[];
}

export interface ReadingContext extends RuleSetting {
  /** Of the action: `PlanDefinition.action[0]`. */
  readonly place: string;
  readonly faults: Faults;
}

/** An author sees all faults at once, each with its place. */
export interface Faults {
  readonly issues: readonly Issue[];
  add(place: string, text: string, code?: string): void;
}

export function createFaults(): Faults {
  const issues: Issue[] = [];
  return {
    issues,
    add: (place, text, code = 'invalid') => void issues.push({ severity: 'error', code, text, expression: place }),
  };
}

/** An Expression as written, with its place. */
export interface WrittenExpression {
  readonly language?: string | undefined;
  readonly expression?: string | undefined;
  readonly place: string;
}
