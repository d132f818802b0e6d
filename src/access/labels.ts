/**
 * Security labels, as data: which labels each role may see. A label is `system|code`, as migrations/0034 reads it from the resource. One
 * that stands in none of these tables is one that nobody knows: it hides its resource from everybody but those who may see all labels.
 *
 * The masks of the DMP (JDV_J08) are written under several systems and in several spellings; all of them are one.
 */
import type { Role } from './caller.ts';
import { byRoles } from './policy.ts';

const confidentialitySystems = [
  'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  'http://hl7.org/fhir/v3/Confidentiality',
  'urn:oid:2.16.840.1.113883.5.25',
];

const maskSystems = [
  'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument',
  'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument',
  'https://smt.esante.gouv.fr/terminologie-tre-a07-statusvisibilitedocument',
  'urn:oid:1.2.250.1.213.1.1.4.13',
];

/** Every spelling of each mask. */
const maskCodes = {
  MASQUE_PS: ['MASQUE_PS'],
  INVISIBLE_PATIENT: ['INVISIBLE_PATIENT'],
  INVISIBLE_REPRESENTANTS_LEGAUX: ['INVISIBLE_REPRESENTANTS_LEGAUX', 'INVISIBLE_REP_LEGAUX'],
} as const;

type Mask = keyof typeof maskCodes;

/** Why the record is used: says nothing about who may see it (https://hl7.org/fhir/R4/security-labels.html). */
const harmless = ['HTEST', 'TREAT', 'CAREMGT', 'HPAYMT', 'HOPERAT'].map(
  (code) => `http://terminology.hl7.org/CodeSystem/v3-ActReason|${code}`,
);

const levels = (codes: readonly string[]): readonly string[] =>
  confidentialitySystems.flatMap((system) => codes.map((code) => `${system}|${code}`));
const masks = (names: readonly Mask[]): readonly string[] =>
  maskSystems.flatMap((system) => names.flatMap((name) => maskCodes[name].map((code) => `${system}|${code}`)));

const everyday = [...levels(['U', 'L', 'M', 'N']), ...harmless];

/**
 * What hides nothing from whom. Who is masked from the patient is not masked from professionals, and the other way round; what is masked
 * from professionals is seen by its author and, where glass is broken, by whoever breaks it.
 */
const seenBy: Readonly<Record<Role, readonly string[]>> = {
  professional: [...everyday, ...levels(['R']), ...masks(['INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX'])],
  administrative: everyday,
  patient: [...everyday, ...levels(['R', 'V']), ...masks(['MASQUE_PS', 'INVISIBLE_REPRESENTANTS_LEGAUX'])],
  representative: [...everyday, ...levels(['R']), ...masks(['MASQUE_PS'])],
  application: [...everyday, ...levels(['R']), ...masks(['INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX'])],
};

const seenInEmergency = [...seenBy.professional, ...levels(['V']), ...masks(['MASQUE_PS'])];

/** Labels that hide nothing from somebody in these roles: what one role may see the others do not take away. */
export const labelsSeenBy: (roles: readonly Role[]) => readonly string[] = byRoles((roles) => [
  ...new Set(roles.flatMap((role) => seenBy[role])),
]);

export function labelsSeenInEmergency(): readonly string[] {
  return seenInEmergency;
}
