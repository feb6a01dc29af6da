import type { ErrorCode } from '../engine/errors.ts';
import type { EventOf } from './event-handlers.ts';

export interface TokenHealth {
  /** Epoch milliseconds; null for never, undefined when unknown. */
  readonly expiresAtMs: number | null | undefined;
  /** The advice about the token's expiry; empty for none. */
  readonly action: string;
  /** The API's rejection of the token and its start; null while the API accepts it. */
  readonly rejection: {
    readonly code: ErrorCode;
    readonly message: string;
    /** Epoch milliseconds. */
    readonly sinceMs: number;
  } | null;
}

/** The tokens by name. */
type Tokens = ReadonlyMap<string, TokenHealth>;

/**
 * The end of a token's validity, epoch milliseconds: its expiry, or its rejection when that came
 * earlier.
 */
export function endOfUse({ expiresAtMs = null, rejection }: TokenHealth): number | null {
  if (rejection === null) return expiresAtMs;
  return Math.min(expiresAtMs ?? Infinity, rejection.sinceMs);
}

export function withToken(
  tokens: Tokens,
  { name, expiresAtMs, action = '', inUse }: EventOf<'token'>,
): Tokens {
  const kept = [...tokens].filter(([token]) => inUse?.includes(token) ?? true);
  const rejection = tokens.get(name)?.rejection ?? null;
  return new Map(kept).set(name, { expiresAtMs, action, rejection });
}

/** Records a token's rejection; removes a token that was known only by a rejection that ended. */
export function withRejection(
  tokens: Tokens,
  { name, rejection }: EventOf<'token-rejected'>,
  nowMs: number,
): Tokens {
  const before = tokens.get(name) ?? { expiresAtMs: undefined, action: '', rejection: null };
  const after = new Map(tokens);
  if (rejection === null && before.expiresAtMs === undefined) {
    after.delete(name);
    return after;
  }
  const sinceMs = before.rejection?.sinceMs ?? nowMs;
  return after.set(name, { ...before, rejection: rejection && { ...rejection, sinceMs } });
}
