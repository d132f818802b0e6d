/**
 * What validation costs, in this process and on one core, by processor time: a stay of 2.4 kB against the schemas alone,
 * with invariants and bindings as on every write, and with a claimed FR Core profile where the package is beside the
 * project. None needs a server.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as Fhir from '../../src/fhir/index.ts';
import type * as Packages from '../../src/packages/index.ts';
import type * as Slim from '../../src/packages/slim.ts';
import type * as Terminology from '../../src/terminology/index.ts';
import type * as Validation from '../../src/validation/index.ts';
import type { ResultRow } from './table.ts';

/** What is measured is the server as built: only below `dist` does it find what was generated for it. This file runs there. */
function built<Module>(path: string): Promise<Module> {
  return import(new URL(`../../../${path}.js`, import.meta.url).href) as Promise<Module>;
}
const { createLibrary, joinLibraries, loadDefinitions } = await built<typeof Fhir>('fhir/index');
const { createBaseLibrary, readPackage } = await built<typeof Packages>('packages/index');
const { slim } = await built<typeof Slim>('packages/slim');
const { createTerminology } = await built<typeof Terminology>('terminology/index');
const { createValidator } = await built<typeof Validation>('validation/index');

const warmUpMs = 500;
const batch = 50;
const frCoreFile = fileURLToPath(new URL('../../../../../shared/packages/hl7.fhir.fr.core-2.2.0.tgz', import.meta.url));
const frCoreEncounter = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-encounter';

/** As on every write: structure, invariants and bindings of R4. */
export function createBaseValidator(): Promise<Validation.Validator> {
  const core = createBaseLibrary();
  return createValidator({
    definitions: loadDefinitions(),
    beyond: { library: core, terms: createTerminology(core) },
  });
}

export async function measureValidation(seconds: number): Promise<readonly ResultRow[]> {
  const start = performance.now();
  const definitions = loadDefinitions();
  const core = createBaseLibrary();
  const plain = await createValidator({ definitions });
  const full = await createValidator({ definitions, beyond: { library: core, terms: createTerminology(core) } });
  requireValid(full, stay);
  const readyMs = performance.now() - start;
  const remark = `schemas ready ${Math.round(readyMs)} ms after their files are asked for, a first stay judged`;
  const rows = [
    { ...measure('validate, structure', plain, stay, seconds), remark },
    measure('validate, invariants and bindings', full, stay, seconds),
  ];
  if (!existsSync(frCoreFile)) return rows;
  const { definitions: bodies } = await readPackage(readFileSync(frCoreFile));
  const frCore = createLibrary(bodies.map(({ body }) => slim(JSON.parse(body) as Readonly<Record<string, unknown>>)));
  const library = joinLibraries(frCore, core);
  const french = await createValidator({ definitions, beyond: { library, terms: createTerminology(library) } });
  const claiming = { ...stay, meta: { ...stay.meta, profile: [frCoreEncounter] } };
  return [...rows, measure('validate, FR Core claimed', french, claiming, seconds)];
}

function measure(name: string, validator: Validation.Validator, resource: object, seconds: number): ResultRow {
  requireValid(validator, resource);
  run(validator, resource, warmUpMs);
  const before = process.cpuUsage();
  const count = run(validator, resource, seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const cost = { processUs: (user + system) / count, databaseUs: 0 };
  return { name, unit: 'resources per second of processor time', perSecond: 1e6 / cost.processUs, cost };
}

function run(validator: Validation.Validator, resource: object, durationMs: number): number {
  let count = 0;
  for (const start = performance.now(); performance.now() - start < durationMs; count += batch)
    for (let one = 0; one < batch; one++) validator.validate(resource);
  return count;
}

/** Faults cost time of their own: what is measured has none. */
function requireValid(validator: Validation.Validator, resource: object): void {
  const [first] = validator.validate(resource).filter(({ severity }) => severity === 'error');
  if (first !== undefined) throw new Error(`the stay is not valid: ${first.expression ?? ''}: ${first.text}`);
}

const coding = (system: string, code: string, display?: string): object => ({
  system,
  code,
  ...(display === undefined ? {} : { display }),
});
const terms = 'http://terminology.hl7.org/CodeSystem';

const stay = {
  resourceType: 'Encounter',
  id: 'sejour-2026-00042',
  meta: {
    versionId: '3',
    lastUpdated: '2026-03-02T16:20:00.123+01:00',
    tag: [coding('https://suture.example/fhir/CodeSystem/territory', 'haute-rive')],
  },
  identifier: [
    {
      use: 'official',
      type: { coding: [coding(`${terms}/v2-0203`, 'VN', 'Visit number')] },
      system: 'urn:oid:1.2.250.1.71.4.2.7.1',
      value: '2026-00042',
    },
  ],
  status: 'finished',
  statusHistory: [
    { status: 'arrived', period: { start: '2026-02-26T09:00:00+01:00', end: '2026-02-26T09:30:00+01:00' } },
    { status: 'in-progress', period: { start: '2026-02-26T09:30:00+01:00', end: '2026-03-02T16:20:00+01:00' } },
  ],
  class: coding(`${terms}/v3-ActCode`, 'IMP', 'inpatient encounter'),
  type: [
    {
      coding: [coding('https://hopital.example/CodeSystem/sejour', 'HC', 'Hospitalisation complète')],
      text: 'Hospitalisation complète',
    },
  ],
  subject: { reference: 'Patient/p1', type: 'Patient', display: 'Mme Odile Lefèvre' },
  participant: [
    {
      type: [{ coding: [coding(`${terms}/v3-ParticipationType`, 'ATND', 'attender')] }],
      period: { start: '2026-02-26T09:30:00+01:00' },
      individual: { reference: 'PractitionerRole/r1', display: 'Dr Aubry' },
    },
    { individual: { reference: 'https://autre.example/fhir/Practitioner/7' } },
  ],
  period: { start: '2026-02-26T09:00:00+01:00', end: '2026-03-02T16:20:00+01:00' },
  length: { value: 4.3, unit: 'jours', system: 'http://unitsofmeasure.org', code: 'd' },
  reasonCode: [
    {
      coding: [coding('http://hl7.org/fhir/sid/icd-10', 'C18.7', 'Tumeur maligne du côlon sigmoïde')],
      text: 'Résection du côlon sigmoïde',
    },
  ],
  diagnosis: [
    { condition: { reference: 'Condition/c1' }, use: { coding: [coding(`${terms}/diagnosis-role`, 'DD')] }, rank: 1 },
  ],
  hospitalization: {
    admitSource: { coding: [coding(`${terms}/admit-source`, 'gp')] },
    dischargeDisposition: { coding: [coding(`${terms}/discharge-disposition`, 'home', 'Home')] },
  },
  location: [
    {
      location: { reference: 'Location/l1', display: 'Chirurgie digestive, chambre 214' },
      status: 'completed',
      period: { start: '2026-02-26T09:30:00+01:00', end: '2026-03-02T16:20:00+01:00' },
    },
  ],
  serviceProvider: {
    reference: 'Organization/o1',
    identifier: { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1750999997' },
  },
};
