/** The audit log of the settings; undefined where none is kept. */
import { type AuditLog, createAuditLog } from '../audit/index.ts';
import { systemCaller } from '../access/index.ts';
import type { NotifyInput } from '../notify/index.ts';
import type { Ground } from './ground.ts';

export async function openAudit({ config, db, ids, clock, log }: Ground): Promise<AuditLog | undefined> {
  const { audit = config.auth === 'smart' ? 'on' : 'off', auditMonths: monthsKept } = config;
  return audit === 'off' ? undefined : createAuditLog({ db, ids, clock, log, monthsKept });
}

/** What subscribers are told is noted as a disclosure to them. */
export function noteTold(audit: AuditLog | undefined): Pick<NotifyInput, 'onTold'> {
  if (audit === undefined) return {};
  return {
    onTold({ subscription, recipient, references }) {
      const data = [`Subscription/${subscription}`, ...references];
      const detail = { recipient };
      return audit.note([{ code: 'disclose', status: 200, caller: systemCaller, concerns: references, data, detail }]);
    },
  };
}
