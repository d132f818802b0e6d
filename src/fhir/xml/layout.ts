/** How the members of a FHIR type stand in XML (https://hl7.org/fhir/R4/xml.html), read from the definitions. */
import type { Definitions, ElementDefinition, TypeDefinition } from '../definitions.ts';
import { isA } from '../fhirpath-types.ts';

export const fhirNamespace = 'http://hl7.org/fhir';

export interface Member {
  /** In JSON and in XML: `valueQuantity`. */
  readonly name: string;
  /** The JSON member with id and extensions of a primitive: `_valueString`. */
  readonly companionName: string;
  /** In FHIRPath: `value`. */
  readonly elementName: string;
  /** Place among the elements of the type; the same for all forms of a choice. */
  readonly order: number;
  readonly type: string;
  readonly isMany: boolean;
  /** `attribute`: of its parent. `resource`: an element that holds one resource. */
  readonly form: 'attribute' | 'primitive' | 'xhtml' | 'resource' | 'complex';
  /** What the value of a primitive is in JSON. */
  readonly scalar: 'string' | 'number' | 'boolean';
}

/** Finds a member of a type by its name in JSON and XML. */
export type Layout = (name: string) => Member | undefined;

/** The layouts of one reading or writing; types and members are looked up when they first occur. */
export type Layouts = (typeName: string) => Layout;

export function createLayouts(definitions: Definitions): Layouts {
  const known = new Map<string, Layout>();
  return (typeName) => {
    const found = known.get(typeName);
    if (found !== undefined) return found;
    const layout = createLayout(definitions, typeName);
    known.set(typeName, layout);
    return layout;
  };
}

function createLayout(definitions: Definitions, typeName: string): Layout {
  const type = definitions.type(typeName);
  const elements = [...(type?.elements.values() ?? [])];
  const known = new Map<string, Member | undefined>();
  return (name) => {
    if (known.has(name)) return known.get(name);
    const member = findMember(definitions, type, elements, name);
    // Names come from outside too: only those that exist are kept.
    if (member !== undefined) known.set(name, member);
    return member;
  };
}

function findMember(
  definitions: Definitions,
  type: TypeDefinition | undefined,
  elements: readonly ElementDefinition[],
  name: string,
): Member | undefined {
  for (const [order, element] of elements.entries()) {
    const code = element.types.find((candidate) => memberName(element, candidate.code) === name)?.code;
    if (code === undefined) continue;
    return {
      name,
      companionName: `_${name}`,
      elementName: element.name,
      order,
      type: code,
      isMany: element.max > 1,
      form: isAttribute(type, element) ? 'attribute' : formOf(definitions, code),
      scalar: scalarOf(definitions, code),
    };
  }
  return undefined;
}

function memberName(element: ElementDefinition, code: string): string {
  return element.isChoice ? element.name + code.charAt(0).toUpperCase() + code.slice(1) : element.name;
}

function isAttribute(type: TypeDefinition | undefined, { name }: ElementDefinition): boolean {
  return (name === 'id' && type?.kind !== 'resource') || (name === 'url' && type?.name === 'Extension');
}

function formOf(definitions: Definitions, code: string): Member['form'] {
  if (code === 'xhtml') return 'xhtml';
  const kind = definitions.type(code)?.kind;
  return kind === 'primitive-type' ? 'primitive' : kind === 'resource' ? 'resource' : 'complex';
}

function scalarOf(definitions: Definitions, code: string): Member['scalar'] {
  if (code === 'boolean') return 'boolean';
  return code === 'decimal' || isA(definitions, code, 'integer') ? 'number' : 'string';
}
