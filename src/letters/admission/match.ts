/**
 * Whose record a hospital's message is about. The hospital's own number decides, for its names may be corrected at any time;
 * but it never overrules the national identity, and a record in which most traits are another's is not taken for the same.
 * A message without such a number is matched by INS as a letter is. Nobody is linked by name. Reasons name traits, not values.
 */
import type { Encounter, Extension, Identifier, Organization, Patient } from 'fhir/r4.js';
import type { Issue } from '../../base/index.ts';
import { shareIdentity } from '../identifiers.ts';
import { insAuthority, isInsValid } from '../ins.ts';
import { type MatchContext, matchEncounter } from '../match.ts';
import { compareTraits, type IdentitySettings, insOf, type Match, numbersOf, theOnly } from '../match-patient.ts';
import { type EmptiedTrait, reliabilityExtension } from './person.ts';

/** Of four traits, so many may be corrected at once. */
const correctedMax = 2;

export function matchAdmittedPatient(said: Patient, candidates: readonly Patient[], settings: IdentitySettings): Match {
  const reasons = identityDoubts(said, settings);
  if (reasons.length > 0) return { kind: 'doubt', reasons };
  const shares = (of: (patient: Patient) => readonly string[]) => {
    const own = of(said);
    return candidates.filter((candidate) => of(candidate).some((key) => own.includes(key)));
  };
  const byNumber = shares(numbersOf);
  const byIns = shares(insOf);
  const known = byNumber.length > 0 ? theOnly(byNumber) : theOnly(byIns);
  if (known === undefined) {
    if (byNumber.length + byIns.length === 0) return { kind: 'create', findings: [] };
    return doubt('multiple-matches', 'plusieurs patients ouverts, ou aucun, portent cette identité');
  }
  if (byIns.some((other) => other !== known && isOpen(other)))
    return doubt('conflict', 'le numéro est d’un dossier et l’INS d’un autre : une fusion est attendue (A40)', '904');
  return compare(said, known, byNumber.length > 0);
}

function compare(said: Patient, known: Patient, hasNumber: boolean): Match {
  const [own, other] = [insOf(said), insOf(known)];
  if (own.length > 0 && other.length > 0 && !own.some((key) => other.includes(key)))
    return doubt('conflict', 'le numéro est connu, mais sous une autre INS', '904');
  const { contradicted } = compareTraits(said, known);
  if (contradicted.length > (hasNumber ? correctedMax : 0))
    return doubt('conflict', `l’identité est connue, mais ces traits diffèrent : ${contradicted.join(', ')}`, '904');
  return { kind: 'existing', id: known.id ?? '', findings: [] };
}

export function isOpen({ active, link = [] }: Patient): boolean {
  return active !== false && !link.some(({ type }) => type === 'replaced-by');
}

function identityDoubts({ identifier = [], extension = [] }: Patient, { allowTestIns }: IdentitySettings): Issue[] {
  const ins = identifier.filter(({ system }) => insAuthority(system) !== undefined);
  const reasons: Issue[] = [];
  if (ins.some(({ system }) => insAuthority(system)?.kind === 'test') && !allowTestIns)
    reasons.push(reason('business-rule', 'INS de test ou de démonstration, refusée (SUTURE_ALLOW_TEST_INS)', '906'));
  if (ins.some(({ value = '' }) => !isInsValid(value)))
    reasons.push(reason('value', 'le matricule INS est mal formé ou sa clé est fausse', '905'));
  if (new Set(ins.map(({ value }) => value)).size > 1)
    reasons.push(reason('conflict', 'plusieurs matricules INS', '905'));
  if (ins.length > 0 && extension.some(isUnqualified))
    reasons.push(reason('business-rule', 'une INS sous une identité qui n’est pas validée (PID-32)', '905'));
  return reasons;
}

function isUnqualified({ url, extension = [] }: Extension): boolean {
  return url === reliabilityExtension && !extension.some(({ valueCoding }) => valueCoding?.code === 'VALI');
}

function reason(code: string, text: string, diagnostics?: string): Issue {
  return { severity: 'error', code, text, expression: 'PID-3', ...(diagnostics && { diagnostics }) };
}

function doubt(code: string, text: string, diagnostics?: string): Match {
  return { kind: 'doubt', reasons: [reason(code, text, diagnostics)] };
}

/** By number, a cancelled stay too: it may be admitted again. Else one that a letter has made, as `matchEncounter` finds it. */
export function matchAdmittedStay(
  said: Encounter,
  candidates: { readonly encounters: readonly Encounter[]; readonly organizations: readonly Organization[] },
  context: MatchContext,
): Match {
  const patient = context.found.get(said.subject?.reference ?? '');
  const numbered = candidates.encounters.filter(
    ({ status, identifier }) => status !== 'entered-in-error' && shareIdentity(identifier, said.identifier),
  );
  const [known] = numbered;
  if (known === undefined) return withoutUpdate(matchEncounter(said, candidates, context));
  if (known.subject?.reference === patient) return { kind: 'existing', id: known.id ?? '', findings: [] };
  const text = 'le numéro de séjour est celui d’un autre patient';
  return {
    kind: 'doubt',
    reasons: [{ severity: 'error', code: 'conflict', text, expression: 'PV1-19', diagnostics: '904' }],
  };
}

