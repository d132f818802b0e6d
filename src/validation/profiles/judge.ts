/**
 * Conformance to profiles, each compiled when it is first needed and kept as long as the library stays the same.
 */
import {
  createSelection,
  type InvariantScope,
  isObject,
  type Library,
  readCanonical,
  type Selection,
} from '../../fhir/index.ts';
import { compileProfile, type CompiledProfile } from './compile.ts';
import { extensionUrls, type Surroundings } from './discriminate.ts';
import { type Access, type Item, pointerOf } from './items.ts';
import { findTarget, rootOf } from './resolve.ts';
import { isClean, type ProfileFault, type Run } from './run.ts';
import { faultTexts } from './texts.ts';
import { type ProfileTree, readTree, type TreeResult } from './tree.ts';
import type { BindingTerms } from './binding.ts';
import { createSystems, type KnownSystem } from './systems.ts';

export interface ProfileJudge extends Surroundings {
  readonly library: Library;
  isLoaded(canonical: string): boolean;
  /** Of the context of an extension, compiled once. */
  selection(expression: string): Selection;
  /** What is known of a code system; undefined where it is not loaded. */
  codeSystem(canonical: string): KnownSystem | undefined;
  /** A run over the resource, in which profiles are judged. */
  open(root: Item, marksMustSupport: boolean): Run;
}

export interface JudgeInput {
  readonly access: Access;
  readonly library: Library;
  readonly terms: BindingTerms;
}

export function createProfileJudge({ access, library, terms }: JudgeInput): ProfileJudge {
  const trees = new Map<string, TreeResult>();
  const compiled = new Map<ProfileTree, CompiledProfile>();
  const selections = new Map<string, Selection>();
  const result = (canonical: string): TreeResult => {
    const known = trees.get(canonical) ?? readTree({ definitions: access.definitions, library }, canonical);
    if (trees.size < profilesMax) trees.set(canonical, known);
    return known;
  };
  const profileOf = (tree: ProfileTree): CompiledProfile => {
    const known = compiled.get(tree) ?? compileProfile(judge, tree);
    compiled.set(tree, known);
    return known;
  };
  const judge: ProfileJudge = {
    access,
    library,
    tree(canonical) {
      const found = result(canonical);
      return found.kind === 'tree' ? found.tree : undefined;
    },
    isLoaded(canonical) {
      const found = result(canonical);
      return found.kind === 'tree' || found.fault === 'other-type';
    },
    selection(expression) {
      const known = selections.get(expression) ?? createSelection(expression);
      selections.set(expression, known);
      return known;
    },
    member: (valueSet, system, code) => terms.member(valueSet, system, code),
    codeSystem: createSystems(library, terms),
    conforms: (item, canonical, run) => isClean(run, (inner) => judge.judge(item, canonical, inner)),
    judge(item, canonical, run) {
      const found = result(canonical);
      if (found.kind === 'fault') return tellFault(run, item, found);
      const { tree } = found;
      if (!isOfType(access, item.type, tree.type)) return tellUnfit(run, item, tree);
      const key = `${canonical} ${pointerOf(item)}`;
      if (run.open.has(key)) return;
      run.open.add(key);
      profileOf(tree)(item, run);
      run.open.delete(key);
    },
    open: (root, marksMustSupport) => openRun(judge, root, marksMustSupport),
  };
  return judge;
}

/** Names of profiles come from outside too. */
const profilesMax = 20_000;

function openRun(judge: ProfileJudge, root: Item, marksMustSupport: boolean): Run {
  const run: Run = {
    faults: [],
    root,
    marksMustSupport,
    open: new Set(),
    told: new Set(),
    named: new Map(),
    resolve: (reference, from) => findTarget(judge.access, reference, from),
    scope: (item) => scopeOf(judge, item, run),
  };
  return run;
}

function scopeOf(judge: ProfileJudge, item: Item, run: Run): InvariantScope {
  const { resource, container } = rootOf(judge.access, item);
  return {
    resource: resource.value,
    rootResource: container.value,
    resolve: (reference, within) =>
      containedIn(within, resource.value, reference) ?? run.resolve(reference, item)?.value,
    conformsTo: (value, profile) => {
      const type = isObject(value) && typeof value['resourceType'] === 'string' ? value['resourceType'] : item.type;
      return judge.conforms({ ...item, value, type, step: `${item.step}/%` }, profile, run);
    },
    memberOf: (value, valueSet) => isMember(judge, value, valueSet),
  };
}

/** Of an expression about a Bundle: a link in one of its entries means what that entry contains. */
function containedIn(within: unknown, resource: unknown, reference: string): unknown {
  if (within === resource || !reference.startsWith('#') || !isObject(within)) return undefined;
  const { contained } = within;
  return Array.isArray(contained)
    ? contained.find((one: unknown) => isObject(one) && one['id'] === reference.slice(1))
    : undefined;
}

/** What is not known counts as a member: an invariant must not fail for it. */
function isMember(judge: ProfileJudge, value: unknown, valueSet: string): boolean {
  if (typeof value === 'string') return judge.member(valueSet, undefined, value) !== 'out';
  if (!isObject(value)) return false;
  const codings = Array.isArray(value['coding']) ? value['coding'].filter(isObject) : [value];
  return codings.some(
    ({ system, code }) =>
      typeof code === 'string' &&
      judge.member(valueSet, typeof system === 'string' ? system : undefined, code) !== 'out',
  );
}

export function isOfType({ definitions }: Access, type: string, expected: string): boolean {
  for (let next: string | undefined = type; next !== undefined; next = definitions.type(next)?.base)
    if (next === expected) return true;
  return false;
}

function tellFault(run: Run, item: Item, { fault, canonical }: Extract<TreeResult, { kind: 'fault' }>): void {
  if (fault === 'other-type') return tellUnfit(run, item, { canonical, type: 'what is no resource of R4' });
  const { url } = readCanonical(canonical);
  if (url === '' || run.told.has(url)) return;
  run.told.add(url);
  addFault(run, item, { severity: 'warning', code: 'not-supported', ...faultTexts.profileUnknown(canonical) });
}

function tellUnfit(run: Run, item: Item, { canonical, type }: Pick<ProfileTree, 'canonical' | 'type'>): void {
  addFault(run, item, {
    severity: 'error',
    code: 'structure',
    profile: canonical,
    ...faultTexts.profileUnfit(canonical, type),
  });
}

export function addFault(run: Run, item: Item, fault: Omit<ProfileFault, 'pointer'>): void {
  run.faults.push({ pointer: pointerOf(item), ...fault });
}

export { extensionUrls };
