import { describeFuture } from './airbyte-state.ts';
import { StopProcessError } from '../../engine/errors.ts';
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
} from './state-change.ts';
import { stateKey } from '../../engine/state.ts';
import type { StreamName } from '../../engine/stream-name.ts';
import type { StateWrite, StoredState } from '../../kafka/index.ts';
import type { Imported } from './import-file.ts';
import {
  type StateFilter,
  type StateSession,
  matching,
  refuseUnknown,
  stateOf,
} from './session.ts';
import { select } from './show.ts';

/** A write with the details that a person reviews. */
export interface PlannedWrite extends StateWrite {
  readonly change: Pick<StateChange, 'key' | 'before' | 'after'>;
  /**
   * The reason why the existing state cannot be read; null where it can, or where there is none.
   */
  readonly unreadable: string | null;
}

/** The intended result of a command. */
export interface Plan {
  readonly writes: readonly PlannedWrite[];
  /** Explanations of unchanged states, for a person. */
  readonly notes: readonly string[];
}

/** Parsed arguments of `state set`. */
interface CursorMove {
  readonly id: StateId;
  readonly cursorMs: number;
}

/** Parses the arguments of `state set`. @throws StopProcessError `state.invalid` */
export function readSet(key: string, cursor: string, nowMs: number): CursorMove {
  const id = parseStateKey(key);
  checkHasCursor(id.stream);
  return { id, cursorMs: parseCursor(cursor, nowMs) };
}

/** Plans `state set`: moves one cursor of an existing state. */
export function planSet(
  session: StateSession,
  { id, cursorMs }: CursorMove,
  author: Authorship,
): Plan {
  const key = stateKey(id.stream, id.accountId);
  if (!session.stored.some((one) => one.key === key)) refuseUnknown(session, key);
  const before = stateOf(session, key);
  if (before === null) refuseUnreadable(key);
  return planOf(session, [changeCursor(id, cursorMs, { ...author, before })]);
}

/** Parsed arguments of `backfill`. */
export interface Backfill {
  readonly stream: StreamName;
  readonly sinceMs: number;
  /** All accounts with a state when absent. */
  readonly accounts: readonly string[] | undefined;
}

/** Parses the arguments of `backfill`. @throws StopProcessError `state.invalid` */
export function readBackfill(
  stream: string,
  request: { readonly since: string; readonly accounts: readonly string[] | undefined },
  nowMs: number,
): Backfill {
  const name = parseStream(stream);
  checkHasCursor(name);
  return { stream: name, sinceMs: parseCursor(request.since, nowMs, '--since'), ...request };
}

/** Plans `backfill`: moves cursors back only; a move ahead would skip days. */
export function planBackfill(
  session: StateSession,
  { stream, sinceMs, accounts }: Backfill,
  author: Authorship,
): Plan {
  const selected = accounts ?? accountsOf(select(session, { stream }));
  const before = selected.map((accountId) => ({
    accountId,
    state: readableState(session, stateKey(stream, accountId)),
  }));
  const isCovered = ({ state }: (typeof before)[number]) =>
    state !== null && state.cursorMs !== null && state.cursorMs <= sinceMs;
  const changes = before
    .filter((one) => !isCovered(one))
    .map(({ accountId, state }) =>
      changeCursor({ stream, accountId }, sinceMs, { ...author, before: state }),
    );
  const plan = planOf(session, changes);
  const covered = before.filter(isCovered).map(({ accountId, state }) => {
    const cursor = new Date(state?.cursorMs ?? 0).toISOString();
    return `${stateKey(stream, accountId)} has read up to ${cursor} only: what is later comes anyway`;
  });
  const stateless = selected.filter((account) => matching(session, { account }).length === 0);
  const questions = stateless.map(
    (account) => `no stream of ${account} has a state yet: is that the account's id?`,
  );
  return { ...plan, notes: [...plan.notes, ...covered, ...questions] };
}

function accountsOf(stored: readonly StoredState[]): readonly string[] {
  return [...new Set(stored.map(({ key }) => key.split('/')[1] ?? ''))];
}

/**
 * Returns a state, null when there is none. @throws StopProcessError `state.invalid` when it cannot
 * be read
 */
