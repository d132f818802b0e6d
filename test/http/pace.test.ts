/** How often one client may ask (http.clientRequestsPerMinute): a bucket for each, by a clock that the test moves. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemCaller } from '../../src/access/index.ts';
import { httpLimits, Problem } from '../../src/base/index.ts';
import { createPace } from '../../src/http/pace.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

function problemOf(work: () => void): Problem | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  return undefined;
}

describe('A pace', () => {
  const open = (kept?: number) => {
    const at = { ms: 0, refused: 0 };
    const input = { perMinute: 60, burstMs: 3000, now: () => at.ms, onRefused: () => at.refused++ };
    return { at, pace: createPace({ ...input, ...(kept !== undefined && { kept }) }) };
  };

  it('lets a client come at once with what it has not used, then as fast as it is allowed', () => {
    const { at, pace } = open();
    for (let n = 0; n < 3; n++) pace.take('a');
    const refused = problemOf(() => pace.take('a'));
    expect([refused?.category, refused?.retryAfterMs, at.refused]).toEqual(['throttled', 1000, 1]);
    at.ms = 1000;
    expect(problemOf(() => pace.take('a'))).toBeUndefined();
    expect(problemOf(() => pace.take('a'))?.retryAfterMs).toBe(1000);
    at.ms = 3_600_000;
    for (let n = 0; n < 3; n++) pace.take('a');
    expect(problemOf(() => pace.take('a'))).toBeDefined();
  });

  it('counts each client by itself, and remembers so many at most', () => {
    const { pace } = open(2);
    for (const client of ['a', 'b']) for (let n = 0; n < 3; n++) pace.take(client);
    expect(problemOf(() => pace.take('a'))).toBeDefined();
    for (const client of ['c', 'd']) pace.take(client);
    expect(problemOf(() => pace.take('a'))).toBeUndefined();
  });
});

describe('A server with SUTURE_CLIENT_RATE', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp({
      settings: { SUTURE_CLIENT_RATE: '6' },
      callerOf: ({ headers }) => {
        const clientId = headers['x-client'];
        return typeof clientId === 'string' ? { ...systemCaller, kind: 'client', clientId } : systemCaller;
      },
    });
  });
  afterAll(() => test?.close());

  it('tells a client that asks too often when to come again (429), serves the others, health and metrics', async () => {
    const [noisy, other] = [test.client.with({ 'x-client': 'noisy' }), test.client.with({ 'x-client': 'other' })];
    expect((await noisy.get('Patient/a')).status).toBe(403);
    const refused = await noisy.get('Patient/a', { 'accept-language': 'fr' });
    expect([refused.status, refused.json.issue[0].code]).toEqual([429, 'throttled']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(10);
    expect(refused.json.issue[0].details.text).toMatch(/^ce client envoie plus/);
    expect((await other.get('Patient/a')).status).toBe(403);
    for (const path of ['/health/live', '/metrics']) expect((await noisy.get(path)).status).toBe(200);
    expect((await noisy.get('/metrics')).text).toMatch(/^suture_limit_hits_total\{limit="clientRate"\} 1$/m);
    // Those who are not told apart: by address.
    expect((await test.client.get('Patient/a')).status).toBe(404);
    expect((await test.client.get('Patient/a')).status).toBe(429);
    expect(httpLimits.clientRequestsPerMinute).toBe(12_000);
  });
});
