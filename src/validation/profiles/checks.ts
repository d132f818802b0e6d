/** What a profile says of one item of an element: its types and their profiles, its value, its code, its constraints. */
import {
  createInvariant,
  type ElementDefinition,
  type Invariant,
  isObject,
  type TypeDefinition,
  type TypeReference,
} from '../../fhir/index.ts';
import { judgeBinding } from './binding.ts';
import type { Surroundings } from './discriminate.ts';
import type { ProfileConstraint, ProfileElement, ProfileType } from './element.ts';
import { type Item, pointerOf } from './items.ts';
import type { ProfileFault, Run } from './run.ts';
import { faultTexts, type Texts } from './texts.ts';
import type { ProfileTree } from './tree.ts';
import { compare, isSame, matchesPattern } from './values.ts';

export type ItemCheck = (item: Item, run: Run) => void;

export interface Compilation {
  readonly near: Surroundings;
  readonly tree: ProfileTree;
}

/** What base R4 says of the element: of a type where the element is a choice or a resource, nothing. */
export interface Base {
  readonly type: TypeDefinition | undefined;
  readonly base: ElementDefinition | undefined;
}

type Report = (item: Item, run: Run, texts: Texts) => void;

/** Faults of this profile, of one kind. */
export function reporter(
  { canonical }: ProfileTree,
  code: string,
  severity: ProfileFault['severity'] = 'error',
): Report {
  return (item, run, { text, french }) => {
    run.faults.push({ pointer: pointerOf(item), severity, code, text, french, profile: canonical });
  };
}

const systemType = /^http:\/\/hl7\.org\/fhirpath\//;
const backbones: ReadonlySet<string> = new Set(['BackboneElement', 'Element', 'Resource', 'DomainResource']);

export function compileTypes(compilation: Compilation, element: ProfileElement, { base }: Base): readonly ItemCheck[] {
  const { near, tree } = compilation;
  const types = (element.types ?? []).filter(({ code }) => !systemType.test(code));
  if (types.length === 0 || element === tree.root) return [];
  const checks: ItemCheck[] = [];
  const codes = new Set(types.map(({ code }) => code));
  const isNarrow =
    base?.types.some(({ code }) => !codes.has(code)) === true && ![...codes].some((code) => backbones.has(code));
  if (isNarrow) checks.push(judgeType(tree, codes));
  if (types.some(({ profile }) => profile !== undefined)) checks.push(judgeProfiles(near, tree, types));
  const references = types.filter(({ code }) => code === 'Reference');
  if (references.some(({ aggregation }) => aggregation !== undefined)) checks.push(judgeAggregation(tree, references));
  const targets = references.flatMap(({ targetProfile = [] }) => targetProfile);
  if (targets.length > 0 && !areOfBase(targets, base)) checks.push(judgeTargets(near, tree, targets));
  return checks;
}

function judgeType(tree: ProfileTree, codes: ReadonlySet<string>): ItemCheck {
  const report = reporter(tree, 'structure');
  return (item, run) => {
    if (!codes.has(item.type)) report(item, run, faultTexts.type([...codes]));
  };
}

const baseUrl = 'http://hl7.org/fhir/StructureDefinition/';

/** A snapshot repeats the targets of the base, which are checked there. */
function areOfBase(targets: readonly string[], base: ElementDefinition | undefined): boolean {
  const known = new Set(base?.types.flatMap(({ targets: own = [] }: TypeReference) => own));
  return (
    targets.length >= known.size &&
    targets.every((one) => one.startsWith(baseUrl) && known.has(one.slice(baseUrl.length)))
  );
}

/** One of the profiles of its type; where there is one only, its own faults tell more. */
function judgeProfiles(near: Surroundings, tree: ProfileTree, types: readonly ProfileType[]): ItemCheck {
  const report = reporter(tree, 'structure');
  return (item, run) => {
    const fitting = types.filter(({ code }) => code === item.type || backbones.has(code));
    if (fitting.length === 0 || fitting.some(({ profile }) => profile === undefined)) return;
    const profiles = fitting.flatMap(({ profile = [] }) => profile);
    const [only] = profiles;
    if (profiles.length === 1 && only !== undefined) near.judge(item, only, run);
    else if (!profiles.some((canonical) => near.conforms(item, canonical, run)))
      report(item, run, faultTexts.noProfile(profiles));
  };
}

function judgeAggregation(tree: ProfileTree, types: readonly ProfileType[]): ItemCheck {
  const report = reporter(tree, 'structure');
  const allowed = new Set(types.flatMap(({ aggregation = [] }) => aggregation));
  return (item, run) => {
    const literal = literalOf(item);
    if (literal === undefined) return;
    const isBundled = run.resolve(literal, item) !== undefined;
    const kind = literal.startsWith('#') ? 'contained' : isBundled ? 'bundled' : 'referenced';
    if (!allowed.has(kind)) report(item, run, faultTexts.aggregation([...allowed]));
  };
}

