/** `suture rules check FILE...`: what the server would say of these rule sets when they are put, without a server. */
import { readFile } from 'node:fs/promises';
import { type Issue, Problem } from './base/index.ts';
import { createPlaces, createQueryCheck, createSelect, examineRuleSet } from './breaks/index.ts';
import { loadDefinitions, parseJson, type Resource } from './fhir/index.ts';
import { createSearchContext } from './search/index.ts';
import { createValidator } from './validation/index.ts';

export interface RuleCheck {
  /** One for each fault: `FILE: place: text`. */
  readonly lines: readonly string[];
  readonly rules: number;
  readonly fixtures: number;
}

export type CheckRules = (file: string) => Promise<RuleCheck>;

export async function createRuleCheck(zone: string): Promise<CheckRules> {
  const definitions = loadDefinitions();
  const search = createSearchContext({ definitions, zone, baseUrl: 'http://127.0.0.1:8080/fhir' });
  const validator = await createValidator({ definitions });
  const setting = {
    definitions,
    checkQuery: createQueryCheck(search),
    select: createSelect(search),
    places: createPlaces(zone),
  };
  return async (file) => {
    const read = await readResource(file);
    if (read.kind === 'faults') return { lines: linesOf(file, read.issues), rules: 0, fixtures: 0 };
    const invalid = validator.validate(read.resource).filter(({ severity }) => severity === 'error');
    if (invalid.length > 0) return { lines: linesOf(file, invalid), rules: 0, fixtures: 0 };
    const { ruleSet, outcomes, issues } = examineRuleSet(read.resource, setting);
    return { lines: linesOf(file, issues), rules: ruleSet?.rules.length ?? 0, fixtures: outcomes.length };
  };
}

type Reading =
  | { readonly kind: 'ok'; readonly resource: Resource }
  | { readonly kind: 'faults'; readonly issues: readonly Issue[] };

async function readResource(file: string): Promise<Reading> {
  try {
    return { kind: 'ok', resource: parseJson(await readFile(file, 'utf8')) as Resource };
  } catch (error) {
    if (error instanceof Problem) return { kind: 'faults', issues: error.issues };
    throw error;
  }
}

function linesOf(file: string, issues: readonly Issue[]): readonly string[] {
  return issues.map(({ text, expression }) => `${file}: ${expression === undefined ? '' : `${expression}: `}${text}`);
}
