import type { Stream } from './stream.ts';
import { type Job, type PollerTools, type PollOutcome, pollWhenDue } from './poller.ts';

/** Streams by the list that they live on; the one that publishes the list comes first. */
export function groupByList<T extends { readonly stream: Stream }>(
  streams: readonly T[],
): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const one of streams) {
    const list = one.stream.list ?? one.stream.name;
    groups.set(list, [...(groups.get(list) ?? []), one]);
  }
  return [...groups.values()].map((group) =>
    group.toSorted((a, b) => Number(b.stream.publishesList) - Number(a.stream.publishesList)),
  );
}

/** When a poll's next one is due, for those who watch, and what ends it. */
export interface GroupTiming {
  readonly nextPollMs: (job: Job) => number | null;
  /** Receives each outcome at once, while other jobs of the round may go on. */
  readonly onVerdict?: (job: Job, outcome: PollOutcome) => void;
  readonly signal: AbortSignal;
}

/**
 * Polls jobs of one account that live on the same list and are due together, so that the list is
 * scanned once: the first job's first try comes before the others. Whether it succeeds or not, they
 * go on by themselves (Invariant 8).
 *
 * @returns an outcome for each job, in order
 * @throws as `pollWhenDue`, when all have ended
 */
export async function pollGroup(
  [first, ...others]: readonly Job[],
  tools: PollerTools,
  at: GroupTiming,
): Promise<readonly PollOutcome[]> {
  if (first === undefined) return [];
  const cycleMs = tools.clock.nowMs();
  const poll = async (job: Job, with_: PollerTools) => {
    job.cycleMs = cycleMs;
    const { signal } = at;
    const outcome = await pollWhenDue(job, with_, { nextPollMs: at.nextPollMs(job), signal });
    at.onVerdict?.(job, outcome);
    return outcome;
  };
  const tried = Promise.withResolvers<undefined>();
  const leading = poll(
    first,
    onFirstTry(first, tools, () => {
      tried.resolve(undefined);
    }),
  ).finally(() => {
    tried.resolve(undefined);
  });
  const following = others.map((job) => tried.promise.then(() => poll(job, tools)));
  const settled = await Promise.allSettled([leading, ...following]);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Tells of the first try's end: it was a poll that finished, or one that failed. */
function onFirstTry(job: Job, tools: PollerTools, tell: () => void): PollerTools {
  return {
    ...tools,
    telemetry: {
      report(event) {
        tools.telemetry.report(event);
        const ended = event.type === 'poll-finished' || event.type === 'poll-failed';
        if (ended && event.stream === job.stream.name) tell();
      },
    },
  };
}
