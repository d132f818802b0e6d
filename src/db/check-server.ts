/** Whether a PostgreSQL is fit for Suture: refused where it cannot work, warned about where it may lose what was answered. */
import { type Clock, type Log, Problem } from '../base/index.ts';
import type { Queryable } from './database.ts';

export interface ServerFacts {
  /** server_version_num, e.g. 170004. */
  readonly version: number;
  readonly encoding: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly now: Date;
}

export interface ServerFindings {
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

const versionMin = 140_000;
const clockDifferenceMaxMs = 5_000;

export async function checkServer(
  database: Queryable,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<void> {
  const [facts] = await database.query<ServerFacts>({
    text: `select current_setting('server_version_num')::integer as version,
             current_setting('server_encoding') as encoding,
             current_setting('fsync') as fsync,
             current_setting('full_page_writes') as full_page_writes,
             current_setting('synchronous_commit') as synchronous_commit,
             clock_timestamp() as now`,
  });
  if (facts === undefined) return;
  const { refusals, warnings } = judgeServer(facts, clock);
  if (refusals.length > 0) throw new Problem('unavailable', `the PostgreSQL server is not fit: ${refusals.join('; ')}`);
  for (const reason of warnings) log.warn({ component: 'db', reason }, 'the PostgreSQL server needs attention');
}

/** A manual clock is not compared. */
export function judgeServer(facts: ServerFacts, clock: Clock): ServerFindings {
  const refusals: string[] = [];
  const warnings: string[] = [];
  if (facts.version < versionMin)
    refusals.push(`it is version ${Math.floor(facts.version / 10_000)}, expected 14 or newer`);
  if (facts.encoding !== 'UTF8') refusals.push(`its database has the encoding ${facts.encoding}, expected UTF8`);
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit'] as const) {
    if (facts[name] === 'off') warnings.push(`${name} is off: a crash may lose what was answered`);
  }
  const differenceMs = Math.abs(facts.now.getTime() - clock.now());
  if (clock.kind === 'real' && differenceMs > clockDifferenceMaxMs) {
    warnings.push(`its clock differs from ours by ${Math.round(differenceMs / 1_000)} s`);
  }
  return { refusals, warnings };
}
