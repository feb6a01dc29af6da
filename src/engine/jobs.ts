import type { Account } from './account.ts';
import { emptyCheckpoint, stateKey, type StreamState } from './state.ts';
import type { Stream } from './stream.ts';
import { type Job, failed } from './poller.ts';
import type { Restored, StateSize, Telemetry } from './ports.ts';

/** A job with its restored state, or the error that prevents it from starting. */
export interface StartedJob {
  readonly job: Job;
  /** The size of its state; absent for a job without state. */
  readonly size?: StateSize | undefined;
  /** The error that stops the stream from starting: its state cannot be read. */
  readonly error?: Error;
}

/** Creates a job from its state in the topic; without one it is a first run. */
export function startJob(
  stream: Stream,
  account: Account,
  restored: ReadonlyMap<string, Restored>,
): StartedJob {
  const restoredState = restored.get(stateKey(stream.name, account.id));
  const job = { stream, account, state: firstState(stream, account) };
  if (restoredState === undefined) return { job };
  if (restoredState.kind === 'unreadable') return { job, error: restoredState.error };
  return { job: { ...job, state: restoredState.state }, size: restoredState.size };
}

/** Returns the jobs that may start, and reports the errors of the others. */
export function runnable(group: readonly StartedJob[], telemetry: Telemetry): readonly Job[] {
  return group.flatMap(({ job, error, size }) => {
    if (error !== undefined) telemetry.report(failed(error, job, null));
    else reportRestored(job.state, size, telemetry);
    return error === undefined ? [job] : [];
  });
}

/** Reports a restored state; a stream that was never polled has none. */
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
