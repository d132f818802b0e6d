/**
 * What the readers of entries share: the letter around them, the resources made so far, and the three things that each
 * entry has: a stable key, the words of the narrative that belong to it, and the time it speaks of.
 *
 * Key: `setId#section#entry`, the entry by its own id, else by its place; it is the identifier of the resource, by
 * which the next version of the letter finds it again. An id that one section holds twice (official samples do) is
 * numbered from the second on.
 */
import type { Annotation, Identifier, Reference } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import {
  attribute,
  type ClinicalDocument,
  child,
  isElement,
  plainText,
  type Reading,
  readIds,
  readInterval,
  type Section,
  type TimeInterval,
  textOf,
  type XmlElement,
  xpath,
} from '../formats/index.ts';
import { uriOf } from './identifiers.ts';
import { localDay } from './local-day.ts';
import type { Finding } from './plan.ts';

/** Identifier system of resources that were read from the body of a letter. */
export const letterEntrySystem = 'https://suture.example/fhir/sid/letter-entry';

const textLengthMax = 1000;

/** References to what the header gave. */
export interface Around {
  readonly subject: Reference;
  readonly encounter: Reference | undefined;
  /** The first author who is a resource. */
  readonly author: Reference | undefined;
  /** The same if it is a professional: some elements take no organization. */
  readonly asserter: Reference | undefined;
  readonly letter: Reference;
  /** IANA zone of times without offset. */
  readonly zone: string;
  readonly newFullUrl: () => string;
}

export interface Derived {
  readonly fullUrl: string;
  readonly resource: Resource;
}

export interface Place {
  readonly section: Section;
  /** Undefined: the section as a whole. */
  readonly entry: XmlElement | undefined;
  readonly key: string;
}

export interface Extraction {
  readonly document: ClinicalDocument;
  readonly around: Around;
  readonly reading: Reading;
  readonly findings: Finding[];
  readonly made: Derived[];
  readonly keys: Map<string, number>;
}

export function keyPrefix({ setId, id }: ClinicalDocument): string {
  return uriOf(setId ?? id);
}

export function placeOf(extraction: Extraction, section: Section, entry: XmlElement | undefined): Place {
  const { document, keys } = extraction;
  const id = entry && readIds({ ...extraction.reading, issues: [] }, entry)[0];
  const name =
    entry === undefined ? 'section' : id === undefined ? `e${section.entries.indexOf(entry) + 1}` : uriOf(id);
  const key = `${keyPrefix(document)}#${section.code?.code ?? 'section'}#${name}`;
  const times = (keys.get(key) ?? 0) + 1;
  keys.set(key, times);
  return { section, entry, key: times === 1 ? key : `${key}~${times}` };
}

/** Adds a resource under its key; answers the reference to it. */
export function make(extraction: Extraction, { key }: Place, resource: object): Reference {
  const fullUrl = extraction.around.newFullUrl();
  const { resourceType, ...members } = resource as Resource;
  const identifier: Identifier[] = [{ system: letterEntrySystem, value: key }];
  extraction.made.push({ fullUrl, resource: { resourceType, identifier, ...members } });
  return { reference: fullUrl };
}

export function note(extraction: Extraction, place: Place, code: string, text: string): void {
  const expression = place.entry && { expression: xpath(place.entry) };
  extraction.findings.push({ code, severity: 'information', text, ...expression });
}

/** The element that `text/reference` or `originalText/reference` of a statement points at; official samples forget the `#`. */
function wordsOf({ section }: Place, statement: XmlElement): XmlElement | undefined {
  const reference = attribute(
    child(statement, 'text', 'reference') ?? child(statement, 'originalText', 'reference'),
    'value',
  );
  const id = reference?.replace(/^#/, '');
  return id && section.text ? findById(section.text, id) : undefined;
}

function findById(element: XmlElement, id: string): XmlElement | undefined {
  if (attribute(element, 'ID') === id) return element;
  for (const node of element.children) {
    const found = isElement(node) ? findById(node, id) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The words of the narrative that the statement (or its code) points at, else its own text. */
export function statementText(place: Place, statement: XmlElement): string | undefined {
  const words = wordsOf(place, statement);
  if (words !== undefined) return plainText(words, textLengthMax);
  return textOf(child(statement, 'text') ?? child(statement, 'originalText'))?.slice(0, textLengthMax);
}

const rows: ReadonlySet<string> = new Set(['tr', 'item', 'paragraph']);

/** The whole line of the narrative around those words: dose, rhythm, reason for stopping stand there and nowhere else. */
export function lineText(place: Place, statement: XmlElement): string | undefined {
  let line = wordsOf(place, statement);
  while (line !== undefined && !rows.has(line.name) && line.name !== 'text') line = line.parent;
  return line === undefined || line.name === 'text' ? undefined : plainText(line, textLengthMax);
}

export function lineNote(place: Place, statement: XmlElement): Annotation[] {
  const text = lineText(place, statement);
  return text === undefined ? [] : [{ text }];
}

/** The interval of a statement; where the narrative line names another day instead, both stay and the difference is told. */
export function timeOf(extraction: Extraction, place: Place, statement: XmlElement): TimeInterval | undefined {
  const time = readInterval(extraction.reading, child(statement, 'effectiveTime'), 'warning');
  const said = daysIn(lineText(place, statement));
  const coded = [time?.start, time?.end].flatMap((at) => localDay(at, extraction.around.zone) ?? []);
  if (coded.some((day) => !said.has(day)) && [...said].some((day) => !coded.includes(day))) {
    const expression = `${xpath(statement)}/effectiveTime`;
    const text = 'la date codée n’est pas celle du texte ; les deux sont gardées';
    extraction.findings.push({ code: 'narrative-code-mismatch', severity: 'warning', text, expression });
  }
  return time;
}

/** Days as a French text writes them: 05/11/2018. */
function daysIn(text: string | undefined): ReadonlySet<string> {
  const found = (text ?? '').matchAll(/\b(\d\d)\/(\d\d)\/(\d{4})\b/g);
  return new Set([...found].map(([, day, month, year]) => `${year}-${month}-${day}`));
}
