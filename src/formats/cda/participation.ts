/** The many ways of CDA to say who takes part, read into one: `Participation`. */
import { attribute, child, children, textOf, type XmlElement } from '../xml-tree.ts';
import type { Participation, Party } from './model.ts';
import {
  type Reading,
  readAddresses,
  readCode,
  readIds,
  readInterval,
  readName,
  readOrganization,
  readTelecoms,
} from './reading.ts';

/** Element names: the role inside the participation, and the person and organization inside the role. */
interface Shape {
  readonly role: string;
  readonly person: string;
  readonly organization: string;
}

const shapes = {
  author: { role: 'assignedAuthor', person: 'assignedPerson', organization: 'representedOrganization' },
  dataEnterer: { role: 'assignedEntity', person: 'assignedPerson', organization: 'representedOrganization' },
  legalAuthenticator: { role: 'assignedEntity', person: 'assignedPerson', organization: 'representedOrganization' },
  authenticator: { role: 'assignedEntity', person: 'assignedPerson', organization: 'representedOrganization' },
  performer: { role: 'assignedEntity', person: 'assignedPerson', organization: 'representedOrganization' },
  responsibleParty: { role: 'assignedEntity', person: 'assignedPerson', organization: 'representedOrganization' },
  encounterParticipant: { role: 'assignedEntity', person: 'assignedPerson', organization: 'representedOrganization' },
  informationRecipient: {
    role: 'intendedRecipient',
    person: 'informationRecipient',
    organization: 'receivedOrganization',
  },
  participant: { role: 'associatedEntity', person: 'associatedPerson', organization: 'scopingOrganization' },
} satisfies Record<string, Shape>;

export type ParticipationName = keyof typeof shapes | 'informant';

const relatedEntity: Shape = { role: 'relatedEntity', person: 'relatedPerson', organization: '' };

export function readParticipations(
  reading: Reading,
  parent: XmlElement | undefined,
  name: ParticipationName,
): readonly Participation[] {
  return children(parent, name).flatMap((element) => {
    const shape = shapeOf(name, element);
    const role = child(element, shape.role);
    if (role === undefined) return [];
    return [
      {
        typeCode: attribute(element, 'typeCode'),
        functionCode: readCode(child(element, 'functionCode')),
        time: readInterval(reading, child(element, 'time'), 'warning'),
        party: readParty(reading, role, shape),
      },
    ];
  });
}

/** An informant is a professional (assignedEntity) or somebody close to the patient (relatedEntity). */
function shapeOf(name: ParticipationName, element: XmlElement): Shape {
  if (name !== 'informant') return shapes[name];
  return child(element, 'assignedEntity') === undefined ? relatedEntity : shapes.performer;
}

function readParty(reading: Reading, role: XmlElement, shape: Shape): Party {
  const person = child(role, shape.person);
  const device = child(role, 'assignedAuthoringDevice');
  return {
    classCode: attribute(role, 'classCode'),
    ids: readIds(reading, role),
    code: readCode(child(role, 'code')),
    telecoms: readTelecoms(role),
    addresses: readAddresses(role),
    name: readName(child(person, 'name')),
    device: device && {
      model: textOf(child(device, 'manufacturerModelName')),
      software: textOf(child(device, 'softwareName')),
    },
    organization: shape.organization === '' ? undefined : readOrganization(reading, child(role, shape.organization)),
  };
}
