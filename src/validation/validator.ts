/**
 * Validation of a resource: every fault up to a limit, none repaired.
 *
 * First the generated validators, which know one resource type each. A resource inside a resource (contained, Bundle
 * entries, Parameters) is only an object to them: here each is found and judged by the validator of its own type.
 * Then, where a library is given, one walk through the whole (`profiles/walk.ts`): the rest of base R4, extensions, the
 * profiles that are claimed, asked for or required.
 */
import type { Issue } from '../base/index.ts';
import { type Definitions, isObject, type Library } from '../fhir/index.ts';
import { judgeContained } from './contained.ts';
import { makeIssues, makeProfileIssues, thereMayBeMore } from './issues.ts';
import { findPlaces, type Place } from './places.ts';
import type { BindingTerms } from './profiles/binding.ts';
import { createAccess, type Item, rootItem } from './profiles/items.ts';
import { addFault, createProfileJudge, type ProfileJudge } from './profiles/judge.ts';
import { createBaseRest } from './profiles/rest.ts';
import { createRoutes, type Routes } from './profiles/route.ts';
import { type ProfileFault, profileFaultsMax, type Run } from './profiles/run.ts';
import { faultTexts } from './profiles/texts.ts';
import { walk } from './profiles/walk.ts';
import { createRuntime, type Fault, faultsMax, type Runtime } from './runtime.ts';

export interface ValidatorOptions {
  readonly definitions: Definitions;
  /** Profiles, extensions and value sets; without them only what the schemas say is checked. */
  readonly beyond?: {
    readonly library: Library;
    readonly terms: BindingTerms;
    /** Canonicals of profiles that all resources of their type must conform to. */
    readonly required?: readonly string[];
  };
}

export interface Validator {
  /**
   * Empty when valid. Each issue says where by FHIRPath and none quotes free text. Throws `NotAtHand` when the library
   * must read something first.
   */
  validate(resource: unknown, expectations?: Expectations): readonly Issue[];
}

export interface Expectations {
  readonly typeExpected?: string;
  /** Profiles that the resource is asked to conform to, whatever it claims. */
  readonly profiles?: readonly string[];
  /** Profiles in `meta.profile`, and extensions: checked unless false. */
  readonly checksClaims?: boolean;
  /** Also what is no fault: extensible bindings, best practice. */
  readonly tellsWarnings?: boolean;
  /** Tells which elements that a profile marks must-support are not there. */
  readonly marksMustSupport?: boolean;
}

interface Generated {
  create(runtime: Runtime): Readonly<Record<string, GeneratedValidator>>;
}

interface GeneratedValidator {
  (data: unknown, context: { readonly instancePath: string }): boolean;
  errors?: readonly Fault[] | null;
}

export async function createValidator({ definitions, beyond }: ValidatorOptions): Promise<Validator> {
  const generated = (await import(new URL('../../generated/validators.js', import.meta.url).href)) as Generated;
  const validators = new Map(Object.entries(generated.create(createRuntime(definitions))));
  const judgeBeyond = beyond === undefined ? undefined : createBeyond(definitions, beyond);
  return {
    validate(resource, expectations = {}) {
      const faults = judge(validators, resource, expectations);
      const further = isObject(resource) ? (judgeBeyond?.(resource, expectations) ?? noFaults) : noFaults;
      if (faults.length === 0 && further.length === 0) return noIssues;
      const issues = [
        ...makeIssues(definitions, resource, faults),
        ...makeProfileIssues(definitions, resource, further),
      ];
      const areMore = faults.length > faultsMax || further.length >= profileFaultsMax;
      return areMore ? [...issues, thereMayBeMore] : issues;
    },
  };
}

const noIssues: readonly Issue[] = [];
const noFaults: readonly ProfileFault[] = [];

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
  const type = isObject(data) ? data['resourceType'] : undefined;
  return typeof type === 'string' ? type : '';
}

type JudgeBeyond = (resource: object, expectations: Expectations) => readonly ProfileFault[];

function createBeyond(definitions: Definitions, beyond: NonNullable<ValidatorOptions['beyond']>): JudgeBeyond {
  const profiles = createProfileJudge({
    access: createAccess(definitions),
    library: beyond.library,
    terms: beyond.terms,
  });
  const routesFor = (tellsWarnings: boolean): Routes =>
    createRoutes(profiles.access, createBaseRest(profiles, { tellsWarnings }));
  const [strict, telling] = [routesFor(false), routesFor(true)];
  let required: ReadonlyMap<string, readonly string[]> | undefined;
  return (resource, { profiles: asked = [], checksClaims = true, tellsWarnings = false, marksMustSupport = false }) => {
    required ??= groupByType(profiles, beyond.required ?? []);
    const root = rootItem(resource, '');
    if (definitions.type(root.type)?.kind !== 'resource') return noFaults;
    const run = profiles.open(root, marksMustSupport);
    walk({ judge: profiles, routes: tellsWarnings ? telling : strict, checksClaims, required }, root, run);
    for (const canonical of asked) judgeAsked(profiles, root, canonical, run);
    return distinct(run.faults);
  };
}

/** Who asks for a profile wants an answer: that it is not loaded is an error. */
function judgeAsked(judge: ProfileJudge, root: Item, canonical: string, run: Run): void {
  if (judge.isLoaded(canonical)) judge.judge(root, canonical, run);
  else addFault(run, root, { severity: 'error', code: 'not-found', ...faultTexts.profileUnknown(canonical) });
}

/** One that is not loaded is asked of the type that its URL ends with: nobody knows it better. */
function groupByType(judge: ProfileJudge, canonicals: readonly string[]): Map<string, readonly string[]> {
  const byType = new Map<string, readonly string[]>();
  for (const canonical of canonicals) {
    const type = judge.tree(canonical)?.type ?? '';
    byType.set(type, [...(byType.get(type) ?? []), canonical]);
  }
  return byType;
}

/** Two profiles of one family say the same of the same place. */
function distinct(faults: readonly ProfileFault[]): readonly ProfileFault[] {
  if (faults.length < 2) return faults;
  const byKey = new Map(faults.map((fault) => [`${fault.pointer} ${fault.code} ${fault.text}`, fault]));
  return byKey.size === faults.length ? faults : [...byKey.values()];
}
