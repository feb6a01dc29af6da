import { advice } from './advice.ts';

// The error classes. The code has the area (`area.reason`), the class has the disposition.
// Adapters translate into them; `engine/poller.ts` turns the disposition into the next action of a
// poll.

/** An `area.reason` literal. */
export type ErrorCode = keyof typeof advice;

export const errorCodes = Object.keys(advice) as readonly ErrorCode[];

/** The scope of a limit or a block. */
export interface Scope {
  readonly kind: 'app' | 'account' | 'user' | 'page' | 'platform';
  /** The account or page id; for the others, one for each token, the token's name. */
  readonly id: string;
}

interface Cause {
  readonly cause?: unknown;
}

/** The base of the error classes: the code, and the poller's reaction in `disposition`. */
abstract class ClassifiedErrorBase extends Error {
  abstract readonly disposition: string;
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: Cause) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A transient error: the same poll is retried. */
export class RetryError extends ClassifiedErrorBase {
  readonly disposition = 'retry';
  /** Milliseconds to wait, where the server names them. */
  readonly retryAfterMs: number | undefined;
  constructor(code: ErrorCode, message: string, options: { retryAfterMs?: number } & Cause = {}) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A limit was reached: no request of `scope` may be sent before `retryAfterMs` have passed. */
export class WaitError extends ClassifiedErrorBase {
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
 * Unavailable data (a media without insights, a rejected metric or field); the rest is available.
 * `subjects` lists the rejected metrics or fields that the API names. `scope` is `kind` only where
 * the API states that every media of that kind lacks the data.
 */
export class SkipError extends ClassifiedErrorBase {
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

/** An unusable node, body or record; it goes to the dead letters with `path` and `raw`. */
export class DeadLetterError extends ClassifiedErrorBase {
  readonly disposition = 'dead-letter';
  /** The path of the invalid part in the node, as `children[2].id`; empty for the whole. */
  readonly path: string;
  /** The received content as text (JSON where it was JSON), free of secrets. */
  readonly raw: string;
  constructor(code: ErrorCode, message: string, part: { path: string; raw: string }) {
    super(code, message);
    this.path = part.path;
    this.raw = part.raw;
  }
}

/**
 * Fails this poll only: an error that no row of the error table matches, or a rejection of a whole
 * request, which proves nothing about a single object.
 */
export class FailError extends ClassifiedErrorBase {
  readonly disposition = 'fail';
}

/** Stops this stream of this account until a person has acted; everything else continues. */
export class StopStreamError extends ClassifiedErrorBase {
  readonly disposition = 'stop-stream';
}

/** Stops all streams of this account (its token, its existence); other accounts continue. */
export class StopAccountError extends ClassifiedErrorBase {
  readonly disposition = 'stop-account';
  /** True when the API rejects the token for every request, not for this account alone. */
  readonly rejectsToken: boolean;
  constructor(code: ErrorCode, message: string, options: { rejectsToken?: boolean } & Cause = {}) {
    super(code, message, options);
    this.rejectsToken = options.rejectsToken ?? false;
  }
}

/** Ends the process with a documented exit code. */
export class StopProcessError extends ClassifiedErrorBase {
  readonly disposition = 'stop-process';
  readonly exitCode: ExitCode;
  constructor(code: ErrorCode, message: string, options: { exitCode?: ExitCode } & Cause = {}) {
    super(code, message, options);
    this.exitCode = options.exitCode ?? 3;
  }
}

/**
 * The exit codes: 0 done · 1 internal · 2 configuration or usage · 3 a dependency rejected a
 * request or is unavailable · 4 data was dead-lettered or skipped, and `--strict` was given.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** Every error that this program raises on purpose. */
export type ClassifiedError =
  | RetryError
  | WaitError
  | SkipError
  | DeadLetterError
  | FailError
  | StopStreamError
  | StopAccountError
  | StopProcessError;

/** The poller's reaction to an error. */
export type Disposition = ClassifiedError['disposition'];

/** True for an error that a smaller request may avoid. */
export function isTooMuchData(error: unknown): error is RetryError {
  return error instanceof RetryError && error.code === 'graph.too-much-data';
}

/** True when a request had no answer: its connection broke, or its time ran out. */
export function isUnanswered(error: unknown): error is RetryError {
  if (!(error instanceof RetryError)) return false;
  return error.code === 'graph.network' || error.code === 'graph.timeout';
}

/** Returns an error's message without the name of its class; for another value, its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for an error of these classes; any other error is a bug or was not translated. */
export function isClassifiedError(error: unknown): error is ClassifiedError {
  return error instanceof ClassifiedErrorBase;
}

/** An object that the API did not return, with the reason that is counted. */
export interface Skipped {
  readonly reason: ErrorCode;
  /** The excluded media, metric, field or window. */
  readonly subject: string;
}
