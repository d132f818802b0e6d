/**
 * Is the patient of a letter one that the store knows? (identitovigilance; business codes 902 to 905 of the ANS)
 *
 * The national identity decides: same INS and no contradiction in the four traits (family name at birth, first given
 * name, birth date, gender) is the same person; same INS and another trait is a doubt, never a link. Without INS, or
 * where the store has none, a number of the sender (IPP) links only if all four traits agree. A patient is made
 * only for an INS that nobody has: an identity that is not qualified goes to a person. Reasons name traits, not values.
 */
import type { Identifier, Patient } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { identityKeys } from './identifiers.ts';
import { insAuthority, isInsValid } from './ins.ts';
import { foldName } from './names.ts';
import type { Finding } from './plan.ts';

export type Match =
  /** `update`: its next version, where the letter completes what an earlier letter has made. */
  | {
      readonly kind: 'existing';
      readonly id: string;
      readonly findings: readonly Finding[];
      readonly update?: Resource;
    }
  | { readonly kind: 'create'; readonly findings: readonly Finding[] }
  | { readonly kind: 'doubt'; readonly reasons: readonly Issue[] };

export interface IdentitySettings {
  /** SUTURE_ALLOW_TEST_INS: identities of the test and demonstration authorities are taken as real. */
  readonly allowTestIns: boolean;
}

export function matchPatient(letter: Patient, candidates: readonly Patient[], settings: IdentitySettings): Match {
  const reasons = identityDoubts(letter, settings);
  if (reasons.length > 0) return { kind: 'doubt', reasons };
  const ins = insOf(letter);
  const sameIns = candidates.filter((candidate) => insOf(candidate).some((key) => ins.includes(key)));
  const numbers = numbersOf(letter);
  const sameNumber = candidates.filter(
    (candidate) => !sameIns.includes(candidate) && numbersOf(candidate).some((key) => numbers.includes(key)),
  );
  if (sameIns.length > 0) return matchByIns(letter, sameIns, sameNumber);
  return matchByNumber(letter, sameNumber);
}

function matchByIns(letter: Patient, sameIns: readonly Patient[], sameNumber: readonly Patient[]): Match {
  const known = theOnly(sameIns);
  if (known === undefined) return doubt('multiple-matches', 'plusieurs patients ouverts, ou aucun, portent cette INS');
  const { contradicted, missing } = compareTraits(letter, known);
  if (contradicted.length > 0) {
    return doubt('conflict', `l’INS est connue, mais ces traits diffèrent : ${contradicted.join(', ')}`, '904');
  }
  const decisive = missing.filter((trait) => trait === 'nom de naissance' || trait === 'date de naissance');
  if (decisive.length > 0) {
    return doubt('incomplete', `l’INS est connue, mais le dossier ne dit pas : ${decisive.join(', ')}`, '904');
  }
  return { kind: 'existing', id: known.id ?? '', findings: sameNumber.length > 0 ? [numberOfAnother] : [] };
}

function matchByNumber(letter: Patient, sameNumber: readonly Patient[]): Match {
  const hasIns = insOf(letter).length > 0;
  // Who has another INS and other traits is somebody else, to whom the sender gave the same number.
  const plausible = sameNumber.filter(
    (known) => !(hasIns && insOf(known).length > 0 && !isSameByTraits(letter, known)),
  );
  if (plausible.length === 0 && hasIns) {
    return { kind: 'create', findings: sameNumber.length > 0 ? [numberOfAnother] : [] };
  }
  if (plausible.length === 0)
    return doubt('not-found', 'identité sans INS, et aucun patient ne porte ce numéro', '903');
  const known = theOnly(plausible);
  if (known === undefined) return doubt('multiple-matches', 'plusieurs patients ouverts, ou aucun, portent ce numéro');
  if (hasIns && insOf(known).length > 0) return doubt('conflict', 'mêmes numéro et traits, mais une autre INS', '904');
  if (isSameByTraits(letter, known)) return { kind: 'existing', id: known.id ?? '', findings: [] };
  return doubt('conflict', 'le numéro est connu, mais les traits ne concordent pas tous', '904');
}

const numberOfAnother: Finding = {
  code: 'patient-number-of-another',
  severity: 'warning',
  text: 'un numéro de patient de la lettre est porté par un autre patient ; l’INS et les traits ont décidé',
  expression: '/ClinicalDocument/recordTarget/patientRole/id',
};

