/**
 * FHIR JSON -> FHIR XML (https://hl7.org/fhir/R4/xml.html): elements in the order of the definitions, decimals with
 * the digits they came with, narrative as it is. What the definitions do not know is refused, never left out. Depth is
 * that of the value, which its reader has bounded.
 */
import type { Members } from '../resource.ts';
import { type Issue, Problem } from '../../base/index.ts';
import type { Definitions } from '../definitions.ts';
import { digitsOf } from '../digits.ts';
import { createLayouts, fhirNamespace, type Layout, type Layouts, type Member } from './layout.ts';
import { escapeAttribute, isSelfContained } from './narrative.ts';

/** The XML text of a resource. Throws `unprocessable` where the value does not follow the definitions. */
export function writeFhirXml(resource: unknown, definitions: Definitions, { isPretty = false } = {}): string {
  const writing: Writing = { definitions, layouts: createLayouts(definitions), isPretty, parts: [] };
  writing.parts.push('<?xml version="1.0" encoding="UTF-8"?>');
  writeResource(writing, resource, { depth: 0, path: '', namespace: ` xmlns="${fhirNamespace}"` });
  const text = writing.parts.join('');
  if (notXml.test(text) || !text.isWellFormed()) {
    throw refusal('a character of this resource cannot stand in XML: ask for JSON', undefined);
  }
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

interface Writing {
  readonly definitions: Definitions;
  readonly layouts: Layouts;
  readonly isPretty: boolean;
  readonly parts: string[];
}

interface Place {
  readonly depth: number;
  /** FHIRPath of the value, for issues. */
  readonly path: string;
  /** Of the root element. */
  readonly namespace?: string;
}

function refusal(text: string, expression: string | undefined): Problem {
  const issue: Issue = { severity: 'error', code: 'structure', text };
  return new Problem('unprocessable', text, { issues: [expression === undefined ? issue : { ...issue, expression }] });
}

function writeResource(writing: Writing, value: unknown, place: Place): void {
  const { resourceType: type, ...members } = isMembers(value) ? value : {};
  if (typeof type !== 'string' || !writing.definitions.resourceTypes.has(type)) {
    throw refusal('found a value without a known resourceType, expected a resource', place.path || undefined);
  }
  const path = place.path === '' ? type : place.path;
  startTag(writing, place.depth, `${type}${place.namespace ?? ''}`);
  if (Object.keys(members).length === 0) {
    writing.parts.push('/>');
    return;
  }
  writing.parts.push('>');
  writeMembers(writing, { layout: writing.layouts(type), members: value as Members }, { depth: place.depth, path });
  endTag(writing, place.depth, type);
}

interface Content {
  readonly layout: Layout;
  readonly members: Members;
}

function writeMembers(writing: Writing, { layout, members }: Content, { depth, path }: Place): void {
  for (const member of present(layout, members, path)) {
    const values = listOf(members[member.name], member, path);
    const companions = listOf(members[member.companionName], member, path);
    for (let index = 0; index < Math.max(values.length, companions.length); index++) {
      const place = { depth: depth + 1, path: `${path}.${member.elementName}${member.isMany ? `[${index}]` : ''}` };
      const digits = member.isMany ? digitsOf(values, index) : digitsOf(members, member.name);
      writeItem(writing, { member, value: values[index], companion: companions[index], digits }, place);
    }
  }
}

/** The child elements that the members make, in the order of the definitions. */
function present(layout: Layout, members: Members, path: string): Member[] {
  const found = new Set<Member>();
  for (const name of Object.keys(members)) {
    const isCompanion = name.startsWith('_');
    const member = layout(isCompanion ? name.slice(1) : name);
    const isKnown = member !== undefined && (!isCompanion || member.form === 'primitive');
    const isType = name === 'resourceType' && layout('implicitRules') !== undefined;
    if (isKnown && member.form !== 'attribute') found.add(member);
    else if (!isKnown && !isType && members[name] !== undefined)
      throw refusal(`"${name}" is not an element here`, path);
  }
  return [...found].sort((left, right) => left.order - right.order);
}

function listOf(value: unknown, { isMany, elementName }: Member, path: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value) !== isMany) {
    const [found, expected] = isMany ? ['one value', 'a list'] : ['a list', 'one value'];
    throw refusal(`found ${found}, expected ${expected}`, `${path}.${elementName}`);
  }
  return isMany ? (value as unknown[]) : [value];
}

interface Item {
  readonly member: Member;
  readonly value: unknown;
  /** The member with an underscore: id and extensions of a primitive. */
  readonly companion: unknown;
  readonly digits: string | undefined;
}

function writeItem(writing: Writing, item: Item, place: Place): void {
  const { member, value } = item;
  switch (member.form) {
    case 'xhtml':
      return writeNarrative(writing, value, place);
    case 'resource':
      startTag(writing, place.depth, `${member.name}>`);
      writeResource(writing, value, { depth: place.depth + 1, path: place.path });
      return endTag(writing, place.depth, member.name);
    case 'complex':
      return writeElement(writing, { name: member.name, type: member.type, value: '', members: value }, place);
    default:
      return writePrimitive(writing, item, place);
  }
}

function writeNarrative(writing: Writing, value: unknown, place: Place): void {
  const div = typeof value === 'string' ? value.trim() : '';
  if (!isSelfContained(div)) throw refusal('found a narrative that is not one XHTML element div', place.path);
  if (writing.isPretty) writing.parts.push(`\n${'  '.repeat(place.depth)}`);
  writing.parts.push(div);
}

function writePrimitive(writing: Writing, { member, value, companion, digits }: Item, place: Place): void {
  const members = companion ?? {};
  if (value === undefined || value === null) {
    return writeElement(writing, { name: member.name, type: member.type, value: '', members }, place);
  }
  if (typeof value !== member.scalar) throw refusal(`found a ${typeof value}, expected a ${member.scalar}`, place.path);
  const scalar = value as string | number | boolean;
  const text = ` value="${escapeAttribute(digits ?? String(scalar))}"`;
  writeElement(writing, { name: member.name, type: member.type, value: text, members }, place);
}

interface Element {
  readonly name: string;
  readonly type: string;
  /** The attribute `value`, written out. */
  readonly value: string;
  readonly members: unknown;
}

function writeElement(writing: Writing, { name, type, value, members }: Element, place: Place): void {
  if (!isMembers(members)) throw refusal('found a value of another type, expected an element', place.path);
  const layout = writing.layouts(type);
  startTag(writing, place.depth, name);
  let isEmpty = true;
  for (const [memberName, member] of Object.entries(members)) {
    if (member === undefined) continue;
    if (layout(memberName)?.form !== 'attribute') isEmpty = false;
    else if (typeof member !== 'string')
      throw refusal('found another value, expected text', `${place.path}.${memberName}`);
    else writing.parts.push(` ${memberName}="${escapeAttribute(member)}"`);
  }
  writing.parts.push(value);
  if (isEmpty) {
    writing.parts.push('/>');
    return;
  }
  writing.parts.push('>');
  writeMembers(writing, { layout, members }, place);
  endTag(writing, place.depth, name);
}

function startTag(writing: Writing, depth: number, name: string): void {
  writing.parts.push(writing.isPretty ? `\n${'  '.repeat(depth)}<${name}` : `<${name}`);
}

function endTag(writing: Writing, depth: number, name: string): void {
  writing.parts.push(writing.isPretty ? `\n${'  '.repeat(depth)}</${name}>` : `</${name}>`);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
