import type { Work } from '../../queue/index.ts';
import type { Operation } from '../operations.ts';
import type { BulkWorkInput } from './bulk.ts';
import { createExportWork, exportOperations } from './export.ts';
import { createImportWork, importOperations } from './import.ts';

export { bulkRoutes, type BulkWorkInput, createBulkWork, readBulkAnswer, startBulk, type Step } from './bulk.ts';
export { insertFiles } from './bulk.sql.ts';

export const bulkOperations: readonly Operation[] = [...exportOperations, ...importOperations];

export function createBulkWorks(input: BulkWorkInput): readonly Work[] {
  return [createExportWork(input), createImportWork(input)];
}
