/** The engine put together: places, rule book, the thread for rules of others, and how rule sets are examined. */
import type { Resource } from '../fhir/index.ts';
import type { RuleSetting } from '../rules/index.ts';
import type { CustomParameter, SearchContext } from '../search/index.ts';
import type { EngineInput } from './engine-input.ts';
import { createExamine } from './fixtures.ts';
import { createIsolation } from './isolation.ts';
import { createRuleBooks } from './rule-book.ts';
import { createSelect } from './select.ts';
import { createOwnCheck } from './shipped.ts';
import { createPlaces } from './sites.ts';

export interface EngineParts
  extends Pick<
    EngineInput,
    'store' | 'clock' | 'ids' | 'log' | 'quietHours' | 'proofAwaitedMs' | 'holder' | 'metrics'
  > {
  /** Of the server. */
  readonly zone: string;
  readonly baseUrl: string;
  readonly setting: RuleSetting;
  readonly search: SearchContext;
  readonly custom: () => readonly CustomParameter[];
  /** What Suture brings along: rules among it are judged without a thread. */
  readonly shipped: readonly Resource[];
}

/** Its thread begins when the first rule of somebody else is judged; `isolation.stop` ends it. */
export function createEngine(parts: EngineParts): EngineInput {
  const { zone, setting, shipped } = parts;
  const places = createPlaces(zone);
  const select = createSelect(parts.search);
  const isOwn = createOwnCheck(shipped.filter(({ resourceType }) => resourceType === 'PlanDefinition'));
  const isolation = createIsolation({ ...parts, places });
  return {
    ...parts,
    ...{ places, select, isolation },
    ruleBook: createRuleBooks(setting, isOwn, parts.log),
    examine: createExamine({ ...setting, places, select, isolation, isOwn }),
  };
}
