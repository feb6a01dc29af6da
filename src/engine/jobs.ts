import type { Account } from './account.ts';
import { emptyCheckpoint, stateKey, type StreamState } from './state.ts';
import type { Stream } from './stream.ts';
import { type Job, failed } from './poller.ts';
import type { Restored, StateSize, Telemetry } from './ports.ts';

/** A job that may begin, or why it may not. */
export interface StartedJob {
  readonly job: Job;
  /** The size of its state; absent where there is none. */
  readonly size?: StateSize | undefined;
  /** Why the stream cannot start: its state cannot be read. */
  readonly error?: Error;
}

/** A job with the state that the topic holds for it; a missing one means a first run. */
export function startJob(
  stream: Stream,
  account: Account,
  restored: ReadonlyMap<string, Restored>,
): StartedJob {
  const found = restored.get(stateKey(stream.name, account.id));
  const job = { stream, account, state: firstState(stream, account) };
  if (found === undefined) return { job };
  if (found.kind === 'unreadable') return { job, error: found.error };
  return { job: { ...job, state: found.state }, size: found.size };
}

/** The jobs that may begin; why the others may not is reported. */
export function runnable(group: readonly StartedJob[], telemetry: Telemetry): readonly Job[] {
  return group.flatMap(({ job, error, size }) => {
    if (error !== undefined) telemetry.report(failed(error, job, null));
    else reportRestored(job.state, size, telemetry);
    return error === undefined ? [job] : [];
  });
}

/** What was never polled has no state yet. */
function reportRestored(
  state: StreamState,
  size: StateSize | undefined,
  telemetry: Telemetry,
): void {
  const { sequence, stream, accountId, writtenAtMs, refusals } = state;
  if (sequence > 0) telemetry.report({ type: 'state', stream, accountId, writtenAtMs, refusals });
  if (size !== undefined) telemetry.report({ type: 'state-size', stream, accountId, ...size });
}

function firstState(stream: Stream, account: Account): StreamState {
  return {
    ...emptyCheckpoint,
    stream: stream.name,
    accountId: account.id,
    sequence: 0,
    writtenAtMs: 0,
    writtenBy: '',
  };
}
