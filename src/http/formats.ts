/**
 * In which form an answer is wanted (https://hl7.org/fhir/R4/http.html#mime-type, #parameters): JSON or XML, indented or
 * not, French or English. `_format` decides over Accept; where neither says anything, it is JSON.
 */
import type { FastifyRequest } from 'fastify';
import { Problem } from '../base/index.ts';
import type { Language } from './french.ts';

export type Format = 'json' | 'xml';

export interface Form {
  /** undefined: the client wants something that is neither. */
  readonly format: Format | undefined;
  readonly isPretty: boolean;
  /** undefined: nothing is asked for, and each text stays as it is written. */
  readonly language: Language | undefined;
}

const formats: ReadonlyMap<string, Format> = new Map([
  ['application/fhir+json', 'json'],
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['json', 'json'],
  ['application/fhir+xml', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['xml', 'xml'],
]);

const contentTypes: Readonly<Record<Format, string>> = {
  json: 'application/fhir+json; charset=utf-8',
  xml: 'application/fhir+xml; charset=utf-8',
};

export function contentTypeOf(format: Format): string {
  return contentTypes[format];
}

/** The format of a media type, whatever its parameters. */
export function formatOf(type: string): Format | undefined {
  return formats.get(mediaType(type));
}

export function mediaType(value: string): string {
  return (value.split(';')[0] ?? '').trim().toLowerCase();
}

const plain: Form = { format: 'json', isPretty: false, language: undefined };

/** The common cases stand first: a read in JSON costs nothing here. */
export function readForm({ headers, raw }: FastifyRequest): Form {
  const { accept } = headers;
  const language = headers['accept-language'];
  const hasQuery = raw.url?.includes('?') ?? false;
  if (!hasQuery && language === undefined && (accept === undefined || accept === 'application/fhir+json')) return plain;
  const query = hasQuery ? new URLSearchParams(raw.url?.slice(raw.url.indexOf('?'))) : undefined;
  return {
    format: readFormat(query?.get('_format') ?? undefined, accept),
    isPretty: query?.get('_pretty') === 'true',
    language: readLanguage(language),
  };
}

export function requireFormat({ format }: Form): Format {
  if (format !== undefined) return format;
  throw new Problem('not-acceptable', 'the format asked for is not served: expected application/fhir+json or +xml');
}

/** A `+` in a URL is read as a blank. */
function readFormat(format: string | undefined, accept: string | undefined): Format | undefined {
  if (format !== undefined) return hasOurVersion(format) ? formatOf(format.replace(' ', '+')) : undefined;
  if (accept === undefined || accept.trim() === '') return 'json';
  for (const range of byPreference(accept)) {
    const type = mediaType(range);
    const found = type === '*/*' || type === 'application/*' ? 'json' : formats.get(type);
    if (found !== undefined && hasOurVersion(range)) return found;
  }
  return undefined;
}

function hasOurVersion(range: string): boolean {
  const version = /;\s*fhirversion\s*=\s*"?([^";\s]*)/i.exec(range)?.[1];
  return version === undefined || version === '4.0' || version === '4.0.1';
}

/** The ranges of an Accept or Accept-Language header, best first; what has the weight 0 is not wanted. */
function byPreference(header: string): readonly string[] {
  return header
    .split(',')
    .map((range) => ({ range, weight: Number(/;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1] ?? 1) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ range }) => range);
}

/** The first of ours that is preferred (https://hl7.org/fhir/R4/languages.html). */
function readLanguage(header: string | undefined): Form['language'] {
  if (header === undefined) return undefined;
  for (const range of byPreference(header)) {
    const language = mediaType(range).split('-')[0];
    if (language === 'fr' || language === 'en') return language;
  }
  return undefined;
}
