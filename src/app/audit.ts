/** The audit log of the settings; undefined where none is kept. */
import { type AuditLog, createAuditLog } from '../audit/index.ts';
import type { Ground } from './ground.ts';

export async function openAudit({ config, db, ids, clock, log }: Ground): Promise<AuditLog | undefined> {
  const { audit = config.auth === 'smart' ? 'on' : 'off', auditMonths: monthsKept } = config;
  return audit === 'off' ? undefined : createAuditLog({ db, ids, clock, log, monthsKept });
}
