export { type AuditQuery, countAudit, readAudit } from './audit.sql.ts';
export { type AuditLog, createAuditLog } from './log.ts';
export type { AuditRow, Note, Origin } from './note.ts';
export { codesOfAction, toAuditEvent } from './resource.ts';
