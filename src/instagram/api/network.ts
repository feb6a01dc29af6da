import { RetryError } from '../../engine/errors.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { Redact } from './redaction.ts';

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

/** Creates the error of a request without an answer within the timeout. */
export function timeoutError(
  timeoutMs: number,
  { request, host }: { request: GraphRequest; host: string },
): RetryError {
  return new RetryError(
    'graph.timeout',
    `${request.endpoint}: no answer from ${host} within ${timeoutMs} ms; it is tried again`,
  );
}

interface ErrorShape {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

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
