import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
let test: TestApp;
beforeAll(async () => { const t = performance.now(); test = await startTestApp(); console.error('start', performance.now() - t); });
afterAll(() => test.close());
it('is live', async () => { expect((await test.client.get('/health/live')).status).toBe(200); });
