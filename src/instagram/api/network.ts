import { type ErrorCode, isClassifiedError, RetryError } from '../../engine/errors.ts';
import type { Clock, GraphRequest, Telemetry } from '../../engine/ports.ts';
import { batchEndpoint, BatchRejection } from './batch.ts';
import type { Redact } from '../../engine/redaction.ts';

/**
 * Creates the error of a missing or incomplete answer. The library's error is dropped: its message
 * contains the URL, its `request` the token. The cause is a new error with the platform's redacted
 * text.
 */
export function networkError(
  error: unknown,
  { request, host, redact }: { request: GraphRequest; host: string; redact: Redact },
): RetryError {
  const reason = redact(innermost(error));
  return new RetryError(
    'graph.network',
    `${request.endpoint}: no answer from ${host} (${reason}); check the network, DNS and INSTAGRAM_BASE_URL if it stays so`,
    { cause: new Error(reason) },
  );
}

export function timeoutError(
  timeoutMs: number,
  { request, host }: { request: GraphRequest; host: string },
): RetryError {
  return new RetryError(
    'graph.timeout',
    `${request.endpoint}: no answer from ${host} within ${timeoutMs} ms; it is tried again`,
  );
}

type ErrorShape = Partial<Record<'name' | 'code' | 'message' | 'cause' | 'errors', unknown>>;

/** Returns the reason of the innermost error: `fetch failed` has none, its cause does. */
function innermost(error: unknown): string {
  let deepest = asErrorShape(error);
  // Bounded: a chain of causes may be circular.
  for (let depth = 0; depth < 8; depth += 1) deepest = within(deepest) ?? deepest;
  const words = [deepest?.code ?? deepest?.name, deepest?.message].filter(
    (word) => typeof word === 'string' && word !== '',
  );
  return words.length === 0 ? 'no reason given' : words.join(': ');
}

/** Returns the cause, or the first error of an aggregate (all addresses of a host failed). */
function within(error: ErrorShape | undefined): ErrorShape | undefined {
  const errors: unknown = error?.errors;
  return asErrorShape(error?.cause) ?? asErrorShape(Array.isArray(errors) ? errors[0] : undefined);
}

/** Tests the shape, because `instanceof` fails for an error of another realm. */
function asErrorShape(value: unknown): ErrorShape | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

export interface RequestTelemetry {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** Makes a request and reports its outcome and duration. An aborted request is not reported. */
export async function withTelemetry<T>(
  { telemetry, clock }: RequestTelemetry,
  { endpoint, calls }: { readonly endpoint: string; readonly calls: number },
  request: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.nowMs();
  const report = (outcome: 'ok' | ErrorCode, labels = { endpoint, calls }): void => {
    const durationMs = Math.max(0, clock.nowMs() - startedMs);
    telemetry.report({ type: 'request', ...labels, outcome, durationMs });
  };
  try {
    const answer = await request();
    report('ok');
    return answer;
  } catch (error) {
    if (isClassifiedError(error)) report(error.code);
    // The API executed none of the items, so the batch counts as one call.
    if (error instanceof BatchRejection) report(error.code, { endpoint: batchEndpoint, calls: 1 });
    throw error;
  }
}
