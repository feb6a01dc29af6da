import { parseDuration } from '../../config/formats.ts';
import { accountOfKey, pauseAt, type StreamState, stateKey } from '../../engine/state.ts';
import { partitionOf } from '../../engine/partition.ts';
import { suppressionName } from '../../engine/suppression.ts';
import {
  type StateWrite,
  type StoredState,
  isMisplaced,
  partitionsOfWrite,
  placeOf,
} from '../../kafka/index.ts';
import { describeFuture } from './airbyte-state.ts';
import { dayOf } from '../text.ts';
import type { Imported } from './import-file.ts';
import {
  type StateFilter,
  type StateSession,
  contentOf,
  rejectUnknown,
  select,
  stateOf,
  storedUnder,
} from './session.ts';
import {
  type Authorship,
  type StateChange,
  type StateId,
  changeCursor,
  changeTo,
  checkHasCursor,
  parseCursor,
  parseStateKey,
  parseStream,
  rejectState,
} from './state-change.ts';

/** A write with the details that a person reviews. */
export interface PlannedWrite extends StateWrite, Pick<StateChange, 'before' | 'after'> {
  /** The reason why the existing state cannot be read; null where it can, or there is none. */
  readonly unreadable: string | null;
  /** Replaces the list of differing fields. */
  readonly details?: readonly string[];
}

export interface Plan {
  readonly writes: readonly PlannedWrite[];
  /** Explanations of unchanged states, for a person. */
  readonly notes: readonly string[];
}

/** Plans the changes of a session's states; called again when they have changed meanwhile. */
export type Planner = (session: StateSession, author: Authorship) => Plan;

/**
 * Plans `state set`: moves one cursor of an existing state.
 * @throws StopProcessError `state.invalid`
 */
export function planSet(text: string, cursor: string, nowMs: number): Planner {
  const id = parseStateKey(text);
  checkHasCursor(id.stream);
  const cursorMs = parseCursor(cursor, nowMs);
  return (session, author) => {
    const key = stateKey(id.stream, id.accountId);
    const before = readableState(session, key) ?? rejectUnknown(session, key);
    return planOf(session, [changeCursor(id, cursorMs, { ...author, before })]);
  };
}

export interface BackfillOptions {
  readonly since: string;
  /** All accounts with a state when absent. */
  readonly account?: readonly string[];
}

export type Backfill = ReturnType<typeof readBackfill>;

/** Parses the arguments of `backfill`. @throws StopProcessError `state.invalid` */
export function readBackfill(text: string, options: BackfillOptions, nowMs: number) {
  const { since, account: accounts } = options;
  const stream = parseStream(text);
  checkHasCursor(stream);
  return { stream, sinceMs: parseCursor(startOf(since, nowMs), nowMs, '--since'), accounts };
}

/** Returns a duration, such as `30d`, as the day that long ago; any other text as it is. */
function startOf(text: string, nowMs: number): string {
  const durationMs = parseDuration(text);
  return durationMs === undefined || durationMs > nowMs ? text : dayOf(nowMs - durationMs);
}

/** Plans `backfill`: moves cursors back only; a move ahead would skip days. */
export function planBackfill(
  session: StateSession,
  { stream, sinceMs, accounts }: Backfill,
  author: Authorship,
): Plan {
  const selected = accounts ?? accountsOf(select(session, { stream }));
  const changes: StateChange[] = [];
  const covered: string[] = [];
  for (const accountId of selected) {
    const key = stateKey(stream, accountId);
    const before = readableState(session, key);
    const cursorMs = before?.cursorMs ?? Infinity;
    if (cursorMs > sinceMs) {
      changes.push(changeCursor({ stream, accountId }, sinceMs, { ...author, before }));
      continue;
    }
    const cursor = new Date(cursorMs).toISOString();
    covered.push(`${key}: its cursor, ${cursor}, is not later: these days are polled without this`);
  }
  const known = accountsOf(session.stored);
  const questions = selected
    .filter((account) => !known.includes(account))
    .map((account) => `no stream of ${account} has a state yet: is that the account's id?`);
  const paused = changes
    .filter(({ before }) => pauseAt(before?.pause ?? null, author.nowMs) !== null)
    .map(({ key }) => `${key} is paused: these days are polled after the pause`);
  return planOf(session, changes, [...covered, ...questions, ...paused]);
}

export function accountsOf(stored: readonly StoredState[]): readonly string[] {
  return [...new Set(stored.flatMap(({ key }) => accountOfKey(key) ?? []))];
}

/** Returns a key's state, if any. @throws StopProcessError `state.invalid` for an unreadable one */
export function readableState(session: StateSession, key: string): StreamState | null {
  const state = stateOf(session, key);
  if (state !== null || !session.stored.some((one) => one.key === key)) return state;
  return rejectState(
    `The state ${key} cannot be decoded; "instagram-kafka state reset '${key}' --apply" starts it over`,
  );
}

