import { RetryError } from '../../engine/errors.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { Redact } from './redaction.ts';

/**
 * No answer, or half of one. The library's error is not kept: its message holds the URL and its
 * `request` the token; the cause is a new error with what the platform said, redacted.
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

/** No answer within the time allowed. */
export function timeoutError(
  timeoutMs: number,
  { request, host }: { request: GraphRequest; host: string },
): RetryError {
  return new RetryError(
    'graph.timeout',
    `${request.endpoint}: no answer from ${host} within ${timeoutMs} ms; it is tried again`,
  );
}

interface Thrown {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** The platform's own word: `fetch failed` says nothing, its cause does. */
function innermost(error: unknown): string {
  let deepest = asThrown(error);
  // Bounded: a chain of causes may run in a circle.
  for (let depth = 0; depth < 8; depth += 1) deepest = within(deepest) ?? deepest;
  const words = [deepest?.code ?? deepest?.name, deepest?.message].filter(
    (word) => typeof word === 'string' && word !== '',
  );
  return words.length === 0 ? 'no reason given' : words.join(': ');
}

/** An aggregate (both addresses of a host refused) has no message of its own; its first has. */
function within(error: Thrown | undefined): Thrown | undefined {
  const errors: unknown = error?.errors;
  return asThrown(error?.cause) ?? asThrown(Array.isArray(errors) ? errors[0] : undefined);
}

/** By shape, as `instanceof` fails for an error of another realm. */
function asThrown(value: unknown): Thrown | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}
