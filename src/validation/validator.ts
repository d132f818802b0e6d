/**
 * Base validation of a resource against R4: every fault up to a limit, none repaired.
 *
 * The generated validators know one resource type each. A resource inside a resource (contained, Bundle entries,
 * Parameters) is only an object to them: here each is found and judged by the validator of its own type.
 * Profiles, slices, terminology beyond required bindings and the remaining invariants come after this and report the
 * same issues.
 */
import type { Issue } from '../base/index.ts';
import type { Definitions } from '../fhir/index.ts';
import { judgeContained } from './contained.ts';
import { makeIssues } from './issues.ts';
import { findPlaces, type Place } from './places.ts';
import { createRuntime, type Fault, faultsMax, type Runtime } from './runtime.ts';

export interface ValidatorOptions {
  readonly definitions: Definitions;
}

export interface Validator {
  /** Empty when valid. Faults are `error`; each says where by FHIRPath and none quotes free text. */
  validate(resource: unknown, expectations?: Expectations): readonly Issue[];
}

export interface Expectations {
  readonly typeExpected?: string;
}

interface Generated {
  create(runtime: Runtime): Readonly<Record<string, GeneratedValidator>>;
}

interface GeneratedValidator {
  (data: unknown, context: { readonly instancePath: string }): boolean;
  errors?: readonly Fault[] | null;
}

export async function createValidator({ definitions }: ValidatorOptions): Promise<Validator> {
  const generated = (await import(new URL('../../generated/validators.js', import.meta.url).href)) as Generated;
  const validators = new Map(Object.entries(generated.create(createRuntime(definitions))));
  return {
    validate(resource, expectations = {}) {
      const faults = judge(validators, resource, expectations);
      return faults.length === 0 ? noIssues : makeIssues(definitions, resource, faults);
    },
  };
}

const noIssues: readonly Issue[] = [];

type Validators = ReadonlyMap<string, GeneratedValidator>;

function judge(validators: Validators, resource: unknown, { typeExpected }: Expectations): readonly Fault[] {
  const faults: Fault[] = [];
  const pending: Place[] = [{ data: resource, path: '' }];
  for (let place = pending.pop(); place !== undefined && faults.length <= faultsMax; place = pending.pop()) {
    const { data, path } = place;
    const type = resourceTypeOf(data);
    const expected = path === '' ? typeExpected : undefined;
    if (expected !== undefined && type !== expected)
      faults.push({ instancePath: `${path}/resourceType`, keyword: 'resourceType', params: { expected } });
    const validator = validators.get(type);
    if (validator === undefined) {
      if (expected === undefined || type === expected)
        faults.push({ instancePath: `${path}/resourceType`, keyword: 'resourceType', params: {} });
      continue;
    }
    if (!validator(data, { instancePath: path })) faults.push(...(validator.errors ?? []));
    faults.push(...judgeContained(place));
    for (const inner of findPlaces(place).reverse()) pending.push(inner);
  }
  return faults;
}

function resourceTypeOf(data: unknown): string {
  const type =
    typeof data === 'object' && data !== null ? (data as { resourceType?: unknown }).resourceType : undefined;
  return typeof type === 'string' ? type : '';
}
