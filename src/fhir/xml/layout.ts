/** How the members of a FHIR type stand in XML (https://hl7.org/fhir/R4/xml.html), read from the definitions. */
import type { Definitions, ElementDefinition, TypeDefinition } from '../definitions.ts';
import { isA } from '../fhirpath-types.ts';

export const fhirNamespace = 'http://hl7.org/fhir';

export interface Member {
  /** In JSON and in XML: `valueQuantity`. */
  readonly name: string;
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

/** Members by name, in the order of the definitions. */
export type Layout = ReadonlyMap<string, Member>;

/** The layouts of one reading or writing, each computed when its type first occurs. */
export type Layouts = (typeName: string) => Layout;

export function createLayouts(definitions: Definitions): Layouts {
  const known = new Map<string, Layout>();
  return (typeName) => {
    const found = known.get(typeName);
    if (found !== undefined) return found;
    const layout = layOut(definitions, typeName);
    known.set(typeName, layout);
    return layout;
  };
}

function layOut(definitions: Definitions, typeName: string): Layout {
  const type = definitions.type(typeName);
  const elements = [...(type?.elements.values() ?? [])];
  const members = elements.flatMap((element, order) =>
    element.types.map(({ code }): Member => {
      const name = element.isChoice ? element.name + code.charAt(0).toUpperCase() + code.slice(1) : element.name;
      const form = isAttribute(type, element) ? 'attribute' : formOf(definitions, code);
      const isMany = element.max > 1;
      return { name, elementName: element.name, order, type: code, isMany, form, scalar: scalarOf(definitions, code) };
    }),
  );
  return new Map(members.map((member) => [member.name, member]));
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
