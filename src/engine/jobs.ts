import type { Account } from './account.ts';
import { type Job, failed } from './poller.ts';
import type { Restored, StateSize, Telemetry } from './ports.ts';
import { emptyCheckpoint, stateKey } from './state.ts';
import type { Stream } from './stream.ts';

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
  const found = restored.get(stateKey(stream.name, account.id));
  const identity = { stream: stream.name, accountId: account.id };
  const first = { ...emptyCheckpoint, ...identity, sequence: 0, writtenAtMs: 0, writtenBy: '' };
  if (found?.kind === 'state') {
    return { job: { stream, account, state: found.state }, size: found.size };
  }
  const job = { stream, account, state: first };
  return found === undefined ? { job } : { job, error: found.error };
}

/** Returns the jobs that may start; reports their states, and the errors of the others. */
export function runnable(group: readonly StartedJob[], telemetry: Telemetry): readonly Job[] {
  return group.flatMap(({ job, error, size }) => {
    if (error !== undefined) {
      telemetry.report(failed(error, job, null));
      return [];
    }
    const { sequence, stream, accountId, writtenAtMs, refusals } = job.state;
    // A stream that was never polled has no state.
    if (sequence > 0) telemetry.report({ type: 'state', stream, accountId, writtenAtMs, refusals });
    if (size !== undefined) telemetry.report({ type: 'state-size', stream, accountId, ...size });
    return [job];
  });
}
