/** Each version of the care plans is in the audit log once, and no other: it is written in the transaction of what it tells. */
import { checkAudit } from '../checks/audit.ts';
import type { PostgreSql } from '../stage.ts';
import type { Register } from './register.ts';
import type { Workload } from './workload.ts';

export function createAudited(postgres: PostgreSql, register: Register): Workload {
  let count = 0;
  return {
    name: 'audit',
    prepare: async () => undefined,
    step: async () => undefined,
    async verify() {
      const versions: string[] = [];
      for (const key of register.keys)
        versions.push(...(await register.history(key)).map(({ version }) => `CarePlan/${key}/_history/${version}`));
      const rows = await postgres.query(
        `select distinct id, d.reference from audit_event, unnest(data) as d(reference)
         where code in ('create', 'update', 'patch', 'delete') and status < 300 and d.reference like 'CarePlan/%/_history/%'`,
      );
      count = rows.length;
      return checkAudit(
        versions,
        rows.map(({ reference }) => String(reference)),
      ).map((line) => `audit: ${line}`);
    },
    count: () => `${count} audit records of versions`,
  };
}
