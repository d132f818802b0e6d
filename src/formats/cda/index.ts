export { type ClinicalDocumentResult, cdaNamespace, readClinicalDocument } from './document.ts';
export type {
  Body,
  ClinicalDocument,
  CodedValue,
  EncompassingEncounter,
  Facility,
  Guardian,
  InstanceIdentifier,
  NamePart,
  OrganizationParty,
  Participation,
  Party,
  PatientRole,
  PersonName,
  PostalAddress,
  RelatedDocument,
  Section,
  ServiceEvent,
  Telecom,
  TimeInterval,
} from './model.ts';
export { plainText } from './narrative.ts';
export { type Reading, readCode, readIds, readInterval, readTime } from './reading.ts';
export { type DateTimeResult, readDateTime } from './time.ts';
