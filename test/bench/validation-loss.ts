/**
 * What writes lose to base validation. The server always validates, so it is not measured by leaving it out: the bodies
 * of the operation are judged in this process, by the validator as built, and that processor time is set against the one
 * that the server's process spent on such a request in the same run. The process is what is busy first, so the share of
 * its time is the share of the rate at most: the database's time, which validation does not lengthen, is left out.
 */
import type { Operation } from './operations.ts';
import type { ResultRow } from './table.ts';
import { createBaseValidator } from './validation.ts';

const bodiesMax = 200;
const warmUpRounds = 10;
const rounds = 20;

/** The row with the loss in its remark; as it was where the operation writes nothing, or nothing is known of the cost. */
export async function withLoss(operation: Operation, row: ResultRow): Promise<ResultRow> {
  if (operation.limit === 'page' || row.cost === undefined) return row;
  const us = await validationUs(operation);
  const share = (100 * us) / row.cost.processUs;
  const told = `base validation ${Math.round(us)} us of cpu, at most ${share.toFixed(1)} % of the rate`;
  return { ...row, remark: row.remark === undefined ? told : `${row.remark}; ${told}` };
}

/** Processor time of judging the body of one request, in microseconds. */
async function validationUs({ next, limit }: Operation): Promise<number> {
  const count = limit === 'batch' ? bodiesMax / 20 : bodiesMax;
  const bodies = Array.from({ length: count }, () => JSON.parse(next().body ?? '{}') as object);
  const { validate } = await createBaseValidator();
  const judgeAll = (times: number): void => {
    for (let round = 0; round < times; round++) for (const body of bodies) validate(body);
  };
  judgeAll(warmUpRounds);
  const before = process.cpuUsage();
  judgeAll(rounds);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (rounds * bodies.length);
}
