/**
 * The professionals and structures of one letter, each once, as Organization, Practitioner and PractitionerRole.
 *
 * A structure is told by its identifiers (FINESS before all): its name varies from one place of the letter to the next.
 * A person is told by identifier and family name: in an official sample one RPPS is carried by three people, who must
 * not become one. Who has no identifier at all gets no resource, only a reference with a name to show: nothing would
 * recognise him in the next letter.
 */
import type { Identifier, Organization, Practitioner, PractitionerRole, Reference } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import type { OrganizationParty, Party } from '../formats/index.ts';
import { concept } from './codes.ts';
import { element } from './element.ts';
import { professionalIdentifiers, shareIdentity, structureIdentifiers } from './identifiers.ts';
import { foldName } from './names.ts';
import { contactPoint, nameText, plainName, postalAddress } from './people.ts';
import { identifierSearch, type PlanEntry } from './plan.ts';

export interface Professionals {
  organization(party: OrganizationParty | undefined): Reference | undefined;
  /** PractitionerRole where a structure or profession is said, else Practitioner, else the structure alone. */
  role(party: Party): Reference | undefined;
  /** Like `role`, without the last resort. */
  person(party: Party): Reference | undefined;
  /** The reference is to a person or his role, not to a structure. */
  isPerson(reference: string | undefined): boolean;
  /** Everything referred to so far: organizations, then practitioners, then roles. */
  entries(): readonly PlanEntry[];
}

interface Draft<R> {
  readonly fullUrl: string;
  resource: R;
}

/** Completes the draft that is the same as `resource` by what it lacked, or adds a new one; answers its name. */
function draft<R extends object>(
  drafts: Draft<R>[],
  resource: R,
  isSame: (known: R) => boolean,
  newFullUrl: () => string,
): string {
  const known = drafts.find((entry) => isSame(entry.resource));
  if (known === undefined) {
    const fullUrl = newFullUrl();
    drafts.push({ fullUrl, resource });
    return fullUrl;
  }
  known.resource = { ...resource, ...known.resource };
  return known.fullUrl;
}

export function createProfessionals(newFullUrl: () => string): Professionals {
  const organizations: Draft<Organization>[] = [];
  const practitioners: Draft<Practitioner>[] = [];
  const roles: Draft<PractitionerRole>[] = [];

  function organization(party: OrganizationParty | undefined): Reference | undefined {
    if (party === undefined) return undefined;
    const resource = readOrganization(party);
    const { identifier } = resource;
    // Only part of a structure (a ward) may be unnamed by any register: the structure itself is the next best.
    if (identifier === undefined) return organization(party.partOf) ?? shown(party.name);
    const reference = draft(
      organizations,
      resource,
      (known) => shareIdentity(known.identifier, identifier),
      newFullUrl,
    );
    return element<Reference>({ reference, display: party.name });
  }

  function practitioner(party: Party): Reference | undefined {
    const resource = readPractitioner(party);
    const { identifier, name = [] } = resource;
    const display = name[0] && nameText(name[0]);
    if (identifier === undefined) return shown(display);
    const reference = draft(practitioners, resource, (known) => isSamePerson(known, resource), newFullUrl);
    return element<Reference>({ reference, display });
  }

  function person(party: Party): Reference | undefined {
    const who = practitioner(party);
    const where = organization(party.organization);
    const specialty = concept(party.code);
    if (who?.reference === undefined || (where === undefined && specialty === undefined)) return who;
    const resource = element<PractitionerRole>({
      resourceType: 'PractitionerRole',
      practitioner: who,
      organization: where,
      specialty: specialty && [specialty],
      telecom: party.telecoms.map(contactPoint),
    });
    const reference = draft(roles, resource, (known) => isSameRole(known, resource), newFullUrl);
    return element<Reference>({ reference, display: who.display });
  }

  return {
    organization,
    person,
    role: (party) => person(party) ?? organization(party.organization),
    isPerson: (reference) => [...practitioners, ...roles].some(({ fullUrl }) => fullUrl === reference),
    entries: () => [
      ...organizations.map(organizationEntry),
      ...practitioners.map(practitionerEntry),
      ...roles.map(roleEntry),
    ],
  };
}

function shown(display: string | undefined): Reference | undefined {
  return display === undefined ? undefined : { display };
}

function readOrganization(party: OrganizationParty): Organization {
  return element<Organization>({
    resourceType: 'Organization',
    identifier: structureIdentifiers(party.ids),
    name: party.name,
    telecom: party.telecoms.map(contactPoint),
    address: party.addresses.map(postalAddress),
  });
}

function readPractitioner(party: Party): Practitioner {
  return element<Practitioner>({
    resourceType: 'Practitioner',
    identifier: professionalIdentifiers(party.ids),
    name: party.name && [plainName(party.name)],
    address: party.addresses.map((address) => ({ ...postalAddress(address), use: 'work' as const })),
  });
}

/** Same identifier and no other family name. */
export function isSamePerson(one: Practitioner, other: Practitioner): boolean {
  const families = (person: Practitioner) =>
    (person.name ?? []).flatMap(({ family }) => (family ? foldName(family) : []));
  const known = families(one);
  const asked = families(other);
  const isNameless = known.length === 0 || asked.length === 0;
  return shareIdentity(one.identifier, other.identifier) && (isNameless || asked.some((name) => known.includes(name)));
}

/** Same person at the same structure; a role without structure is one with any. */
function isSameRole(one: PractitionerRole, other: PractitionerRole): boolean {
  return (
    one.practitioner?.reference === other.practitioner?.reference &&
    one.organization?.reference === other.organization?.reference
  );
}

function organizationEntry({ fullUrl, resource }: Draft<Organization>): PlanEntry {
  return entry(fullUrl, resource, 'organization', resource.identifier);
}

function practitionerEntry({ fullUrl, resource }: Draft<Practitioner>): PlanEntry {
  return entry(fullUrl, resource, 'practitioner', resource.identifier);
}

function entry(
  fullUrl: string,
  resource: Organization | Practitioner,
  kind: 'organization' | 'practitioner',
  identifier: readonly Identifier[] = [],
): PlanEntry {
  const searches = [identifierSearch(resource.resourceType, identifier)];
  return { fullUrl, resource: resource as unknown as Resource, match: { kind, searches } };
}

function roleEntry({ fullUrl, resource }: Draft<PractitionerRole>): PlanEntry {
  const parameters: [string, string][] = [['practitioner', resource.practitioner?.reference ?? '']];
  const structure = resource.organization?.reference;
  if (structure !== undefined) parameters.push(['organization', structure]);
  const searches = [{ type: 'PractitionerRole', parameters }];
  return { fullUrl, resource: resource as unknown as Resource, match: { kind: 'practitioner-role', searches } };
}
