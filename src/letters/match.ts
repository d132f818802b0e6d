/**
 * Does the store know a resource of the plan already? One decision per kind, all by national identifiers, all pure.
 * What is found is used as it is: a letter never changes what others have recorded. Only the stay that an admission letter
 * has made is completed by the discharge letter.
 */
import type { DocumentReference, Encounter, Organization, Practitioner, PractitionerRole, Reference } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import { findingExtensions } from './document-reference.ts';
import { finessOf, shareIdentity } from './identifiers.ts';
import { localDay } from './local-day.ts';
import type { IdentitySettings, Match } from './match-patient.ts';
import type { Finding, LetterPlan } from './plan.ts';
import { isSamePerson } from './professionals.ts';
import { derivedStaySystem } from './stay.ts';

export interface MatchContext extends IdentitySettings {
  /** IANA zone in which stays begin on a day. */
  readonly zone: string;
  readonly plan: Pick<LetterPlan, 'entries'>;
  /** By fullUrl, the references of entries that earlier decisions have found in the store. */
  readonly found: ReadonlyMap<string, string>;
}

function create(findings: readonly Finding[] = []): Match {
  return { kind: 'create', findings };
}

function existing({ id }: { readonly id?: string | undefined }): Match {
  return { kind: 'existing', id: id ?? '', findings: [] };
}

export function matchOrganization(letter: Organization, candidates: readonly Organization[]): Match {
  const known = candidates.find(({ identifier }) => shareIdentity(identifier, letter.identifier));
  return known === undefined ? create() : existing(known);
}

/** Identifier and family name; the same identifier under another name is another person, and told. */
export function matchPractitioner(letter: Practitioner, candidates: readonly Practitioner[]): Match {
  const known = candidates.find((candidate) => isSamePerson(candidate, letter));
  if (known !== undefined) return existing(known);
  const isTaken = candidates.some(({ identifier }) => shareIdentity(identifier, letter.identifier));
  if (!isTaken) return create();
  const text = 'un identifiant de professionnel est déjà porté sous un autre nom ; les deux sont gardés';
  return create([{ code: 'professional-of-another-name', severity: 'warning', text }]);
}

export function matchRole(
  letter: PractitionerRole,
  candidates: readonly PractitionerRole[],
  { found }: Pick<MatchContext, 'found'>,
): Match {
  const target = ({ reference = '' }: Reference = {}) =>
    reference.startsWith('urn:uuid:') ? found.get(reference) : reference;
  const practitioner = target(letter.practitioner);
  if (practitioner === undefined) return create();
  const structure = letter.organization?.reference === undefined ? '' : target(letter.organization);
  const known = candidates.find(
    (candidate) =>
      candidate.active !== false &&
      candidate.practitioner?.reference === practitioner &&
      (candidate.organization?.reference ?? '') === structure,
  );
  return known === undefined ? create() : existing(known);
}

export interface StayCandidates {
  readonly encounters: readonly Encounter[];
  /** Organizations that the encounters name as serviceProvider. */
  readonly organizations: readonly Organization[];
}

/**
 * By number, of the same patient; a number held by another patient is a doubt. Else by patient, FINESS and local start
 * day, if exactly one fits and does not carry another number of the same hospital. Else it is a new stay.
 */
export function matchEncounter(
  letter: Encounter,
  { encounters, organizations }: StayCandidates,
  context: MatchContext,
): Match {
  const patient = context.found.get(letter.subject?.reference ?? '');
  const valid = encounters.filter(({ status }) => status !== 'entered-in-error' && status !== 'cancelled');
  const numbered = valid.filter(({ identifier }) => shareIdentity(identifier, letter.identifier));
  if (numbered.some(({ subject }) => subject?.reference !== patient)) {
    const text = 'le numéro de séjour est celui d’un autre patient';
    const expression = '/ClinicalDocument/componentOf/encompassingEncounter/id';
    return { kind: 'doubt', reasons: [{ severity: 'error', code: 'conflict', text, expression }] };
  }
  if (numbered[0] !== undefined) return existingStay(numbered[0], letter);
  if (patient === undefined) return create();
  const finess = new Set(finessOf(providerOf(letter, context)?.identifier));
  const day = localDay(letter.period?.start, context.zone);
  const alike = valid.filter(
    (candidate) =>
      candidate.subject?.reference === patient &&
      !outpatientClasses.has(candidate.class?.code ?? '') &&
      day !== undefined &&
      localDay(candidate.period?.start, context.zone) === day &&
      providerFiness(candidate, organizations).some((number) => finess.has(number)) &&
      !hasOtherNumber(candidate, letter),
  );
  const [only] = alike;
  return only !== undefined && alike.length === 1 ? existingStay(only, letter) : create();
}

/** A stay that only letters have told of has no number but theirs, and no end until the discharge letter says it. */
function existingStay(known: Encounter, letter: Encounter): Match {
  const { identifier = [] } = known;
  const isMadeByLetter = identifier.length > 0 && identifier.every(({ system }) => system === derivedStaySystem);
  if (!isMadeByLetter || known.period?.end !== undefined || letter.period?.end === undefined) return existing(known);
  const added = (letter.identifier ?? []).filter((number) => !shareIdentity([number], identifier));
  const update: Encounter = { ...known, ...letter, identifier: [...identifier, ...added] };
  return { kind: 'existing', id: known.id ?? '', findings: [], update: update as unknown as Resource };
}

/** A consultation on the day of admission is not the stay. */
const outpatientClasses: ReadonlySet<string> = new Set(['AMB', 'VR', 'HH', 'FLD']);

function providerOf({ serviceProvider }: Encounter, { plan }: MatchContext): Organization | undefined {
  const entry = plan.entries.find(({ fullUrl }) => fullUrl === serviceProvider?.reference);
  return entry?.resource as unknown as Organization | undefined;
}

function providerFiness({ serviceProvider }: Encounter, organizations: readonly Organization[]): string[] {
  const { reference, identifier } = serviceProvider ?? {};
  const included = organizations.find(({ id }) => id !== undefined && reference === `Organization/${id}`);
  return finessOf([...(identifier ? [identifier] : []), ...(included?.identifier ?? [])]);
}

function hasOtherNumber(candidate: Encounter, letter: Encounter): boolean {
  const systems = new Set((letter.identifier ?? []).map(({ system }) => system));
  return (candidate.identifier ?? []).some(({ system }) => system !== derivedStaySystem && systems.has(system));
}

/** The plan with what matching found noted on its DocumentReference. */
export function withFindings(letter: DocumentReference, findings: readonly Finding[]): DocumentReference {
  if (findings.length === 0) return letter;
  return { ...letter, extension: [...(letter.extension ?? []), ...findingExtensions(findings)] };
}
