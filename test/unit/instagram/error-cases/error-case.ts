import type { Login } from '../../../../src/engine/account.ts';
import type { Json } from '../../../../src/engine/json.ts';

/** An answer of Meta and the error that it becomes. */
export interface ErrorCase {
  readonly name: string;
  readonly status: number;
  readonly body: Json;
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly login?: Login;
  /** Fields of the error. */
  readonly becomes: Readonly<Record<string, unknown>>;
  /** Parts of its message. */
  readonly says?: readonly string[];
}

/** The `type` of nearly all of Meta's errors. */
export const oauth = 'OAuthException';

/** The error of a limit without a stated length. */
export function limited(scope: { kind: string; id: string }): ErrorCase['becomes'] {
  return { disposition: 'wait', code: 'graph.rate-limited', scope, retryAfterMs: 300_000 };
}

/** The error of an unavailable object or metric. */
export function skip(code: string, subjects: readonly string[] = []): ErrorCase['becomes'] {
  return { disposition: 'skip', code, subjects, scope: 'object' };
}

/** The error of an answer without a row in the table. */
export const refused = { disposition: 'fail', code: 'graph.refused' } as const;
