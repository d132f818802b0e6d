/**
 * Faults made into issues: where, as FHIRPath; what was found and what was expected, in words.
 *
 * No value is quoted, save a code that a required binding refuses, when it is short and has the shape of a code;
 * no name of an element, save one that has the shape of a name.
 */
import type { Issue } from '../base/index.ts';
import type { Definitions } from '../fhir/index.ts';
import { formatTexts } from './primitives.ts';
import { type Fault, faultsMax } from './runtime.ts';
import { findSpot, nameShape, type Spot } from './spot.ts';

export function makeIssues(definitions: Definitions, resource: unknown, faults: readonly Fault[]): readonly Issue[] {
  const issues = faults.slice(0, faultsMax).map((fault) => makeIssue(definitions, resource, fault));
  return faults.length > faultsMax ? [...issues, thereMayBeMore] : issues;
}

const thereMayBeMore: Issue = {
  severity: 'information',
  code: 'informational',
  text: `more than ${faultsMax} faults were found: the others are not listed`,
};

function makeIssue(definitions: Definitions, resource: unknown, fault: Fault): Issue {
  const spot = findSpot(definitions, resource, fault.instancePath);
  const [code, text] = describe(definitions, fault, spot);
  return { severity: 'error', code, text, expression: spot.expression };
}

type Described = readonly [code: string, text: string];

/** Keywords are ajv's and those of `build/keywords.ts`. */
function describe(definitions: Definitions, { keyword, params, instancePath }: Fault, spot: Spot): Described {
  const found = describeValue(spot.value);
  switch (keyword) {
    case 'resourceType':
      return describeResourceType(params['expected'] as string | undefined, spot);
    case 'members':
      return describeMembers(params['kind'] as string, params['names'] as readonly string[]);
    case 'type':
      return ['structure', `expected ${typeWords[params['type'] as string] ?? 'another type'}, found ${found}`];
    case 'minItems':
    case 'maxItems':
      return [
        'structure',
        `expected at ${keyword === 'minItems' ? 'least' : 'most'} ${String(params['limit'])} in the array, found ${(spot.value as unknown[]).length}`,
      ];
    case 'minimum':
    case 'maximum':
      return [
        'value',
        `expected a number ${keyword === 'minimum' ? 'not below' : 'not above'} ${String(params['limit'])}`,
      ];
    case 'format':
      return ['value', `expected ${formatTexts[params['format'] as string] ?? 'another form'}, found ${found}`];
    case 'binding':
      return ['code-invalid', describeBinding(params['valueSet'] as string, spot.value)];
    case 'targets':
      return [
        'value',
        `expected a reference to ${Object.values(params).join(', ')}, found one to another type of resource`,
      ];
    case 'invariants':
      return ['invariant', describeInvariant(definitions, params['name'] as string)];
    default:
      throw new Error(`no words for the keyword ${keyword} at ${instancePath}`);
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
};

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'empty text';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a number';
  return (
    { string: 'other text', boolean: 'true or false', object: 'an object' }[typeof value as string] ?? 'something else'
  );
}

function describeResourceType(expected: string | undefined, { value }: Spot): Described {
  if (expected !== undefined)
    return ['structure', `expected a resource of type ${expected}, found ${nameOr(value, 'another')}`];
  if (value === undefined) return ['structure', 'expected a resource: an object with a resourceType'];
  return ['structure', `expected a resource type of R4, found ${nameOr(value, 'something else')}`];
}

function nameOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && nameShape.test(value) ? value : otherwise;
}

function describeMembers(kind: string, names: readonly string[]): Described {
  switch (kind) {
    case 'unknown':
      return ['structure', 'there is no element of this name here'];
    case 'missing':
      return ['required', 'this element is required, and not there'];
    case 'choice':
      return ['structure', `expected one type of this element, found ${names.join(' and ')}`];
    case 'null':
      return ['structure', `expected a value, or an extension at the same place of _${names[0] ?? ''}, found neither`];
    default:
      return ['structure', 'expected an element with a value or with children, found an empty one'];
  }
}

function describeBinding(valueSet: string, value: unknown): string {
  // The code itself is not told: what stands in its place may be a name.
  const found = typeof value === 'string' ? 'another code' : 'another code, or none';
  return `expected a code of ${valueSet} (required binding), found ${found}`;
}

function describeInvariant(definitions: Definitions, name: string): string {
  const [source = '', key = ''] = name.split(' ');
  const type = definitions.type(source);
  const stated = [
    ...(type?.constraints ?? []),
    ...[...(type?.elements.values() ?? [])].flatMap((element) => element.constraints ?? []),
  ];
  return `${key}: ${stated.find((constraint) => constraint.key === key && constraint.source === source)?.human ?? 'does not hold'}`;
}
