/**
 * French identifiers as one: the same number is written in several ways, and all of them get the same index key. What
 * is stored and served is never touched.
 *
 * Persons and structures have a national form in one OID, whose value begins with a digit for the kind of number, and a
 * form of their own in a URI (ANS, "Structuration minimale", PS_IdNat and Struct_IdNat):
 *
 *     https://rpps.esante.gouv.fr | 10101201234  =  urn:oid:1.2.250.1.71.4.2.1 | 810101201234
 *
 * The INS has only its OIDs: NIR (.8), NIA (.9) and their forms for tests (.10) and demonstrations (.11), which stay four
 * different systems. Here they are only freed from spaces and from the case of Corsican numbers.
 */

interface NationalForm {
  readonly uri: string;
  readonly oid: string;
  readonly prefix: string;
  /** The number without prefix. */
  readonly value: RegExp;
}

const person = 'urn:oid:1.2.250.1.71.4.2.1';
const structure = 'urn:oid:1.2.250.1.71.4.2.2';

const nationalForms: readonly NationalForm[] = [
  { uri: 'https://rpps.esante.gouv.fr', oid: person, prefix: '8', value: /^\d{11}$/ },
  { uri: 'https://adeli.esante.gouv.fr', oid: person, prefix: '0', value: /^[\dAB]{9}$/ },
  { uri: 'https://finess.esante.gouv.fr', oid: structure, prefix: '1', value: /^[\dAB]{9}$/ },
  { uri: 'https://sirene.fr', oid: structure, prefix: '2', value: /^\d{9}$/ },
  { uri: 'https://sirene.fr', oid: structure, prefix: '3', value: /^\d{14}$/ },
  { uri: 'https://rppsrang.esante.gouv.fr', oid: structure, prefix: '4', value: /^\d{14}$/ },
];

/** Systems that are the same as another one, whatever the value. */
const sameSystems: ReadonlyMap<string, string> = new Map([
  ['urn:oid:1.3.2', 'https://sirene.fr'],
  ...nationalForms.map(({ uri }) => [uri.replace('https:', 'http:'), uri] as const),
]);

const nationalSystems = new Set(nationalForms.flatMap(({ uri, oid }) => [uri, oid]));
const insSystems = new Set([8, 9, 10, 11].map((arc) => `urn:oid:1.2.250.1.213.1.4.${arc}`));
const bareOid = /^[0-2](?:\.\d+){2,}$/;

export interface SystemValue {
  readonly system: string;
  readonly value: string;
}

/** `1.2.250.1.71.4.2.1` and `URN:OID:...` -> `urn:oid:...`; `http://rpps...` -> `https://rpps...`. */
export function canonicalSystem(system: string): string {
  const trimmed = system.trim();
  const asUrn = bareOid.test(trimmed) ? `urn:oid:${trimmed}` : trimmed.replace(/^urn:oid:/i, 'urn:oid:');
  return sameSystems.get(asUrn) ?? asUrn;
}

/** The one form under which an identifier is indexed and sought. */
export function canonicalIdentifier(system: string, value: string): SystemValue {
  const known = canonicalSystem(system);
  if (insSystems.has(known)) return { system: known, value: compact(value) };
  return nationalSystems.has(known)
    ? nationalIdentifier(known, compact(value))
    : { system: known, value: value.trim() };
}

/** A 12-digit number under the URI of the RPPS is the national form put in the wrong place; it is met in real messages. */
function nationalIdentifier(system: string, value: string): SystemValue {
  for (const form of nationalForms) {
    const bare = value.startsWith(form.prefix) ? value.slice(form.prefix.length) : '';
    if (form.value.test(bare) && (system === form.oid || system === form.uri)) return { system: form.uri, value: bare };
  }
  return { system, value };
}

function compact(value: string): string {
  return value.replace(/\s+/g, '').toUpperCase();
}
