/** What a letter or a hospital's message means: bytes -> plan of FHIR resources, and the decisions that hold it against what the store knows. */
export {
  type Admission,
  type AdmissionResult,
  type AdmissionSettings,
  isAdmission,
  readAdmission,
} from './admission/message.ts';
export { completePatient, isOpen, type Merge, mergePatients } from './admission/match.ts';
export { stayOf, type StayReport, type StoredReport } from './admission/stay.ts';
export {
  type Arrival,
  arrivalSearch,
  decideArrival,
  decideReplacement,
  type Replacement,
  replacementSearches,
} from './arrival.ts';
export { type CarriedLetter, type CarrierResult, openArchive } from './carrier.ts';
export { applyReport, communicationSearch } from './delivery.ts';
export { type MailOpened, type MailReceipt, openMail } from './mail.ts';
export { derivedOf, endDerived, isOutdated, isSameVersion } from './derived.ts';
export { masksIn } from './labels.ts';
export { letterEntrySystem } from './extraction.ts';
export { findingExtension, versionExtension } from './document-reference.ts';
export { admissionLetter, dischargeLetter } from './document-types.ts';
export { insAuthority, isInsValid } from './ins.ts';
export { codeSystems, oidOf } from './codes.ts';
export { persons, structures } from './identifiers.ts';
export {
  type MatchContext,
  matchEncounter,
  matchOrganization,
  matchPractitioner,
  matchRole,
  type StayCandidates,
  withFindings,
} from './match.ts';
export { matchEntry } from './match-entry.ts';
export { type IdentitySettings, type Match, matchPatient } from './match-patient.ts';
export type {
  CandidateSearch,
  Finding,
  LetterFacts,
  LetterHints,
  LetterPlan,
  LetterResult,
  LetterSettings,
  MatchKind,
  MatchRule,
  PlanEntry,
} from './plan.ts';
export { identifierSearch, patientsDiffer } from './plan.ts';
export { openMessage } from './message.ts';
export { readLetter } from './read.ts';
export { derivedStaySystem } from './stay.ts';
