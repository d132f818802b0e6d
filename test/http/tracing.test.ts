/** Traces for OpenTelemetry: what a collector gets, that no patient is in it, and that nothing of it is loaded without one. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const bodies: string[] = [];
let collector: Server;
let test: TestApp;

beforeAll(async () => {
  collector = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request) body += String(part);
      bodies.push(body);
      response.setHeader('content-type', 'application/json').end('{}');
    })();
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  test = await startTestApp({
    settings: { SUTURE_OTLP_URL: `http://127.0.0.1:${port}/v1/traces`, SUTURE_TRACE_SHARE: '100' },
  });
});
afterAll(async () => {
  await test?.close();
  collector?.close();
});

const marker = 'ZZMARKER';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('A collector', () => {
  it('gets a span for each request and job when the server stops at the latest, by templates alone', async () => {
    const { client } = test;
    const patient = { resourceType: 'Patient', id: marker, name: [{ family: marker }] };
    const traceparent = `00-${trace}-00f067aa0ba902b7-00`;
    expect((await client.put(patient, { traceparent })).status).toBe(201);
    await client.get(`Patient?name=${marker}&identifier=${marker}`, { traceparent: `00-${marker}` });
    expect((await client.get(`Patient/${marker}x/${marker}`)).status).toBeGreaterThanOrEqual(400);
    await client.settle();
    await test.app.stop();

    const exports = bodies.map((body) => JSON.parse(body) as Export);
    const spans = exports.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );
    const put = spans.find(({ name }) => name === 'PUT /fhir/:type/:id');
    expect([put?.traceId, put?.parentSpanId]).toEqual([trace, '00f067aa0ba902b7']);
    expect(BigInt(put?.endTimeUnixNano ?? 0) > BigInt(put?.startTimeUnixNano ?? 0)).toBe(true);
    const shown = (span: Span | undefined) => span?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]);
    expect(shown(put)).toEqual([
      ['http.request.method', 'PUT'],
      ['http.route', '/fhir/:type/:id'],
      ['http.response.status_code', 201],
    ]);
    expect(spans.some(({ name }) => name === 'GET /fhir/:type')).toBe(true);
    expect(shown(spans.find(({ name }) => name === 'job judge'))).toEqual([
      ['suture.job.kind', 'judge'],
      ['suture.job.outcome', 'done'],
    ]);
    expect(exports[0]?.resourceSpans[0]?.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'suture' },
    });
    expect(bodies.join('')).not.toContain(marker);
  });

  it('is the only reason to load a package of OpenTelemetry: one file names them, and imports them when it is asked', () => {
    const src = join(import.meta.dirname, '../../src');
    const naming = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && readFileSync(join(src, file), 'utf8').includes('@opentelemetry/'),
    );
    expect(naming).toEqual(['app/tracing.ts']);
    expect(readFileSync(join(src, 'app/tracing.ts'), 'utf8')).not.toMatch(/^import .*@opentelemetry/m);
  });
});
