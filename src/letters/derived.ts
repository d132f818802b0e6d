/**
 * What a letter's body has made, over the versions of the letter.
 *
 * The Composition (identifier = setId) names every resource of the version it was last made from. So the next version finds
 * them: same key, same resource, updated; a key that the new version does not have any more is ended, and how depends on what
 * the resource is. A statement (a problem, a drug, a result) becomes `entered-in-error`: its only source, the author, has
 * withdrawn it, and nobody knows that it ever was so. A plan (care plan, request, appointment, awaited report) is `revoked`
 * or `cancelled`: it was meant, and is no longer. A version older than the one that is here derives nothing.
 */
import type { Composition, Provenance, Reference } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import type { ClinicalDocument } from '../formats/index.ts';
import { compositionVersionExtension } from './composition.ts';
import { versionIn } from './document-reference.ts';
import { element } from './element.ts';
import { letterEntrySystem } from './extraction.ts';
import type { Match } from './match-patient.ts';
import type { LetterPlan } from './plan.ts';

/** Which version of the letter the derived resources are from: `undefined` = none is known. */
export function isOutdated(letter: Composition, former: Composition | undefined): boolean {
  if (former === undefined) return false;
  const [own, other] = [versionIn(letter, compositionVersionExtension), versionIn(former, compositionVersionExtension)];
  if (own !== undefined && other !== undefined && own !== other) return own < other;
  return Date.parse(letter.date) < Date.parse(former.date);
}

/** The Composition was made from this very version of the letter. */
export function isSameVersion(plan: LetterPlan, former: Composition): boolean {
  const own = plan.entries.find(({ match }) => match.kind === 'composition')?.resource as unknown as
    | Composition
    | undefined;
  return (
    own !== undefined &&
    versionIn(own, compositionVersionExtension) === versionIn(former, compositionVersionExtension) &&
    own.date === former.date
  );
}

/** `Type/id` of everything that the version behind the Composition was read into. */
export function derivedOf(former: Composition): readonly string[] {
  const references: string[] = [];
  const collect = (sections: Composition['section'] = []): void => {
    for (const { entry = [], section } of sections) {
      references.push(...entry.flatMap(({ reference }) => reference ?? []));
      collect(section);
    }
  };
  collect(former.section);
  return [...new Set(references)];
}

/** Same key: the same thing, as the new version says it. Of another patient: nothing is linked. */
export function matchDerived(resource: Resource, candidates: readonly Resource[], patient: string | undefined): Match {
  const key = keyOf(resource);
  const known = candidates.find((candidate) => keyOf(candidate) === key);
  if (known === undefined) return { kind: 'create', findings: [] };
  if (patientOf(known) !== patient) {
    const text = 'les ressources de ce setId sont celles d’un autre patient';
    return {
      kind: 'doubt',
      reasons: [{ severity: 'error', code: 'conflict', text, expression: '/ClinicalDocument/setId' }],
    };
  }
  const status = keepStatus(known, resource);
  const update = { ...resource, id: known.id ?? '', ...(status === undefined ? {} : { status }) };
  return { kind: 'existing', id: known.id ?? '', findings: [], update };
}

function keyOf({ identifier }: Resource): string | undefined {
  const all = (Array.isArray(identifier) ? identifier : [identifier]) as (
    | { system?: string; value?: string }
    | undefined
  )[];
  const own = all.find((one) => one?.system === letterEntrySystem) ?? all[0];
  return own === undefined ? undefined : `${own.system}|${own.value}`;
}

function patientOf(resource: Resource): string | undefined {
  const { participant } = resource as { participant?: readonly { actor?: Reference }[] };
  const said = (resource['subject'] ?? resource['patient'] ?? participant?.[0]?.actor) as Reference | undefined;
  return said?.reference;
}

/** States into which people and systems move a plan after the letter; they know better than its next version. */
const moved: Readonly<Record<string, readonly string[]>> = {
  Appointment: ['pending', 'booked', 'arrived', 'checked-in', 'fulfilled', 'noshow', 'waitlist'],
  ServiceRequest: ['completed', 'on-hold'],
  CarePlan: ['completed', 'on-hold'],
  DiagnosticReport: ['partial', 'preliminary', 'final', 'amended', 'corrected', 'appended'],
};

function keepStatus(known: Resource, letter: Resource): string | undefined {
  const { status } = known as { status?: string };
  const isMoved = status !== undefined && status !== (letter as { status?: string }).status;
  return isMoved && moved[known.resourceType]?.includes(status) ? status : undefined;
}

const endStatus: Readonly<Record<string, string>> = {
  Observation: 'entered-in-error',
  Procedure: 'entered-in-error',
  MedicationStatement: 'entered-in-error',
  Device: 'entered-in-error',
  DeviceUseStatement: 'entered-in-error',
  DiagnosticReport: 'entered-in-error',
  CarePlan: 'revoked',
  ServiceRequest: 'revoked',
  Appointment: 'cancelled',
};

/** The resource as it stands once the letter no longer holds it; `undefined` when it has ended or moved on already. */
export function endDerived(resource: Resource): Resource | undefined {
  const { resourceType } = resource;
  if (resourceType === 'Condition' || resourceType === 'AllergyIntolerance') {
    const system = `http://terminology.hl7.org/CodeSystem/${resourceType === 'Condition' ? 'condition' : 'allergyintolerance'}-ver`;
    const verificationStatus = {
      coding: [
        { system: resourceType === 'Condition' ? `${system}-status` : `${system}ification`, code: 'entered-in-error' },
      ],
    };
    // con-5, ait-2: an error has no clinical status.
    const { clinicalStatus: _clinicalStatus, ...rest } = resource;
    return { ...rest, resourceType, verificationStatus };
  }
  const { status } = resource as { status?: string };
  // A report that was only awaited is cancelled: nothing was ever said wrongly.
  const end = resourceType === 'DiagnosticReport' && status === 'registered' ? 'cancelled' : endStatus[resourceType];
  if (end === undefined || status === end || moved[resourceType]?.includes(status ?? '')) return undefined;
  return { ...resource, status: end };
}

/** From everything that one version of the letter has made, changed or ended to that version. */
export function readProvenance(
  document: ClinicalDocument,
  of: { targets: readonly Reference[]; letter: Reference; agents: readonly Reference[]; receivedAt: string },
): Provenance {
  const authorType = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'author' }],
  };
  const agents = of.agents.length > 0 ? of.agents : [{ display: 'auteur non dit' }];
  return element<Provenance>({
    resourceType: 'Provenance',
    target: [...of.targets],
    occurredDateTime: document.effectiveTime,
    recorded: of.receivedAt,
    agent: agents.map((who) => ({ type: authorType, who })),
    entity: [{ role: 'source', what: of.letter }],
  });
}
