/** Documents that leave, in every form: what stands in an archive, a mail, a submission, a summary. Pure. */
export { type OutgoingDocument, patientIds, patientOf, professionalOf, type Professional } from './outgoing.ts';
export { entryUuidOf, oidOfUuid, uniqueIdOf, uuidOf } from './names.ts';
export { type ArchiveSetting, describeArchive, describeDocument } from './xdm.ts';
export { afterSending, messageIdSystem, recordSending, type Sent } from './sending.ts';
export { describeMail, type MssanteSetting } from './mssante.ts';
export {
  documentSharing,
  generateMetadata,
  simplifiedFlavour,
  submissionFlavour,
  supportedProfiles,
} from './mhd/profiles.ts';
export {
  documentsOf,
  isSubmissionSet,
  readSubmission,
  type SubmissionEntry,
  submittedSubject,
} from './mhd/submission.ts';
export { outgoingSubmission, type OutgoingSetting } from './mhd/outgoing-submission.ts';
export { contentFaults } from './mhd/content.ts';
export { requireChangeAllowed, requirePatchAllowed } from './mhd/change-rules.ts';
export { type MadeSetting, submissionOf, submissionOfDocument } from './mhd/simplified.ts';
export { type Found, issuePaper, planPaper } from './summaries.ts';
export { documentBundle, patientLines } from './document-bundle.ts';
export type { Paper, PaperSection } from './paper.ts';
export { writePdf } from './pdf.ts';
