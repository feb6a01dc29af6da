import { type Backoff, backoffMs } from './backoff.ts';
import { slept } from './clock.ts';
import { type Job, type PollOutcome, type PollerTools, pollWhenDue } from './poller.ts';

// States of the pending changes of one (stream, account):
// - none: the loop waits for the first change; it holds no timer and no permit.
// - publishing: a poll reads and publishes up to `changesPerPoll` of them.
// - postponed: the poll has not processed them; they are tried again after a delay, after others.

/** Changes of one poll: a batch request reads as many objects. */
const changesPerPoll = 50;

/** The delay before changes that could not be processed are tried again. */
const delays: Backoff = { baseMs: 5000, maxMs: 300_000 };

/** The schedule and the run that polls of changes belong to. */
export interface WebhookPolling {
  /** Returns the due time of the next poll of the schedule. */
  readonly nextPollMs: () => number | null;
  /** Called after each poll. */
  readonly onOutcome: (outcome: PollOutcome) => void;
  /** True once an error, also of a poll of the schedule, has stopped the stream. */
  readonly isStopped: () => boolean;
  readonly signal: AbortSignal;
}

/**
 * Publishes the changes that webhooks report for one (stream, account), as they arrive. A change
 * stays in the inbox until the transaction that publishes it removes it.
 * @returns when aborted, or when the stream is stopped
 * @throws StopProcessError
 */
export async function pollChanges(
  job: Job,
  { nextPollMs, onOutcome, isStopped, signal }: WebhookPolling,
  tools: PollerTools,
): Promise<void> {
  const { pending, clock, random } = tools;
  const { stream, account } = job;
  for (let failures = 0; !signal.aborted && !isStopped();) {
    const changes = pending.of(stream.name, account.id, changesPerPoll);
    if (changes.length === 0) {
      await pending.next(stream.name, account.id, signal);
      continue;
    }
    // Waits for a running poll of the stream here, where it holds no permit.
    await job.writer.take(() => Promise.resolve(), signal);
    if (isStopped()) return;
    const outcome = await pollWhenDue(job, tools, { nextPollMs: nextPollMs(), changes, signal });
    onOutcome(outcome);
    if (isStopped()) return;
    const left = changes.filter((change) => pending.has(change));
    pending.postpone(left);
    failures = left.length < changes.length ? 0 : failures + 1;
    if (failures > 0 && !(await slept(backoffMs(delays, failures, random()), clock, signal)))
      return;
  }
}
