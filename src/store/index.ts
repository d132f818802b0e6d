export type { Written } from './commit.ts';
export { splitText, type WriteEntry, type WriteMethod } from './entry.ts';
export type { RecordRequest } from './patient-record.ts';
export type { HistoryPosition, HistoryRequest } from './history.ts';
export {
  createStore,
  everything,
  seesAll,
  type HistoryVersion,
  type Session,
  type Store,
  type StoredVersion,
  type Visible,
} from './store.ts';
export { openFacts } from './access-facts.ts';
export { openPointers } from './pointers.ts';
export { type CustomParameters, followCustomParameters } from './custom-parameters.ts';
export { createReindexWork, reindexJob, reindexTaskId } from './reindex.ts';
export { dropParameter, saveParameter } from './search-parameters.sql.ts';
export { serverSecret } from './server-secret.ts';
