/** HL7 v3 names, telecoms and addresses -> FHIR. */
import type { Address, ContactPoint, Extension, HumanName } from 'fhir/r4.js';
import type { NamePart, PersonName, PostalAddress, Telecom } from '../formats/index.ts';
import { element } from './element.ts';

const birthListExtension = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name';

/**
 * A patient's PN holds several names in one: BR -> official, CL or SP -> usual, and `given` without qualifier is the list
 * of all first names. A name without any qualifier stays one name of no said use.
 */
export function patientNames(name: PersonName): HumanName[] {
  const of = (parts: readonly NamePart[], ...qualifiers: (string | undefined)[]) =>
    parts.find(({ qualifier }) => qualifiers.includes(qualifier))?.text;
  const atBirth = { family: of(name.families, 'BR'), given: of(name.givens, 'BR') };
  const called = { family: of(name.families, 'CL', 'SP'), given: of(name.givens, 'CL') };
  const all = name.givens.filter(({ qualifier }) => qualifier === undefined).map(({ text }) => text);
  const names: HumanName[] = [];
  if (atBirth.family ?? atBirth.given) {
    const given = atBirth.given ?? all[0];
    const extension = birthList(given, all);
    names.push(element<HumanName>({ extension, use: 'official', family: atBirth.family, given: given ? [given] : [] }));
  }
  if (called.family ?? called.given) {
    names.push(element<HumanName>({ use: 'usual', family: called.family, given: called.given ? [called.given] : [] }));
  }
  return names.length > 0 ? names : [plainName(name)];
}

function birthList(first: string | undefined, all: readonly string[]): Extension[] {
  if (all.length === 0) return [];
  const list = all.join(' ');
  const isComplete = first === undefined || list === first || list.startsWith(`${first} `);
  return [{ url: birthListExtension, valueString: isComplete ? list : `${first} ${list}` }];
}

export function plainName({ families, givens, prefixes, suffixes, text }: PersonName): HumanName {
  return element<HumanName>({
    text,
    family: families[0]?.text,
    given: givens.map((part) => part.text),
    prefix: [...prefixes],
    suffix: [...suffixes],
  });
}

/** `M Charles DAVID DR` reads as `DR Charles DAVID`. */
export function nameText({ text, family, given = [], suffix = [] }: HumanName): string | undefined {
  return text ?? ([suffix[0], given[0], family].filter(Boolean).join(' ') || undefined);
}

const telecomSystems: ReadonlyMap<string, ContactPoint['system']> = new Map([
  ['tel', 'phone'],
  ['fax', 'fax'],
  ['mailto', 'email'],
  ['http', 'url'],
  ['https', 'url'],
  ['ftp', 'url'],
]);

const telecomUses: ReadonlyMap<string, ContactPoint['use']> = new Map([
  ['H', 'home'],
  ['HP', 'home'],
  ['HV', 'home'],
  ['WP', 'work'],
  ['DIR', 'work'],
  ['PUB', 'work'],
  ['MC', 'mobile'],
]);

export function contactPoint({ value, use }: Telecom): ContactPoint {
  const scheme = /^([a-z]+):/i.exec(value)?.[1]?.toLowerCase() ?? '';
  const isUrl = telecomSystems.get(scheme) === 'url';
  const kind = use === 'PG' ? 'pager' : (telecomSystems.get(scheme) ?? 'other');
  const isStripped = telecomSystems.has(scheme) && !isUrl;
  return element<ContactPoint>({
    system: kind,
    value: isStripped ? value.slice(scheme.length + 1) : value,
    use: telecomUses.get(use?.split(/\s+/)[0] ?? ''),
  });
}

const addressUses: ReadonlyMap<string, Address['use']> = new Map([
  ['H', 'home'],
  ['HP', 'home'],
  ['HV', 'home'],
  ['WP', 'work'],
  ['TMP', 'temp'],
]);

/** AD parts of the first line of the street, then one line per further part. */
const streetParts = ['houseNumber', 'houseNumberNumeric', 'streetNameType', 'streetNameBase', 'streetName'];
const otherLines = ['streetAddressLine', 'unitID', 'additionalLocator', 'deliveryAddressLine', 'postBox', 'precinct'];

export function postalAddress(address: PostalAddress): Address {
  const all = (names: readonly string[]) =>
    names.flatMap((name) => address.parts.filter((part) => part.name === name).map(({ text }) => text));
  const street = all(streetParts).join(' ');
  return element<Address>({
    use: addressUses.get(address.use ?? ''),
    text: all(['text']).join(' ') || undefined,
    line: [...(street ? [street] : []), ...all(otherLines)],
    city: all(['city'])[0],
    district: all(['county'])[0],
    state: all(['state'])[0],
    postalCode: all(['postalCode'])[0],
    country: all(['country'])[0],
  });
}
