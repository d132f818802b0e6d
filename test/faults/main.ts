/**
 * npm run faults -- [--seed N] [--seeds N] [--minutes M] [--only F-1,F-3] [--share] [--journal FOLDER]
 *
 * Two servers on one PostgreSQL, clients at work, and everything going wrong in an order that the seed decides; then a checker says
 * whether anything that was answered is lost, torn, doubled or out of order. Ends with 1 when something is wrong. With --share the faults
 * are divided among the seeds, and each run goes on until its own have happened once.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { faults } from './faults.ts';
import { type Report, run } from './run.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '2' },
    only: { type: 'string' },
    share: { type: 'boolean', default: false },
    journal: { type: 'string', default: 'dist/faults-journal' },
  },
});

/** This file runs as dist/faults/test/faults/main.js. */
const project = fileURLToPath(new URL('../../../../', import.meta.url));
const only = options.only?.split(',');
const unknown = only?.find((number) => !faults.some((fault) => fault.number === number));
if (unknown !== undefined)
  throw new Error(`there is no fault ${unknown}; there are ${faults.map(({ number }) => number).join(', ')}`);

const numbers = [...new Set(faults.map(({ number }) => number))].filter((one) => only?.includes(one) ?? true);
const seeds = Number(options.seeds);
const chosenFor = (seed: number) =>
  options.share ? numbers.filter((_one, place) => place % seeds === seed % seeds) : only;

let isWrong = false;
for (let seed = Number(options.seed); seed < Number(options.seed) + seeds; seed++) {
  const report = await run({
    seed,
    milliseconds: Number(options.minutes) * 60_000,
    only: chosenFor(seed),
    isEachOnce: options.share,
    project,
    folder: await mkdtemp(join(tmpdir(), 'suture-faults-')),
    journalFile: join(options.journal, `${seed}.ndjson`),
    // eslint-disable-next-line no-restricted-properties -- the true clock, beside which servers' clocks go wrong
    now: () => Date.now(),
    log: (line) => console.error(line),
  });
  tell(report);
  isWrong ||= report.found.length > 0;
}
process.exitCode = isWrong ? 1 : 0;

function tell({ seed, found, happened, counts, requests, longestMs, gapMs, restMs, residentMb }: Report): void {
  console.log(`\nseed ${seed}: ${happened.length} faults (${[...new Set(happened)].join(', ')})`);
  for (const line of counts) console.log(`  ${line}`);
  console.log(
    `  answers by status: ${Object.entries(requests)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')}`,
  );
  console.log(
    `  longest answer ${longestMs} ms, longest time without a good one ${gapMs} ms, at rest after ${restMs} ms, servers ${residentMb.join(' and ')} MB`,
  );
  console.log(found.length === 0 ? '  nothing lost, torn, doubled or out of order' : `  WRONG (${found.length}):`);
  for (const line of found.slice(0, 50)) console.log(`    ${line}`);
}
