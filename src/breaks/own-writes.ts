/**
 * What a judgment wrote itself asks for no other judgment: it would find what it left. Its Tasks may be moved by persons and are
 * read again, its alerts are Communications like others. So a judgment leaves what it wrote, with the versions, with the job that
 * waits for its next instant; a change up to that version was read by it, or is its own (it writes only over what it has read).
 * Where no job waits, nothing is known, and the patient is judged once more.
 */
import type { Transaction } from '../db/index.ts';
import type { Change } from '../queue/index.ts';
import type { Written } from '../store/index.ts';
import { readOwnWrites } from './breaks.sql.ts';

/** What the job of a judgment carries: payload of `judge`. */
export interface JudgePayload {
  /** Rules changed then: what lies in the record since before is told in a digest. */
  readonly rulesAtMs?: number;
  /** Versions by `Type/id`. */
  readonly wrote?: Readonly<Record<string, number>>;
}

/** Of the others nothing wakes the rules. */
const wakingTypes: ReadonlySet<string> = new Set(['Task', 'Communication']);

export function payloadOf(written: readonly Written[]): JudgePayload {
  const waking = written.filter(({ type }) => wakingTypes.has(type));
  if (waking.length === 0) return {};
  return { wrote: Object.fromEntries(waking.map(({ type, id, version }) => [`${type}/${id}`, version])) };
}

/** Changes that the last judgment of all their patients has written or read. */
export async function ownChanges(tx: Transaction, changes: readonly Change[]): Promise<ReadonlySet<Change>> {
  const candidates = changes.filter(({ type }) => wakingTypes.has(type));
  if (candidates.length === 0) return new Set();
  const known = await readOwnWrites(tx, [...new Set(candidates.flatMap(({ patients }) => patients))]);
  return new Set(
    candidates.filter(({ type, id, version, patients }) =>
      patients.every((patient) => version <= (known.get(patient)?.[`${type}/${id}`] ?? 0)),
    ),
  );
}
