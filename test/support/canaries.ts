/** A marker in every place where data can stand: resources of any type, and texts with places of their own. */
import type { Definitions, ElementDefinition, Resource } from '../../src/fhir/index.ts';

/** Fits wherever a text, a code, an id or a URL may stand. */
export const canary = 'ZZCANARYFIELD';
const canaryBytes = Buffer.from(canary).toString('base64');

/** What of it may be seen instead of it. */
export const canaryForms = [canary, canary.toLowerCase(), canaryBytes, encodeURIComponent(canaryBytes)];

const valid: Readonly<Record<string, unknown>> = {
  boolean: true,
  integer: 7,
  positiveInt: 7,
  unsignedInt: 7,
  decimal: 1.5,
  date: '2026-03-02',
  dateTime: '2026-03-02T08:00:00+01:00',
  instant: '2026-03-02T08:00:00+01:00',
  time: '08:00:00',
  base64Binary: canaryBytes,
  uri: `urn:x:${canary}`,
  url: `https://${canary}.example`,
  canonical: `https://${canary}.example/x`,
  oid: 'urn:oid:1.2.3',
  uuid: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  xhtml: `<div xmlns="http://www.w3.org/1999/xhtml">${canary}</div>`,
};

/** What is nested deeper stays away; a shallow one is right more often. */
const depthMax = { right: 2, wrong: 4 };

/**
 * A resource with the marker in each of its elements. `right`: each value is of its type, so that most are taken; `wrong`: the marker
 * is every value, also of numbers, dates and codes.
 */
export function planted(definitions: Definitions, type: string, kind: 'right' | 'wrong'): Resource {
  const valueOf = (element: ElementDefinition, code: string, depth: number): unknown => {
    if (code === 'Resource') return undefined;
    if (code.startsWith('http') || definitions.type(code)?.kind === 'primitive-type') {
      if (kind === 'wrong') return canary;
      const codes = element.binding?.strength === 'required' ? definitions.codes(element.binding.valueSet) : undefined;
      return codes?.values().next().value ?? valid[code] ?? canary;
    }
    if (code === 'Reference') return { reference: `${targetOf(element)}/${canary}`, display: canary };
    return depth >= depthMax[kind] ? undefined : objectOf(code, depth + 1);
  };
  const objectOf = (name: string, depth: number): object | undefined => {
    const members: Record<string, unknown> = {};
    for (const element of definitions.type(name)?.elements.values() ?? []) {
      if (['contained', 'meta', 'implicitRules', 'modifierExtension', 'language'].includes(element.name)) continue;
      if (depth > 1 && element.name === 'id') continue;
      const [first] = element.types;
      const chosen = element.types.find(({ code }) => code === 'string') ?? first;
      if (chosen === undefined) continue;
      const value = element.name === 'extension' ? extension : valueOf(element, chosen.code, depth);
      if (value === undefined) continue;
      const { code } = chosen;
      const member = element.isChoice ? element.name + code.charAt(0).toUpperCase() + code.slice(1) : element.name;
      members[member] = element.max > 1 && element.name !== 'extension' ? [value] : value;
    }
    return Object.keys(members).length === 0 ? undefined : members;
  };
  return { resourceType: type, ...objectOf(type, 1) };
}

function targetOf({ types }: ElementDefinition): string {
  const [target = 'Resource'] = types.find(({ code }) => code === 'Reference')?.targets ?? [];
  return target === 'Resource' ? 'Practitioner' : target;
}

const extension = [{ url: `https://${canary}.example/extension`, valueString: canary }];

/** The text again and again, each time with the marker in another of the places that the pattern finds (its group 1); at most `max`. */
export function plantedIn(text: string, place: RegExp, max: number): readonly string[] {
  const places = [...text.matchAll(new RegExp(place.source, 'dg'))].flatMap(({ indices }) => {
    const found = indices?.[1];
    return found === undefined || found[0] === found[1] ? [] : [found];
  });
  const stride = Math.max(1, Math.ceil(places.length / max));
  return places
    .filter((_one, index) => index % stride === 0)
    .map(([from, to]) => text.slice(0, from) + canary + text.slice(to));
}

/** Values of attributes, and texts between tags. */
export const xmlPlaces = /(?:="|>)([^"<>]+)(?:"|<)/;
/** Fields and components of HL7 v2. */
export const er7Places = /[|^&]([^|^&\r]+)/;
export const headerPlaces = /: ?([^\r\n]+)/;
