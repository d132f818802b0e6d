/** The README's tour, run by a shell as it stands there. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { settingsTable } from '../../src/base/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const tour = readme.slice(readme.indexOf('<!-- tour'), readme.indexOf('## What works'));
const blocks = [...tour.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

/** One shell for the whole tour, because its blocks share what they define; the output of each block apart. */
async function runTour(): Promise<readonly string[]> {
  const script = blocks.join('\nprintf "\\f"\n').replaceAll('http://127.0.0.1:8080/fhir', app.app.baseUrl);
  // The tour saves files where it stands.
  const cwd = await mkdtemp(join(tmpdir(), 'suture-tour-'));
  try {
    const { stdout, stderr } = await promisify(execFile)('bash', ['-eu', '-c', script], { cwd, maxBuffer: 10_000_000 });
    expect(stderr).toBe('');
    return stdout.split('\f');
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

describe('the README', () => {
  it('has a tour that does what it says', async () => {
    const [record = '', waiting = '', broken = '', repaired = '', review = ''] = await runTour();
    expect(record.match(/"versionId":"1"/g)).toHaveLength(3);
    expect(waiting).toMatch(
      /"RUP-20"[^}]*},{"name":"focus".*?"waiting"},{"name":"dueAt","valueDateTime":"2026-03-03T00:00:00\+01:00"/,
    );
    const [, issues = '', tasks = '', alerts = ''] = broken.trim().split('\n');
    expect(issues).toContain('RUP-20:Patient/p1:Encounter/e1');
    expect(tasks).toContain('"owner":{"reference":"Practitioner/idec"}');
    expect(alerts).toContain('il manque la lettre de liaison de sortie');
    const [, , letter = '', message = '', , , closed = ''] = repaired
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    expect(letter).toMatch(/"break-reason","valueCode":"late"|break-reason","valueCode":"late"/);
    expect(message).toContain('RUP-21:Patient/p1:Encounter/e1');
    expect(closed.match(/"break-state|break-state","valueCode":"auto-closed"/g)?.length).toBe(2);
    expect(review).toContain('"resourceType":"OperationOutcome"');
    expect(review).toContain('review-letter');
    const answers = [record, waiting, broken, repaired].join('');
    expect(answers).not.toContain('OperationOutcome');
  });

  it('shows every setting as the program knows it', () => {
    expect(readme).toContain(settingsTable());
  });
});
