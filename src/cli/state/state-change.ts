import { StopProcessError } from '../../engine/errors.ts';
import {
  type Checkpoint,
  type StreamState,
  emptyCheckpoint,
  checkpointOf,
  stateKey,
} from '../../engine/state.ts';
import type { StreamName } from '../../engine/stream-name.ts';
import {
  type InstagramStreamName,
  isStreamName,
  streamNames,
} from '../../instagram/streams/index.ts';
import { beginningMs, futureMs } from '../../instagram/model/windows.ts';
import { parseTime } from '../command.ts';

export interface StateId {
  readonly stream: StreamName;
  readonly accountId: string;
}

export interface StateChange {
  readonly key: string;
  readonly id: StateId;
  /** The existing state; null when there is none, or none that can be read. */
  readonly before: StreamState | null;
  /** The new state; null is a tombstone. */
  readonly after: StreamState | null;
}

export interface Authorship {
  readonly writtenBy: string;
  readonly nowMs: number;
}

type AuthoredChange = Authorship & Pick<StateChange, 'before'>;

/** Streams whose state has a cursor that a person can move. */
const cursorStreams: readonly StreamName[] = [
  'user_insights',
  'user_daily_totals',
  'user_daily_breakdowns',
];

/** @throws StopProcessError `state.invalid` */
export function parseStateKey(text: string): StateId {
  const [stream = '', accountId = '', ...rest] = text.split('/');
  if (accountId === '' || rest.length > 0) {
    rejectState(
      `key "${text}": expected <stream>/<account id>, such as user_insights/17841400000000001`,
    );
  }
  return { stream: parseStream(stream), accountId: parseAccount(accountId) };
}

/** @throws StopProcessError `state.invalid` */
export function parseStream(text: string): InstagramStreamName {
  return isStreamName(text)
    ? text
    : rejectState(`stream "${text}": expected one of ${streamNames.join(', ')}`);
}

/** @throws StopProcessError `state.invalid` */
export function parseAccount(text: string): string {
  return /^\d+$/.test(text)
    ? text
    : rejectState(`account "${text}": expected an account id, digits such as 17841400000000001`);
}

/**
 * Parses a cursor as {@link parseTime} does. @throws StopProcessError `state.invalid`; also for a
 * time more than a day ahead of now, because such a cursor would end the stream
 */
export function parseCursor(text: string, nowMs: number, name = 'cursor'): number {
  const ms = parseTime(text);
  if (ms === undefined) {
    rejectState(
      `${name} "${text}": expected a day such as 2026-11-01 or a time such as 2026-11-01T07:00:00Z`,
    );
  }
  if (ms < beginningMs) {
    rejectState(`cursor "${text}": expected a time after 2010-01-01, when Instagram began`);
  }
  if (ms > nowMs + futureMs) {
    rejectState(`${name} "${text}": expected a time at most a day ahead of now`);
  }
  return ms;
}

/** @throws StopProcessError `state.invalid` for a stream without a cursor */
export function checkHasCursor(stream: StreamName): void {
  if (cursorStreams.includes(stream)) return;
  rejectState(
    `stream "${stream}" has no cursor: it is read in full; expected ${cursorStreams.join(', ')}. ` +
      '`state reset` makes it forget what it has published',
  );
}

/**
 * Returns the checkpoint from which everything after `cursorMs` is read and published again:
 * unknown days count as changed, so later days are removed. The stream is due at once.
 */
export function moveCursor(checkpoint: Checkpoint, cursorMs: number): Checkpoint {
  const { coveredUntilMs } = checkpoint;
  const isMoved = checkpoint.cursorMs !== cursorMs;
  return {
    ...checkpoint,
    cursorMs,
    coveredUntilMs: coveredUntilMs === null ? null : Math.min(coveredUntilMs, cursorMs),
    days: checkpoint.days.filter((day) => day.dateMs <= cursorMs),
    totals: checkpoint.totals.filter((day) => day.dateMs <= cursorMs),
    polledMs: isMoved ? null : checkpoint.polledMs,
  };
}

/** Gives a state another checkpoint and pause. The sequence never goes back (Invariant 2). */
export function changeTo(
  id: StateId,
  { pause, ...checkpoint }: Checkpoint & Pick<StreamState, 'pause'>,
  { before, atLeast = 0, writtenBy, nowMs }: AuthoredChange & { readonly atLeast?: number },
): StateChange {
  const after: StreamState = {
    ...checkpointOf(checkpoint),
    ...id,
    sequence: Math.max(before?.sequence ?? 0, atLeast) + 1,
    writtenAtMs: nowMs,
    writtenBy,
    pause,
  };
  return { key: stateKey(id.stream, id.accountId), id, before, after };
}

/** Returns the change that moves a cursor and keeps the pause; the account may have no state yet. */
export function changeCursor(id: StateId, cursorMs: number, author: AuthoredChange): StateChange {
  const { before } = author;
  const checkpoint = moveCursor(before ?? emptyCheckpoint, cursorMs);
  return changeTo(id, { ...checkpoint, pause: before?.pause ?? null }, author);
}

/** @throws StopProcessError `state.invalid` */
export function rejectState(message: string): never {
  throw new StopProcessError('state.invalid', `${message}. Nothing was changed.`, { exitCode: 2 });
}
