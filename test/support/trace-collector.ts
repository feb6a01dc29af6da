import { buffer } from 'node:stream/consumers';
import { startHttpServer, type HttpServer } from './http-server.ts';

/** A span as OTLP has it in JSON. */
export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

/** A collector of traces over HTTP. */
export interface TraceCollector extends HttpServer {
  readonly spans: readonly SeenSpan[];
  /** Of what the spans are, by name. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Everything that came, as it came. */
  readonly bodies: readonly string[];
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: SeenSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly SeenSpan[] }[];
  }[];
}

/** Starts a collector that takes what comes to `/v1/traces` and nothing else. */
export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: SeenSpan[] = [];
  const bodies: string[] = [];
  const resource: Record<string, unknown> = {};
  const server = await startHttpServer(({ path }, response, raw) => {
    void buffer(raw).then((body) => {
      const text = body.toString('utf8');
      bodies.push(text);
      response.writeHead(path === '/v1/traces' ? 200 : 404, { 'content-type': 'application/json' });
      response.end('{}');
      for (const one of (JSON.parse(text) as Sent).resourceSpans) {
        spans.push(...one.scopeSpans.flatMap((scope) => scope.spans));
        for (const { key, value } of one.resource.attributes) {
          resource[key] = Object.values(value)[0] as unknown;
        }
      }
    });
  });
  return { ...server, spans, bodies, resource };
}
