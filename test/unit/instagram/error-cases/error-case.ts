import type { Login } from '../../../../src/engine/account.ts';
import type { Json } from '../../../../src/engine/json.ts';

/** An answer of Meta's and the error that it becomes. */
export interface ErrorCase {
  readonly name: string;
  readonly status: number;
  readonly body: Json;
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly login?: Login;
  /** Fields of the error. */
  readonly becomes: Readonly<Record<string, unknown>>;
  /** Words of its message. */
  readonly says?: readonly string[];
}

/** The `type` of nearly all of Meta's errors. */
export const oauth = 'OAuthException';

/** What a limit without a word about its length becomes. */
export function limited(scope: { kind: string; id: string }): ErrorCase['becomes'] {
  return { disposition: 'wait', code: 'graph.rate-limited', scope, retryAfterMs: 300_000 };
}

/** What something that cannot be had becomes. */
export function skip(code: string, subjects: readonly string[] = []): ErrorCase['becomes'] {
  return { disposition: 'skip', code, subjects, scope: 'object' };
}

/** What an error that no row places becomes. */
export const refused = { disposition: 'fail', code: 'graph.refused' } as const;
