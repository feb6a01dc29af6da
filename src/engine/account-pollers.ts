import type { Account } from './account.ts';
import { partitionOf } from './partition.ts';
import { planPolling } from './assignment-changes.ts';
import { stateKey } from './state.ts';
import type { StreamName } from './stream-name.ts';
import type { Stream } from './stream.ts';
import { runnable, startJob } from './jobs.ts';
import type { Job, PollerTools, PollOutcome } from './poller.ts';
import { groupByList, pollGroup } from './poll-group.ts';
import type { AssignedPartition } from './assigned-partitions.ts';
import type { Overrides } from './overrides.ts';
import { createSchedule, type Schedule } from './schedule.ts';

/** What is polled of each account. */
export interface Streams {
  readonly streams: readonly { readonly stream: Stream; readonly intervalMs: number }[];
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
  /** What was ordered since. */
  readonly overrides: Overrides;
}

/** The pollers of this instance's accounts. */
export interface AccountPollers {
  /** Polls the listed accounts of the partitions that are held, and no others. */
  settle(accounts: readonly Account[], held: ReadonlyMap<number, AssignedPartition>): void;
  /**
   * Ends what was stopped by an error, of one account or of all, so that the next `settle` begins it
   * again.
   */
  revive(accountId?: string): void;
  /** Whether a stream of an account is polled here, or was stopped by an error. */
  statusOf(stream: StreamName, accountId: string): 'polled' | 'stopped' | 'elsewhere';
  /** An account that is polled here and that no error has stopped. */
  any(): Account | undefined;
  /** Resolves when every poll in hand has ended. */
  ended(): Promise<void>;
}

/** What all pollers share. */
export interface PollersWork {
  readonly tools: PollerTools;
  readonly partitions: () => number;
  /** Ends all of them. */
  readonly all: AbortSignal;
  /** Called with what ends the process. */
  readonly onFatal: (error: unknown) => void;
}

