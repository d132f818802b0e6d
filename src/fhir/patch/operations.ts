/** The operations of a FHIRPath Patch, read from its Parameters (https://hl7.org/fhir/R4/fhirpatch.html#format). */
import { fhirPathPatchLimits, Problem } from '../../base/index.ts';

export type OperationType = 'add' | 'insert' | 'delete' | 'replace' | 'move';

/** A part named `value`, as it stands in the Parameters. */
export type Part = Readonly<Record<string, unknown>>;

export interface PatchOperation {
  readonly type: OperationType;
  /** FHIRPath. */
  readonly path: string;
  readonly name: string;
  readonly value: Part;
  readonly index: number;
  readonly source: number;
  readonly destination: number;
  /** For people: which operation this is, texts inside the path left out. */
  readonly label: string;
  /** Where it stands in the Parameters. */
  readonly expression: string;
}

/** The parts of each type of operation beside `type` and `path`; all are needed. */
const partNames: Readonly<Record<OperationType, readonly string[]>> = {
  add: ['name', 'value'],
  insert: ['index', 'value'],
  delete: [],
  replace: ['value'],
  move: ['source', 'destination'],
};

/** The JSON member that carries each part. */
const members: Readonly<Record<string, string>> = {
  type: 'valueCode',
  path: 'valueString',
  name: 'valueString',
  index: 'valueInteger',
  source: 'valueInteger',
  destination: 'valueInteger',
};

export function readOperations(parameters: unknown): PatchOperation[] {
  if (!isPart(parameters) || parameters['resourceType'] !== 'Parameters') {
    throw refusal('incorrect', 'a FHIRPath Patch is a Parameters resource');
  }
  const list = parameters['parameter'] ?? [];
  if (!Array.isArray(list)) throw refusal('incorrect', 'expected a list', 'Parameters.parameter');
  const { operationsMax } = fhirPathPatchLimits;
  if (list.length > operationsMax) {
    const text = `the patch has ${list.length} operations, at most ${operationsMax} are allowed`;
    throw refusal('content-too-costly', text, 'Parameters.parameter');
  }
  return list.map(readOperation);
}

export function refusal(
  category: 'incorrect' | 'unprocessable' | 'content-too-costly',
  text: string,
  expression?: string,
): Problem {
  const code = { incorrect: 'invalid', unprocessable: 'processing', 'content-too-costly': 'too-costly' }[category];
  const issue = { severity: 'error' as const, code, text };
  return new Problem(category, text, { issues: [expression === undefined ? issue : { ...issue, expression }] });
}

interface OperationPlace {
  readonly label: string;
  readonly expression: string;
}

function refuse({ label, expression }: OperationPlace, text: string): never {
  throw refusal('incorrect', `${label}: ${text}`, expression);
}

function readOperation(parameter: unknown, index: number): PatchOperation {
  const place = { label: `operation ${index + 1}`, expression: `Parameters.parameter[${index}]` };
  const parts = collectParts(parameter, place);
  const type = readType(parts, place);
  const text = (name: string): string => (parts.get(name)?.['valueString'] as string | undefined) ?? '';
  const number = (name: string): number => (parts.get(name)?.['valueInteger'] as number | undefined) ?? 0;
  return {
    type,
    path: text('path'),
    name: text('name'),
    value: parts.get('value') ?? {},
    index: number('index'),
    source: number('source'),
    destination: number('destination'),
    label: `${place.label} (${type} ${withoutTexts(text('path'))})`,
    expression: place.expression,
  };
}

function collectParts(parameter: unknown, place: OperationPlace): ReadonlyMap<unknown, Part> {
  const list = isPart(parameter) && parameter['name'] === 'operation' ? parameter['part'] : undefined;
  if (!Array.isArray(list)) return refuse(place, 'expected a parameter named operation with parts');
  const parts = new Map<unknown, Part>();
  for (const part of list as unknown[]) {
    if (!isPart(part) || parts.has(part['name'])) return refuse(place, 'a part is no object, or is there twice');
    parts.set(part['name'], part);
  }
  return parts;
}

/** The type of the operation, after a check that it has its parts and no others. */
function readType(parts: ReadonlyMap<unknown, Part>, place: OperationPlace): OperationType {
  const type = parts.get('type')?.['valueCode'];
  if (!isType(type)) {
    return refuse(place, `expected the part type, a valueCode of ${Object.keys(partNames).join(', ')}`);
  }
  const needed = ['type', 'path', ...partNames[type]];
  if (needed.length !== parts.size || !needed.every((name) => isValid(parts.get(name), name))) {
    return refuse(place, `${type} needs exactly these parts: ${needed.map(describe).join(', ')}`);
  }
  return type;
}

function isType(type: unknown): type is OperationType {
  return typeof type === 'string' && Object.hasOwn(partNames, type);
}

function isValid(part: Part | undefined, name: string): boolean {
  if (part === undefined) return false;
  const value = part[members[name] ?? ''];
  if (name === 'value') return true;
  return members[name] === 'valueInteger'
    ? Number.isSafeInteger(value) && Number(value) >= 0
    : typeof value === 'string';
}

function describe(name: string): string {
  return members[name] === undefined ? name : `${name} (${members[name]})`;
}

/** A text in a path may be a name or an identifier of the patient. */
function withoutTexts(path: string): string {
  return path.slice(0, 300).replace(/'(?:\\.|[^'\\])*(?:'|$)/g, "'…'");
}

export function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