function readableState(session: StateSession, key: string) {
  const state = stateOf(session, key);
  if (state === null && session.stored.some((one) => one.key === key)) refuseUnreadable(key);
  return state;
}

function refuseUnreadable(key: string): never {
  throw new StopProcessError(
    'state.invalid',
    `The state ${key} cannot be read, so that nothing of it can be kept; reset it instead. ` +
      'Nothing was changed.',
    { exitCode: 2 },
  );
}

/**
 * Plans `state reset`: a tombstone in each partition that holds the key, outdated partitions
 * included.
 */
export function planReset(
  session: StateSession,
  request: StateFilter & { readonly keys: readonly string[]; readonly all: boolean },
): Plan {
  const { keys, all, stream, account } = request;
  const narrowed = stream !== undefined || account !== undefined;
  if ([keys.length > 0, narrowed, all].filter(Boolean).length !== 1) {
    throw new StopProcessError(
      'state.invalid',
      'reset: expected keys, or --stream and --account (one or both), or --all. Nothing was changed.',
      { exitCode: 2 },
    );
  }
  const selected =
    keys.length > 0
      ? [...new Set(keys)].flatMap((key) => storedUnder(session, key))
      : select(session, request);
  return { writes: selected.map(tombstoneOf), notes: [] };
}

function storedUnder(session: StateSession, key: string): readonly StoredState[] {
  const found = session.stored.filter((one) => one.key === key);
  // A key that this program has never written may exist all the same, and must be removable.
  if (found.length === 0) {
    parseStateKey(key);
    refuseUnknown(session, key);
  }
  return found;
}

/** Returns the write that deletes a state. */
export function tombstoneOf({ key, partition, value, restored }: StoredState): PlannedWrite {
  const before = restored.kind === 'state' ? restored.state : null;
  return {
    key,
    partition,
    state: null,
    expected: value,
    change: { key, before, after: null },
    unreadable: restored.kind === 'state' ? null : restored.error.message,
  };
}

/** Plans `state import`: whole states of an export, or cursors of Airbyte. */
export function planImport(session: StateSession, imported: Imported, author: Authorship): Plan {
  if (imported.kind === 'export') {
    const changes = imported.states.map((state) => {
      const { stream, accountId, sequence } = state;
      const before = stateOf(session, stateKey(stream, accountId));
      return changeTo({ stream, accountId }, state, { ...author, before, atLeast: sequence });
    });
    return planOf(session, changes);
  }
  const changes = imported.state.cursors.map(({ accountId, cursorMs }) => {
    const id = { stream: 'user_insights', accountId } as const;
    const before = stateOf(session, stateKey(id.stream, accountId));
    return changeCursor(id, cursorMs, { ...author, before });
  });
  const plan = planOf(session, changes);
  return { ...plan, notes: [...plan.notes, ...imported.state.future.map(describeFuture)] };
}

/** Creates a plan without changes that have no effect. */
function planOf(session: StateSession, changes: readonly StateChange[]): Plan {
  const [same, other] = [true, false].map((isSame) =>
    changes.filter((change) => hasNoEffect(session, change) === isSame),
  );
  return {
    writes: (other ?? []).map((change) => writeOf(session, change)),
    notes: (same ?? []).map(({ key }) => `${key} is so already`),
  };
}

function hasNoEffect({ form }: StateSession, { before, after }: StateChange): boolean {
  if (before === null || after === null) return before === after;
  const { sequence, writtenAtMs, writtenBy } = before;
  const unsigned = form.toJson({ ...after, sequence, writtenAtMs, writtenBy });
  return JSON.stringify(unsigned) === JSON.stringify(form.toJson(before));
}

function writeOf(session: StateSession, change: StateChange): PlannedWrite {
  const { key, id, after } = change;
  const partition = session.partitionOf(id.accountId);
  const stored = session.stored.find((one) => one.key === key && one.partition === partition);
  return {
    key,
    partition,
    state: after,
    expected: stored?.value ?? null,
    change,
    unreadable: stored?.restored.kind === 'unreadable' ? stored.restored.error.message : null,
  };
}