interface Running {
  readonly account: Account;
  /** The streams that were stopped by an error. */
  readonly halted: Set<StreamName>;
  /** Those of them whose own poll met the error. */
  readonly failed: Set<StreamName>;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Polls nothing yet. */
export function createAccountPollers(what: Streams, work: PollersWork): AccountPollers {
  const { tools } = work;
  const running = new Map<string, Running>();
  /** The last stay of accounts that left: who comes back waits for the polls that it had in hand. */
  const left = new Map<string, Pick<Running, 'done' | 'failed'>>();
  const start = (account: Account, assigned: AssignedPartition): void => {
    const { done: before, failed: overdue } = left.get(account.id) ?? noStay;
    running.set(account.id, startAccount(account, what, { ...work, assigned, before, overdue }));
  };
  const end = ({ account, failed, stop, done }: Running): void => {
    stop.abort();
    left.set(account.id, { done, failed });
    running.delete(account.id);
  };
  return {
    settle(accounts, held) {
      const partitions = work.partitions();
      const change = planPolling({
        running: new Map([...running].map(([id, { account }]) => [id, account])),
        accounts,
        held: new Set(held.keys()),
        partitions,
      });
      for (const { id } of change.stop) {
        const ending = running.get(id);
        if (ending !== undefined) end(ending);
      }
      for (const account of change.start) {
        const assigned = held.get(partitionOf(account.id, partitions));
        if (assigned !== undefined) start(account, assigned);
      }
      if (change.start.length + change.stop.length === 0) return;
      tools.telemetry.report({ type: 'accounts', added: change.start, removed: change.stop });
      for (const { id } of change.start) what.overrides.retell(id);
    },
    revive(accountId) {
      const meant = [...running.values()].filter(
        ({ account }) => accountId === undefined || account.id === accountId,
      );
      meant.filter(({ halted }) => halted.size > 0).forEach(end);
    },
    statusOf(stream, accountId) {
      const entry = running.get(accountId);
      return entry === undefined ? 'elsewhere' : entry.halted.has(stream) ? 'stopped' : 'polled';
    },
    any: () => [...running.values()].find(({ halted }) => halted.size === 0)?.account,
    async ended() {
      await Promise.all([...left.values(), ...running.values()].map(({ done }) => done));
    },
  };
}

const noStay = { done: Promise.resolve(), failed: new Set<StreamName>() };

interface StartWork extends PollersWork {
  readonly assigned: AssignedPartition;
  /** Resolves when the polls have ended that the account had in hand when it left. */
  readonly before: Promise<void>;
  /** The streams that are polled at once. */
  readonly overdue: ReadonlySet<StreamName>;
}

function startAccount(account: Account, what: Streams, work: StartWork): Running {
  const { assigned, before } = work;
  const stop = new AbortController();
  const halted = new Set<StreamName>();
  const failed = new Set<StreamName>();
  const onHalt = (stopped: readonly Stream[], by: Stream): void => {
    for (const { name } of stopped) halted.add(name);
    failed.add(by.name);
  };
  const done = before.then(() => pollAccount(account, what, { ...work, stop, onHalt }));
  assigned.polls.add(done);
  void done.finally(() => assigned.polls.delete(done));
  return { account, halted, failed, stop, done };
}

interface AccountWork extends StartWork {
  readonly stop: AbortController;
  /** Called with the streams of the account that an error has stopped, and the one that met it. */
  readonly onHalt: (streams: readonly Stream[], by: Stream) => void;
}

async function pollAccount(account: Account, what: Streams, work: AccountWork): Promise<void> {
  const signal = AbortSignal.any([work.stop.signal, work.assigned.signal, work.all]);
  await Promise.all(
    groupByList(what.streams).map((group) => {
      const started = group.map(({ stream }) => startJob(stream, account, work.assigned.known));
      const jobs = runnable(started, work.tools.telemetry);
      for (const { job, error } of started) {
        if (error !== undefined) work.onHalt([job.stream], job.stream);
      }
      return pollForEver(jobs, what, { ...work, signal }).catch(work.onFatal);
    }),
  );
}

/**
 * Polls the streams of one list, each on its own interval; those that are due at about the same time
 * share a round.
 */
async function pollForEver(
  jobs: readonly Job[],
  what: Streams,
  work: AccountWork & { readonly signal: AbortSignal },
): Promise<void> {
  const { tools, signal, stop, assigned } = work;
  const schedule = createSchedule(jobs, { ...what, overdue: work.overdue }, tools);
  reportAwaited(jobs, schedule, tools);
  using subscriptions = new DisposableStack();
  subscriptions.use(
    what.overrides.listen((order) => {
      schedule.obey(order);
    }),
  );
  while (!schedule.isEmpty()) {
    if (!(await schedule.untilDue(signal))) return;
    const due = schedule.begin();
    const nextPollMs = (job: Job) => schedule.nextMs(job);
    // What stops the account ends its other polls at once, and does not wait for them.
    const onVerdict = (job: Job, { kind }: PollOutcome): void => {
      if (kind !== 'stop-account') return;
      const all = what.streams.map(({ stream }) => stream);
      work.onHalt(all, job.stream);
      stop.abort();
    };
    const outcomes = await pollGroup(due, tools, { nextPollMs, onVerdict, signal }).catch(
      (failure: unknown) => {
        if (signal.aborted) return [];
        throw failure;
      },
    );
    schedule.end(due);
    for (const [index, job] of due.entries()) {
      // Invariant 2: an account that comes back goes on from here, not from what was restored.
      assigned.known.set(stateKey(job.stream.name, job.account.id), {
        kind: 'state',
        state: job.state,
      });
      const outcome = outcomes[index];
      if (outcome?.kind === 'stop-stream') work.onHalt([job.stream], job.stream);
      if (outcome === undefined || outcome.kind === 'stop-stream') schedule.leave(job);
    }
  }
}

/** Reports the jobs that were polled before, by an earlier run or another instance, and are not due yet. */
function reportAwaited(
  jobs: readonly Job[],
  schedule: Schedule,
  { clock, telemetry }: PollerTools,
): void {
  for (const job of jobs) {
    const { stream, account, state } = job;
    const { polledMs } = state;
    const nextPollMs = schedule.nextMs(job);
    if (polledMs === null || nextPollMs === null || nextPollMs <= clock.nowMs()) continue;
    const whose = { stream: stream.name, accountId: account.id };
    telemetry.report({ type: 'poll-awaited', ...whose, polledMs, nextPollMs });
  }
}

/** Waits; false when aborted meanwhile. */
export async function slept(
  ms: number,
  { tools, signal }: { readonly tools: Pick<PollerTools, 'clock'>; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await tools.clock.sleep(ms, signal);
    return !signal.aborted;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
