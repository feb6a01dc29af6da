import { advice } from '../engine/advice.ts';
import type { ErrorCode } from '../engine/errors.ts';
import type { StreamName } from '../engine/stream-name.ts';
import { type AccountStatus, type Trouble, nothingYet } from './health.ts';

/**
 * How one stream of one account does, from what needs a person to what needs nobody: `stopped` until
 * somebody acts, `failed` until its next turn, `late` by more than two intervals without an error,
 * `retrying` soon, `waiting` for a limit, `paused` by a person, `starting` before its first success, `ok`.
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

/** One of them. */
export type StreamState = (typeof streamStates)[number];

/** What is wrong, since when, and what to do about it. */
export interface ErrorEntry {
  readonly code: ErrorCode;
  readonly message: string;
  /** What a person can do. */
  readonly action: string;
  readonly since: string;
  readonly at: string;
  /** Without success since then. */
  readonly tries: number;
}

/** One stream of one account, as `/status` shows it; sums are since the program started. */
export interface StreamStatus {
  readonly stream: StreamName;
  readonly state: StreamState;
  readonly lastSuccess: string | null;
  /** The next poll or try; null when none is planned or it is not known. */
  readonly nextPoll: string | null;
  /** By how much the last success is older than the interval; 0 when it is not. */
  readonly lagSeconds: number;
  readonly polls: number;
  readonly records: number;
  readonly requests: number;
  readonly deadLetters: number;
  /** Its own; null when there is none, or when the account's stops all of its streams. */
  readonly error: ErrorEntry | null;
}

/** How much a state asks for a look; 0 is not at all. */
export function urgencyOf(state: StreamState): number {
  const quiet = streamStates.indexOf('waiting');
  return Math.max(0, quiet - streamStates.indexOf(state));
}

/** 1 when only a person can help, else 0. */
export function needsPerson({ state }: StreamStatus): number {
  return state === 'stopped' ? 1 : 0;
}

/** An account's stream that is later than this many intervals is late. */
const toleratedIntervals = 3;

/** How a stream of an account does; pure. */
export function streamStatus(
  account: AccountStatus,
  { name, intervalMs }: { readonly name: StreamName; readonly intervalMs: number },
  nowMs: number,
): StreamStatus {
  const { nextPollMs, trouble, polls, records, requests, deadLetters } =
    account.streams[name] ?? nothingYet;
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
    error: stopped === null ? describeTrouble(trouble) : null,
  };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** No poll is planned until a person acts. */
function isIdle(state: StreamState): boolean {
  return state === 'stopped' || state === 'paused';
}

interface Since {
  readonly isNew: boolean;
  readonly intervals: number;
  readonly isPaused: boolean;
}

function stateOf(trouble: Trouble | null, { isNew, intervals, isPaused }: Since): StreamState {
  if (trouble?.disposition.startsWith('stop-') === true) return 'stopped';
  if (isPaused) return 'paused';
  if (trouble?.disposition === 'wait') return 'waiting';
  if (trouble !== null) return trouble.retryAtMs === null ? 'failed' : 'retrying';
  if (intervals > toleratedIntervals) return 'late';
  return isNew ? 'starting' : 'ok';
}

/** A trouble for who has to do with it. */
export function describeTrouble(trouble: Trouble | null): ErrorEntry | null {
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
