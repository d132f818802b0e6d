export { bigintArray, booleanArray, doubleArray, integerArray, textArray, wholeNumberArray } from './arrays.ts';
export { backUp, type Manifest, type TableBackup } from './backup.ts';
export { checkServer } from './check-server.ts';
export {
  type Database,
  type DatabaseOptions,
  type DedicatedConnection,
  type Listener,
  openDatabase,
  type Queryable,
  type Row,
  type Statement,
  type Transaction,
} from './database.ts';
export { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from './embedded.ts';
export { knownMigrations, type MigrateOptions, migrate, migrationsFolder } from './migrate.ts';
export { openReplica, type Replica } from './replica.ts';
export { restore } from './restore.ts';
export { type DatabaseFault, databaseFaultOf, isUndone } from './sql-state.ts';