/** What a stay becomes is decided by all its reports. */
function withoutUpdate(match: Match): Match {
  return match.kind === 'existing' ? { kind: 'existing', id: match.id, findings: match.findings } : match;
}

/**
 * The known record after a message: the newest one replaces what it says and takes out what it empties, an older one only completes
 * identifiers. Nothing that the message is silent about is lost.
 */
export function completePatient(
  known: Patient,
  said: Patient,
  { isNewest, emptied }: { readonly isNewest: boolean; readonly emptied: readonly EmptiedTrait[] },
): Patient {
  const added = (said.identifier ?? []).filter((number) => !shareIdentity([number], known.identifier));
  const identifier = [...(known.identifier ?? []), ...added];
  if (!isNewest) return added.length === 0 ? known : { ...known, identifier };
  const { resourceType: _type, identifier: _identifier, extension = [], ...traits } = said;
  const kept = (known.extension ?? []).filter(({ url }) => !extension.some((one) => one.url === url));
  const extensions = [...kept, ...extension];
  const isDead = traits.deceasedBoolean !== undefined || traits.deceasedDateTime !== undefined;
  const gone = new Set<EmptiedTrait>([...emptied, ...(isDead ? (['deceased'] as const) : [])]);
  return {
    ...without(known, gone),
    ...traits,
    ...(identifier.length > 0 && { identifier }),
    ...(extensions.length > 0 && { extension: extensions }),
  };
}

function without(known: Patient, gone: ReadonlySet<EmptiedTrait>): Patient {
  const { address, telecom, deceasedBoolean, deceasedDateTime, ...others } = known;
  return {
    ...others,
    ...(address && !gone.has('address') && { address }),
    ...(telecom && !gone.has('telecom') && { telecom }),
    ...(gone.has('deceased')
      ? {}
      : {
          ...(deceasedBoolean !== undefined && { deceasedBoolean }),
          ...(deceasedDateTime !== undefined && { deceasedDateTime }),
        }),
  };
}

export type Merge =
  | { readonly kind: 'merge'; readonly survivor: Patient; readonly former: Patient | undefined }
  | { readonly kind: 'doubt'; readonly reasons: readonly Issue[] };

/**
 * Two records of one person become one (A40, https://hl7.org/fhir/R4/patient.html#merge): the survivor takes over the numbers of
 * the former with use `old`, so that what still comes under them finds it, also when nothing has come under them yet; the
 * former stays, inactive, and points at the survivor. What hid the former hides the survivor from now on, for it has become his
 * record too. Two different INS are never merged by a message.
 */
export function mergePatients(survivor: Patient, candidates: readonly Patient[], prior: readonly Identifier[]): Merge {
  const others = candidates.filter(({ id, identifier }) => id !== survivor.id && shareIdentity(identifier, prior));
  const [former, ...more] = others.filter(isOpen);
  if (more.length > 0) return merging('multiple-matches', 'plusieurs patients ouverts portent l’ancien numéro');
  const taken = withNumbers(survivor, [...prior, ...(former?.identifier ?? [])]);
  if (former === undefined) return { kind: 'merge', survivor: taken, former };
  const [own, other] = [insOf(survivor), insOf(former)];
  if (own.length > 0 && other.length > 0 && !own.some((key) => other.includes(key)))
    return merging('conflict', 'les deux dossiers ont des INS différentes', '904');
  return {
    kind: 'merge',
    survivor: labelled(linked(taken, 'replaces', `Patient/${former.id}`), former),
    former: { ...linked(former, 'replaced-by', `Patient/${survivor.id}`), active: false },
  };
}

function withNumbers(survivor: Patient, numbers: readonly Identifier[]): Patient {
  const identifier = [...(survivor.identifier ?? [])];
  for (const number of numbers) {
    if (shareIdentity([number], identifier)) continue;
    identifier.push(insAuthority(number.system) === undefined ? { ...number, use: 'old' } : number);
  }
  return { ...survivor, identifier };
}

function labelled(survivor: Patient, { meta }: Patient): Patient {
  const own = survivor.meta?.security ?? [];
  const added = (meta?.security ?? []).filter(
    ({ system, code }) => !own.some((one) => one.system === system && one.code === code),
  );
  return added.length === 0 ? survivor : { ...survivor, meta: { ...survivor.meta, security: [...own, ...added] } };
}

function linked(patient: Patient, type: 'replaces' | 'replaced-by', reference: string): Patient {
  const others = (patient.link ?? []).filter(({ other }) => other.reference !== reference);
  return { ...patient, link: [...others, { other: { reference }, type }] };
}

function merging(code: string, text: string, diagnostics?: string): Merge {
  return {
    kind: 'doubt',
    reasons: [{ severity: 'error', code, text, expression: 'MRG-1', ...(diagnostics && { diagnostics }) }],
  };
}
