/** Values of one parameter, from text to the types of tree.ts. A value that cannot be read is refused, never dropped. */
import { searchLimits } from '../base/index.ts';
import type { SearchContext } from './context.ts';
import { splitEscaped, unescapeValue } from './escape.ts';
import { incorrect, tooCostly, unsupported } from './fault.ts';
import { foldText, wordsOf } from './fold.ts';
import type { SearchParameter } from './parameters.ts';
import { approximateDate, type Prefix, prefixes, readNumber } from './range.ts';
import { readReferenceValue, type ReferenceValue } from './reference.ts';
import type { Terminology } from './terminology.ts';
import type { DateValue, NumberValue, OfTypeValue } from './tree.ts';
import type { TokenValue } from './token.ts';

/** One parameter as it came. */
export interface Input {
  readonly name: string;
  readonly value: string;
}

/** The alternatives between commas, still escaped. */
export function readAlternatives({ name, value }: Input): readonly string[] {
  if (value.length > searchLimits.valueCharactersMax * searchLimits.orValuesMax) throw tooLong(name);
  const parts = splitEscaped(value, ',');
  if (parts.length > searchLimits.orValuesMax) {
    throw tooCostly(name, `${parts.length} values found, at most ${searchLimits.orValuesMax} are allowed`);
  }
  for (const part of parts) {
    if (part.trim() === '') throw incorrect(name, 'a value is empty');
    if (part.length > searchLimits.valueCharactersMax) throw tooLong(name);
    // PostgreSQL cannot hold it, and no resource can either.
    if (part.includes('\u0000')) throw incorrect(name, 'a value holds the character U+0000');
  }
  return parts;
}

function tooLong(name: string) {
  return tooCostly(name, `a value is longer than ${searchLimits.valueCharactersMax} characters`);
}

/** Types that have no system: a bar in the value would be a mistake. */
const unsystematic = new Set([
  'ContactPoint',
  'boolean',
  'string',
  'markdown',
  'id',
  'uri',
  'url',
  'canonical',
  'oid',
  'uuid',
]);

export function readTokens(input: Input, parameter: SearchParameter): readonly TokenValue[] {
  return readAlternatives(input).map((text) => {
    const value = readToken(input.name, text);
    checkToken(input.name, value, parameter);
    return value;
  });
}

/** Also for `:identifier`, where no parameter's types matter. */
export function readToken(name: string, text: string): TokenValue {
  const parts = splitEscaped(text, '|').map(unescapeValue);
  if (parts.length > 2) throw incorrect(name, 'expected code, system|code, |code or system|, found more than one bar');
  const [first = '', second] = parts;
  if (second === undefined) return { kind: 'token', system: undefined, code: first };
  if (first === '' && second === '') throw incorrect(name, 'neither system nor code is given');
  return { kind: 'token', system: first, code: second === '' ? undefined : second };
}

function checkToken(name: string, { system, code }: TokenValue, { paths }: SearchParameter): void {
  const types = paths.flatMap((path) => path.types);
  if (system !== undefined && types.every((type) => unsystematic.has(type))) {
    throw incorrect(name, 'its values have no system: expected a value without bar');
  }
  if (types.every((type) => type === 'boolean') && code !== 'true' && code !== 'false') {
    throw incorrect(name, 'expected true or false');
  }
  const isUnlisted = paths.some((path) => path.types.includes('code') && path.systems === undefined);
  if (system !== undefined && isUnlisted && types.every((type) => type === 'code')) {
    throw incorrect(name, 'the system of its codes is not listed: expected a code without bar');
  }
}

export function readReferences(
  context: SearchContext,
  input: Input,
  targetType: string | undefined,
): readonly ReferenceValue[] {
  return readAlternatives(input).map((text) => {
    const value = readReferenceValue(unescapeValue(text), context.readers.references);
    if (value.kind === 'reference' && !context.definitions.resourceTypes.has(value.type)) {
      throw incorrect(input.name, 'the type of the reference is unknown to FHIR R4');
    }
    if (targetType === undefined) return value;
    if (value.kind !== 'untyped') throw incorrect(input.name, 'after a type, expected an id alone');
    return { kind: 'reference', text: value.text, type: targetType, id: value.id, version: undefined };
  });
}

export function readStrings(input: Input, isExact: boolean): readonly string[] {
  return readAlternatives(input).map((text) => {
    const value = unescapeValue(text);
    if (isExact) return value.normalize();
    const folded = foldText(value);
    if (folded === '') throw incorrect(input.name, 'the value has neither letters nor digits');
    if (folded.length > searchLimits.stringCharactersMax) {
      throw tooCostly(input.name, `a text is longer than ${searchLimits.stringCharactersMax} characters`);
    }
    return folded;
  });
}

