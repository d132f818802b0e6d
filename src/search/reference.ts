/** References (https://hl7.org/fhir/R4/search.html#reference) and URIs, both sides. */
import type { ReferenceReader } from '../fhir/index.ts';
import type { Emitter, Place, Sink } from './collector.ts';
import { cutText } from './fold.ts';
import { keyText } from './keys.ts';
import { emitIdentifierKeys, identifierPath } from './token.ts';

interface Reference {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: { readonly system?: string; readonly value?: string };
}

function emitReference(value: Reference, place: Place, out: Sink): void {
  out.probeKey(place.present);
  const type = value.reference === undefined ? value.type : (emitLiteral(value.reference, place, out) ?? value.type);
  const presentTo = type === undefined ? undefined : place.presentTo.get(type);
  if (presentTo !== undefined) out.probeKey(presentTo);
  if (value.identifier === undefined) return;
  emitIdentifierKeys(value.identifier, identifierPath(place.path, undefined), out);
  if (presentTo !== undefined) emitIdentifierKeys(value.identifier, identifierPath(place.path, type), out);
}

/** Answers the type of the resource referred to, where the text says it. */
function emitLiteral(text: string, place: Place, out: Sink): string | undefined {
  const parsed = out.readers.references(text);
  switch (parsed.kind) {
    case 'local':
      emitLocal(`${parsed.type}/${parsed.id}`, parsed.version, { place, out });
      return parsed.type;
    case 'remote':
      out.driver(keyText.url(place.path, parsed.url), place);
      if (parsed.version !== undefined) out.driver(keyText.url(place.path, text), place);
      return parsed.type;
    case 'urn':
      out.driver(keyText.url(place.path, parsed.urn), place);
      return undefined;
    case 'fragment':
    case 'conditional':
    case 'unknown':
      return undefined;
  }
}

function emitLocal(
  reference: string,
  version: string | undefined,
  { place, out }: { readonly place: Place; readonly out: Sink },
): void {
  out.driver(keyText.referencePrefix(place.path) + reference, place);
  if (version !== undefined) out.probe(keyText.versioned(place.path, `${reference}/_history/${version}`));
  if (place.isCompartment && reference.startsWith('Patient/')) out.patient(reference);
  out.link(place.path, reference);
}

/** A canonical is found by its URL with and without its version. */
function emitUrl(value: string, place: Place, out: Sink): void {
  out.probeKey(place.present);
  out.driver(keyText.url(place.path, value), place);
  if (place.category === 'uri' && !place.isProbe) out.label(place.row, cutText(value));
  const bar = value.indexOf('|');
  if (bar > 0) out.driver(keyText.url(place.path, value.slice(0, bar)), place);
}

/** `Bundle.entry[0].resource`: the resource itself stands where others have a reference. */
function emitResource(value: { resourceType?: string; id?: string }, place: Place, out: Sink): void {
  out.probeKey(place.present);
  if (value.resourceType === undefined || value.id === undefined) return;
  out.driver(keyText.referencePrefix(place.path) + `${value.resourceType}/${value.id}`, place);
}

const urlTypes = ['uri', 'url', 'canonical', 'oid', 'uuid'];
const urlEmitters = Object.fromEntries(urlTypes.map((type) => [type, emitUrl]));

export const uriEmitters: Readonly<Record<string, Emitter>> = urlEmitters;
export const referenceEmitters: Readonly<Record<string, Emitter>> = {
  ...urlEmitters,
  Reference: emitReference,
  Resource: emitResource,
};

/** `text` is the value as given: what is compared where the element holds a URL. */
export type ReferenceValue = { readonly text: string } & (
  | { readonly kind: 'reference'; readonly type: string; readonly id: string; readonly version: string | undefined }
  /** An id whose type is not said. */
  | { readonly kind: 'untyped'; readonly id: string }
  | { readonly kind: 'url' }
);

export function readReferenceValue(text: string, read: ReferenceReader): ReferenceValue {
  const parsed = read(text);
  if (parsed.kind === 'local')
    return { kind: 'reference', text, type: parsed.type, id: parsed.id, version: parsed.version };
  return /^[A-Za-z0-9.-]{1,64}$/.test(text) ? { kind: 'untyped', text, id: text } : { kind: 'url', text };
}

/** The keys of a value at a path; a version is asked for exactly. */
export function referenceTexts(path: string, isUrl: boolean, value: ReferenceValue): readonly string[] {
  if (isUrl || value.kind === 'url') return [keyText.url(path, value.text)];
  if (value.kind === 'untyped') return [];
  const reference = `${value.type}/${value.id}`;
  const version =
    value.version === undefined ? [] : [keyText.versioned(path, `${reference}/_history/${value.version}`)];
  return version.length > 0 ? version : [keyText.referencePrefix(path) + reference];
}

export function isUrlType(type: string): boolean {
  return urlTypes.includes(type);
}
