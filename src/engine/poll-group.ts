import type { Stream } from './stream.ts';
import {
  type Job,
  type PollerTools,
  type PollOutcome,
  type PollTiming,
  pollWhenDue,
} from './poller.ts';

// States of a poll group, one cycle:
// - leading: only the first job polls; it scans the list.
// - following: its first try has ended, well or not; the other jobs poll, and it may still retry.
// - done: every job has an outcome.

/** Groups streams by the list that they read; the stream that publishes the list comes first. */
export function groupByList<T extends { readonly stream: Stream }>(
  streams: readonly T[],
): readonly (readonly T[])[] {
  const groups = Map.groupBy(streams, ({ stream }) => stream.list ?? stream.name);
  return [...groups.values()].map((group) =>
    group.toSorted((a, b) => Number(b.stream.publishesList) - Number(a.stream.publishesList)),
  );
}

export interface GroupTiming {
  readonly nextPollMs: (job: Job) => number | null;
  /** Receives each outcome at once, while other jobs of the cycle may still poll. */
  readonly onOutcome?: (job: Job, outcome: PollOutcome) => void;
  readonly signal: AbortSignal;
}

/**
 * Polls jobs of one account that read the same list, so that it is scanned once: the first job's
 * first try comes before the others, which poll even if it fails (Invariant 8). Throws as
 * `pollWhenDue`, after all jobs have ended.
 */
export async function pollGroup(
  [first, ...others]: readonly Job[],
  tools: PollerTools,
  timing: GroupTiming,
): Promise<readonly PollOutcome[]> {
  if (first === undefined) return [];
  const cycleMs = tools.clock.nowMs();
  const { signal } = timing;
  const poll = async (job: Job, leading: Pick<PollTiming, 'onTried' | 'behind'> = {}) => {
    job.cycleMs = cycleMs;
    const nextPollMs = timing.nextPollMs(job);
    const outcome = await pollWhenDue(job, tools, { nextPollMs, signal, ...leading });
    timing.onOutcome?.(job, outcome);
    return outcome;
  };
  const firstTry = Promise.withResolvers<undefined>();
  let behind = others;
  const onTried = (): void => {
    behind = [];
    firstTry.resolve(undefined);
  };
  const leading = poll(first, { onTried, behind: () => behind }).finally(onTried);
  const following = others.map((job) => firstTry.promise.then(() => poll(job)));
  const polls = [leading, ...following];
  await Promise.allSettled(polls);
  return await Promise.all(polls);
}