/** Longer URIs are indexed by their begin only: what they start with could not be told. */
export function readUris(input: Input, match: 'equals' | 'below' | 'above'): readonly string[] {
  const values = readAlternatives(input).map(unescapeValue);
  if (match !== 'equals' && values.some((value) => value.length >= searchLimits.stringCharactersMax)) {
    throw tooCostly(input.name, `a URI is longer than ${searchLimits.stringCharactersMax} characters`);
  }
  return values;
}

/** `_text`, `_content`: words that must all be there. */
export function readWords(input: Input): readonly (readonly string[])[] {
  return readAlternatives(input).map((text) => {
    const words = wordsOf(unescapeValue(text));
    if (words.length === 0) throw incorrect(input.name, 'the value has neither letters nor digits');
    if (words.length > searchLimits.wordsMax)
      throw tooCostly(input.name, `at most ${searchLimits.wordsMax} words are allowed`);
    return words;
  });
}

interface Expanded {
  readonly parameter: SearchParameter;
  readonly modifier: string;
}

/** `:in`, `:not-in`: the codes of value sets. */
export function readValueSets(terminology: Terminology, input: Input): readonly TokenValue[] {
  return readAlternatives(input).flatMap((text) => {
    const codes = terminology.codes(unescapeValue(text));
    if (codes === undefined) {
      throw unsupported(input.name, 'the value set is unknown here, or its codes cannot be listed');
    }
    return codes.map(({ system, code }) => ({ kind: 'token', system, code }));
  });
}

/** `:below`, `:above`: the codes that a code subsumes, or that subsume it; itself among them. */
export function readRelated(terminology: Terminology, input: Input, { modifier }: Expanded): readonly TokenValue[] {
  return readAlternatives(input).flatMap((text) => {
    const { system, code } = readToken(input.name, text);
    if (system === undefined || system === '' || code === undefined)
      throw incorrect(input.name, 'expected system|code');
    const related = modifier === 'below' ? terminology.below(system, code) : terminology.above(system, code);
    if (related === undefined) throw unsupported(input.name, 'the code system is unknown here, or it has no hierarchy');
    return related.map((one) => ({ kind: 'token', system, code: one }));
  });
}

/** `system|code|value`: the type of the identifier, and its value. */
export function readOfType(input: Input, { paths }: SearchParameter): readonly OfTypeValue[] {
  if (!paths.every(({ types }) => types.includes('Identifier'))) {
    throw unsupported(input.name, 'the modifier is not supported for this parameter');
  }
  return readAlternatives(input).map((text) => {
    const [system = '', code = '', value = '', ...more] = splitEscaped(text, '|').map(unescapeValue);
    if (code === '' || value === '' || more.length > 0) {
      throw incorrect(input.name, 'expected system|code|value: the type of the identifier and its value');
    }
    return { system, code, value };
  });
}

export function readDates(context: SearchContext, input: Input, now: number): readonly DateValue[] {
  return readAlternatives(input).map((text) => {
    const { prefix, rest } = readPrefix(text);
    // A `+` that was not encoded arrives as a space.
    const range = context.readers.dates.range(rest.replace(' ', '+'));
    if (range === undefined)
      throw incorrect(input.name, 'expected a date such as ge2026-03-02 or 2026-03-02T16:20:00Z');
    return { prefix, ...(prefix === 'ap' ? approximateDate(range, now) : range) };
  });
}

export function readNumbers(input: Input, isQuantity: boolean): readonly NumberValue[] {
  return readAlternatives(input).map((text) => {
    const [number = '', ...units] = splitEscaped(text, '|').map(unescapeValue);
    const { prefix, rest } = readPrefix(number);
    const range = readNumber(rest);
    if (range === undefined) throw incorrect(input.name, 'expected a number such as 5.4 or lt5.4');
    return { prefix, ...range, unit: readUnit(input.name, units, isQuantity) };
  });
}

/** `number|system|code` or `number||code`. */
function readUnit(name: string, parts: readonly string[], isQuantity: boolean): NumberValue['unit'] {
  if (parts.length === 0) return undefined;
  const [system = '', code = ''] = parts;
  if (!isQuantity || parts.length !== 2) throw incorrect(name, 'expected number, number|system|code or number||code');
  if (code === '') throw incorrect(name, 'a unit is expected after the second bar');
  return { system, code };
}

function readPrefix(text: string): { readonly prefix: Prefix; readonly rest: string } {
  const prefix = prefixes.find((one) => text.startsWith(one));
  return prefix === undefined ? { prefix: 'eq', rest: text } : { prefix, rest: text.slice(2) };
}
