/**
 * The text of primitive values (https://hl7.org/fhir/R4/datatypes.html#primitive): the published patterns, and a real
 * calendar. Deviations from the patterns, all for the sake of texts that they mean: `\s` is XML white space (a string
 * may hold no-break spaces), base64 is read without backtracking, and control characters are refused as XML does.
 */
import { isDate, isDateTime, isInstant } from './calendar.ts';
import { isNarrative } from './narrative.ts';

export type Format = (text: string) => boolean;

const timePattern = /^(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?$/;
const uriPattern = /^[^ \t\r\n\f\v]+$/;
const codePattern = /^[^ \t\r\n\f\v]+(?:[ \t\r\n][^ \t\r\n\f\v]+)*$/;
const idPattern = /^[A-Za-z0-9.-]{1,64}$/;
const oidPattern = /^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/;
const uuidPattern = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const controlCharacters = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;
const stringLengthMax = 1024 * 1024;

export const formats: Readonly<Record<string, Format>> = {
  base64Binary: isBase64,
  canonical: (text) => uriPattern.test(text),
  code: (text) => codePattern.test(text),
  date: isDate,
  dateTime: isDateTime,
  id: (text) => idPattern.test(text),
  instant: isInstant,
  markdown: isString,
  oid: (text) => oidPattern.test(text),
  string: isString,
  time: (text) => timePattern.test(text),
  uri: (text) => uriPattern.test(text),
  url: (text) => uriPattern.test(text),
  uuid: (text) => uuidPattern.test(text),
  xhtml: isNarrative,
};

/** What each format expects, for people. */
export const formatTexts: Readonly<Record<string, string>> = {
  base64Binary: 'base64 (RFC 4648, section 4)',
  canonical: 'a canonical URL without spaces',
  code: 'a code without leading, trailing or double spaces',
  date: 'a date that exists, YYYY, YYYY-MM or YYYY-MM-DD',
  dateTime: 'a date that exists, YYYY, YYYY-MM or YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with Z or an offset',
  id: 'an id of 1 to 64 letters, digits, hyphens and dots',
  instant: 'an instant YYYY-MM-DDThh:mm:ss with Z or an offset, on a day that exists',
  markdown: 'text that is not empty, without control characters, of at most 1 MiB',
  oid: 'an OID as urn:oid:...',
  string: 'text that is not empty, without control characters, of at most 1 MiB',
  time: 'a time hh:mm:ss',
  uri: 'a URI without spaces',
  url: 'a URL without spaces',
  uuid: 'a UUID as urn:uuid:... in lower case',
  xhtml: 'well-formed XHTML in a div, with the elements and attributes that a narrative may have',
};

export const formatFrenchTexts: Readonly<Record<string, string>> = {
  base64Binary: 'base64 (RFC 4648, section 4)',
  canonical: 'URL canonique sans espace',
  code: 'code sans espace au début, à la fin, ni double',
  date: 'date existante, AAAA, AAAA-MM ou AAAA-MM-JJ,',
  dateTime: 'date existante, AAAA, AAAA-MM, AAAA-MM-JJ ou AAAA-MM-JJThh:mm:ss avec Z ou un décalage,',
  id: 'identifiant de 1 à 64 lettres, chiffres, tirets et points',
  instant: 'instant AAAA-MM-JJThh:mm:ss avec Z ou un décalage, en un jour existant,',
  markdown: 'texte non vide, sans caractère de contrôle, de 1 Mio au plus,',
  oid: 'OID sous la forme urn:oid:...',
  string: 'texte non vide, sans caractère de contrôle, de 1 Mio au plus,',
  time: 'heure hh:mm:ss',
  uri: 'URI sans espace',
  url: 'URL sans espace',
  uuid: 'UUID sous la forme urn:uuid:... en minuscules',
  xhtml: "XHTML bien formé dans un div, avec les éléments et attributs permis d'un texte",
};

function isString(text: string): boolean {
  return text.length > 0 && text.length <= stringLengthMax && !controlCharacters.test(text);
}

const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

function isBase64(text: string): boolean {
  const compact = /[ \t\r\n]/.test(text) ? text.replace(/[ \t\r\n]+/g, '') : text;
  return compact.length > 0 && compact.length % 4 === 0 && base64Pattern.test(compact);
}