function literalOf({ type, value }: Item): string | undefined {
  const reference = type === 'Reference' && isObject(value) ? value['reference'] : undefined;
  return typeof reference === 'string' ? reference : undefined;
}

/** Of a resource at hand: it conforms to one of them. Of another: the type that the reference tells. */
function judgeTargets(near: Surroundings, tree: ProfileTree, targets: readonly string[]): ItemCheck {
  const report = reporter(tree, 'value');
  return (item, run) => {
    if (item.type !== 'Reference' || !isObject(item.value)) return;
    const literal = literalOf(item);
    const target = literal === undefined ? undefined : run.resolve(literal, item);
    if (target === undefined) {
      if (!isTypeAllowed(near, targets, statedType(item.value, literal))) report(item, run, faultTexts.target(targets));
    } else if (!targets.some((canonical) => near.conforms(target, canonical, run)))
      report(item, run, faultTexts.targetProfile(targets));
  };
}

function isTypeAllowed(near: Surroundings, targets: readonly string[], type: string | undefined): boolean {
  const known = targets.map((canonical) => near.tree(canonical)?.type);
  return type === undefined || known.includes(undefined) || known.includes('Resource') || known.includes(type);
}

function statedType({ type }: Readonly<Record<string, unknown>>, literal = ''): string | undefined {
  if (typeof type === 'string') return type;
  return /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/.+)?$/.exec(literal)?.[1];
}

export function compileValues({ tree }: Compilation, element: ProfileElement): readonly ItemCheck[] {
  const { fixed, pattern, minValue, maxValue, maxLength } = element;
  const report = reporter(tree, 'value');
  const checks: ItemCheck[] = [];
  const add = (isWrong: (value: unknown) => boolean, texts: Texts): void => {
    checks.push((item, run) => {
      if (isWrong(item.value)) report(item, run, texts);
    });
  };
  if (fixed !== undefined) add((value) => !isSame(value, fixed), faultTexts.fixed(fixed));
  if (pattern !== undefined) add((value) => !matchesPattern(value, pattern), faultTexts.pattern(pattern));
  if (minValue !== undefined) add((value) => (compare(value, minValue) ?? 0) < 0, faultTexts.minValue(minValue));
  if (maxValue !== undefined) add((value) => (compare(value, maxValue) ?? 0) > 0, faultTexts.maxValue(maxValue));
  if (maxLength !== undefined)
    add((value) => typeof value === 'string' && value.length > maxLength, faultTexts.maxLength(maxLength));
  return checks;
}

export function compileBinding(
  { near, tree }: Compilation,
  element: ProfileElement,
  { base }: Base,
): readonly ItemCheck[] {
  const { binding } = element;
  if (binding === undefined || !['required', 'extensible'].includes(binding.strength)) return [];
  const isBase =
    base?.binding?.strength === binding.strength && base.binding.valueSet === binding.valueSet.split('|')[0];
  if (isBase) return [];
  return [
    (item, run) => {
      const fault = judgeBinding(near, item, binding);
      if (fault !== undefined) run.faults.push({ pointer: pointerOf(item), ...fault, profile: tree.canonical });
    },
  ];
}

/** Those of base R4 are checked with the base; `ele-1` and the like are repeated in each snapshot. */
function isOfBase(
  { near }: Compilation,
  { key, source, expression }: ProfileConstraint,
  { type, base }: Base,
): boolean {
  const isStated =
    source?.startsWith(baseUrl) === true && near.access.definitions.type(source.slice(baseUrl.length)) !== undefined;
  if (isStated || key === 'ele-1' || key === 'ext-1') return true;
  const stated = [...(type?.constraints ?? []), ...(base?.constraints ?? [])];
  return stated.some((one) => one.key === key && one.expression === expression);
}

export function compileConstraints(
  compilation: Compilation,
  element: ProfileElement,
  base: Base,
): readonly ItemCheck[] {
  return element.constraints
    .filter((constraint) => !isOfBase(compilation, constraint, base))
    .map((constraint) => judgeConstraint(compilation.tree, constraint, element));
}

function judgeConstraint(
  tree: ProfileTree,
  { key, severity, human, expression }: ProfileConstraint,
  element: ProfileElement,
): ItemCheck {
  // An element that is a resource: %resource is the one that it stands in, not itself.
  const isRoot = element === tree.root;
  const report = reporter(tree, 'invariant', severity);
  const reportUndecided = reporter(tree, 'processing', 'warning');
  const byType = new Map<string, Invariant>();
  return (item, run) => {
    const invariant = byType.get(item.type) ?? createInvariant(expression, item.type);
    byType.set(item.type, invariant);
    const from = isRoot ? item : (item.parent ?? item);
    const holds = invariant(item.value ?? item.beside, run.scope(from));
    if (holds === false) report(item, run, faultTexts.invariant(key, human, element.id));
    if (holds !== undefined || run.told.has(`${tree.canonical} ${key}`)) return;
    run.told.add(`${tree.canonical} ${key}`);
    reportUndecided(item, run, faultTexts.unevaluated(key));
  };
}
