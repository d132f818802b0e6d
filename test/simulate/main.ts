/**
 * npm run simulate -- [--patients N] [--days D] [--seed S] [--seeds N] [--rules FOLDER] [--differences FILE]
 *
 * Lives N patients over D days by the model, feeds them to the engine in memory, and compares each opened and closed break
 * with the truth. Prints progress and a table by rule; writes every difference, with what was sent, to a file. Ends with 1
 * when there is one.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readDefinitions } from '../../src/fhir/definitions.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { createSimulator, type Difference, type Simulated } from './simulate.ts';

const { values: options } = parseArgs({
  options: {
    patients: { type: 'string', default: '2000' },
    days: { type: 'string', default: '365' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    rules: { type: 'string', default: 'profiles/rules' },
    differences: { type: 'string', default: 'dist/simulate-differences.json' },
  },
});

const [patients, days, firstSeed, seeds] = [options.patients, options.days, options.seed, options.seeds].map(
  (value) => {
    if (!/^[1-9]\d{0,6}$/.test(value)) throw new Error(`a whole number is expected, found ${value}`);
    return Number(value);
  },
) as [number, number, number, number];

interface Row {
  expected: number;
  injected: number;
  found: number;
  missed: number;
  false: number;
  late: number;
  errors: number;
}

const rows = new Map<string, Row>();
const differences: (Difference & { seed: number })[] = [];

function rowOf(rule: string): Row {
  const row = rows.get(rule) ?? { expected: 0, injected: 0, found: 0, missed: 0, false: 0, late: 0, errors: 0 };
  rows.set(rule, row);
  return row;
}

const columnOf = { missing: 'missed', false: 'false', late: 'late', error: 'errors' } as const;

function count({ trueBreaks, found, expectations, differences: own }: Simulated, seed: number): void {
  for (const { rule } of expectations) rowOf(rule).expected++;
  for (const { rule } of trueBreaks) rowOf(rule).injected++;
  for (const { rule } of found) rowOf(rule).found++;
  for (const one of own) {
    rowOf(one.rule)[columnOf[one.kind]]++;
    differences.push({ ...one, seed });
  }
}

function show(done: number, total: number, startedMs: number): void {
  const width = 30;
  const full = Math.round((done / total) * width);
  const rate = done / ((performance.now() - startedMs) / 1000);
  const text = `${'█'.repeat(full)}${'░'.repeat(width - full)} ${done}/${total} patients, ${rate.toFixed(0)}/s, ${differences.length} differences`;
  process.stdout.write(process.stdout.isTTY ? `\r${text}` : `${text}\n`);
}

const ruleSets = readdirSync(options.rules)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(options.rules, name), 'utf8')) as Resource);
// Compiled elsewhere than the server: the definitions are found from where npm runs.
const definitions = readDefinitions(
  JSON.parse(readFileSync('generated/definitions.json', 'utf8')) as Parameters<typeof readDefinitions>[0],
);
const simulator = createSimulator(ruleSets, definitions);
const startedMs = performance.now();
const total = patients * seeds;
let done = 0;
for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
  for (let number = 0; number < patients; number++) {
    count(await simulator.simulate({ number, seed, days }), seed);
    if (++done % Math.max(1, Math.floor(total / 20)) === 0 || done === total) show(done, total, startedMs);
  }
}

const told = new Set(simulator.situations.flatMap(({ rules }) => rules));
const untold = [...simulator.rules].filter((rule) => !told.has(rule)).sort();
const column = (value: number | string) => String(value).padStart(9);
const lines = [...rows]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([rule, row]) => rule.padEnd(20) + Object.values(row).map(column).join(''));
process.stdout.write(
  `\n${'rule'.padEnd(20)}${['expected', 'injected', 'found', 'missed', 'false', 'late', 'errors'].map(column).join('')}\n`,
);
const totals = [...rows.values()].reduce<number[]>(
  (sums, row) => Object.values(row).map((value: number, index) => value + (sums[index] ?? 0)),
  [],
);
process.stdout.write(`${lines.join('\n')}\n${'all'.padEnd(20)}${totals.map(column).join('')}\n\n`);
if (untold.length > 0) process.stdout.write(`rules that the model does not live yet: ${untold.join(', ')}\n`);
writeFileSync(options.differences, `${JSON.stringify(differences, null, 2)}\n`);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
process.stdout.write(`${total} patients over ${days} days in ${seconds} s\n`);
process.stdout.write(`${differences.length} differences, in ${options.differences}\n`);
process.exitCode = differences.length === 0 ? 0 : 1;
