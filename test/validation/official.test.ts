/**
 * The official R4 examples (package `hl7.fhir.r4.examples` 4.0.1, 5,306 files): all are valid, but for those named here, in
 * each of which there is an error. Runs where the package is at hand: the file that R4_EXAMPLES names, or
 * `../shared/packages/hl7.fhir.r4.examples-4.0.1.tgz` (`npm pack hl7.fhir.r4.examples@4.0.1` fetches it).
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { extract } from 'tar-stream';
import { loadDefinitions, parseJson } from '../../src/fhir/index.ts';
import { createBaseLibrary } from '../../src/packages/index.ts';
import { createTerminology } from '../../src/terminology/index.ts';
import { createValidator } from '../../src/validation/index.ts';
import { officialErrors } from './official-errors.ts';

const { R4_EXAMPLES } = process.env;
const shared = fileURLToPath(new URL('../../../shared/packages/hl7.fhir.r4.examples-4.0.1.tgz', import.meta.url));
const file = R4_EXAMPLES ?? shared;

if (!existsSync(file)) {
  it.skip(`the official examples are not there, left out: ${file}`, () => undefined);
} else {
  it('accepts every official example, save for those that have an error of their own', async () => {
    const library = createBaseLibrary();
    const terms = createTerminology(library);
    const validator = await createValidator({ definitions: loadDefinitions(), beyond: { library, terms } });
    const refused: Record<string, string[]> = {};
    let count = 0;
    for (const [name, text] of await readExamples(file)) {
      count++;
      const issues = validator.validate(parseJson(text)).filter(({ severity }) => severity === 'error');
      if (issues.length > 0) refused[name] = issues.map(({ expression = '', text: told }) => `${expression}: ${told}`);
    }
    const unnamed = Object.entries(refused).filter(([name]) => officialErrors[name] === undefined);
    expect(unnamed).toEqual([]);
    expect(Object.keys(officialErrors).filter((name) => refused[name] === undefined)).toEqual([]);
    expect(count).toBeGreaterThan(5000);
  }, 300_000);
}

async function readExamples(path: string): Promise<ReadonlyMap<string, string>> {
  const examples = new Map<string, string>();
  const entries = extract();
  entries.end(gunzipSync(readFileSync(path)));
  for await (const entry of entries) {
    const name = /^package\/([A-Z][^/]*\.json)$/.exec(entry.header.name)?.[1];
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    if (name !== undefined) examples.set(name, Buffer.concat(parts).toString('utf8'));
  }
  return examples;
}
