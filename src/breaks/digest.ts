/**
 * The digest: one message a day to each organisation about the breaks that were recorded without a call (learned of long
 * after they were due, a rule set activated over an old record, downtime). Counts by rule, and links; no storm.
 */
import type { Clock, Ids } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import { formatLocal, localDay, type Resource, shiftDay } from '../fhir/index.ts';
import { finishJob, requestJobs, type Work } from '../queue/index.ts';
import type { Place } from '../rules/index.ts';
import type { Store } from '../store/index.ts';
import { keepUntold, takeUntold } from './breaks.sql.ts';
import type { Untold } from './plan-input.ts';
import { buildDigest } from './resources.ts';
import type { Places } from './sites.ts';

export const digestLimits = { hour: '08:00', linksMax: 200 } as const;

const nowhere = '-';

/** Remembers what was not told, and asks for the next digest of each organisation. */
export async function requestDigests(
  tx: Transaction,
  untold: readonly Untold[],
  { nowMs, place }: { readonly nowMs: number; readonly place: Place },
): Promise<void> {
  if (untold.length === 0) return;
  const kept = untold.map((one) => ({ ...one, organisation: one.organisation ?? nowhere }));
  await keepUntold(tx, kept, nowMs);
  const runAtMs = nextDigestMs(nowMs, place);
  const organisations = [...new Set(kept.map(({ organisation }) => organisation))].sort();
  await requestJobs(
    tx,
    organisations.map((key) => ({ kind: 'digest', key, runAtMs })),
  );
}

/** The next morning in the zone of the server. */
export function nextDigestMs(nowMs: number, { dates }: Place): number {
  const today = localDay(nowMs, dates);
  const at = (day: string): number => dates.range(`${day}T${digestLimits.hour}:00`)?.lo ?? nowMs;
  return at(today) > nowMs ? at(today) : at(shiftDay(today, 1, 'day'));
}

export interface DigestInput {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly places: Places;
  readonly holder: number;
}

export function createDigestWork(input: DigestInput): Work {
  return {
    kind: 'digest',
    concurrency: 1,
    retryAfterMs: (attempts) => Math.min(1000 * 2 ** attempts, 3_600_000),
    handle: (job) =>
      input.store.transaction(async (session, tx) => {
        const untold = await takeUntold(tx, job.key);
        if (untold.length > 0) {
          const message = digestOf(input, job.key, untold);
          await session.commit([
            { method: 'PUT', type: 'Communication', id: message.id ?? '', resource: message, expectNew: true },
          ]);
        }
        await finishJob(tx, job, input.holder);
      }),
  };
}

function digestOf(
  { clock, ids, places }: DigestInput,
  organisation: string,
  untold: readonly { readonly rule: string; readonly issueId: string }[],
): Resource {
  const nowMs = clock.now();
  const counts = new Map<string, number>();
  for (const { rule } of untold) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return buildDigest({
    id: ids.next(nowMs),
    issues: untold.slice(0, digestLimits.linksMax).map(({ issueId }) => issueId),
    recipient: organisation === nowhere ? undefined : organisation,
    sent: formatLocal(nowMs, places.usual.dates.zone),
    lines: [
      {
        fr: `${untold.length} ruptures enregistrées sans appel : connues longtemps après leur échéance, à l'activation d'une règle ou après une interruption.`,
        en: `${untold.length} breaks recorded without a call: learned of long after they were due, at the activation of a rule, or after an interruption.`,
      },
      ...[...counts].map(([rule, count]) => ({ fr: `${rule} : ${count}`, en: `${rule}: ${count}` })),
    ],
  });
}
