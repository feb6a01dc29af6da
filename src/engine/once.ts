import { isPolled } from './account.ts';
import { endsWithin } from './clock.ts';
import { StopProcessError } from './errors.ts';
import { partitionOf } from './partition.ts';
import { groupByList, pollGroup } from './poll-group.ts';
import {
  type Job,
  type PollerTools,
  type PollOutcome,
  type StartedJob,
  pollWhenDue,
  runnable,
  startJob,
} from './poller.ts';
import type { AccountListing, Group, OutgoingRecord, Publisher } from './ports.ts';
import { endedSoon, settled } from './shutdown.ts';
import { pauseAt } from './state.ts';
import { untilAnswered, untilReady } from './startup.ts';
import type { Stream } from './stream.ts';
import type { Supervision } from './supervisor.ts';

export interface PolledJob {
  readonly job: Job;
  readonly outcome: PollOutcome;
}

/** The result of one poll of every job, and the problems of the account list. */
export interface Once extends Pick<AccountListing, 'problems' | 'warnings'> {
  readonly polled: readonly PolledJob[];
  /** The streams of accounts that are not polled, because a person has paused them. */
  readonly paused: readonly Job[];
}

/** The dependencies of `once`. */
export interface OnceTools extends PollerTools {
  /** The time until which it waits for missing dependencies, epoch milliseconds. */
  readonly deadlineMs: number;
  /** The time that other members may still be in the group: the session of a killed one expires. */
  readonly othersLeaveMs: number;
}

/**
 * Polls every stream of every account once, except paused ones, as the only instance of its group
 * (Invariant 8).
 * @throws after the polls have ended and this instance has left: StopProcessError of any poll,
 * `kafka.group-shared` when other instances are in the group or join it; the signal's reason
 */
export async function superviseOnce(
  supervision: Supervision,
  tools: OnceTools,
  signal: AbortSignal,
): Promise<Once> {
  const fatal = new AbortController();
  const onFatal = (error: unknown): void => {
    fatal.abort(error);
  };
  const all = AbortSignal.any([signal, fatal.signal]);
  const { group, store, shutdown } = supervision;
  await untilAlone(group, tools, signal);
  const leave = new AbortController();
  const alone = Promise.withResolvers<undefined>();
  const onAssignment = (owned: readonly number[]): void => {
    if (leave.signal.aborted) return;
    if (owned.length === group.partitions) alone.resolve(undefined);
    else onFatal(notAlone(group, owned));
  };
  const joined = group.join(onAssignment, leave.signal).catch(onFatal);
  try {
    const leftMs = tools.deadlineMs - tools.clock.nowMs();
    if (!(await endsWithin(alone.promise, leftMs, tools.clock, all))) {
      throw new StopProcessError(
        'kafka.unavailable',
        'The group of instances could not be joined; gave up waiting',
      );
    }
    const polling = pollAll(supervision, tools, all, onFatal);
    return await endedSoon(polling, all, () => shutdown.leftMs('polls'));
  } catch (error) {
    throw fatal.signal.aborted ? fatal.signal.reason : error;
  } finally {
    // While still a member: only the partition's owner may end a transaction left open.
    const partitions = Array.from({ length: group.partitions }, (_, partition) => partition);
    const released = Promise.all(partitions.map((partition) => store.release(partition)));
    await settled(released, shutdown.leftMs('partitions'));
    leave.abort();
    await joined;
  }
}

const recheckMs = 500;

/** Waits for a killed instance's session to expire; members that remain after that are polling. */
async function untilAlone(group: Group, tools: OnceTools, signal: AbortSignal): Promise<void> {
  const untilMs = tools.clock.nowMs() + tools.othersLeaveMs;
  const report = (reason: string): void => {
    const ready = reason === '';
    tools.telemetry.report({ type: 'dependency', name: 'group', ready, reason });
  };
  for (;;) {
    const others = await untilAnswered((stop) => group.members(stop), tools, signal, report);
    if (others.length === 0) {
      report('');
      return;
    }
    const reason = `in the group are already: ${others.join(', ')}`;
    if (tools.clock.nowMs() >= untilMs) {
      throw new StopProcessError(
        'kafka.group-shared',
        `${reason}. They poll these accounts: stop them before \`once\`, or give it a ` +
          'KAFKA_TRANSACTIONAL_ID_PREFIX and KAFKA_TOPIC_TEMPLATE of its own.',
      );
    }
    report(reason);
    await tools.clock.sleep(recheckMs, signal);
  }
}

