/** Documents that leave, in every form: what stands in an archive, a mail, a submission, a summary. Pure. */
export { type OutgoingDocument, patientIds, patientOf, professionalOf, type Professional } from './outgoing.ts';
export { entryUuidOf, oidOfUuid, uniqueIdOf, uuidOf } from './names.ts';
export { type ArchiveSetting, describeArchive, describeDocument } from './xdm.ts';
export { describeMail, type MssanteSetting, subjectOf } from './mssante.ts';
