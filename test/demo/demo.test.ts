/** The demo as `npm run demo` plays it, against a server of the test: what it tells, and what it leaves behind. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DetectedIssue } from 'fhir/r4.js';
import { createPrinter, type DemoResult, demoStartMs, playDemo } from '../../src/demo/index.ts';
import { planTerritory } from '../../src/demo/pathway.ts';
import { createChance } from '../../src/demo/random.ts';
import { extension } from '../flows/view.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ruleSystem } from '../support/builders.ts';

let test: TestApp;
let result: DemoResult;
let issues: readonly DetectedIssue[];
const printed: string[] = [];
const letterFile = fileURLToPath(new URL('../letters/fixtures/discharge.xml', import.meta.url));

beforeAll(async () => {
  test = await startTestApp({ clock: new Date(demoStartMs).toISOString() });
  const printer = createPrinter((text) => printed.push(...text.split('\n')), false);
  result = await playDemo({ baseUrl: test.app.baseUrl, printer, letterFile });
  issues = await test.client.search<DetectedIssue>('DetectedIssue?_count=1000');
}, 120_000);
afterAll(() => test?.close());

function rulesOf(lines: readonly string[]): readonly string[] {
  return [...new Set(lines.flatMap((line) => /RUP-\d+/.exec(line)?.[0] ?? []))].sort();
}

const opened = () => printed.filter((line) => / OUVERTE /.test(line));
const closed = () => printed.filter((line) => / (REFERMÉE|RÉPARÉE|SANS OBJET) /.test(line));

/** The rules whose troubles the territory of the demo has. */
const met = ['RUP-14', 'RUP-15', 'RUP-20', 'RUP-21', 'RUP-23', 'RUP-33', 'RUP-34', 'RUP-38'];

describe('The demo', () => {
  it('plays at least fifty patients over three weeks, at least fifteen of them with a break', async () => {
    const demo = (await test.client.search('Patient?_count=1000')).filter(({ id }) => id?.startsWith('demo-'));
    expect(demo.length).toBeGreaterThanOrEqual(50);
    expect(result.patientsWithBreak).toBeGreaterThanOrEqual(15);
    const days = (test.app.clock.now() - demoStartMs) / 86_400_000;
    expect(days).toBeGreaterThanOrEqual(21);
  });

  it('prints each break as it opens and as it closes, in one readable line', () => {
    expect(opened().length).toBeGreaterThanOrEqual(15);
    expect(closed().length).toBeGreaterThanOrEqual(5);
    for (const line of opened()) {
      expect(line).toMatch(/^\d\d\/\d\d\/\d{4} \d\d:\d\d +OUVERTE +RUP-\d\d +demo-\d+ +\S/);
      expect(line.length).toBeLessThan(140);
    }
    expect(printed.some((line) => line.includes('\u001b'))).toBe(false);
  });

  it('meets each trouble that its territory has', () => {
    expect(rulesOf(opened())).toEqual(met);
    expect(rulesOf(closed())).toEqual(rulesOf(opened()));
  });

  it('tells of no break that nobody could see: what is printed is what is stored', () => {
    const seen = issues.filter((issue) => extension(issue, 'break-state')?.valueCode !== 'moot');
    const rules = (issue: DetectedIssue) => issue.code?.coding?.find(({ system }) => system === ruleSystem)?.code;
    expect(result.breaks).toBe(issues.length);
    expect(new Set(seen.map(({ patient }) => patient?.reference)).size).toBe(result.patientsWithBreak);
    expect([...new Set(seen.map(rules))].sort()).toEqual(rulesOf(opened()));
  });

  it('leaves alone the patients who do well: most have no break at all', () => {
    expect(result.patientsWithBreak).toBeLessThan(35);
  });

  it('ends with a table by rule and state, and what became of the letter it was given', () => {
    const head = printed.findIndex((line) => line.startsWith('règle'));
    const rows = printed.slice(head + 1).filter((line) => /^RUP-/.test(line));
    expect(rows.map((line) => line.slice(0, 6))).toEqual(met);
    const total = rows.reduce((sum, line) => sum + Number(line.split(/ +/)[7]), 0);
    expect(total).toBe(issues.length);
    const letter = printed.findIndex((line) => line.startsWith('Lettre reçue'));
    expect(printed.slice(letter).some((line) => /201 .*DocumentReference\//.test(line))).toBe(true);
  });

  it('refuses nothing that it sends, and logs no fault', () => {
    expect(test.logged.filter((line) => /"level":(40|50)/.test(line))).toEqual([]);
  });

  it('is the same each time: nothing in it is left to chance', () => {
    const told = () =>
      planTerritory(50, demoStartMs, createChance(1)).events.map(({ atMs, path, body }) => [
        atMs,
        path,
        body(new Map()),
      ]);
    expect(told()).toEqual(told());
  });
});
