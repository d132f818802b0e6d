/**
 * A profile's tree compiled to closures, once. Only what the profile adds to base R4 becomes code: what the schema
 * checks already (`../validator.ts`) is left out, so a profile costs what it says and nothing more.
 */
import type { ElementDefinition, TypeDefinition } from '../../fhir/index.ts';
import {
  type Base,
  type Compilation,
  compileBinding,
  compileConstraints,
  compileTypes,
  compileValues,
  type ItemCheck,
  reporter,
} from './checks.ts';
import { makeSliceTest, type Surroundings } from './discriminate.ts';
import type { ProfileElement, Slicing } from './element.ts';
import type { Item } from './items.ts';
import { profileFaultsMax, type Run } from './run.ts';
import { type GroupCheck, judgeSlices, slicingOf } from './slices.ts';
import { describeCount, faultTexts } from './texts.ts';
import type { ProfileTree } from './tree.ts';

export type CompiledProfile = (item: Item, run: Run) => void;

export function compileProfile(near: Surroundings, tree: ProfileTree): CompiledProfile {
  const type = near.access.definitions.type(tree.type);
  const check = joinItemChecks(compileContent({ near, tree }, tree.root, { type, base: undefined }));
  return (item, run) => {
    if (run.faults.length < profileFaultsMax) check?.(item, run);
  };
}

function joinItemChecks(checks: readonly ItemCheck[]): ItemCheck | undefined {
  if (checks.length < 2) return checks[0];
  return (item, run) => {
    for (const check of checks) if (run.faults.length < profileFaultsMax) check(item, run);
  };
}

/** What must hold of each item. */
function compileContent(compilation: Compilation, element: ProfileElement, base: Base): readonly ItemCheck[] {
  return [
    ...compileTypes(compilation, element, base),
    ...compileValues(compilation, element),
    ...compileBinding(compilation, element, base),
    ...compileConstraints(compilation, element, base),
    ...compileChildren(compilation, element, base),
  ];
}

function compileChildren(compilation: Compilation, element: ProfileElement, { type }: Base): readonly ItemCheck[] {
  return [...element.children.values()].flatMap((child) => {
    const named = nameChild(child, type);
    const base = type?.elements.get(named.name);
    const group = compileGroup(compilation, named, base);
    if (group === undefined) return [];
    const { children } = compilation.near.access;
    return [(item: Item, run: Run) => group(children(item, named.name), item, run)];
  });
}

/** `valueQuantity` is the choice `value` with one type, or a slice of it where there are others. */
function nameChild(child: ProfileElement, type: TypeDefinition | undefined): ProfileElement {
  if (type === undefined || type.elements.has(child.name)) return child;
  const base = [...type.elements.values()].find(
    (element) => element.isChoice && element.types.some(({ code }) => child.name === element.name + capital(code)),
  );
  if (base === undefined) return child;
  const code = base.types.find((reference) => child.name === base.name + capital(reference.code))?.code ?? '';
  const slice = { ...child, name: base.name, sliceName: child.name, types: child.types ?? [{ code }] };
  const discriminators = [{ type: 'type' as const, path: '$this' }];
  return {
    ...child,
    name: base.name,
    min: undefined,
    max: undefined,
    types: undefined,
    fixed: undefined,
    pattern: undefined,
    binding: undefined,
    constraints: [],
    children: new Map(),
    slicing: { discriminators, rules: 'open', isOrdered: false },
    slices: [slice],
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function compileGroup(
  compilation: Compilation,
  element: ProfileElement,
  base: ElementDefinition | undefined,
  outer?: Slicing,
): GroupCheck | undefined {
  const only = base?.types.length === 1 ? base.types[0] : undefined;
  const narrowed = element.types?.length === 1 ? element.types[0]?.code : undefined;
  const typeName = only === undefined || only.code === 'Resource' ? narrowed : only.code;
  const type = typeName === undefined ? undefined : compilation.near.access.definitions.type(typeName);
  const content = joinItemChecks(compileContent(compilation, element, { type, base }));
  const parts = [
    compileCount(compilation, element, base),
    content === undefined ? undefined : eachItem(content),
    compileSlices(compilation, element, base, outer),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : joinGroups(parts);
}

function joinGroups(parts: readonly GroupCheck[]): GroupCheck {
  return (items, parent, run) => {
    for (const part of parts) part(items, parent, run);
  };
}

function eachItem(check: ItemCheck): GroupCheck {
  return (items, _parent, run) => {
    for (const item of items) check(item, run);
  };
}

/** An element that is not there, by its name below its parent. */
function absentItem(parent: Item, name: string): Item {
  return { value: undefined, beside: undefined, type: '', name, parent, step: `/${name}` };
}

function compileCount(
  { tree }: Compilation,
  element: ProfileElement,
  base: ElementDefinition | undefined,
): GroupCheck | undefined {
  const { min = 0, max = Infinity, sliceName, name, mustSupport } = element;
  const asksMore = min > (sliceName === undefined ? (base?.min ?? 0) : 0);
  const asksLess = max < (sliceName === undefined ? (base?.max ?? Infinity) : Infinity);
  if (!asksMore && !asksLess && !mustSupport) return undefined;
  const [tooFew, tooMany] = [reporter(tree, 'required'), reporter(tree, 'structure')];
  const unsupported = reporter(tree, 'informational', 'information');
  return (items, parent, run) => {
    const { length } = items;
    const at = items[max] ?? absentItem(parent, name);
    if (length < min) tooFew(at, run, describeCount({ sliceName, min, max, found: length }));
    else if (length > max) tooMany(at, run, describeCount({ sliceName, min, max, found: length }));
    else if (length === 0 && mustSupport && run.marksMustSupport)
      unsupported(at, run, faultTexts.mustSupport(sliceName));
  };
}

function compileSlices(
  compilation: Compilation,
  element: ProfileElement,
  base: ElementDefinition | undefined,
  outer: Slicing | undefined,
): GroupCheck | undefined {
  const slicing = slicingOf(element, base, outer);
  if (slicing === undefined || (element.slices.length === 0 && slicing.rules === 'open')) return undefined;
  const others = element.slices.find(({ sliceName }) => sliceName === '@default');
  const slices = element.slices
    .filter((slice) => slice !== others)
    .map((slice) => ({
      test: makeSliceTest(compilation.near, slice, slicing),
      group: compileGroup(compilation, slice, base, slicing),
    }));
  const rest = others === undefined ? undefined : compileGroup(compilation, others, base);
  return judgeSlices({ slices, slicing, rest, tree: compilation.tree });
}
