/**
 * FHIRPath for invariants of definitions (https://hl7.org/fhir/R4/fhirpath.html), run by the library as it stands: they
 * are written for its semantics. Unlike rules (`fhirpath.ts`) they are not checked before they run, and use functions
 * that rules may not: `resolve`, `conformsTo`, `memberOf`. What these need is handed in; no request leaves.
 */
import fhirpath, { type UserInvocationTable } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { NotAtHand } from './library.ts';

export interface InvariantScope {
  /** The resource that the element stands in, and the outermost one. */
  readonly resource: unknown;
  readonly rootResource: unknown;
  /**
   * The resource that a literal reference means, in the resource (`within`) that it stands in; undefined when it is not
   * at hand.
   */
  resolve(reference: string, within?: unknown): unknown;
  conformsTo(value: unknown, profile: string): boolean;
  memberOf(value: unknown, valueSet: string): boolean;
}

/** True when it holds; undefined when the expression cannot be evaluated here. As the HL7 validator: nothing is false. */
export type Invariant = (value: unknown, scope: InvariantScope) => boolean | undefined;

/** `base`: type or path of the element that the expression is about, e.g. `Identifier`, `Patient.contact`. */
export function createInvariant(expression: string, base: string): Invariant {
  let run: ((value: unknown, variables: Record<string, unknown>) => unknown[]) | undefined;
  return (value, scope) => {
    try {
      run ??= fhirpath.compile({ base, expression: asMeant(expression, base) }, r4, options) as NonNullable<typeof run>;
      const { resource, rootResource } = scope;
      return isTrue(run(value, { resource, rootResource, [scopeVariable]: scope }));
    } catch (error) {
      // What `conformsTo` needs may have to be read first: that is for the owner of the library.
      if (error instanceof NotAtHand) throw error;
      return undefined;
    }
  };
}

/**
 * What published invariants mean by names that the library reads otherwise: of a primitive, `value` is the primitive
 * itself (guides write `value.startsWith(...)` on a string), and `is Boolean`, `as String` mean FHIR's types too.
 */
function asMeant(text: string, base: string): string {
  const expression = text.replace(/\b(is|as) (Boolean|String|Integer|Decimal)\b/g, lowerType);
  return /^[a-z]/.test(base) ? expression.replace(/(^|[^.\w%`'])value(?![\w(`'])/g, '$1\$this') : expression;
}

function lowerType(_all: string, operator: string, type: string): string {
  return `${operator} ${type.toLowerCase()}`;
}

/**
 * Whether an expression about a resource yields a certain element of it, told by its JSON (an object), or undefined
 * when it cannot be evaluated.
 */
export type Selection = (resource: unknown, element: object) => boolean | undefined;

export function createSelection(expression: string): Selection {
  let run: ((value: unknown) => unknown) | undefined;
  return (resource, element) => {
    try {
      run ??= fhirpath.compile(expression, r4, options) as unknown as (value: unknown) => unknown;
      const found = run(resource) as readonly LibraryNode[];
      return found.some((node) => node === element || node?.data === element || node?._data === element);
    } catch {
      return undefined;
    }
  };
}

const scopeVariable = '@scope';

interface Evaluation {
  readonly vars: { readonly [scopeVariable]: InvariantScope };
}

interface LibraryNode {
  readonly data?: unknown;
  /** Of a primitive, what stands beside it. */
  readonly _data?: unknown;
  readonly parentResNode?: LibraryNode | null;
}

const functions: UserInvocationTable = {
  resolve: {
    fn(this: Evaluation, items: readonly unknown[]) {
      const { [scopeVariable]: scope } = this.vars;
      return items.flatMap((item) => {
        const data = dataOf(item);
        const reference =
          typeof data === 'string' ? data : (data as { readonly reference?: unknown } | null)?.reference;
        const found = typeof reference === 'string' ? scope.resolve(reference, resourceOf(item)) : undefined;
        return found === undefined ? [] : [nodeLike(item, found, this)];
      });
    },
    arity: { 0: [] },
    internalStructures: true,
  },
  conformsTo: questionOf((scope, data, profile) => scope.conformsTo(data, profile)),
  memberOf: questionOf((scope, data, valueSet) => scope.memberOf(data, valueSet)),
  // The narrative is checked with the structure of the resource.
  htmlChecks: { fn: () => [true], arity: { 0: [] }, internalStructures: true },
  htmlChecks2: { fn: () => [true], arity: { 0: [] }, internalStructures: true },
};

/** The nearest resource above an item that contains resources, or is no contained one. */
function resourceOf(item: unknown): unknown {
  const nodes: LibraryNode[] = [];
  for (let node = item as LibraryNode | null | undefined; node && nodes.length < depthMax; node = node.parentResNode)
    nodes.push(node);
  const resources = nodes.map(({ data }) => data).filter(isResource);
  return resources.find(({ contained }) => contained !== undefined) ?? resources[0];
}

const depthMax = 200;

function isResource(data: unknown): data is { readonly resourceType: string; readonly contained?: unknown } {
  return typeof data === 'object' && data !== null && 'resourceType' in data;
}

function questionOf(
  ask: (scope: InvariantScope, data: unknown, argument: string) => boolean,
): UserInvocationTable[string] {
  return {
    fn(this: Evaluation, items: readonly unknown[], argument: string) {
      return items.length === 0 ? [] : [items.every((item) => ask(this.vars[scopeVariable], dataOf(item), argument))];
    },
    arity: { 1: ['String'] },
    internalStructures: true,
  };
}

/** A plain resource has no type to the library: it becomes a node of the kind that the reference is. */
function nodeLike(item: unknown, resource: unknown, context: unknown): unknown {
  const maker = (item as { readonly constructor?: NodeMaker } | null)?.constructor;
  return maker?.makeResNode?.(context, resource, null, null, null, null) ?? resource;
}

interface NodeMaker {
  readonly makeResNode?: (...of: readonly unknown[]) => unknown;
}

/** The library's nodes wrap what they were read from. */
function dataOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'fhirNodeDataType' in item ? (item as LibraryNode).data : item;
}

const options = { resolveInternalTypes: false, userInvocationTable: functions, traceFn: () => undefined };

function isTrue(result: readonly unknown[]): boolean {
  if (result.length === 0) return false;
  return result.length === 1 && typeof result[0] === 'boolean' ? result[0] : true;
}
