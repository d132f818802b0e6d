/**
 * Our validator on the public test cases of FHIR validators, beside what the HL7 validator found. Runs where a checkout of
 * https://github.com/FHIR/fhir-test-cases is at hand: in the folder that FHIR_TEST_CASES names, or beside the project in
 * `../shared/fhir-test-cases`. `npm run scoreboard` writes the table of the result, `scoreboard.md`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { readCases } from './cases.ts';
import { createJudge } from './judge.ts';
import { agreement, type Row, rowsOf, tableText } from './table.ts';

const { FHIR_TEST_CASES, SUTURE_SCOREBOARD } = process.env;
const shared = fileURLToPath(new URL('../../../../shared/fhir-test-cases', import.meta.url));
const folder = join(FHIR_TEST_CASES ?? shared, 'validator');
const tableFile = fileURLToPath(new URL('scoreboard.md', import.meta.url));

const agreementMin = 0.85;

if (!existsSync(join(folder, 'manifest.json'))) {
  it.skip(`the public test cases are not there, left out: ${folder}`, () => undefined);
} else {
  it('agrees with the HL7 validator on 85 % of the cases that need no external terminology', async () => {
    const judge = createJudge();
    const rows: Row[] = [];
    for (const one of readCases(folder)) rows.push({ one, own: one.leftOut === undefined ? await judge(one) : [] });
    const text = tableText(rows);
    if (SUTURE_SCOREBOARD === 'write') writeFileSync(tableFile, text);
    expect(agreement(rowsOf(rows, 'own'))).toBeGreaterThanOrEqual(agreementMin);
    expect(rows.length).toBeGreaterThan(600);
    // What is committed is what the cases of its date give: another checkout may differ, and is written anew.
    expect(readFileSync(tableFile, 'utf8').split('\n')[0]).toBe(text.split('\n')[0]);
  }, 300_000);
}
