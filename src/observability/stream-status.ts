import { advice } from '../engine/advice.ts';
import type { ErrorCode } from '../engine/errors.ts';
import type { StreamName } from '../engine/stream-name.ts';
import { type AccountStatus, type StreamError, emptyTally } from './health.ts';

/**
 * The states of one stream of one account, by urgency.
 *
 * `stopped` until a person acts, `failed` until its next poll, `late` by more than two intervals
 * without an error, `retrying` soon, `waiting` for a limit, `paused` by a person, `starting` before
 * its first success, `ok`.
 */
export const streamStates = [
  'stopped',
  'failed',
  'late',
  'retrying',
  'waiting',
  'paused',
  'starting',
  'ok',
] as const;

/** One of the states. */
export type PollingState = (typeof streamStates)[number];

/** An error, its time of origin and the advice. */
export interface ErrorEntry {
  readonly code: ErrorCode;
  readonly message: string;
  /** The advice. */
  readonly action: string;
  readonly since: string;
  readonly at: string;
  /** Failed attempts since then. */
  readonly tries: number;
}

/** One stream of one account in `/status`; sums start with the program. */
export interface StreamStatus {
  readonly stream: StreamName;
  readonly state: PollingState;
  readonly lastSuccess: string | null;
  /** The next poll or retry; null when none is planned or it is unknown. */
  readonly nextPoll: string | null;
  /** The age of the last success minus the interval; 0 when it is negative. */
  readonly lagSeconds: number;
  readonly polls: number;
  readonly records: number;
  readonly requests: number;
  readonly deadLetters: number;
  /**
   * The stream's own error; null for none, or when an error of the account stops all of its
   * streams.
   */
  readonly error: ErrorEntry | null;
}

/** The urgency of a state; 0 needs no attention. */
export function urgencyOf(state: PollingState): number {
  const quiet = streamStates.indexOf('waiting');
  return Math.max(0, quiet - streamStates.indexOf(state));
}

/** 1 when only a person can resolve the error, else 0. */
export function needsPerson({ state }: StreamStatus): number {
  return state === 'stopped' ? 1 : 0;
}

/** A stream is late when its last success is older than this many intervals. */
const toleratedIntervals = 3;

/** Computes the status of one stream of one account; pure. */
export function streamStatus(
  account: AccountStatus,
  { name, intervalMs }: { readonly name: StreamName; readonly intervalMs: number },
  nowMs: number,
): StreamStatus {
  const { nextPollMs, trouble, polls, records, requests, deadLetters } =
    account.streams[name] ?? emptyTally;
  const succeededMs = account.succeededAtMs[name];
  const ageMs = nowMs - (succeededMs ?? account.addedAtMs);
  const { stopped } = account;
  const isPaused = account.paused.has(name);
  const since = { isNew: succeededMs === undefined, intervals: ageMs / intervalMs, isPaused };
  const state = stateOf(stopped ?? trouble, since);
  return {
    stream: name,
    state,
    lastSuccess: isoOrNull(succeededMs ?? null),
    nextPoll: isoOrNull(isIdle(state) ? null : (trouble?.retryAtMs ?? nextPollMs)),
    lagSeconds: Math.max(0, Math.round((ageMs - intervalMs) / 1000)),
    polls,
    records,
    requests,
    deadLetters,
    error: stopped === null ? describeStreamError(trouble) : null,
  };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** True when no poll is planned until a person acts. */
function isIdle(state: PollingState): boolean {
  return state === 'stopped' || state === 'paused';
}

interface PollTiming {
  readonly isNew: boolean;
  readonly intervals: number;
  readonly isPaused: boolean;
}

function stateOf(
  trouble: StreamError | null,
  { isNew, intervals, isPaused }: PollTiming,
): PollingState {
  if (trouble?.disposition.startsWith('stop-') === true) return 'stopped';
  if (isPaused) return 'paused';
  if (trouble?.disposition === 'wait') return 'waiting';
  if (trouble !== null) return trouble.retryAtMs === null ? 'failed' : 'retrying';
  if (intervals > toleratedIntervals) return 'late';
  return isNew ? 'starting' : 'ok';
}

/** Describes an error for the operator. */
export function describeStreamError(trouble: StreamError | null): ErrorEntry | null {
  if (trouble === null) return null;
  const { code, message, sinceMs, atMs, tries } = trouble;
  return {
    code,
    message,
    action: advice[code],
    since: new Date(sinceMs).toISOString(),
    at: new Date(atMs).toISOString(),
    tries,
  };
}
