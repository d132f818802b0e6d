/** What letters give is valid FHIR R4 for our own validator, once the temporary names have become references. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import type { LetterPlan } from '../../src/letters/index.ts';
import { createValidator, type Validator } from '../../src/validation/index.ts';
import { depleted } from './damage.ts';
import { fixturePath, planOf, read, richLetter } from './letters.ts';

let validator: Validator;
beforeAll(async () => {
  validator = await createValidator({ definitions: loadDefinitions() });
});

const folders = [
  fixturePath(''),
  ...['ldl', 'cda-general', 'cda-oncology'].map((name) => new URL(`../../../shared/samples/${name}/`, import.meta.url)),
];
const files = folders
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)))
  .filter(({ pathname }) => pathname.endsWith('.xml') && !pathname.endsWith('-body.xml'));

/** The resources as they would be stored. */
function stored({ entries }: LetterPlan): Resource[] {
  const typeOf = new Map(entries.map(({ fullUrl, resource }) => [fullUrl, resource.resourceType]));
  const linked = (text: string) =>
    text.replace(/urn:uuid:(id-\d+)/g, (name, id: string) => `${typeOf.get(name) ?? 'Unknown'}/${id}`);
  return entries.map(({ fullUrl, resource }) => {
    const { id = fullUrl.slice('urn:uuid:'.length), ...members } = JSON.parse(
      linked(JSON.stringify(resource)),
    ) as Resource;
    return { id, ...members };
  });
}

test.each(['discharge', 'admission'] as const)('%s with a full body', (name) => {
  for (const resource of stored(planOf(richLetter(name))))
    expect([resource.resourceType, validator.validate(resource)]).toEqual([resource.resourceType, []]);
});

test.each(files.map((file) => [decodeURIComponent(file.pathname.split('/').at(-1) ?? ''), file] as const))(
  '%s',
  (_, file) => {
    const result = read(readFileSync(file));
    if (result.kind === 'review') return;
    for (const resource of stored(result.plan))
      expect([resource.resourceType, validator.validate(resource)]).toEqual([resource.resourceType, []]);
  },
);

test('what is left of a letter without some of its elements and attributes', () => {
  const isValid = (letter: string): void => {
    const result = read(letter);
    if (result.kind === 'review') return;
    for (const resource of stored(result.plan)) {
      const faults = validator.validate(resource).filter(({ severity }) => severity === 'error');
      expect([resource.resourceType, faults]).toEqual([resource.resourceType, []]);
    }
  };
  fc.assert(fc.property(depleted, isValid), { numRuns: 40, endOnFailure: true });
});
