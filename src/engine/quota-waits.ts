import type { Scope } from './errors.ts';
import type { Telemetry } from './ports.ts';
import type { OnWait } from './rate-limit/rate-limiter.ts';

// States of the waits for quota of one (stream, account):
// - none: no poll and no request of a poll waits.
// - waiting: some do; the start of the first and the end of the last are reported.
// - ended by a pause: the try whose requests wait ends, so that the pause can be saved.

/** A (stream, account) whose polls may wait for quota. */
export interface WaitingJob {
  readonly stream: { readonly name: string };
  readonly account: { readonly id: string };
  /** The waits of its polls and their requests now. */
  waits: number;
  /** Called after each change of the pause; set while a try is the writer of the state. */
  onPause?: (() => void) | undefined;
}

/**
 * Reports when the polls of jobs begin to wait for quota, and when the last of them has stopped waiting.
 * @param jobs - returns the job that waits, and those that wait for its poll
 */
export function reportedWaits(jobs: () => readonly WaitingJob[], telemetry: Telemetry): OnWait {
  const report = ({ stream, account }: WaitingJob, scopes: readonly Scope[]): void => {
    const ids = { stream: stream.name, accountId: account.id };
    telemetry.report({ type: 'quota-awaited', ...ids, scopes });
  };
  return (scopes) => {
    const waiting = jobs();
    for (const job of waiting) {
      job.waits += 1;
      if (job.waits === 1) report(job, scopes);
    }
    return () => {
      for (const job of waiting) {
        job.waits -= 1;
        if (job.waits === 0) report(job, []);
      }
    };
  };
}

/**
 * Calls `end` while a request of the job's try waits and the stream is paused: the try is the writer
 * of the state, and the pause is saved after it. A try publishes nothing while a request waits.
 */
export function endedByPause(job: WaitingJob, isPaused: () => boolean, end: () => void): OnWait {
  let waits = 0;
  const review = (): void => {
    if (waits > 0 && isPaused()) end();
  };
  job.onPause = review;
  return () => {
    waits += 1;
    review();
    return () => {
      waits -= 1;
    };
  };
}

/** Combines two callbacks of a wait. */
export function bothWaits(a: OnWait, b: OnWait): OnWait {
  return (scopes) => {
    const ends = [a(scopes), b(scopes)];
    return () => {
      for (const end of ends) end();
    };
  };
}
