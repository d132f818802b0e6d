/** Random resources that follow the definitions, of any type, with everything that XML and JSON write differently. */
import fc from 'fast-check';
import { hideDigits, toExact } from '../../../src/fhir/digits.ts';
import type { Definitions, ElementDefinition, Resource } from '../../../src/fhir/index.ts';

const depthMax = 3;
const awkward = ['é', '"', "'", '&', '<', '>', '\t', '\n', '\r', ' ', '\u0085', '\u2028', '😀', '&amp;', ']]>', '<!--'];
const divs = [
  '<div xmlns="http://www.w3.org/1999/xhtml">Compte rendu</div>',
  '<div xmlns="http://www.w3.org/1999/xhtml" lang=\'fr\'><p title="a &lt; b">1 &amp; 2 &#233;</p>\r\n<br/><!-- vu --> </div>',
  '<div\n  xmlns="http://www.w3.org/1999/xhtml"><table><tr><td><![CDATA[a < b]]></td></tr></table></div >',
];

type Draw = <Value>(arbitrary: fc.Arbitrary<Value>) => Value;

export function arbitraryResource(definitions: Definitions): fc.Arbitrary<Resource> {
  const names = [...definitions.resourceTypes].sort();
  return fc.gen().map((generate) => {
    const draw: Draw = (arbitrary) => generate(() => arbitrary);
    return hideDigits(makeResource({ definitions, draw, names }, 0)) as Resource;
  });
}

interface Making {
  readonly definitions: Definitions;
  readonly draw: Draw;
  readonly names: readonly string[];
}

function makeResource(making: Making, depth: number): Record<string, unknown> {
  const name = making.draw(fc.constantFrom(...making.names));
  return { resourceType: name, ...makeMembers(making, name, depth) };
}

function makeMembers(making: Making, typeName: string, depth: number): Record<string, unknown> {
  const elements = [...(making.definitions.type(typeName)?.elements.values() ?? [])];
  const chosen = making.draw(fc.shuffledSubarray(elements, { minLength: 1, maxLength: Math.min(3, elements.length) }));
  const members: Record<string, unknown> = {};
  for (const element of chosen) addElement(making, { element, members, depth });
  return members;
}

interface Adding {
  readonly element: ElementDefinition;
  readonly members: Record<string, unknown>;
  readonly depth: number;
}

function addElement(making: Making, { element, members, depth }: Adding): void {
  const { draw, definitions } = making;
  const { code } = draw(fc.constantFrom(...element.types));
  const name = element.isChoice ? element.name + code.charAt(0).toUpperCase() + code.slice(1) : element.name;
  const kind = definitions.type(code)?.kind;
  if (kind !== 'primitive-type') {
    if (depth >= depthMax) return;
    const make = (): unknown =>
      kind === 'resource' ? makeResource(making, depth + 2) : makeMembers(making, code, depth + 1);
    const isSet = (value: unknown): boolean => Object.keys(value as object).length > 0;
    const items = Array.from({ length: element.max > 1 ? draw(fc.integer({ min: 1, max: 3 })) : 1 }, make).filter(
      isSet,
    );
    if (items.length > 0) members[name] = element.max > 1 ? items : items[0];
    return;
  }
  // Attributes and narrative have no extensions.
  const isBare = code === 'xhtml' || element.name === 'id' || element.name === 'url';
  const halves = (): { value: unknown; companion: unknown } => {
    const form = isBare ? 0 : draw(fc.integer({ min: 0, max: 4 }));
    const companion = form > 2 ? makeCompanion(making, depth) : undefined;
    return { value: companion !== undefined && form === 4 ? undefined : makeScalar(making, code), companion };
  };
  const items = Array.from({ length: element.max > 1 ? draw(fc.integer({ min: 1, max: 3 })) : 1 }, halves);
  setHalf(
    members,
    { name, isMany: element.max > 1 },
    items.map((item) => item.value),
  );
  setHalf(
    members,
    { name: `_${name}`, isMany: element.max > 1 },
    items.map((item) => item.companion),
  );
}

function setHalf(
  members: Record<string, unknown>,
  { name, isMany }: { readonly name: string; readonly isMany: boolean },
  values: readonly unknown[],
): void {
  if (values.every((value) => value === undefined)) return;
  members[name] = isMany ? values.map((value) => value ?? null) : values[0];
}

function makeCompanion({ draw, definitions, names }: Making, depth: number): Record<string, unknown> {
  const extension = { url: 'https://suture.example/fhir/StructureDefinition/test' };
  if (depth >= depthMax || draw(fc.boolean())) return { id: draw(fc.constantFrom('a1', 'b-2')) };
  const value = makeScalar({ draw, definitions, names }, 'decimal');
  return { extension: [{ ...extension, valueDecimal: value }] };
}

function makeScalar({ draw }: Making, code: string): unknown {
  switch (code) {
    case 'boolean':
      return draw(fc.boolean());
    case 'decimal':
      return toExact(draw(fc.stringMatching(/^-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?$/)));
    case 'integer':
    case 'positiveInt':
    case 'unsignedInt':
      return draw(fc.integer({ min: -5, max: 2_147_483_647 }));
    case 'xhtml':
      return draw(fc.constantFrom(...divs));
    default:
      return draw(fc.array(fc.constantFrom('a', '1', ...awkward), { minLength: 1, maxLength: 6 })).join('');
  }
}
