import type { Stream } from './stream.ts';
import { startJob } from './jobs.ts';
import type { PolledJob } from './once.ts';
import { type Job, type PollerTools, type PollOutcome, pollWhenDue } from './poller.ts';
import type { AccountDirectory, OutgoingRecord, Publisher } from './ports.ts';
import { untilReady } from './startup.ts';

/** The accounts and streams of a dry run, and the receiver of their records. */
export interface DryRun {
  readonly directory: AccountDirectory;
  readonly streams: readonly Stream[];
  /** The most records of each (stream, account). */
  readonly limit: number;
  /** Receives each record that would be published. */
  readonly show: (record: OutgoingRecord) => void;
  /** The time until which it waits for missing dependencies, epoch milliseconds. */
  readonly deadlineMs: number;
}

/** The result of a dry run, in the form of `once`. */
export interface DryRunResult {
  readonly polled: readonly PolledJob[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Polls every stream of every account once, one after another, as if nothing had been published
 * yet, and shows the records that would be.
 *
 * @throws StopProcessError of a poll or of the list of accounts; the signal's reason
 */
export async function dryRun(
  { directory, streams, limit, show, deadlineMs }: DryRun,
  tools: Omit<PollerTools, 'publisher'>,
  signal: AbortSignal,
): Promise<DryRunResult> {
  const step = { name: 'graph', run: (s: AbortSignal) => directory.list(s) } as const;
  const { accounts, problems, warnings } = await untilReady(step, { ...tools, deadlineMs }, signal);
  tools.telemetry.report({ type: 'accounts', added: accounts, removed: [] });
  const cycleMs = tools.clock.nowMs();
  const polled: PolledJob[] = [];
  for (const account of accounts) {
    for (const stream of streams) {
      const job = { ...startJob(stream, account, new Map()).job, cycleMs };
      const outcome = await pollUpTo(limit, { job, show, tools, signal });
      polled.push({ job, outcome });
    }
  }
  return { polled, problems, warnings };
}

interface DryRunPoll extends Pick<DryRun, 'show'> {
  readonly job: Job;
  readonly tools: Omit<PollerTools, 'publisher'>;
  readonly signal: AbortSignal;
}

async function pollUpTo(
  limit: number,
  { job, show, tools, signal }: DryRunPoll,
): Promise<PollOutcome> {
  const limitReached = new AbortController();
  let left = limit;
  const publisher: Publisher = {
    publish({ records }) {
      records.slice(0, left).forEach(show);
      left -= records.length;
      if (left <= 0) limitReached.abort();
      return Promise.resolve();
    },
  };
  const pollSignal = AbortSignal.any([signal, limitReached.signal]);
  try {
    return await pollWhenDue(
      job,
      { ...tools, publisher },
      { nextPollMs: null, signal: pollSignal },
    );
  } catch (error) {
    if (signal.aborted || !limitReached.signal.aborted) throw error;
    return { kind: 'done' };
  }
}
