import type { Account } from './account.ts';
import { StopProcessError } from './errors.ts';
import { partitionOf } from './partition.ts';
import { type StartedJob, runnable, startJob } from './jobs.ts';
import type { Job, PollerTools, PollOutcome } from './poller.ts';
import type { Group } from './ports.ts';
import { groupByList, pollGroup } from './poll-group.ts';
import { endedSoon, settled } from './shutdown.ts';
import { type StartTools, untilAnswered, untilReady } from './startup.ts';
import type { Supervision } from './supervisor.ts';

/** A job of `once` and its outcome. */
export interface PolledJob {
  readonly job: Job;
  readonly outcome: PollOutcome;
}

/** The dependencies of `once`. */
export interface OnceTools extends PollerTools {
  /** The time until which it waits for missing dependencies, epoch milliseconds. */
  readonly deadlineMs: number;
  /** The time that other members may still be in the group: the session of a killed one expires. */
  readonly othersLeaveMs: number;
}

/**
 * Polls every stream of every account once, as the only instance of its group.
 *
 * @returns each job's outcome; one job's failure does not fail another (Invariant 8)
 * @throws StopProcessError of any poll, or `kafka.group-shared` when other instances are in the
 * group or join it; the signal's reason; each after the polls have ended and this instance has left
 */
export async function superviseOnce(
  supervision: Supervision,
  tools: OnceTools,
  signal: AbortSignal,
): Promise<readonly PolledJob[]> {
  const fatal = new AbortController();
  const onFatal = (error: unknown): void => {
    fatal.abort(error);
  };
  const all = AbortSignal.any([signal, fatal.signal]);
  const { group } = supervision;
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
    await withinTime(alone.promise, tools, all);
    const polling = pollAll(supervision, tools, { all, onFatal });
    return await endedSoon(polling, all, () => supervision.shutdown.leftMs('polls'));
  } catch (error) {
    throw fatal.signal.aborted ? fatal.signal.reason : error;
  } finally {
    // While still a member: only the partition's owner may end a transaction left open.
    await settled(releaseAll(supervision), supervision.shutdown.leftMs('partitions'));
    leave.abort();
    await joined;
  }
}

async function releaseAll({ group, store }: Supervision): Promise<void> {
  const all = Array.from({ length: group.partitions }, (_, partition) => partition);
  await Promise.all(all.map((partition) => store.release(partition)));
}

const recheckMs = 500;

/** Waits for a killed instance's session to expire; members that remain after that are polling. */
async function untilAlone(group: Group, tools: OnceTools, signal: AbortSignal): Promise<void> {
  const untilMs = tools.clock.nowMs() + tools.othersLeaveMs;
  const step = { name: 'group', run: (s: AbortSignal) => group.members(s) } as const;
  for (;;) {
    const others = await untilAnswered(step, tools, signal);
    if (others.length === 0) {
      tools.telemetry.report({ type: 'dependency', name: 'group', ready: true, reason: '' });
      return;
    }
    const reason = `in the group are already: ${others.join(', ')}`;
    if (tools.clock.nowMs() >= untilMs) {
      throw new StopProcessError(
        'kafka.group-shared',
        `${reason}. They poll these accounts: stop them before \`once\`, or give it a ` +
          'KAFKA_TRANSACTIONAL_ID_PREFIX and KAFKA_TOPIC_TEMPLATE of its own.',
        { exitCode: 3 },
      );
    }
    tools.telemetry.report({ type: 'dependency', name: 'group', ready: false, reason });
    await tools.clock.sleep(recheckMs, signal);
  }
}

function notAlone(group: Group, owned: readonly number[]): StopProcessError {
  const kept = owned.length === 0 ? 'none' : owned.join(', ');
  return new StopProcessError(
    'kafka.group-shared',
    `of ${group.partitions} partitions this instance has only these: ${kept}. Another instance has ` +
      'joined, or Kafka did not hear from this one in time; what was polled until then is committed.',
    { exitCode: 3 },
  );
}

async function withinTime(
  work: Promise<unknown>,
  { clock, deadlineMs }: Pick<StartTools, 'clock'> & { readonly deadlineMs: number },
  signal: AbortSignal,
): Promise<void> {
  const timer = new AbortController();
  const late = clock.sleep(deadlineMs - clock.nowMs(), AbortSignal.any([timer.signal, signal]));
  try {
    await Promise.race([
      work,
      late.then(() => {
        throw new StopProcessError(
          'kafka.unavailable',
          'The group of instances could not be joined; gave up waiting',
          { exitCode: 3 },
        );
      }),
    ]);
  } finally {
    timer.abort();
  }
}

interface OnceSignals {
  readonly all: AbortSignal;
  readonly onFatal: (error: unknown) => void;
}

async function pollAll(
  supervision: Supervision,
  tools: OnceTools,
  { all, onFatal }: OnceSignals,
): Promise<readonly PolledJob[]> {
  const listing = await supervision.directory.list(all);
  const { accounts } = listing;
  tools.telemetry.report({ type: 'accounts', added: accounts, removed: [] });
  const restored = await restoreFor(accounts, supervision, { tools, signal: all });
  const polled = await Promise.all(
    accounts.flatMap((account) =>
      groupByList(supervision.streams).map((group) => {
        const started = group.map(({ stream }) => startJob(stream, account, restored));
        return pollGroupOnce(started, tools, all).catch((error: unknown) => {
          onFatal(error);
          return [];
        });
      }),
    ),
  );
  all.throwIfAborted();
  const order = supervision.streams.map(({ stream }) => stream.name);
  return polled
    .flat()
    .toSorted((a, b) => order.indexOf(a.job.stream.name) - order.indexOf(b.job.stream.name));
}

async function restoreFor(
  accounts: readonly Account[],
  { group, store }: Supervision,
  { tools, signal }: { readonly tools: OnceTools; readonly signal: AbortSignal },
) {
  const partitions = new Set(accounts.map(({ id }) => partitionOf(id, group.partitions)));
  const restored = [...partitions].map((partition) => {
    const step = { name: 'state', run: (s: AbortSignal) => store.restore(partition, s) } as const;
    return untilReady(step, tools, signal);
  });
  return new Map((await Promise.all(restored)).flatMap((states) => [...states]));
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
