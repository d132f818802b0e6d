/** The JSON of a type as a trie over the members that its parameters name: indexing visits each member once. */
import type { Emitter, Place } from './collector.ts';
import { type KeyHash, keyText } from './keys.ts';
import type { IndexPath } from './parameters.ts';
import type { Path, Step } from './paths.ts';

/** A place of the JSON: what is emitted here, and which members lead on. */
export interface TrieNode {
  readonly emits: Emit[];
  readonly steps: Map<string, { readonly step: Step; readonly node: TrieNode }>;
}

export interface Emit {
  readonly emitter: Emitter;
  place: Place;
}

export interface Leaf {
  readonly path: Path;
  readonly at: IndexPath;
  readonly emitter: Emitter;
}

export interface LeafMarks {
  readonly hash: KeyHash;
  readonly isCompartment: boolean;
  /** Texts of the keys of presence by type that somebody asks for. */
  readonly typed: ReadonlySet<string>;
}

export function addLeaf(trie: TrieNode, { path, at, emitter }: Leaf, marks: LeafMarks): void {
  let node = trie;
  for (const step of path.steps) {
    const name = stepName(step);
    const next = node.steps.get(name) ?? { step, node: { emits: [], steps: new Map() } };
    node.steps.set(name, next);
    node = next.node;
  }
  const place = toPlace(path, at, marks);
  const known = node.emits.find((emit) => emit.emitter === emitter && samePlace(emit.place, place));
  if (known === undefined) node.emits.push({ emitter, place });
  else known.place = mergePlaces(known.place, place);
}

function toPlace(path: Path, at: IndexPath, { hash, isCompartment, typed }: LeafMarks): Place {
  const { category, name, restriction, isOrd, isProbe } = at;
  const presentTo =
    restriction === undefined ? [] : ([[restriction, hash(keyText.present(category, at.presence))]] as const);
  const typedText = keyText.typed(name, path.type);
  return {
    category,
    path: name,
    present: hash(keyText.present(category, name)),
    presentTo: new Map(presentTo),
    row: hash(at.row),
    typed: typed.has(typedText) ? hash(typedText) : undefined,
    isOrd,
    isCompartment,
    isProbe,
  };
}

function samePlace(a: Place, b: Place): boolean {
  return a.category === b.category && a.path === b.path;
}

function mergePlaces(a: Place, b: Place): Place {
  return {
    ...a,
    presentTo: new Map([...a.presentTo, ...b.presentTo]),
    isOrd: a.isOrd || b.isOrd,
    isCompartment: a.isCompartment || b.isCompartment,
    isProbe: a.isProbe && b.isProbe,
  };
}

function stepName(step: Step): string {
  switch (step.kind) {
    case 'member':
      return `${step.property}[${step.index ?? ''}]`;
    case 'filter':
      return `(${step.property}=${step.value})`;
    case 'compute':
      return step.text;
  }
}
