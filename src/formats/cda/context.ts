/** The patient, the acts and the stay that a document is about. */
import { attribute, child, children, textOf, type XmlElement } from '../xml-tree.ts';
import type { EncompassingEncounter, Facility, Guardian, PatientRole, RelatedDocument, ServiceEvent } from './model.ts';
import { readParticipations } from './participation.ts';
import {
  type Reading,
  readAddress,
  readAddresses,
  readCode,
  readIds,
  readInterval,
  readName,
  readOrganization,
  readTelecoms,
  readTime,
  report,
} from './reading.ts';

/** recordTarget/patientRole, exactly one: a letter speaks of one person. */
export function readPatient(reading: Reading, root: XmlElement): PatientRole | undefined {
  const targets = children(root, 'recordTarget');
  const role = child(targets[0], 'patientRole');
  const person = child(role, 'patient');
  if (targets.length > 1) {
    const text = `${targets.length} patients dans le document, un seul est admis`;
    report(reading, { severity: 'error', code: 'structure', text }, root, '/recordTarget');
    return undefined;
  }
  if (role === undefined || person === undefined) {
    const text = 'le document ne nomme pas son patient';
    report(reading, { severity: 'error', code: 'required', text }, root, '/recordTarget/patientRole/patient');
    return undefined;
  }
  return {
    ids: readIds(reading, role),
    addresses: readAddresses(role),
    telecoms: readTelecoms(role),
    names: children(person, 'name').flatMap((name) => readName(name) ?? []),
    gender: readCode(child(person, 'administrativeGenderCode')),
    birthTime: readTime(reading, child(person, 'birthTime'), 'error')?.slice(0, 10),
    birthplace: readBirthplace(child(person, 'birthplace', 'place')),
    guardians: children(person, 'guardian').map((guardian) => readGuardian(reading, guardian)),
    provider: readOrganization(reading, child(role, 'providerOrganization')),
  };
}

function readBirthplace(place: XmlElement | undefined): PatientRole['birthplace'] {
  const name = textOf(child(place, 'name'));
  const address = readAddress(child(place, 'addr'));
  return name === undefined && address === undefined ? undefined : { name, address };
}

function readGuardian(reading: Reading, guardian: XmlElement): Guardian {
  return {
    name: readName(child(guardian, 'guardianPerson', 'name')),
    telecoms: readTelecoms(guardian),
    addresses: readAddresses(guardian),
    organization: readOrganization(reading, child(guardian, 'guardianOrganization')),
  };
}

export function readRelatedDocuments(reading: Reading, root: XmlElement): readonly RelatedDocument[] {
  return children(root, 'relatedDocument').map((related) => ({
    typeCode: attribute(related, 'typeCode'),
    ids: readIds(reading, child(related, 'parentDocument')),
  }));
}

export function readEvents(reading: Reading, root: XmlElement): readonly ServiceEvent[] {
  return children(root, 'documentationOf').flatMap((documentation) => {
    const event = child(documentation, 'serviceEvent');
    if (event === undefined) return [];
    return [
      {
        code: readCode(child(event, 'code')),
        time: readInterval(reading, child(event, 'effectiveTime'), 'error'),
        performers: readParticipations(reading, event, 'performer'),
      },
    ];
  });
}

export function readEncounter(reading: Reading, root: XmlElement): EncompassingEncounter | undefined {
  const encounter = child(root, 'componentOf', 'encompassingEncounter');
  if (encounter === undefined) return undefined;
  return {
    ids: readIds(reading, encounter),
    code: readCode(child(encounter, 'code')),
    time: readInterval(reading, child(encounter, 'effectiveTime'), 'error'),
    dischargeDisposition: readCode(child(encounter, 'dischargeDispositionCode')),
    participants: [
      ...readParticipations(reading, encounter, 'responsibleParty'),
      ...readParticipations(reading, encounter, 'encounterParticipant'),
    ],
    facility: readFacility(reading, child(encounter, 'location', 'healthCareFacility')),
  };
}

function readFacility(reading: Reading, facility: XmlElement | undefined): Facility | undefined {
  if (facility === undefined) return undefined;
  return {
    ids: readIds(reading, facility),
    code: readCode(child(facility, 'code')),
    name: textOf(child(facility, 'location', 'name')),
    address: readAddress(child(facility, 'location', 'addr')),
    organization: readOrganization(reading, child(facility, 'serviceProviderOrganization')),
  };
}
