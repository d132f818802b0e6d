/**
 * The search parameters of a type: those of the standard, those of the project, and those that were PUT.
 *
 * Keys belong to paths, not to parameters. `subject` and `patient` share one key, `combo-code` is sought at the paths of
 * `code` and `component-code`, and a new parameter on a known path needs no new rows.
 */
import { Problem } from '../base/index.ts';
import type { Definitions, Resource, SearchParameterDefinition, SearchParameterType } from '../fhir/index.ts';
import { compileParameter, compileType } from './compile.ts';
import type { CompositeBase } from './composite.ts';
import type { KeyHash } from './keys.ts';
import type { Compiler } from './leaves.ts';
import type { Step } from './paths.ts';
import type { TrieNode } from './trie.ts';
import type { IndexValues } from './values.ts';

export interface SearchParameter {
  readonly code: string;
  readonly type: SearchParameterType;
  readonly paths: readonly IndexPath[];
  /** Kept in a column of its own. */
  readonly column: 'id' | 'lastUpdated' | undefined;
  /** Of a composite parameter: where its values stand together. */
  readonly bases?: readonly CompositeBase[];
}

export interface IndexPath {
  readonly category: SearchParameterType;
  readonly resourceType: string;
  /** The name in keys. */
  readonly name: string;
  /** The element with its filters, without the types that are sought. */
  readonly text: string;
  readonly types: readonly string[];
  readonly targets: readonly string[];
  readonly restriction: string | undefined;
  /** The path of presence, which knows the restriction. */
  readonly presence: string;
  /** The text of the key of its rows. */
  readonly row: string;
  readonly systems: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** Where its values stand in the JSON, by their types. */
  readonly sources: readonly { readonly type: string; readonly steps: readonly Step[] }[];
  readonly isSingle: boolean;
  readonly isOrd: boolean;
  readonly isProbe: boolean;
}

export interface TypeIndex {
  readonly parameters: ReadonlyMap<string, SearchParameter>;
  readonly trie: TrieNode;
  /** Parameters that are defined but cannot be sought, with the reason. */
  readonly unsupported: ReadonlyMap<string, string>;
  /** Parameters whose index is still being built: what was stored before is not found by them yet. */
  readonly building: ReadonlySet<string>;
  /** The paths of the references that put a resource in the compartment of a patient. */
  readonly compartment: readonly IndexPath[];
  /** Values of resources that predicates have been asked about; a resource is never changed in place. */
  readonly indexed: WeakMap<Resource, IndexValues>;
}

/** A parameter that was stored as a resource. */
export interface CustomParameter {
  readonly definition: SearchParameterDefinition;
  readonly base: readonly string[];
  /** Everything that was stored before it has been indexed by it. */
  readonly isWhole: boolean;
}

export interface Parameters {
  /** Throws `unsupported-type`. */
  (resourceType: string): TypeIndex;
  /** The definitions of a type by code, custom ones included. */
  defined(resourceType: string): ReadonlyMap<string, SearchParameterDefinition>;
  /** From now on these are the custom parameters, instead of those before. */
  define(custom: readonly CustomParameter[]): void;
  /** Why a parameter could not be sought on a type; `undefined` when it can. */
  fault(definition: SearchParameterDefinition, resourceType: string): string | undefined;
}

/** Types are compiled when they are first asked for. */
export function createParameters(definitions: Definitions, hash: KeyHash): Parameters {
  let custom: readonly CustomParameter[] = [];
  const known = new Map<string, TypeIndex>();

  function defined(resourceType: string): ReadonlyMap<string, SearchParameterDefinition> {
    const own = custom.filter(({ base }) => isBase(base, resourceType)).map(({ definition }) => definition);
    const standard = definitions.searchParameters(resourceType);
    // The standard's parameters keep their codes.
    return own.length === 0 ? standard : new Map([...own.map((one) => [one.code, one] as const), ...standard]);
  }

  const compiler: Compiler = { definitions, hash, expressions: new Map(), defined };
  const parameters = (resourceType: string): TypeIndex => {
    const found = known.get(resourceType);
    if (found !== undefined) return found;
    requireType(definitions, resourceType);
    const building = custom.filter(({ base, isWhole }) => !isWhole && isBase(base, resourceType));
    const index = compileType(compiler, resourceType, new Set(building.map(({ definition }) => definition.code)));
    known.set(resourceType, index);
    return index;
  };
  return Object.assign(parameters, {
    defined,
    define(given: readonly CustomParameter[]) {
      const before = custom;
      custom = given;
      // Compiling takes a while: only types whose parameters are others.
      for (const type of known.keys()) if (printOf(before, type) !== printOf(given, type)) known.delete(type);
    },
    fault(definition: SearchParameterDefinition, resourceType: string) {
      requireType(definitions, resourceType);
      const compiled = compileParameter(compiler, resourceType, definition);
      return typeof compiled === 'string' ? compiled : undefined;
    },
  });
}

function printOf(custom: readonly CustomParameter[], resourceType: string): string {
  return JSON.stringify(custom.filter(({ base }) => isBase(base, resourceType)));
}

function isBase(base: readonly string[], resourceType: string): boolean {
  return base.some((one) => one === resourceType || one === 'Resource' || one === 'DomainResource');
}

function requireType(definitions: Definitions, resourceType: string): void {
  if (definitions.resourceTypes.has(resourceType)) return;
  throw new Problem('unsupported-type', 'the resource type is unknown to FHIR R4');
}
