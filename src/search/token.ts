/**
 * Tokens (https://hl7.org/fhir/R4/search.html#token), both sides: the keys of a value in a resource, and the keys that a
 * search value asks for.
 */
import type { Emitter, Place, Sink } from './collector.ts';
import { restrictPath } from './collector.ts';
import { cutText, foldCode, foldContact, foldText } from './fold.ts';
import { canonicalIdentifier, canonicalSystem } from './identifier-systems.ts';
import { keyText } from './keys.ts';

interface Coding {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}

interface Identifier {
  readonly type?: { readonly text?: string; readonly coding?: readonly Coding[] };
  readonly system?: string;
  readonly value?: string;
}

/** Value as written, with a key that any case finds. */
function emitCode(value: string | number | boolean, place: Place, out: Sink): void {
  out.probeKey(place.present);
  out.driver(keyText.anyCode(place.path, foldCode(String(value))), place);
}

/** Ids and URIs are case-sensitive. */
function emitLiteral(value: string, place: Place, out: Sink): void {
  out.probeKey(place.present);
  out.driver(keyText.anyCode(place.path, value), place);
}

function emitCoding(value: Coding, place: Place, out: Sink): void {
  out.probeKey(place.present);
  emitCodingKeys(value, place, out);
}

/** What `:text` looks at. */
function emitLabel(text: string | undefined, place: Place, out: Sink): void {
  if (text === undefined || place.isProbe) return;
  const folded = cutText(foldText(text));
  if (folded !== '') out.label(place.row, folded);
}

function emitCodingKeys({ system, code, display }: Coding, place: Place, out: Sink): void {
  emitLabel(display, place, out);
  if (system !== undefined) out.probe(keyText.system(place.path, system));
  if (code === undefined) return;
  const folded = foldCode(code);
  out.driver(keyText.anyCode(place.path, folded), place);
  if (system === undefined) out.probe(keyText.noSystem(place.path, folded));
  else out.driver(keyText.systemCode(place.path, system, folded), place);
}

interface Concept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}

function emitConcept(value: Concept, place: Place, out: Sink): void {
  out.probeKey(place.present);
  emitLabel(value.text, place, out);
  for (const coding of value.coding ?? []) emitCodingKeys(coding, place, out);
}

function emitIdentifier(value: Identifier, place: Place, out: Sink): void {
  out.probeKey(place.present);
  emitIdentifierKeys(value, place.path, out);
  emitLabel(value.type?.text, place, out);
  for (const { system = '', code } of value.type?.coding ?? []) {
    if (code === undefined || value.value === undefined) continue;
    out.probe(keyText.ofType(place.path, { system, code: foldCode(code) }, value.value.trim()));
  }
}

/** Also for the identifier of a reference, at a path of its own. */
export function emitIdentifierKeys({ system, value }: Identifier, path: string, out: Sink): void {
  if (system !== undefined) out.probe(keyText.system(path, canonicalSystem(system)));
  if (value === undefined) return;
  out.driver(keyText.anyCode(path, value.trim()));
  if (system === undefined) {
    out.probe(keyText.noSystem(path, value.trim()));
    return;
  }
  const canonical = canonicalIdentifier(system, value);
  out.probe(keyText.system(path, canonical.system));
  out.driver(keyText.systemCode(path, canonical.system, canonical.value));
}

function emitContact(value: { readonly value?: string }, place: Place, out: Sink): void {
  out.probeKey(place.present);
  if (value.value !== undefined) out.driver(keyText.anyCode(place.path, foldContact(value.value)), place);
}

const literalTypes = ['id', 'uri', 'url', 'canonical', 'oid', 'uuid'];
const codeTypes = ['code', 'string', 'markdown', 'boolean', 'integer', 'positiveInt', 'unsignedInt', 'decimal'];

export const tokenEmitters: Readonly<Record<string, Emitter>> = {
  ...Object.fromEntries(literalTypes.map((type) => [type, emitLiteral])),
  ...Object.fromEntries(codeTypes.map((type) => [type, emitCode])),
  Coding: emitCoding,
  CodeableConcept: emitConcept,
  Identifier: emitIdentifier,
  ContactPoint: emitContact,
};

/** As asked: `code` (no system given), `|code` (system is ''), `system|code`, `system|` (no code). */
export interface TokenValue {
  readonly kind: 'token';
  readonly system: string | undefined;
  readonly code: string | undefined;
}

/** Where a token is sought: a path with the types that its values may have. */
export interface TokenPlace {
  readonly path: string;
  readonly types: readonly string[];
  /** Of a code with a required binding: the codes of each system. */
  readonly systems: ReadonlyMap<string, ReadonlySet<string>> | undefined;
}

/** `exact` finds the matches; each match also has one of `drivers`, which is empty when nothing drives. */
export interface TokenTexts {
  readonly exact: readonly string[];
  readonly drivers: readonly string[];
}

export function tokenTexts(place: TokenPlace, value: TokenValue): TokenTexts {
  const found = new Set<string>();
  const drivers = new Set<string>();
  for (const type of place.types) {
    const texts = textsOfType(type, place, value);
    for (const text of texts.exact) found.add(text);
    for (const text of texts.drivers) drivers.add(text);
  }
  return { exact: [...found], drivers: [...drivers] };
}

function textsOfType(type: string, place: TokenPlace, value: TokenValue): TokenTexts {
  if (type === 'Coding' || type === 'CodeableConcept') return codedTexts(place.path, value);
  if (type === 'Identifier') return codedTexts(place.path, canonicalValue(value), (code) => code.trim());
  if (type === 'code' && value.system !== undefined) return impliedSystemTexts(place, value);
  if (value.system !== undefined || value.code === undefined) return { exact: [], drivers: [] };
  const texts = [keyText.anyCode(place.path, literalFold(type, value.code))];
  return { exact: texts, drivers: texts };
}

function codedTexts(path: string, { system, code }: TokenValue, fold: (code: string) => string = foldCode): TokenTexts {
  if (code === undefined) return { exact: [keyText.system(path, system ?? '')], drivers: [] };
  const any = [keyText.anyCode(path, fold(code))];
  if (system === undefined) return { exact: any, drivers: any };
  if (system === '') return { exact: [keyText.noSystem(path, fold(code))], drivers: any };
  const exact = [keyText.systemCode(path, system, fold(code))];
  return { exact, drivers: exact };
}

function canonicalValue({ system, code }: TokenValue): TokenValue {
  if (system === undefined || system === '') return { kind: 'token', system, code };
  if (code === undefined) return { kind: 'token', system: canonicalSystem(system), code };
  const canonical = canonicalIdentifier(system, code);
  return { kind: 'token', system: canonical.system, code: canonical.value };
}

/** A plain code has the system of its value set, unsaid. */
function impliedSystemTexts({ path, systems }: TokenPlace, { system, code }: TokenValue): TokenTexts {
  const known = systems?.get(system ?? '');
  const codes = known === undefined ? [] : code === undefined ? [...known] : known.has(code) ? [code] : [];
  const texts = codes.map((one) => keyText.anyCode(path, foldCode(one)));
  return { exact: texts, drivers: texts };
}

function literalFold(type: string, code: string): string {
  if (type === 'ContactPoint') return foldContact(code);
  return literalTypes.includes(type) ? code : foldCode(code);
}

/** The path of identifiers inside references: `subject:identifier=...`. */
export function identifierPath(path: string, restriction: string | undefined): string {
  return `${restrictPath(path, restriction)}:identifier`;
}