function notAlone(group: Group, owned: readonly number[]): StopProcessError {
  const kept = owned.length === 0 ? 'none' : owned.join(', ');
  return new StopProcessError(
    'kafka.group-shared',
    `of ${group.partitions} partitions this instance has only these: ${kept}. Another instance has ` +
      'joined, or this one missed its heartbeats. Everything polled until then is committed.',
  );
}

async function pollAll(
  { directory, group, store, streams }: Supervision,
  tools: OnceTools,
  signal: AbortSignal,
  onFatal: (error: unknown) => void,
): Promise<Once> {
  const { accounts, problems, warnings } = await directory.list(signal);
  tools.telemetry.report({ type: 'accounts', added: accounts, removed: [] });
  const partitions = new Set(accounts.map(({ id }) => partitionOf(id, group.partitions)));
  const restores = [...partitions].map((partition) => {
    const run = (stop: AbortSignal) => store.restore(partition, stop);
    return untilReady('state', run, tools, signal);
  });
  const restored = new Map((await Promise.all(restores)).flatMap((states) => [...states]));
  const nowMs = tools.clock.nowMs();
  const isPaused = ({ job }: StartedJob) => pauseAt(job.pause, nowMs) !== null;
  const groups = accounts.flatMap((account) =>
    groupByList(streams.filter(({ stream }) => isPolled(account, stream.name))).map((group) =>
      group.map(({ stream }) => startJob(stream, account, restored)),
    ),
  );
  const paused = groups.flatMap((group) => group.filter(isPaused).map(({ job }) => job));
  const polled = await Promise.all(
    groups.map((group) => {
      const started = group.filter((one) => !isPaused(one));
      return pollGroupOnce(started, tools, signal).catch((error: unknown) => {
        onFatal(error);
        return [];
      });
    }),
  );
  signal.throwIfAborted();
  const order = streams.map(({ stream }) => stream.name);
  const rankOf = ({ job }: PolledJob): number => order.indexOf(job.stream.name);
  const inOrder = polled.flat().toSorted((a, b) => rankOf(a) - rankOf(b));
  return { polled: inOrder, paused, problems, warnings };
}

async function pollGroupOnce(
  group: readonly StartedJob[],
  tools: PollerTools,
  signal: AbortSignal,
): Promise<readonly PolledJob[]> {
  const jobs = runnable(group, tools.telemetry);
  const outcomes = await pollGroup(jobs, tools, { nextPollMs: () => null, signal });
  return [
    ...group.flatMap(({ job, error }): PolledJob[] =>
      error === undefined ? [] : [{ job, outcome: { kind: 'stop-stream', error } }],
    ),
    ...jobs.flatMap((job, index): PolledJob[] => {
      const outcome = outcomes[index];
      return outcome === undefined ? [] : [{ job, outcome }];
    }),
  ];
}

/** The accounts and streams of a dry run, and the receiver of their records. */
export interface DryRun extends Pick<Supervision, 'directory'> {
  readonly streams: readonly Stream[];
  /** The most records of each (stream, account). */
  readonly limit: number;
  /** Receives each record that would be published. */
  readonly show: (record: OutgoingRecord) => void;
  /** The time until which it waits for missing dependencies, epoch milliseconds. */
  readonly deadlineMs: number;
}

type DryRunTools = Omit<PollerTools, 'publisher'>;

/**
 * Polls every stream of every account once, one after another, as if nothing had been published
 * yet, and shows the records that would be.
 */
export async function dryRun(
  { directory, streams, deadlineMs, ...output }: DryRun,
  tools: DryRunTools,
  signal: AbortSignal,
): Promise<Once> {
  const list = (stop: AbortSignal) => directory.list(stop);
  const listing = await untilReady('graph', list, { ...tools, deadlineMs }, signal);
  const { accounts, problems, warnings } = listing;
  tools.telemetry.report({ type: 'accounts', added: accounts, removed: [] });
  const cycleMs = tools.clock.nowMs();
  const polled: PolledJob[] = [];
  for (const account of accounts) {
    for (const stream of streams.filter(({ name }) => isPolled(account, name))) {
      const job = { ...startJob(stream, account, new Map()).job, cycleMs };
      polled.push({ job, outcome: await pollUpToLimit(job, output, tools, signal) });
    }
  }
  return { polled, paused: [], problems, warnings };
}

async function pollUpToLimit(
  job: Job,
  { limit, show }: Pick<DryRun, 'limit' | 'show'>,
  tools: DryRunTools,
  signal: AbortSignal,
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
  const timing = { nextPollMs: null, signal: AbortSignal.any([signal, limitReached.signal]) };
  try {
    return await pollWhenDue(job, { ...tools, publisher }, timing);
  } catch (error) {
    if (signal.aborted || !limitReached.signal.aborted) throw error;
    return { kind: 'done' };
  }
}
