/**
 * The one taxonomy of what can go wrong. The area stands in the code (`area.reason`), what to do
 * about it in the type. Adapters translate into it; only `runtime/poller.ts` branches on it.
 */

/** Every error code there is; `docs/operations.md` explains each (a test keeps the two equal). */
export const errorCodes = [
  'accounts.none',
  'config.invalid',
  'encoding.invalid',
  'graph.ambiguous',
  'graph.app-secret',
  'graph.bad-body',
  'graph.blocked',
  'graph.field-refused',
  'graph.gone',
  'graph.media-before-conversion',
  'graph.metric-refused',
  'graph.metric-unknown',
  'graph.network',
  'graph.not-enough-users',
  'graph.not-enough-viewers',
  'graph.permission',
  'graph.rate-limited',
  'graph.refused',
  'graph.retired',
  'graph.server',
  'graph.timeout',
  'graph.token',
  'graph.too-much-data',
  'internal.unexpected',
  'kafka.clock',
  'kafka.commit-unknown',
  'kafka.fenced',
  'kafka.group-shared',
  'kafka.not-enough-replicas',
  'kafka.record-too-large',
  'kafka.throttled',
  'kafka.tls',
  'kafka.topic-invalid',
  'kafka.unauthenticated',
  'kafka.unauthorized',
  'kafka.unavailable',
  'mapping.invalid',
  'registry.incompatible',
  'registry.mismatch',
  'registry.missing',
  'registry.rejected',
  'registry.tls',
  'registry.unauthorized',
  'registry.unavailable',
  'state.invalid',
  'state.owned',
  'state.unreadable',
] as const;

/** An `area.reason` literal. */
export type ErrorCode = (typeof errorCodes)[number];

/** What a limit or a pause holds for. */
export interface Scope {
  readonly kind: 'app' | 'account' | 'user' | 'page';
  /** The account or page id; for `app` and `user`, which a token has one of, the token's name. */
  readonly id: string;
}

/** What every error of the taxonomy has: its code, and in `disposition` what to do about it. */
abstract class TaxonomyError extends Error {
  abstract readonly disposition: string;
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Passing trouble: the same poll is worth another try. */
export class RetryError extends TaxonomyError {
  readonly disposition = 'retry';
  /** Milliseconds that the other side asked to be left alone, when it said so. */
  readonly retryAfterMs: number | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A limit was reached: nothing in `scope` may be asked before `retryAfterMs` have passed. */
export class WaitError extends TaxonomyError {
  readonly disposition = 'wait';
  readonly scope: Scope;
  readonly retryAfterMs: number;
  constructor(code: ErrorCode, message: string, options: { scope: Scope; retryAfterMs: number }) {
    super(code, message);
    this.scope = options.scope;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * Something that cannot be had (a media without insights, a refused metric or field); the rest can.
 * `subjects` names what was refused when the API says so: metrics or fields. `scope` is `kind` only
 * where the API says that every media of that kind lacks it.
 */
export class SkipError extends TaxonomyError {
  readonly disposition = 'skip';
  readonly subjects: readonly string[];
  readonly scope: 'kind' | 'object';
  constructor(
    code: ErrorCode,
    message: string,
    subjects: readonly string[] = [],
    scope: 'kind' | 'object' = 'object',
  ) {
    super(code, message);
    this.subjects = subjects;
    this.scope = scope;
  }
}

/** A node, body or record that cannot be used; it goes to the dead letters with `path` and `raw`. */
export class DeadLetterError extends TaxonomyError {
  readonly disposition = 'dead-letter';
  /** Where in the node the trouble is, as `children[2].id`; empty for the whole. */
  readonly path: string;
  /** What came, as text (JSON where it was JSON), free of secrets. */
  readonly raw: string;
  constructor(code: ErrorCode, message: string, what: { path: string; raw: string }) {
    super(code, message);
    this.path = what.path;
    this.raw = what.raw;
  }
}

/**
 * Fails this poll and nothing more: the next interval asks again. For errors that no row places, and
 * for rejections of everything that was requested, which say nothing about a single object.
 */
export class FailError extends TaxonomyError {
  readonly disposition = 'fail';
}

/** Ends this stream of this account until a person has acted; everything else goes on. */
export class StopStreamError extends TaxonomyError {
  readonly disposition = 'stop-stream';
}

/** Ends all streams of this account (its token, its existence); other accounts go on. */
export class StopAccountError extends TaxonomyError {
  readonly disposition = 'stop-account';
  /** Whether the API refuses the token whatever it is used for, and not for this account alone. */
  readonly refusesToken: boolean;
  constructor(
    code: ErrorCode,
    message: string,
    { refusesToken = false, ...options }: { refusesToken?: boolean; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.refusesToken = refusesToken;
  }
}

/** Ends the process with a documented exit code. */
export class StopProcessError extends TaxonomyError {
  readonly disposition = 'stop-process';
  readonly exitCode: ExitCode;
  constructor(
    code: ErrorCode,
    message: string,
    options: { exitCode: ExitCode; cause?: unknown } = { exitCode: 3 },
  ) {
    super(code, message, options);
    this.exitCode = options.exitCode;
  }
}

/**
 * 0 done · 1 internal · 2 configuration or usage · 3 something outside refused or is away · 4 data was
 * dead-lettered or skipped, and `--strict` was given.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** Every error that this program raises on purpose. */
export type ConnectorError =
  | RetryError
  | WaitError
  | SkipError
  | DeadLetterError
  | FailError
  | StopStreamError
  | StopAccountError
  | StopProcessError;

/** What the poller does about an error. */
export type Disposition = ConnectorError['disposition'];

/** Whether fewer things at once may be answered. */
export function isTooMuchData(error: unknown): error is RetryError {
  return error instanceof RetryError && error.code === 'graph.too-much-data';
}

/** True when a request had no answer: its connection broke, or its time ran out. */
export function isUnanswered(error: unknown): error is RetryError {
  if (!(error instanceof RetryError)) return false;
  return error.code === 'graph.network' || error.code === 'graph.timeout';
}

/** What an error says, without the name of its class; of what is none, its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether `error` is one of the taxonomy; anything else is a bug or an untranslated surprise. */
export function isConnectorError(error: unknown): error is ConnectorError {
  return error instanceof TaxonomyError;
}
