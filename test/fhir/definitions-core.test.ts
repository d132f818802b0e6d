/**
 * Holds the compiled definitions against a second set, made from an older copy of the source and repaired by hand:
 * `../shared/packages/hl7.fhir.r4.core-4.0.1.tgz`. Runs where that file is present. And against the definitions that
 * HL7 itself publishes among the official examples, where those are (`../validation/official.test.ts`).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { type ElementDefinition, loadDefinitions } from '../../src/fhir/definitions.ts';

const archive = fileURLToPath(new URL('../../../shared/packages/hl7.fhir.r4.core-4.0.1.tgz', import.meta.url));

const { R4_EXAMPLES } = process.env;
const examples =
  R4_EXAMPLES ?? fileURLToPath(new URL('../../../shared/packages/hl7.fhir.r4.examples-4.0.1.tgz', import.meta.url));

interface CoreElement {
  path: string;
  min: number;
  max: string;
  type?: { code: string; targetProfile?: string[]; extension?: { valueUrl?: string }[] }[];
  contentReference?: string;
  binding?: { strength: string; valueSet?: string };
}
interface CoreResource {
  resourceType: string;
  url: string;
  type: string;
  kind: string;
  code: string;
  base: string[];
  abstract: boolean;
  derivation?: string;
  fhirVersion: string;
  snapshot: { element: CoreElement[] };
  resource: { code: string; param?: string[] }[];
}

if (!existsSync(archive)) {
  it.skip(`the second set of definitions is not there, left out: ${archive}`, () => undefined);
} else {
  const definitions = loadDefinitions();
  const core = readArchive(archive);
  const structures = core.filter(
    (resource) =>
      resource.resourceType === 'StructureDefinition' &&
      resource.derivation !== 'constraint' &&
      resource.kind !== 'logical' &&
      // It kept SubscriptionStatus, which is of R4B.
      resource.fhirVersion === '4.0.1',
  );

  describe('definitions agree with the second set', () => {
    it('on the resource types', () => {
      const concrete = structures.filter((structure) => structure.kind === 'resource' && !structure.abstract);
      expect([...definitions.resourceTypes]).toEqual(concrete.map((structure) => structure.type).sort());
    });

    it('on every element: cardinality, types, targets, binding', () => {
      expect(structures.length).toBeGreaterThan(200);
      // That set kept its vendor's edits of ResearchStudy (bindings of R5); the official one, below, has ours.
      const agreed = structures.filter(({ type }) => type !== 'ResearchStudy');
      for (const structure of agreed) expect(ours(structure)).toEqual(theirs(structure));
    });

    if (!existsSync(examples)) it.skip(`the official set is not there, left out: ${examples}`, () => undefined);
    else
      it('and with what HL7 publishes itself, on every element', () => {
        const published = readArchive(examples).filter(
          ({ resourceType, derivation, kind, type }) =>
            resourceType === 'StructureDefinition' &&
            derivation !== 'constraint' &&
            kind !== 'logical' &&
            definitions.type(type) !== undefined,
        );
        for (const structure of published) expect(ours(structure)).toEqual(theirs(structure));
        expect(published.length).toBeGreaterThan(180);
      }, 60_000);

    it('on the search parameters', () => {
      const parameters = core.filter((resource) => resource.resourceType === 'SearchParameter');
      for (const type of definitions.resourceTypes) {
        const expected = parameters.filter((parameter) => parameter.base.includes(type));
        const found = [...definitions.searchParameters(type).values()].map((parameter) => parameter.url);
        expect(found).toEqual(expect.arrayContaining(expected.map((parameter) => parameter.url)));
      }
    });

    it('on the Patient compartment', () => {
      const compartment = core.find(
        (resource) => resource.resourceType === 'CompartmentDefinition' && resource.code === 'Patient',
      );
      for (const entry of compartment?.resource ?? [])
        expect([entry.code, definitions.compartment(entry.code)]).toEqual([entry.code, entry.param ?? []]);
    });
  });

  function ours(structure: CoreResource): Record<string, string> {
    const paths = structure.snapshot.element.map((element) => element.path);
    const parents = new Set(paths.filter((path) => paths.some((other) => other.startsWith(`${path}.`))));
    const lines: Record<string, string> = {};
    for (const parent of parents)
      for (const element of definitions.type(parent)?.elements.values() ?? [])
        lines[`${parent}.${element.name}${element.isChoice ? '[x]' : ''}`] = printOurs(element);
    return lines;
  }

  function theirs(structure: CoreResource): Record<string, string> {
    const isValue = (path: string): boolean =>
      structure.kind === 'primitive-type' && path === `${structure.type}.value`;
    const shown = structure.snapshot.element.filter(
      (element) => element.path.includes('.') && element.max !== '0' && !isValue(element.path),
    );
    const paths = shown.map((element) => element.path);
    const lines: Record<string, string> = {};
    for (const element of shown) {
      const isBackbone = paths.some((path) => path.startsWith(`${element.path}.`));
      lines[element.path] = printTheirs(element, isBackbone, structure);
    }
    return lines;
  }

  function printOurs(element: ElementDefinition): string {
    const types = element.types.map((type) => `${type.code}(${type.targets?.join() ?? ''})`);
    const max = element.max === Infinity ? '*' : element.max;
    return `${element.min}..${max} ${types.join(' ')} ${element.binding?.strength ?? ''} ${element.binding?.valueSet ?? ''}`;
  }

  function printTheirs(element: CoreElement, isBackbone: boolean, structure: CoreResource): string {
    const path = element.contentReference?.slice(1) ?? (isBackbone ? element.path : undefined);
    const types = (element.type ?? []).map((type) => printTheirType(type, element.path, structure));
    const { strength = '', valueSet = '' } = element.binding?.valueSet === undefined ? {} : element.binding;
    return `${element.min}..${element.max} ${path === undefined ? types.join(' ') : `${path}()`} ${strength} ${valueSet.split('|')[0]}`;
  }

  function printTheirType(
    type: NonNullable<CoreElement['type']>[number],
    path: string,
    structure: CoreResource,
  ): string {
    // Resource.id is a string in their machine-readable form and an id on the page.
    if (path === `${structure.type}.id` && structure.kind === 'resource') return 'id()';
    const code = type.code.includes('/System.') ? (type.extension?.[0]?.valueUrl ?? 'string') : type.code;
    const targets = (type.targetProfile ?? [])
      .filter((url) => url.startsWith('http://hl7.org/'))
      .map((url) => url.slice(40));
    return `${code}(${code === 'Reference' ? targets.join() || 'Resource' : ''})`;
  }

  function readArchive(path: string): CoreResource[] {
    const folder = mkdtempSync(join(tmpdir(), 'suture-core-'));
    try {
      execFileSync('tar', ['xzf', path, '-C', folder]);
      const files = readdirSync(join(folder, 'package')).filter((name) =>
        /^(Structure|Compartment|SearchP).*\.json$/.test(name),
      );
      return files.map((name) => JSON.parse(readFileSync(join(folder, 'package', name), 'utf8')) as CoreResource);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