/** Plans `state reset`: a tombstone in each partition that holds the key, outdated ones included. */
export function planReset(
  session: StateSession,
  request: StateFilter & { readonly keys: readonly string[]; readonly all: boolean },
): Plan {
  const { keys, all, stream, account } = request;
  const narrowed = stream !== undefined || account !== undefined;
  if ([keys.length > 0, narrowed, all].filter(Boolean).length !== 1) {
    rejectState('reset: expected keys, or --stream and --account (one or both), or --all');
  }
  const named = [...new Set(keys)].flatMap((key) => storedUnder(session, key));
  if (keys.length > 0) return { writes: named.map(tombstoneOf), notes: [] };
  // Otherwise a reset would publish again what suppressed people wrote.
  const byList = Map.groupBy(select(session, request), isSuppressionList);
  const lists = byList.get(true) ?? [];
  const notes = lists.map(({ key }) => `${key} is kept: name it to delete a suppression list`);
  return { writes: (byList.get(false) ?? []).map(tombstoneOf), notes };
}

function isSuppressionList({ key }: StoredState): boolean {
  return key.startsWith(`${suppressionName}/`);
}

function tombstoneOf(stored: StoredState): PlannedWrite {
  const { key, partition, value } = stored;
  const { state: before, unreadable } = contentOf(stored);
  return { key, partition, state: null, expected: value, before, after: null, unreadable };
}

/** Plans `state import`: whole states of an export, or cursors of Airbyte. */
export function planImport(imported: Imported): Planner {
  return (session, author) => {
    const before = ({ stream, accountId }: StateId) => ({
      ...author,
      before: stateOf(session, stateKey(stream, accountId)),
    });
    if (imported.kind === 'export') {
      const changes = imported.states.map((state) => {
        const id = { stream: state.stream, accountId: state.accountId };
        return changeTo(id, state, { ...before(id), atLeast: state.sequence });
      });
      return planOf(session, changes);
    }
    const { cursors, future } = imported.state;
    const changes = cursors.map(({ accountId, cursorMs }) => {
      const id = { stream: 'user_insights', accountId } as const;
      return changeCursor(id, cursorMs, before(id));
    });
    return planOf(session, changes, future.map(describeFuture));
  };
}

/** Creates a plan without changes that have no effect. */
function planOf(
  session: StateSession,
  changes: readonly StateChange[],
  notes: readonly string[] = [],
): Plan {
  const bySame = Map.groupBy(changes, (change) => hasNoEffect(session, change));
  const same = (bySame.get(true) ?? []).map(({ key }) => `${key} is unchanged`);
  const writes = (bySame.get(false) ?? []).map((change) => writeOf(session, change));
  return { writes, notes: [...same, ...notes] };
}

function hasNoEffect({ form }: StateSession, { before, after }: StateChange): boolean {
  if (before === null || after === null) return before === after;
  const { sequence, writtenAtMs, writtenBy } = before;
  const unsigned = form.toJson({ ...after, sequence, writtenAtMs, writtenBy });
  return JSON.stringify(unsigned) === JSON.stringify(form.toJson(before));
}

export function writeOf(
  session: StateSession,
  { key, id, before, after }: StateChange,
): PlannedWrite {
  const partition = partitionOf(id.accountId, session.partitions);
  const stored = session.stored.find((one) => one.key === key && one.partition === partition);
  const unreadable = stored === undefined ? null : contentOf(stored).unreadable;
  const expected = stored?.value ?? null;
  return { key, partition, state: after, expected, before, after, unreadable };
}

/**
 * Plans `state move-partitions`: moves each state to the partition of its account, after partitions
 * were added to the topic. Of two states with one key, the newest is kept.
 */
export function planMove({ stored, partitions }: StateSession): Plan {
  const misplaced = stored.filter((one) => isMisplaced(one, partitions));
  const writes: PlannedWrite[] = [];
  const notes: string[] = [];
  for (const [key, found] of Map.groupBy(misplaced, (one) => one.key)) {
    const partition = placeOf(key, partitions) ?? 0;
    const there = stored.find((one) => one.key === key && one.partition === partition);
    const [newest = there, ...older] = found.toSorted((a, b) => writtenMs(b) - writtenMs(a));
    if (newest === undefined) continue;
    const isKept = there !== undefined && writtenMs(there) >= writtenMs(newest);
    writes.push(isKept ? tombstoneOf(newest) : moveOf(newest, partition, there));
    older.forEach((one) => writes.push(tombstoneOf(one)));
    if (there !== undefined || older.length > 0) {
      const last = isKept ? there : newest;
      notes.push(
        `${key} has several states: the one in partition ${last.partition}, written last, is kept`,
      );
    }
  }
  return { writes: writes.toSorted((a, b) => partitionOrder(a) - partitionOrder(b)), notes };
}

/** Returns the time of the write; an unreadable state counts as the oldest. */
function writtenMs(stored: StoredState): number {
  return contentOf(stored).state?.writtenAtMs ?? -Infinity;
}

function partitionOrder(write: PlannedWrite): number {
  const [to = 0, from = 0] = partitionsOfWrite(write);
  return from * 1e6 + to;
}

function moveOf(stored: StoredState, to: number, there: StoredState | undefined): PlannedWrite {
  const { key, partition, value } = stored;
  const { state, unreadable } = contentOf(stored);
  return {
    key,
    partition: to,
    state: value,
    expected: there?.value ?? null,
    movedFrom: { partition, expected: value },
    before: state,
    after: state,
    unreadable,
  };
}
