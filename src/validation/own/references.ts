/**
 * References (https://hl7.org/fhir/R4/references.html): without a scheme, one is `#id`, `Type/id` or a search; the type
 * that it states is that of what it names (definition of Reference.type); and what it names in the same resource or
 * Bundle is of a type that the element may point at. What stands elsewhere is not looked for: of `Type/id` the schema has
 * judged the type (`../runtime.ts`). Lengths of ids are not looked at: an official definition has one of 76 characters.
 */
import { isObject } from '../../fhir/index.ts';
import { type Item } from '../profiles/items.ts';
import { addFault, type ProfileJudge } from '../profiles/judge.ts';
import { rootOf } from '../profiles/resolve.ts';
import type { Run } from '../profiles/run.ts';
import { ownTexts } from './texts.ts';

const relative = /^([A-Z][A-Za-z]+)(?:\/[A-Za-z0-9.-]+(?:\/_history\/[A-Za-z0-9.-]+)?|\?.+)$/;
const hasScheme = /^[A-Za-z][A-Za-z0-9+.-]*:/;

export function judgeReference(judge: ProfileJudge, item: Item, run: Run): void {
  const reference = isObject(item.value) ? item.value['reference'] : undefined;
  if (typeof reference !== 'string' || reference === '') return;
  const { resourceTypes } = judge.access.definitions;
  if (reference.startsWith('#') || reference.startsWith('urn:')) {
    const type = typeWithin(judge, item, reference, run);
    if (type !== undefined) judgeTarget(judge, item, type, run);
    return;
  }
  const type = relative.exec(reference)?.[1];
  if (type !== undefined && resourceTypes.has(type)) judgeStated(item, type, run);
  else if (!hasScheme.test(reference))
    addFault(run, item, { severity: 'error', code: 'value', ...ownTexts.referenceForm });
}

const ofFhir = 'http://hl7.org/fhir/StructureDefinition/';

/** `Reference.type` is relative to the definitions of FHIR. */
function judgeStated(item: Item, type: string, run: Run): void {
  const stated = isObject(item.value) ? item.value['type'] : undefined;
  if (typeof stated !== 'string' || stated === type || stated === ofFhir + type) return;
  addFault(run, item, { severity: 'error', code: 'value', ...ownTexts.referenceType(type) });
}

function judgeTarget({ access: { definitions } }: ProfileJudge, item: Item, type: string, run: Run): void {
  judgeStated(item, type, run);
  const element = definitions.type(item.parent?.type ?? '')?.elements.get(item.name);
  const targets = element?.types.find(({ code }) => code === 'Reference')?.targets ?? [];
  if (targets.length === 0 || targets.includes('Resource') || targets.includes(type)) return;
  addFault(run, item, { severity: 'error', code: 'value', ...ownTexts.referenceTarget(type, targets) });
}

/** The type of the contained resource, or of the entry of the Bundle around, that the reference names. */
function typeWithin({ access }: ProfileJudge, item: Item, reference: string, run: Run): string | undefined {
  const { container } = rootOf(access, item);
  if (reference === '#') return container.type;
  if (reference.startsWith('#')) return named(run, container.value, namesContained).get(reference.slice(1));
  const bundle = container.parent?.name === 'entry' ? container.parent.parent : undefined;
  return bundle?.type === 'Bundle' ? named(run, bundle.value, namesEntries).get(reference) : undefined;
}

type Names = ReadonlyMap<unknown, string | undefined>;

/** Made once for a resource: it may have as many references as contained resources, and many of both. */
function named(run: Run, value: unknown, make: (value: Readonly<Record<string, unknown>>) => Names): Names {
  if (!isObject(value)) return new Map();
  const made = run.named.get(value) ?? make(value);
  run.named.set(value, made);
  return made;
}

function namesContained(container: Readonly<Record<string, unknown>>): Names {
  return new Map(objectsIn(container['contained']).map((resource) => [resource['id'], typeOf(resource)]));
}

function namesEntries(bundle: Readonly<Record<string, unknown>>): Names {
  return new Map(objectsIn(bundle['entry']).map((entry) => [entry['fullUrl'], typeOf(entry['resource'])]));
}

function objectsIn(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function typeOf(resource: unknown): string | undefined {
  const type = isObject(resource) ? resource['resourceType'] : undefined;
  return typeof type === 'string' ? type : undefined;
}

/** `#id` means one resource. */
export function judgeContainedIds({ access }: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value) || item.value['contained'] === undefined) return;
  const seen = new Set<unknown>();
  for (const contained of access.children(item, 'contained')) {
    const id = isObject(contained.value) ? contained.value['id'] : undefined;
    if (id !== undefined && seen.has(id))
      addFault(run, contained, { severity: 'error', code: 'duplicate', ...ownTexts.containedTwice });
    seen.add(id);
  }
}
