/**
 * A StructureDefinition as a tree of elements, each with its slices, and slices of slices.
 *
 * From the snapshot where there is one; else the tree of the definition it derives from, with the differential applied:
 * a snapshot as a tree. Children of data types stay folded, and what holds for an unsliced element is not copied into its
 * slices: the validator checks every item against both. A base type of R4 adds nothing here: it is checked by schema.
 */
import { type ConformanceResource, type Definitions, type Library, readCanonical } from '../../fhir/index.ts';
import { applySource, makeElement, type ProfileElement, type SourceElement } from './element.ts';

export interface ProfileTree {
  readonly canonical: string;
  /** `Patient`, `Extension`, `Identifier`. */
  readonly type: string;
  readonly root: ProfileElement;
  /** Where an extension may stand. */
  readonly context: readonly { readonly type?: string; readonly expression?: string }[];
  /** FHIRPath about the element that has the extension; each must hold. */
  readonly contextInvariants: readonly string[];
}

export type TreeResult =
  | { readonly kind: 'tree'; readonly tree: ProfileTree }
  | { readonly kind: 'fault'; readonly fault: 'not-loaded' | 'other-type' | 'circular'; readonly canonical: string };

interface Structure extends ConformanceResource {
  readonly type?: string;
  readonly derivation?: string;
  readonly baseDefinition?: string;
  readonly snapshot?: { readonly element?: readonly SourceElement[] };
  readonly differential?: { readonly element?: readonly SourceElement[] };
  readonly context?: ProfileTree['context'];
  readonly contextInvariant?: readonly string[];
}

export interface TreeInput {
  readonly definitions: Definitions;
  readonly library: Library;
}

const derivationsMax = 20;

export function readTree(input: TreeInput, canonical: string, depth = 0): TreeResult {
  if (depth > derivationsMax) return { kind: 'fault', fault: 'circular', canonical };
  const [whole = '', part] = splitOnce(canonical, '#');
  if (part !== undefined) return readPart(readTree(input, whole, depth), part, canonical);
  const structure = input.library.find('StructureDefinition', canonical) as Structure | undefined;
  return structure === undefined ? readBaseType(input, canonical) : readStructure(input, structure, depth);
}

/** The part of a profile below one of its elements: `Composition.section:medication`. */
function readPart(whole: TreeResult, id: string, canonical: string): TreeResult {
  if (whole.kind === 'fault') return whole;
  const steps = id.split('.');
  let root: ProfileElement | undefined = whole.tree.root;
  for (const step of steps.slice(1)) {
    const [name = '', slice] = splitOnce(step, ':');
    const child: ProfileElement | undefined = root?.children.get(name.replace('[x]', ''));
    root = slice === undefined ? child : child?.slices.find(({ sliceName }) => sliceName === slice);
  }
  if (root === undefined) return { kind: 'fault', fault: 'not-loaded', canonical };
  const type = steps.map((step) => step.replace(/:.*/, '')).join('.');
  return { kind: 'tree', tree: { canonical, type, root, context: [], contextInvariants: [] } };
}

function readStructure(input: TreeInput, structure: Structure, depth: number): TreeResult {
  const { type, url: canonical } = structure;
  if (type === undefined || input.definitions.type(type) === undefined)
    return { kind: 'fault', fault: 'other-type', canonical };
  const snapshot = structure.snapshot?.element;
  if (snapshot !== undefined && snapshot.length > 0) return grow(structure, type, { elements: snapshot });
  const base = readTree(input, structure.baseDefinition ?? '', depth + 1);
  if (base.kind === 'fault') return base;
  return grow(structure, type, { elements: structure.differential?.element ?? [], root: base.tree.root });
}

const baseUrl = 'http://hl7.org/fhir/StructureDefinition/';

function readBaseType({ definitions }: TreeInput, canonical: string): TreeResult {
  const { url } = readCanonical(canonical);
  const name = url.startsWith(baseUrl) ? url.slice(baseUrl.length) : '';
  if (definitions.type(name) === undefined) return { kind: 'fault', fault: 'not-loaded', canonical };
  return {
    kind: 'tree',
    tree: { canonical, type: name, root: makeElement(name, name), context: [], contextInvariants: [] },
  };
}

interface Growth {
  readonly elements: readonly SourceElement[];
  readonly root?: ProfileElement;
}

function grow(structure: Structure, type: string, { elements, root = makeElement(type, type) }: Growth): TreeResult {
  const open = new Map<string, string>();
  for (const source of elements) {
    const element = locate(root, stepsOf(source, open));
    if (element !== undefined) applySource(element, source);
  }
  const canonical = structure.version === undefined ? structure.url : `${structure.url}|${structure.version}`;
  const { context = [], contextInvariant: contextInvariants = [] } = structure;
  return { kind: 'tree', tree: { canonical, type, root, context, contextInvariants } };
}

/** The element at the end of the steps, made where it is not there yet; undefined for what names no place. */
function locate(root: ProfileElement, steps: readonly string[]): ProfileElement | undefined {
  let element = root;
  for (const step of steps.slice(1)) {
    const [whole = '', slice] = splitOnce(step, ':');
    element = childOf(element, whole.replace('[x]', ''));
    if (slice !== undefined) element = sliceOf(element, slice);
  }
  return steps.length === 0 ? undefined : element;
}

/**
 * By id; where it has none that fits, by path and slice name, and by the order of the elements: what follows a slice
 * below its path belongs to that slice. `open`: path -> the slice that was named there last.
 */
function stepsOf({ id, path = '', sliceName }: SourceElement, open: Map<string, string>): readonly string[] {
  const byPath = path.split('.');
  const byId = id?.split('.') ?? [];
  for (const known of open.keys()) if (known === path || known.startsWith(`${path}.`)) open.delete(known);
  if (sliceName !== undefined) open.set(path, sliceName);
  if (byId.length === byPath.length) return byId;
  return byPath.map((name, depth) => {
    const slice = open.get(byPath.slice(0, depth + 1).join('.'));
    return slice === undefined ? name : `${name}:${slice}`;
  });
}

function childOf(parent: ProfileElement, name: string): ProfileElement {
  const known = parent.children.get(name);
  if (known !== undefined) return known;
  const made = makeElement(`${parent.id}.${name}`, name);
  parent.children.set(name, made);
  return made;
}

/** `a/b` is the slice `a/b` of the slice `a`. */
function sliceOf(element: ProfileElement, name: string): ProfileElement {
  const known = element.slices.find((slice) => slice.sliceName === name);
  if (known !== undefined) return known;
  const parent = element.slices.find((slice) => name.startsWith(`${slice.sliceName ?? ''}/`));
  if (parent !== undefined) return sliceOf(parent, name);
  const made = makeElement(`${element.id}:${name}`, element.name, name);
  element.slices.push(made);
  return made;
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
