/**
 * JSON pointers read as FHIRPath: `/name/0/given/1` -> `Patient.name[0].given[1]`,
 * `/deceasedDateTime` -> `Patient.deceased.ofType(dateTime)`, `/_birthDate/extension/0` -> `Patient.birthDate.extension[0]`.
 */
import type { Definitions, ElementDefinition, TypeDefinition } from '../fhir/index.ts';
import { hasElementBeside, jsonName } from './members.ts';

/** A place in a resource. */
export interface Spot {
  readonly expression: string;
  readonly value: unknown;
}

/** What a name looks like: others are not repeated, they may be anything. */
export const nameShape = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

export function findSpot(definitions: Definitions, resource: unknown, pointer: string): Spot {
  let typeName = resourceType(resource);
  let expression = typeName === '' ? 'Resource' : typeName;
  let value = resource;
  for (const segment of pointer.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    if (/^[0-9]+$/.test(name)) {
      expression += `[${name}]`;
    } else {
      const step = findStep(definitions, definitions.type(typeName), name);
      expression += step.text;
      typeName = step.typeName;
    }
    if (typeName === 'Resource') typeName = resourceType(value) || typeName;
  }
  return { expression, value };
}

interface Step {
  readonly text: string;
  /** Of what is there; empty where that is not known. */
  readonly typeName: string;
}

function findStep(definitions: Definitions, type: TypeDefinition | undefined, name: string): Step {
  const steps =
    type === undefined ? [] : [...type.elements.values()].map((element) => stepTo(definitions, type, element, name));
  return steps.find((step) => step !== undefined) ?? { text: nameShape.test(name) ? `.${name}` : '', typeName: '' };
}

/** The step, if it is this element that the JSON name means: `_birthDate` is part of `birthDate`. */
function stepTo(
  definitions: Definitions,
  type: TypeDefinition,
  element: ElementDefinition,
  name: string,
): Step | undefined {
  const plainName = name.replace(/^_/, '');
  if (plainName === element.name && element.isChoice) return { text: `.${plainName}`, typeName: '' };
  const reference = element.types.find((candidate) => jsonName(element, candidate) === plainName);
  if (reference === undefined) return undefined;
  if (name !== plainName && !hasElementBeside(definitions, type, element, reference)) return undefined;
  return {
    text: element.isChoice ? `.${element.name}.ofType(${reference.code})` : `.${plainName}`,
    typeName: reference.code,
  };
}

function resourceType(value: unknown): string {
  const type =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['resourceType'] : undefined;
  return typeof type === 'string' && nameShape.test(type) ? type : '';
}
