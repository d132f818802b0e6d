/**
 * Element trees rebuilt from the differentials: base elements first, then own ones, each backbone filled with the
 * children it inherits. Before -> after: `Encounter` + differential -> `Encounter.id`, ..., `Encounter.location`,
 * `Encounter.location.id`, ... The differentials of base types are complete, so no snapshot is read (they are edited).
 */
import type { Source, SourceElement, SourceStructure, SourceType } from './source.ts';

export interface RebuiltType {
  /** Type name, or the path of a backbone element. */
  readonly name: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type';
  readonly abstract: boolean;
  readonly base: string | undefined;
  /** Constraints stated on the type itself; those of its bases are on them. */
  readonly root: SourceElement;
  /** Own elements, without those of the base. */
  readonly elements: readonly SourceElement[];
}

const structureUrl = 'http://hl7.org/fhir/StructureDefinition/';

export function rebuildTypes(source: Source): RebuiltType[] {
  return source.structures.flatMap(rebuildStructure);
}

function rebuildStructure(structure: SourceStructure): RebuiltType[] {
  const elements = structure.differential.element;
  const root = elements[0];
  if (root === undefined || structure.kind === 'logical')
    throw new Error(`${structure.url} has no differential to rebuild`);
  const own: RebuiltType = {
    name: structure.type,
    kind: structure.kind,
    abstract: structure.abstract,
    base: structure.baseDefinition === undefined ? undefined : lastSegment(structure.baseDefinition),
    root,
    elements: childrenOf(structure.type, elements).flatMap(asPublished),
  };
  const parents = elements.filter((element) => element !== root && childrenOf(element.path, elements).length > 0);
  return [own, ...parents.map((parent) => rebuildBackbone(parent, elements))];
}

function rebuildBackbone(parent: SourceElement, elements: readonly SourceElement[]): RebuiltType {
  const base = parent.type?.[0]?.code;
  if (base !== 'BackboneElement' && base !== 'Element') throw new Error(`${parent.path} has children and is a ${base}`);
  const own = childrenOf(parent.path, elements).flatMap(asPublished);
  return { name: parent.path, kind: 'complex-type', abstract: false, base, root: parent, elements: own };
}

function childrenOf(path: string, elements: readonly SourceElement[]): SourceElement[] {
  return elements.filter(
    (element) => element.path.startsWith(`${path}.`) && !element.path.includes('.', path.length + 1),
  );
}

const valueSetUrl = 'http://hl7.org/fhir/ValueSet/';
/** Where the vendor put content of R5 into the differential of R4; `undefined` takes the element away. */
const published: Readonly<Record<string, Partial<SourceElement> | undefined>> = {
  'ResearchStudy.status': { binding: { strength: 'required', valueSet: `${valueSetUrl}research-study-status` } },
  'ResearchStudy.primaryPurposeType': {
    binding: { strength: 'extensible', valueSet: `${valueSetUrl}research-study-prim-purp-type` },
  },
  'ResearchStudy.studyDesign': undefined,
};

function asPublished(element: SourceElement): SourceElement[] {
  if (!Object.hasOwn(published, element.path)) return [withoutVendorTargets(element)];
  const change = published[element.path];
  return change === undefined ? [] : [{ ...withoutVendorTargets(element), ...change }];
}

function withoutVendorTargets(element: SourceElement): SourceElement {
  if (element.type === undefined) return element;
  const published = (profile: string): boolean => profile.startsWith(structureUrl);
  const type = element.type.map((entry) =>
    entry.targetProfile === undefined ? entry : { ...entry, targetProfile: entry.targetProfile.filter(published) },
  );
  return { ...element, type };
}

/** The name of an element without its path and without `[x]`. */
export function elementName(element: SourceElement): string {
  return lastSegment(element.path.replaceAll('.', '/')).replace('[x]', '');
}

/** The FHIR types of an element; a backbone and a contentReference are named by their path. */
export function elementTypes(element: SourceElement, isBackbone: (path: string) => boolean): SourceType[] {
  if (element.contentReference !== undefined) return [{ code: element.contentReference.slice(1) }];
  if (isBackbone(element.path)) return [{ code: element.path }];
  return (element.type ?? []).map((type) => ({ ...type, code: fhirType(element.path, type) }));
}

// R4 says `string` of Resource.id in its machine-readable form and `id` on its page; the page is right (corrected in R4B).
function fhirType(path: string, type: SourceType): string {
  if (path === 'Resource.id') return 'id';
  if (!type.code.startsWith('http://hl7.org/fhirpath/')) return type.code;
  const stated = type.extension?.find((extension) => extension.url === `${structureUrl}structuredefinition-fhir-type`);
  return stated?.valueUrl ?? 'string';
}

export function lastSegment(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
