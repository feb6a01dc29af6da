import type { Stream } from './stream.ts';
import { startJob } from './jobs.ts';
import type { PolledJob } from './once.ts';
import { type Job, type PollerTools, type PollOutcome, pollWhenDue } from './poller.ts';
import type { AccountDirectory, OutgoingRecord, Publisher } from './ports.ts';
import { untilReady } from './startup.ts';

/** What is polled for show. */
export interface DryRun {
  readonly directory: AccountDirectory;
  readonly streams: readonly Stream[];
  /** So many records of each stream and account are enough. */
  readonly limit: number;
  /** Gets each record that would be published. */
  readonly show: (record: OutgoingRecord) => void;
  /** Until when it waits for what is away, epoch milliseconds. */
  readonly deadlineMs: number;
}

/** How it went, as `once` says it. */
export interface DryRunResult {
  readonly polled: readonly PolledJob[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Polls every stream of every account once as if nothing had ever been published, one after another,
 * and shows what would be.
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

interface Showing extends Pick<DryRun, 'show'> {
  readonly job: Job;
  readonly tools: Omit<PollerTools, 'publisher'>;
  readonly signal: AbortSignal;
}

async function pollUpTo(
  limit: number,
  { job, show, tools, signal }: Showing,
): Promise<PollOutcome> {
  const enough = new AbortController();
  let left = limit;
  const publisher: Publisher = {
    publish({ records }) {
      records.slice(0, left).forEach(show);
      left -= records.length;
      if (left <= 0) enough.abort();
      return Promise.resolve();
    },
  };
  const both = AbortSignal.any([signal, enough.signal]);
  try {
    return await pollWhenDue(job, { ...tools, publisher }, { nextPollMs: null, signal: both });
  } catch (error) {
    if (signal.aborted || !enough.signal.aborted) throw error;
    return { kind: 'done' };
  }
}