/** The one open record among them. */
export function theOnly(patients: readonly Patient[]): Patient | undefined {
  const open = patients.filter(
    ({ active, link = [] }) => active !== false && !link.some(({ type }) => type === 'replaced-by'),
  );
  return open.length === 1 ? open[0] : undefined;
}

/** What makes the identity unusable before anything is compared. */
function identityDoubts(letter: Patient, { allowTestIns }: IdentitySettings): readonly Issue[] {
  const ins = (letter.identifier ?? []).filter(({ system }) => insAuthority(system) !== undefined);
  const reasons: Issue[] = [];
  if (ins.some(({ system }) => insAuthority(system)?.kind === 'test') && !allowTestIns) {
    reasons.push(reason('business-rule', 'INS de test ou de démonstration, refusée (SUTURE_ALLOW_TEST_INS)', '906'));
  }
  if (ins.some(({ value = '' }) => !isInsValid(value))) {
    reasons.push(reason('value', 'le matricule INS est mal formé ou sa clé est fausse', '905'));
  }
  if (new Set(ins.map(({ value }) => value)).size > 1)
    reasons.push(reason('conflict', 'plusieurs matricules INS', '905'));
  const missing = Object.entries(traitsOf(letter)).flatMap(([trait, values]) => (values.length === 0 ? [trait] : []));
  if (missing.length > 0)
    reasons.push(reason('incomplete', `traits d’identité absents : ${missing.join(', ')}`, '905'));
  return reasons;
}

const identityPath = '/ClinicalDocument/recordTarget/patientRole';

function reason(code: string, text: string, diagnostics?: string): Issue {
  return { severity: 'error', code, text, expression: identityPath, ...(diagnostics && { diagnostics }) };
}

function doubt(code: string, text: string, diagnostics?: string): Match {
  return { kind: 'doubt', reasons: [reason(code, text, diagnostics)] };
}

export function insOf({ identifier = [] }: Patient): string[] {
  return identityKeys(identifier.filter(({ system }) => insAuthority(system) !== undefined));
}

export function numbersOf({ identifier = [] }: Patient): string[] {
  return identityKeys(identifier.filter((number: Identifier) => insAuthority(number.system) === undefined));
}

type Trait = 'nom de naissance' | 'premier prénom' | 'date de naissance' | 'sexe';

/** All values under which a trait may be met, folded; none = not said. */
function traitsOf(patient: Patient): Record<Trait, readonly string[]> {
  const { name = [], birthDate, gender } = patient;
  const birth = name.filter(({ use }) => use === 'official');
  const names =
    birth.length > 0
      ? birth
      : name.some(({ use }) => use === 'maiden')
        ? name.filter(({ use }) => use === 'maiden')
        : name;
  const givens = names.flatMap(({ given = [] }) => [given[0] ?? '', given.join(' ')]);
  return {
    'nom de naissance': names.flatMap(({ family }) => (family ? [foldName(family)] : [])),
    'premier prénom': [...new Set(givens.map(foldName).filter((given) => given !== ''))],
    'date de naissance': birthDate === undefined ? [] : [birthDate],
    sexe: gender === undefined || gender === 'unknown' ? [] : [gender],
  };
}

export function compareTraits(letter: Patient, known: Patient): { contradicted: Trait[]; missing: Trait[] } {
  const asked = traitsOf(letter);
  const stored = traitsOf(known);
  const traits = Object.keys(asked) as Trait[];
  const isMissing = (trait: Trait) => asked[trait].length === 0 || stored[trait].length === 0;
  return {
    contradicted: traits.filter(
      (trait) => !isMissing(trait) && !asked[trait].some((value) => agrees(trait, value, stored[trait])),
    ),
    missing: traits.filter(isMissing),
  };
}

/** First names are stored as the first one or as the whole list, so one may begin the other at a word. */
function agrees(trait: Trait, value: string, stored: readonly string[]): boolean {
  if (trait !== 'premier prénom') return stored.includes(value);
  return stored.some((other) => other === value || other.startsWith(`${value} `) || value.startsWith(`${other} `));
}

function isSameByTraits(letter: Patient, known: Patient): boolean {
  const { contradicted, missing } = compareTraits(letter, known);
  return contradicted.length === 0 && missing.length === 0;
}
