/**
 * JSON Schemas made from the FHIR definitions, one per type; backbone elements are types.
 *
 * Standard keywords say what JSON Schema can say: types, arrays, formats (`../primitives.ts`), references to other
 * schemas. Four keywords of our own (`keywords.ts`) say the rest: `members` (which names, how many, which exclude each
 * other), `binding`, `targets`, `invariants`. A place for any resource is only an object here: `../validator.ts` goes on.
 */
import type { Definitions, ElementDefinition, TypeDefinition, TypeReference } from '../../fhir/index.ts';
import { findInvariant } from '../invariants/index.ts';
import { hasElementBeside, jsonName } from '../members.ts';

export interface Schema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  /** The type whose elements are the members. */
  readonly members?: string;
  readonly binding?: { readonly kind: string; readonly valueSet: string };
  readonly targets?: readonly string[];
  readonly invariants?: readonly string[];
}

/** Schemas of the resource types and of every type they can hold, by name. */
export function makeSchemas(definitions: Definitions): Map<string, Schema> {
  const schemas = new Map<string, Schema>();
  const pending = [...definitions.resourceTypes, 'Element'];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const type = definitions.type(name);
    if (schemas.has(name) || type === undefined || type.kind === 'primitive-type') continue;
    schemas.set(name, makeSchema(definitions, type));
    for (const element of type.elements.values())
      pending.push(...element.types.map((reference) => reference.code).filter((code) => code !== 'Resource'));
  }
  const element = schemas.get('Element');
  if (element === undefined) throw new Error('the type Element is not defined');
  // What stands beside a primitive in an array: `_given: [null, {...}]`.
  schemas.set(besidePrimitive, { ...element, $id: besidePrimitive, nullable: true });
  return schemas;
}

const besidePrimitive = 'ElementOrNull';

function makeSchema(definitions: Definitions, type: TypeDefinition): Schema {
  const fields = [...type.elements.values()].flatMap((element) => makeFields(definitions, type, element));
  const known = invariantsOf(type.constraints);
  return {
    $id: type.name,
    type: 'object',
    members: type.name,
    properties: Object.fromEntries(fields),
    ...(known.length === 0 ? {} : { invariants: known }),
  };
}

/** The JSON members of an element: one for each type of a choice, and `_name` beside a primitive. */
function makeFields(definitions: Definitions, type: TypeDefinition, element: ElementDefinition): [string, Schema][] {
  const repeat = (items: Schema): Schema => (element.max > 1 ? makeArraySchema(element, items) : items);
  return element.types.flatMap((reference): [string, Schema][] => {
    const name = jsonName(element, reference);
    const value: [string, Schema] = [name, repeat(makeValueSchema(definitions, element, reference))];
    if (!hasElementBeside(definitions, type, element, reference)) return [value];
    return [value, [`_${name}`, repeat({ $ref: element.max > 1 ? besidePrimitive : 'Element' })]];
  });
}

function makeArraySchema(element: ElementDefinition, items: Schema): Schema {
  return {
    type: 'array',
    minItems: Math.max(1, element.min),
    ...(element.max === Infinity ? {} : { maxItems: element.max }),
    items,
  };
}

function makeValueSchema(definitions: Definitions, element: ElementDefinition, reference: TypeReference): Schema {
  const known = invariantsOf(element.constraints ?? []);
  return {
    ...makeTypeSchema(definitions, element, reference),
    ...makeBinding(definitions, element, reference),
    ...(known.length === 0 ? {} : { invariants: known }),
  };
}

function makeTypeSchema(definitions: Definitions, element: ElementDefinition, reference: TypeReference): Schema {
  if (reference.code === 'Resource') return { type: 'object' };
  if (definitions.type(reference.code)?.kind === 'primitive-type')
    return makePrimitiveSchema(reference.code, element.max > 1);
  const { targets } = reference;
  const isNarrow = targets !== undefined && !targets.includes('Resource');
  return { $ref: reference.code, ...(isNarrow ? { targets } : {}) };
}

const numbers: Readonly<Record<string, Schema>> = {
  boolean: { type: 'boolean' },
  decimal: { type: 'number' },
  integer: { type: 'integer', minimum: -2147483648, maximum: 2147483647 },
  positiveInt: { type: 'integer', minimum: 1, maximum: 2147483647 },
  unsignedInt: { type: 'integer', minimum: 0, maximum: 2147483647 },
};

/** In an array a primitive may be null, when an element stands beside it: `members` looks at that. */
function makePrimitiveSchema(code: string, isRepeated: boolean): Schema {
  const schema = numbers[code] ?? { type: 'string', format: code };
  return isRepeated ? { ...schema, nullable: true } : schema;
}

function makeBinding(definitions: Definitions, element: ElementDefinition, reference: TypeReference): Schema {
  const { binding } = element;
  const isBound = binding?.strength === 'required' && definitions.codes(binding.valueSet) !== undefined;
  return isBound && boundTypes.has(reference.code)
    ? { binding: { kind: reference.code, valueSet: binding.valueSet } }
    : {};
}

/** R4 has required bindings on these two. */
const boundTypes: ReadonlySet<string> = new Set(['code', 'CodeableConcept']);

/** Those that `../invariants/` has a function for, each as `type key`. */
function invariantsOf(constraints: TypeDefinition['constraints']): string[] {
  const known = constraints.filter(({ source, key, severity }) => severity === 'error' && findInvariant(source, key));
  return known.map(({ source, key }) => `${source} ${key}`);
}
