import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer as SpanMaker,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  TracerProvider,
  TraceIdRatioBasedSampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import { isClassifiedError, messageOf } from '../../engine/errors.ts';
import type { PollTrace, StepFacts, StepKind, TracedPoll, Tracer } from '../../engine/ports.ts';
import { settled } from '../../engine/shutdown.ts';
import type { Tracing, TracingOptions, TracingSettings } from './settings.ts';

const program = 'instagram-kafka-producer';

/** Sends spans in the background; without a reachable collector only the spans are lost. */
export function startTracing(settings: TracingSettings, options: TracingOptions): Tracing {
  const exporter = reportingErrors(new OTLPTraceExporter({ url: settings.url }), options.log);
  const provider = new TracerProvider({
    resource: resourceOf(options),
    sampler: new TraceIdRatioBasedSampler(settings.ratio),
    spanProcessors: [new BatchSpanProcessor({ ...settings, exporter })],
  });
  return {
    tracer: createTracer(provider.getTracer(program, options.version)),
    async [Symbol.asyncDispose]() {
      await settled(provider.shutdown(), options.shutdown.leftMs('traces'));
    },
  };
}

/** The resource; `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` take precedence. */
function resourceOf({ version, instance }: TracingOptions) {
  const own = resourceFromAttributes({
    'service.name': program,
    'service.version': version,
    'service.instance.id': instance,
  });
  const detectors = [resourceAttributesEnvDetector, serviceNameEnvDetector];
  return defaultResource().merge(own).merge(detectResources({ detectors }));
}

/** Logs lost spans once, until an export succeeds. */
function reportingErrors(exporter: OTLPTraceExporter, log: TracingOptions['log']): SpanExporter {
  let isLosing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const code: number = result.code;
        const fails = code !== 0;
        if (fails && !isLosing) log.warn({ reason: messageOf(result.error) }, 'traces not sent');
        isLosing = fails;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}

function createTracer(spans: SpanMaker): Tracer {
  return {
    poll(poll) {
      const attributes = named({ stream: poll.stream, account: poll.accountId, poll: poll.poll });
      const span = spans.startSpan(`poll ${poll.stream}`, { attributes }, ROOT_CONTEXT);
      return followPoll(poll, span, spans);
    },
  };
}

const kinds: Readonly<Record<StepKind, SpanKind>> = {
  request: SpanKind.CLIENT,
  encode: SpanKind.INTERNAL,
  transaction: SpanKind.PRODUCER,
};

function followPoll(poll: TracedPoll, span: Span, spans: SpanMaker): PollTrace {
  const below: Context = trace.setSpan(ROOT_CONTEXT, span);
  return {
    headers: { traceparent: traceparentOf(span) },
    begin(kind, facts) {
      const attributes = named({ stream: poll.stream, ...facts });
      const name =
        kind === 'request' ? `GET ${String(facts['endpoint'])}` : `${kind} ${poll.stream}`;
      const step = spans.startSpan(name, { kind: kinds[kind], attributes }, below);
      return (error) => {
        end(step, error);
      };
    },
    end(error) {
      end(span, error);
    },
  };
}

function named(facts: StepFacts) {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [`instagram.${name}`, value]),
  );
}

/**
 * Ends a span. An error adds only its code: messages belong to the log, which redacts them
 * (Invariant 9).
 */
function end(span: Span, error: unknown): void {
  if (error !== undefined) {
    // An error's name is `AbortError` for an aborted poll, or `TypeError` for a bug.
    const name = error instanceof Error ? error.name : 'unknown';
    const code = isClassifiedError(error) ? error.code : name;
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  }
  span.end();
}

/** The W3C `traceparent` header: version, trace id, span id and flags. */
function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
