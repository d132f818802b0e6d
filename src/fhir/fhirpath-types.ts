/** What an expression can yield at one place, known from the definitions without any data. */
import type { Definitions, ElementDefinition, TypeDefinition } from './definitions.ts';
import { type Kind, kindOf } from './fhirpath-functions.ts';

/** `types` are names of FHIR types (`Encounter.hospitalization`) or of FHIRPath (`System.String`); none: always empty. */
export interface Shape {
  readonly types: readonly string[];
  readonly isMany: boolean;
}

export const nothing: Shape = { types: [], isMany: false };

export function oneOf(...types: string[]): Shape {
  return { types, isMany: false };
}

export function manyOf(...types: string[]): Shape {
  return { types, isMany: true };
}

export function mayBe(shape: Shape, kinds: readonly Kind[]): boolean {
  return shape.types.length === 0 || shape.types.some((type) => kinds.includes(kindOf(type)));
}

export function join(left: Shape, right: Shape): Shape {
  return { types: [...new Set([...left.types, ...right.types])], isMany: true };
}

/** The element of that name on any of the types; undefined where none of them has it. */
export function findElement(definitions: Definitions, shape: Shape, name: string): Shape | undefined {
  const found = shape.types.flatMap((type) => definitions.type(type)?.elements.get(name) ?? []);
  if (found.length === 0) return undefined;
  return {
    types: [...new Set(found.flatMap((element) => element.types.map((type) => type.code)))],
    isMany: shape.isMany || found.some((element) => element.max > 1),
  };
}

/** What to write instead of a name that is no element. */
export function suggestElement(definitions: Definitions, shape: Shape, name: string): string {
  const elements = shape.types.flatMap((type) => [...(definitions.type(type)?.elements.values() ?? [])]);
  for (const element of elements) {
    const choice = element.isChoice ? element.types.find((type) => jsonName(element, type.code) === name) : undefined;
    if (choice !== undefined) return `: write ${element.name}.ofType(${choice.code})`;
  }
  const near = elements.find((element) => isNear(element.name, name));
  return near === undefined ? '' : `: did you mean ${near.name}?`;
}

/** For messages. */
export function describeShape(shape: Shape): string {
  const names = shape.types.map((type) => type.replace('System.', ''));
  return names.length > 3 ? `a choice of ${names.length} types` : names.join(' or ') || 'nothing';
}

/** The types of the shape that are, or could be, of the named type; undefined where it can never be. */
export function narrow(definitions: Definitions, shape: Shape, type: string): Shape | undefined {
  const isPossible =
    shape.types.length === 0 ||
    shape.types.some((known) => isA(definitions, known, type) || isA(definitions, type, known));
  return isPossible ? { types: [type], isMany: shape.isMany } : undefined;
}

export function isType(definitions: Definitions, name: string): boolean {
  return name.startsWith('System.') ? kindOf(name) !== 'complex' : definitions.type(name) !== undefined;
}

export function isA(definitions: Definitions, type: string, ancestor: string): boolean {
  for (let next: TypeDefinition | undefined = definitions.type(type); next !== undefined; ) {
    if (next.name === ancestor) return true;
    next = next.base === undefined ? undefined : definitions.type(next.base);
  }
  return type === ancestor;
}

function jsonName(element: ElementDefinition, type: string): string {
  return element.name + type.charAt(0).toUpperCase() + type.slice(1);
}

/** One letter more, less or other, or two swapped. */
function isNear(known: string, written: string): boolean {
  let start = 0;
  while (start < known.length && known[start] === written[start]) start++;
  let end = 0;
  while (end < Math.min(known.length, written.length) - start && known.at(-1 - end) === written.at(-1 - end)) end++;
  return Math.max(known.length, written.length) - start - end <= 2 && Math.abs(known.length - written.length) <= 1;
}
