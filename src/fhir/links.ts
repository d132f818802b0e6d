/**
 * Links inside a resource, rewritten by type: what a transaction must do with the temporary identities of its entries
 * (https://hl7.org/fhir/R4/http.html#trules): every Reference.reference, every element of type uri, url, oid, uuid or
 * canonical, and href and src in narrative, at any depth, in extensions and contained resources too. A string that only
 * looks like a link (an Identifier.value, say) stays as it is.
 */
import type { Definitions, TypeDefinition } from './definitions.ts';
import type { Resource } from './resource.ts';

/** The link as it shall be; the same text leaves it alone. */
export type Rewrite = (link: string) => string;

const linkTypes: ReadonlySet<string> = new Set(['uri', 'url', 'oid', 'uuid', 'canonical']);
const narrativeLink = /(\s(?:href|src)\s*=\s*)(?:"([^"]*)"|'([^']*)')/g;

/** A copy of the resource with its links rewritten; parts without a changed link are shared with the original. */
export function rewriteLinks(definitions: Definitions, resource: Resource, rewrite: Rewrite): Resource {
  return rewriteElement({ definitions, rewrite }, resource.resourceType, resource) as Resource;
}

interface Walk {
  readonly definitions: Definitions;
  readonly rewrite: Rewrite;
}

function rewriteElement(walk: Walk, typeName: string, value: unknown): unknown {
  if (Array.isArray(value))
    return shareIfSame(
      value,
      value.map((item) => rewriteElement(walk, typeName, item)),
    );
  if (typeof value === 'string') return rewriteText(walk, typeName, value);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  const type = walk.definitions.type(typeName === 'Resource' ? String(object['resourceType']) : typeName);
  return type === undefined ? value : rewriteMembers(walk, type, object);
}

function rewriteText(walk: Walk, typeName: string, text: string): string {
  if (linkTypes.has(typeName)) return walk.rewrite(text);
  if (typeName !== 'xhtml') return text;
  return text.replace(narrativeLink, (_all, before: string, double?: string, single?: string) => {
    const mark = double === undefined ? "'" : '"';
    return `${before}${mark}${rewriteAttribute(walk, double ?? single ?? '')}${mark}`;
  });
}

/** `Patient?a=1&amp;b=2` in an attribute is the link `Patient?a=1&b=2`. */
function rewriteAttribute(walk: Walk, text: string): string {
  const link = text.replaceAll('&amp;', '&');
  const rewritten = walk.rewrite(link);
  return rewritten === link ? text : rewritten.replaceAll('&', '&amp;');
}

function rewriteMembers(walk: Walk, type: TypeDefinition, object: Record<string, unknown>): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(object)) {
    const memberType = type.name === 'Reference' && name === 'reference' ? 'uri' : memberTypeName(type, name);
    const rewritten = memberType === undefined ? member : rewriteElement(walk, memberType, member);
    if (rewritten === member) continue;
    copy ??= { ...object };
    copy[name] = rewritten;
  }
  return copy ?? object;
}

function shareIfSame(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  return after.every((item, index) => item === before[index]) ? before : after;
}

/** The type of a JSON member: `birthDate` -> date, `_birthDate` -> Element, `valueUri` -> uri. */
export function memberTypeName(type: TypeDefinition, name: string): string | undefined {
  if (name.startsWith('_')) return 'Element';
  const direct = type.elements.get(name);
  if (direct !== undefined && !direct.isChoice) return direct.types[0]?.code;
  for (const element of type.elements.values()) {
    if (!element.isChoice || !name.startsWith(element.name)) continue;
    const suffix = name.slice(element.name.length);
    const found = element.types.find(({ code }) => code.charAt(0).toUpperCase() + code.slice(1) === suffix);
    if (found !== undefined) return found.code;
  }
  return undefined;
}
