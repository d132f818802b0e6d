/** The input of an operation: named values in the URL, or a Parameters resource (https://hl7.org/fhir/R4/operations.html#request). */
import { Problem } from '../base/index.ts';
import { isObject, type Resource } from '../fhir/index.ts';
import type { Request } from './context.ts';

export interface OperationInput {
  /** As text, whatever its type. */
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  resource(name: string): Resource | undefined;
  /** A value of a complex type: Coding, CodeableConcept. */
  value(name: string): Readonly<Record<string, unknown>> | undefined;
}

interface Parameter {
  readonly name?: string;
  readonly resource?: Resource;
  readonly [member: string]: unknown;
}

/** `whole`: the name of the parameter that a body which is no Parameters stands for. */
export function readOperationInput(request: Request, whole?: string): OperationInput {
  const parameters = [...request.query.map(asParameter), ...readBody(request.body, whole)];
  const named = (name: string): readonly Parameter[] => parameters.filter((one) => one.name === name);
  const values = (name: string): readonly unknown[] => named(name).map(valueOf);
  return {
    text: (name) => values(name).map(asText)[0],
    texts: (name) => values(name).map(asText),
    resource: (name) => named(name).find(({ resource }) => resource !== undefined)?.resource,
    value: (name) => values(name).find(isObject),
  };
}

function asParameter([name, value]: readonly [string, string]): Parameter {
  return { name, valueString: value };
}

function readBody(body: unknown, whole: string | undefined): readonly Parameter[] {
  if (body === undefined) return [];
  if (!isObject(body)) throw new Problem('incorrect', 'the body is no resource: expected Parameters');
  if (body['resourceType'] !== 'Parameters') {
    if (whole === undefined) throw new Problem('incorrect', 'the body is another resource: expected Parameters');
    return [{ name: whole, resource: body as unknown as Resource }];
  }
  const { parameter = [] } = body;
  if (!Array.isArray(parameter)) throw new Problem('incorrect', 'Parameters.parameter is no array');
  return parameter.filter(isObject);
}

function valueOf(parameter: Parameter): unknown {
  return Object.entries(parameter).find(([member]) => member.startsWith('value'))?.[1];
}

function asText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';
}
