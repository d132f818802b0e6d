/** A public test case judged by our validator, with nothing loaded but what the case brings. */
import { readFileSync } from 'node:fs';
import { Problem } from '../../../src/base/index.ts';
import {
  type ConformanceResource,
  createLibrary,
  type Definitions,
  joinLibraries,
  type Library,
  loadDefinitions,
  parseJson,
  readFhirXml,
} from '../../../src/fhir/index.ts';
import { createBaseLibrary, readPackage } from '../../../src/packages/index.ts';
import { slim } from '../../../src/packages/slim.ts';
import { createTerminology } from '../../../src/terminology/index.ts';
import { createValidator } from '../../../src/validation/index.ts';
import { type Case, type Finding, isError } from './cases.ts';

/** The errors that we find; what cannot be read has one. */
export type Judge = (one: Case) => Promise<readonly Finding[]>;

export function createJudge(): Judge {
  const definitions = loadDefinitions();
  const core = createBaseLibrary();
  return async (one) => {
    let resource: unknown;
    try {
      resource = readResource(definitions, one.file);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return [{ severity: 'fatal', code: 'invalid', text: error.message, expression: '' }];
    }
    const library = joinLibraries(await libraryOf(definitions, one), core);
    const validator = await createValidator({ definitions, beyond: { library, terms: createTerminology(library) } });
    const profiles = one.profile === undefined ? [] : [canonicalOf(definitions, one.profile)];
    const issues = validator.validate(resource, { profiles, tellsWarnings: true });
    return issues
      .filter(isError)
      .map(({ severity, code, text, expression = '' }) => ({ severity, code, text, expression }));
  };
}

function readResource(definitions: Definitions, file: string): unknown {
  const bytes = readFileSync(file);
  return file.endsWith('.xml') ? readFhirXml(bytes, definitions) : parseJson(bytes);
}

async function libraryOf(definitions: Definitions, { supporting, packages }: Case): Promise<Library> {
  const read = supporting.flatMap((file) => {
    const resource = tryRead(definitions, file);
    return resource === undefined ? [] : resource.resourceType === 'Bundle' ? entriesOf(resource) : [resource];
  });
  const packaged = await Promise.all(packages.map(tryPackage));
  const bodies = packaged.flatMap(({ definitions: own }) =>
    own.map(({ body }) => JSON.parse(body) as ConformanceResource),
  );
  const all = [...read, ...bodies].filter(({ url }) => typeof url === 'string');
  return createLibrary(all.map((one) => slim({ ...one })));
}

/** A package that a server of R4 refuses is not loaded. */
async function tryPackage(file: string): Promise<{ readonly definitions: readonly { readonly body: string }[] }> {
  try {
    return await readPackage(readFileSync(file));
  } catch (error) {
    if (error instanceof Problem) return { definitions: [] };
    throw error;
  }
}

/** Definitions that cannot be read are as good as not there. */
function tryRead(definitions: Definitions, file: string): ConformanceResource | undefined {
  try {
    return readResource(definitions, file) as ConformanceResource;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

function entriesOf(bundle: unknown): readonly ConformanceResource[] {
  const { entry = [] } = bundle as { readonly entry?: readonly { readonly resource?: ConformanceResource }[] };
  return entry.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
}

function canonicalOf(definitions: Definitions, profile: string): string {
  if (!/\.(?:json|xml)$/.test(profile)) return profile;
  return tryRead(definitions, profile)?.url ?? profile;
}
