/**
 * HL7 v3 identifiers -> FHIR identifiers as FR Core writes them, national forms beside the raw one, and the keys by
 * which two identifiers are the same although one says `urn:oid:1.2.250.1.71.4.2.1|810101201234` and the other
 * `https://rpps.esante.gouv.fr|10101201234`.
 */
import type { Identifier } from 'fhir/r4.js';
import type { InstanceIdentifier } from '../formats/index.ts';
import { codeSystems } from './codes.ts';
import { element } from './element.ts';
import { insAuthority } from './ins.ts';

export const persons = '1.2.250.1.71.4.2.1';
export const structures = '1.2.250.1.71.4.2.2';
const uriSystem = 'urn:ietf:rfc:3986';

export function urn(root: string): string {
  return /^[0-2]\./.test(root) ? `urn:oid:${root}` : `urn:uuid:${root}`;
}

/** II -> Identifier: root alone is a URI of its own, root with extension is system and value. */
export function plainIdentifier({ root, extension }: InstanceIdentifier): { system: string; value: string } {
  return extension === undefined ? { system: uriSystem, value: urn(root) } : { system: urn(root), value: extension };
}

/** One URI for meta.source and for derived identifiers. */
export function uriOf({ root, extension }: InstanceIdentifier): string {
  return extension === undefined ? urn(root) : `${urn(root)}#${extension}`;
}

const frType = (code: string) => ({ coding: [{ system: codeSystems.frIdentifierType, code }] });

/** INS first with its FR Core type, everything else as a number of the sender (IPP). */
export function patientIdentifiers(ids: readonly InstanceIdentifier[]): Identifier[] {
  return ids.map((id) => {
    const plain = plainIdentifier(id);
    const ins = insAuthority(plain.system);
    if (ins !== undefined) return { use: 'official', type: frType(ins.type), ...plain };
    return { use: 'usual', type: { coding: [{ system: codeSystems.identifierType, code: 'PI' }] }, ...plain };
  });
}

/** National forms of PS_IdNat: the first digit says which register the rest is from. */
function professionalForm(value: string): Identifier | undefined {
  if (/^8\d{11}$/.test(value))
    return { type: frType('RPPS'), system: 'https://rpps.esante.gouv.fr', value: value.slice(1) };
  if (/^0\d{9}$/.test(value))
    return { type: frType('ADELI'), system: 'https://adeli.esante.gouv.fr', value: value.slice(1) };
  return undefined;
}

/** National forms of Struct_IdNat. A FINESS has nine characters, Corsica's letters included. */
function structureForm(value: string): Identifier | undefined {
  if (/^1[0-9AB]{9}$/.test(value)) return { system: 'https://finess.esante.gouv.fr', value: value.slice(1) };
  if (/^2\d{9}$/.test(value)) return { type: frType('SIREN'), system: 'https://sirene.fr', value: value.slice(1) };
  if (/^3\d{14}$/.test(value)) return { type: frType('SIRET'), system: 'https://sirene.fr', value: value.slice(1) };
  return undefined;
}

export function professionalIdentifiers(ids: readonly InstanceIdentifier[]): Identifier[] {
  return nationalIdentifiers(ids, persons, 'IDNPS', professionalForm);
}

export function structureIdentifiers(ids: readonly InstanceIdentifier[]): Identifier[] {
  return nationalIdentifiers(ids, structures, 'IDNST', structureForm);
}

function nationalIdentifiers(
  ids: readonly InstanceIdentifier[],
  root: string,
  type: string,
  formOf: (value: string) => Identifier | undefined,
): Identifier[] {
  return ids.flatMap((id) => {
    const plain = plainIdentifier(id);
    if (id.root !== root) return [plain];
    return [element<Identifier>({ type: frType(type), ...plain }), formOf(plain.value) ?? []].flat();
  });
}

/** Other names under which the national registers are met. */
const registerAliases: ReadonlyMap<string, string> = new Map([
  ['http://rpps.fr', 'https://rpps.esante.gouv.fr'],
  ['http://finess.sante.gouv.fr', 'https://finess.esante.gouv.fr'],
  [`urn:oid:${persons}`, 'IDNPS'],
  [`urn:oid:${structures}`, 'IDNST'],
]);

/** Keys of the identifiers; two identifiers are of one thing when they share a key. */
export function identityKeys(identifiers: readonly Identifier[] | undefined): string[] {
  return (identifiers ?? []).flatMap(({ system = '', value }) => {
    if (value === undefined) return [];
    const register = registerAliases.get(system) ?? system;
    const form = nationalForm(register, value);
    return form === undefined ? [`${register}|${value}`] : [`${register}|${value}`, `${form.system}|${form.value}`];
  });
}

/** The national form of a number under one of the two OIDs, also of one that came without its leading digit. */
function nationalForm(register: string, value: string): Identifier | undefined {
  if (register === 'IDNPS') return professionalForm(value.length === 11 ? `8${value}` : value);
  if (register === 'IDNST') return structureForm(value.length === 9 ? `1${value}` : value);
  return undefined;
}

export function shareIdentity(
  one: readonly Identifier[] | undefined,
  other: readonly Identifier[] | undefined,
): boolean {
  const keys = new Set(identityKeys(other));
  return identityKeys(one).some((key) => keys.has(key));
}

/** The FINESS numbers among identifiers. */
export function finessOf(identifiers: readonly Identifier[] | undefined): string[] {
  const prefix = 'https://finess.esante.gouv.fr|';
  return identityKeys(identifiers).flatMap((key) => (key.startsWith(prefix) ? key.slice(prefix.length) : []));
}
