/** The shipped rules over one patient's record in memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { createReplay, type Replay } from '../../src/breaks/replay.ts';
import { bindBook } from '../../src/breaks/rule-book.ts';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';

export const dayMs = 24 * 3_600_000;

const folder = new URL('../../profiles/rules/', import.meta.url);
const definitions = loadDefinitions();
const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://test/fhir' });
const book = bindBook(
  readdirSync(folder).map((name) => {
    const reading = readRuleSet(JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Resource, {
      definitions,
      checkQuery: createQueryCheck(search),
    });
    if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
    return { reference: name, ruleSet: reading.ruleSet };
  }),
);
const context = {
  book,
  select: createSelect(search),
  places: createPlaces('Europe/Paris'),
  lateKnowledgeMs: 30 * dayMs,
  proofAwaitedMs: dayMs,
};

/** `patient` is a reference, `Patient/id`. */
export function replayOf(patient: string): Replay {
  return createReplay({ ...context, patient });
}
