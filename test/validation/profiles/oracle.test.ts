/**
 * The published examples of the French guides and of the IHE profiles they stand on, held against what the HL7 validator
 * recorded for them (`../shared/packages/oracle`): valid or not, and for each difference its reason. Each package is
 * judged with the versions it depends on. Runs where `../shared/packages` is present.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Issue } from '../../../src/base/index.ts';
import { loadDefinitions } from '../../../src/fhir/index.ts';
import { createTerminology } from '../../../src/terminology/index.ts';
import { createValidator, type Validator } from '../../../src/validation/index.ts';
import { hasPackages, libraryFor, packagesFolder } from './packages.ts';

interface Theirs {
  readonly severity: string;
  readonly messageId: string | null;
}

interface Recorded {
  readonly file: string;
  readonly isExample: boolean;
  readonly issues?: readonly Theirs[];
}

/** What the HL7 validator asks of the world, or of a terminology server, and this one does not. */
const reasons: readonly (readonly [reason: string, messages: RegExp])[] = [
  ['a reference to a resource that stands elsewhere', /^Reference_REF_(CantResolve|CantMatchChoice|NotFound_Bundle)$/],
  ['a display other than that of the code system', /^Display_Name/],
  ['the size or hash of an attachment', /^TYPE_SPECIFIC_CHECKS_DT_ATT_/],
  ['a definition that the package does not bring', /DT_(URL|CANONICAL)_RESOLVE|DT_URL_Resolve|^Extension_EXT_Unknown/i],
  ['a profile that the guide names outside of the resource', /^Validation_VAL_Profile_WrongType$/],
  // The guide slices by what its profiles do not tell: the HL7 validator gives up, here nothing is asked of such slices.
  ['a slicing that cannot be evaluated', /^SLICING_CANNOT_BE_EVALUATED$/],
  ['a code of a system that is not loaded here', /^(Terminology_|UNABLE_TO_INFER|Unknown_Code)|^none$/],
];

/** Found here and not recorded there: there is no record for these packages. Each was read by hand. */
const ownFindings: Readonly<Record<string, string>> = {
  'Organization-158480.json': 'the INSEE code is of a system that the value set of FR Core 2.1.0 does not have',
  'Organization-158480DP.json': 'as above',
  'Organization-example-organization-fictive.json': 'as above',
  'Organization-example-organization-nancy.json': 'as above',
  'Person-pp16dr-person.json': 'as above',
  'Person-pp19dr-person.json': 'as above',
  'Practitioner-334081.json': 'as above',
  'Practitioner-3719500.json': 'as above',
  'PractitionerRole-1578230DP.json': 'the identifier idSituationExercice [1..1] has another system',
  'PractitionerRole-1738459DP.json': 'as above',
  'PractitionerRole-5015602DP.json': 'as above',
  'Bundle-ex-findDocumentReferencesResponse.json': 'the fullUrl of MHD 4.2.0 names another id than its resource has',
  'SubscriptionTopic-r4b-encounter-complete.json': 'of R4B: not a type of R4',
};

function isError({ severity }: { readonly severity: string }): boolean {
  return severity === 'error' || severity === 'fatal';
}

if (!hasPackages) {
  it.skip(`the packages are not there, left out: ${packagesFolder}`, () => undefined);
} else {
  const recorded = new Map<string, readonly Theirs[]>();
  for (const name of readdirSync(join(packagesFolder, 'oracle')).filter((one) => one !== 'summary.json')) {
    const { results } = read(join('oracle', name)) as { results: readonly Recorded[] };
    const examples = results.filter(({ isExample }) => isExample);
    for (const { file, issues = [] } of examples) recorded.set(file, issues.filter(isError));
  }
  const files = (read('examples/index.json') as readonly { file: string }[]).map(({ file }) => file);
  const own = new Map<string, readonly Issue[]>();

  beforeAll(async () => {
    const definitions = loadDefinitions();
    const validators = new Map<string, Validator>();
    const validatorOf = async (key: string): Promise<Validator> => {
      const library = await libraryFor(key);
      return createValidator({ definitions, beyond: { library, terms: createTerminology(library) } });
    };
    for (const file of files) {
      const [, key = ''] = file.split('/');
      const validator = validators.get(key) ?? (await validatorOf(key));
      validators.set(key, validator);
      own.set(file, validator.validate(read(file)).filter(isError));
    }
  }, 300_000);

  describe('the published examples', () => {
    it('are refused where the HL7 validator refuses them, save for the reasons named here', () => {
      const missed = files.filter((file) => own.get(file)?.length === 0 && (recorded.get(file)?.length ?? 0) > 0);
      const unexplained = missed.flatMap((file) =>
        (recorded.get(file) ?? [])
          .filter(({ messageId }) => !reasons.some(([, messages]) => messages.test(messageId ?? 'none')))
          .map(({ messageId }) => [file, messageId]),
      );
      expect(unexplained).toEqual([]);
      expect(missed.length).toBeLessThan(60);
    });

    it('are accepted where the HL7 validator accepts them', () => {
      const added = files.filter((file) => (own.get(file)?.length ?? 0) > 0 && recorded.get(file)?.length === 0);
      expect(
        added.map((file) => [file, own.get(file)?.map(({ expression, text }) => `${expression ?? ''}: ${text}`)]),
      ).toEqual([]);
    });

    it('without a record are valid, save for what was found in them', () => {
      const found = files.filter((file) => (own.get(file)?.length ?? 0) > 0 && !recorded.has(file));
      const unnamed = found.filter((file) => ownFindings[file.split('/').at(-1) ?? ''] === undefined);
      expect(
        unnamed.map((file) => [file, own.get(file)?.map(({ expression, text }) => `${expression ?? ''}: ${text}`)]),
      ).toEqual([]);
      expect(found).toHaveLength(Object.keys(ownFindings).length);
    });

    it('are 427, most of them with a record', () => {
      expect([files.length, recorded.size > 150]).toEqual([427, true]);
    });
  });
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(packagesFolder, file), 'utf8'));
}
