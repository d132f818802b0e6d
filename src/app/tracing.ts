/**
 * Traces for OpenTelemetry (https://opentelemetry.io/docs/specs/otel/trace/), sent by OTLP over HTTP where SUTURE_OTLP_URL names a
 * collector; else none of its packages is even loaded. One span for each request, job and notification, when it has ended, by its
 * template, kind and outcome: no URL, no id, no text of a patient can be in one. A trace that a caller began is gone on with, but which
 * of them are sent this server decides alone.
 */
import { type Config, createRealClock, type Lifecycle } from '../base/index.ts';
import type { Answered } from '../http/index.ts';

export interface Tracing {
  requested(answered: Answered): void;
  /** A job or a notification: what kind, and what came of it. */
  worked(what: 'job' | 'notification', kind: string, outcome: string, seconds: number): void;
}

export const noTracing: Tracing = { requested: () => undefined, worked: () => undefined };

const scope = 'suture';
const exportTimeoutMs = 2000;

export async function openTracing(
  { otlpUrl: url, traceShare }: Config,
  { version, instance }: { readonly version: string; readonly instance: number },
  lifecycle: Lifecycle,
): Promise<Tracing> {
  if (url === undefined) return noTracing;
  const [api, sdk, otlp, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new otlp.OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs });
  const provider = new sdk.NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': scope,
      'service.version': version,
      'service.instance.id': String(instance),
    }),
    sampler: new sdk.TraceIdRatioBasedSampler(traceShare / 100),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter, { exportTimeoutMillis: exportTimeoutMs })],
  });
  lifecycle.onStop('traces', () => provider.shutdown());
  const tracer = provider.getTracer(scope, version);
  const { now } = createRealClock();

  function tell(name: string, options: { readonly kind: number; readonly attributes: Attributes }, seconds: number) {
    const endTime = now();
    return (isFailed: boolean, parent = api.ROOT_CONTEXT): void => {
      const span = tracer.startSpan(name, { ...options, startTime: endTime - seconds * 1000 }, parent);
      if (isFailed) span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end(endTime);
    };
  }

  return {
    requested({ method, route, status, seconds, traceparent }) {
      const attributes = {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
      };
      const begun = readTraceparent(traceparent);
      const parent = begun && api.trace.setSpanContext(api.ROOT_CONTEXT, { ...begun, isRemote: true });
      tell(`${method} ${route}`, { kind: api.SpanKind.SERVER, attributes }, seconds)(status >= 500, parent);
    },
    worked(what, kind, outcome, seconds) {
      const attributes = { [`suture.${what}.kind`]: kind, [`suture.${what}.outcome`]: outcome };
      const spanKind = what === 'job' ? api.SpanKind.INTERNAL : api.SpanKind.CLIENT;
      tell(`${what} ${kind}`, { kind: spanKind, attributes }, seconds)(outcome === 'failed', undefined);
    },
  };
}

type Attributes = Readonly<Record<string, string | number>>;

function readTraceparent(header: string | undefined) {
  const [, traceId, spanId, flags] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}
