/**
 * Outside truth: the public FHIR test cases (https://github.com/FHIR/fhir-test-cases), read from the folder that
 * FHIR_TEST_CASES names, or from `../shared/fhir-test-cases`; says that they were left out when neither is there. For R4 there are
 * cases of patches, and examples; there are none of searches (`r4/graphql` is another interface) and none of bundles beside those of the
 * validator, which test/validation/scoreboard runs.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Problem } from '../../src/base/index.ts';
import { exposeDigits } from '../../src/fhir/digits.ts';
import {
  applyFhirPathPatch,
  applyJsonPatch,
  createDateReader,
  loadDefinitions,
  parseJson,
  type Resource,
  readFhirXml,
  writeFhirXml,
} from '../../src/fhir/index.ts';

const folder = process.env['FHIR_TEST_CASES'] ?? join(import.meta.dirname, '../../../shared/fhir-test-cases');
const isPresent = existsSync(join(folder, 'r4/patch'));
const definitions = loadDefinitions();
const setting = {
  definitions,
  moment: { nowMs: Date.parse('2026-03-12T08:00:00Z'), dates: createDateReader('Europe/Paris') },
};

function read(...path: string[]): string {
  return readFileSync(join(folder, ...path), 'utf8');
}

function fromXml(text: string | undefined): Resource {
  return readFhirXml(Buffer.from((text ?? '').trim()), definitions);
}

/** Narrative is compared as XHTML: the cases write the same quotes and line ends in two ways. */
function comparable(resource: Resource): unknown {
  const { text, ...rest } = exposeDigits(resource) as { text?: { div?: string } };
  const div = text?.div?.replaceAll('&quot;', '"').replaceAll('\r\n', '\n');
  return text === undefined ? rest : { ...rest, text: { ...text, div } };
}

if (!isPresent) it.skip('FHIR_TEST_CASES names no folder with the FHIR test cases: left out', () => undefined);
else {
  describe('FHIRPath Patch', () => {
    const cases = [...read('r4/patch/fhir-patch-tests.xml').matchAll(/<case name="([^"]*)"[^>]*>([^]*?)<\/case>/g)];
    const inner = (text: string, name: string): string | undefined =>
      new RegExp(`<${name}>([^]*?)</${name}>`).exec(text)?.[1];

    it.each(cases.map(([, name = '', text = '']) => ({ name, text })))('$name', ({ text }) => {
      const diff = fromXml(inner(text, 'diff'));
      const patch = (): Resource => applyFhirPathPatch(fromXml(inner(text, 'input')), diff, setting);
      if (text.includes('<error')) expect(patch).toThrow(Problem);
      else expect(comparable(patch())).toEqual(comparable(fromXml(inner(text, 'output'))));
    });
  });

  describe('JSON Patch', () => {
    const cases = parseJson(read('r4/patch/json-patch-tests.json')) as {
      comment: string;
      doc: unknown;
      patch: unknown;
      expected?: unknown;
    }[];

    it.each(cases)('$comment', ({ doc, patch, expected }) => {
      const apply = (): unknown => applyJsonPatch(doc as Resource, patch);
      if (expected === undefined) expect(apply).toThrow(Problem);
      else expect(apply()).toEqual(expected);
    });
  });

  describe('FHIR XML', () => {
    const names = readdirSync(join(folder, 'r4/examples'));

    it.each(names.filter((name) => name.endsWith('.json')))('writes and reads again %s', (name) => {
      const value = parseJson(read('r4/examples', name));
      expect(exposeDigits(fromXml(writeFhirXml(value, definitions)))).toEqual(exposeDigits(value));
    });

    it.each(names.filter((name) => name.endsWith('.xml')))('reads and writes again %s', (name) => {
      const value = fromXml(read('r4/examples', name));
      expect(exposeDigits(fromXml(writeFhirXml(value, definitions)))).toEqual(exposeDigits(value));
    });
  });
}
