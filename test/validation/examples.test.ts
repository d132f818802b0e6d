/**
 * The published French examples, held against what the HL7 validator recorded for them: base R4 faults only, since
 * profiles are not judged yet. Runs where `../shared/packages` is present.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Issue } from '../../src/base/index.ts';
import { loadDefinitions } from '../../src/fhir/index.ts';
import { createValidator, type Validator } from '../../src/validation/index.ts';

const packages = fileURLToPath(new URL('../../../shared/packages/', import.meta.url));

interface Recorded {
  file: string;
  isExample: boolean;
  issues?: { severity: string; messageId: string | null; expression: string[] }[];
}

/** Messages of the HL7 validator that speak of base R4 and need nothing but the resource. */
const baseMessages =
  /ele-1|dom-[2345]|NotEmpty|CONTAINED_ORPHAN|Validation_VAL_Profile_(Unknown|MinMax)|Primitive_|This_(element|property)/;

if (!existsSync(join(packages, 'oracle'))) {
  it.skip(`the examples are not there, left out: ${packages}`, () => undefined);
} else {
  let validator: Validator;
  beforeAll(async () => {
    validator = await createValidator({ definitions: loadDefinitions() });
  });
  const recorded = readdirSync(join(packages, 'oracle'))
    .filter((name) => name !== 'summary.json')
    .flatMap(
      (name) => (JSON.parse(readFileSync(join(packages, 'oracle', name), 'utf8')) as { results: Recorded[] }).results,
    )
    .filter((result) => result.isExample);

  describe('the published examples', () => {
    it('have the base faults that the HL7 validator found in them, and the others named here', () => {
      const differences = recorded.flatMap((result) => compare(result, validate(result.file)));
      expect(differences).toEqual([]);
      expect(recorded.length).toBeGreaterThan(150);
    });

    it('without a record are valid', () => {
      const known = new Set(recorded.map((result) => result.file));
      const files = (JSON.parse(readFileSync(join(packages, 'examples/index.json'), 'utf8')) as { file: string }[]).map(
        (entry) => entry.file,
      );
      // Of R4B: not a type of R4.
      known.add(
        'examples/hl7.fhir.uv.subscriptions-backport.r4-1.2.0-ballot/SubscriptionTopic-r4b-encounter-complete.json',
      );
      const faults = files
        .filter((file) => !known.has(file))
        .flatMap((file) => validate(file).map((issue) => [file, issue.expression, issue.text]));
      expect(faults).toEqual([]);
    });
  });

  function validate(file: string): readonly Issue[] {
    return validator.validate(JSON.parse(readFileSync(join(packages, file), 'utf8')));
  }

  function compare({ file, issues = [] }: Recorded, own: readonly Issue[]): unknown[] {
    const theirs = issues.filter((issue) => issue.severity === 'error' && baseMessages.test(issue.messageId ?? ''));
    const missed = theirs
      .filter(() => own.length === 0)
      .map((issue) => ['missed', file, issue.messageId, issue.expression[0]]);
    const added = own.filter(() => theirs.length === 0).map((issue) => ['added', file, issue.expression, issue.text]);
    return [...missed, ...added];
  }
}
