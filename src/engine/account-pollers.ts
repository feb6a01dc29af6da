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

// States of an account's pollers:
// - idle: not polled by this instance; a later start waits for the polls of the earlier run.
// - running: each stream is polled on its own schedule.
// - halted, by stream (status `stopped`): an error ended its polls, or those of the whole account;
//   `restartHalted` makes the account idle, so that `reconcile` starts it again.
// An account runs while its partition is assigned and restored, and the tokens list the account.

/** The streams to poll of each account, and their settings. */
export interface Streams {
  readonly streams: readonly { readonly stream: Stream; readonly intervalMs: number }[];
  /** Fraction of the interval, 0 to 0.5. */
  readonly jitter: number;
  /** Changes by control requests since the start. */
  readonly overrides: Overrides;
}

/** The pollers of this instance's accounts. */
export interface AccountPollers {
  /**
   * Starts and stops accounts, so that exactly the listed ones of the held partitions are polled.
   */
  reconcile(accounts: readonly Account[], held: ReadonlyMap<number, AssignedPartition>): void;
  /**
   * Ends the accounts that an error stopped, one or all, so that the next `reconcile` starts them
   * again.
   */
  restartHalted(accountId?: string): void;
  /**
   * The status of an account's stream: polled here, stopped by an error, or on another instance.
   */
  statusOf(stream: StreamName, accountId: string): 'polled' | 'stopped' | 'elsewhere';
  /** Returns an account that is polled here and that no error has stopped. */
  any(): Account | undefined;
  /** Resolves when every running poll has ended. */
  ended(): Promise<void>;
}

/** The dependencies that all pollers share. */
export interface PollersContext {
  readonly tools: PollerTools;
  readonly partitions: () => number;
  /** Ends all pollers. */
  readonly all: AbortSignal;
  /** Called with the error that ends the process. */
  readonly onFatal: (error: unknown) => void;
}

interface RunningAccount {
  readonly account: Account;
  /** The streams that an error stopped. */
  readonly halted: Set<StreamName>;
  /** The halted streams whose own poll met the error. */
  readonly failed: Set<StreamName>;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Creates the pollers; no account is polled yet. */
export function createAccountPollers(settings: Streams, context: PollersContext): AccountPollers {
  const { tools } = context;
  const running = new Map<string, RunningAccount>();
  /** The last runs of idle accounts: a new run of an account waits for the polls of its last. */
  const lastRuns = new Map<string, Pick<RunningAccount, 'done' | 'failed'>>();
  const start = (account: Account, assigned: AssignedPartition): void => {
    const lastRun = lastRuns.get(account.id) ?? noRun;
    running.set(account.id, startAccount(account, settings, { ...context, assigned, lastRun }));
  };
  const end = ({ account, failed, stop, done }: RunningAccount): void => {
    stop.abort();
    lastRuns.set(account.id, { done, failed });
    running.delete(account.id);
  };
  return {
    reconcile(accounts, held) {
      const partitions = context.partitions();
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
      for (const { id } of change.start) settings.overrides.reportPaused(id);
    },
    restartHalted(accountId) {
      const selected = [...running.values()].filter(
        ({ account }) => accountId === undefined || account.id === accountId,
      );
      selected.filter(({ halted }) => halted.size > 0).forEach(end);
    },
    statusOf(stream, accountId) {
      const entry = running.get(accountId);
      return entry === undefined ? 'elsewhere' : entry.halted.has(stream) ? 'stopped' : 'polled';
    },
    any: () => [...running.values()].find(({ halted }) => halted.size === 0)?.account,
    async ended() {
      await Promise.all([...lastRuns.values(), ...running.values()].map(({ done }) => done));
    },
  };
}

const noRun = { done: Promise.resolve(), failed: new Set<StreamName>() };

interface StartContext extends PollersContext {
  readonly assigned: AssignedPartition;
  /**
   * The account's last run: a new run waits for its polls, and polls its failed streams at once.
   */
  readonly lastRun: Pick<RunningAccount, 'done' | 'failed'>;
}

function startAccount(account: Account, settings: Streams, context: StartContext): RunningAccount {
  const { assigned, lastRun } = context;
  const stop = new AbortController();
  const halted = new Set<StreamName>();
  const failed = new Set<StreamName>();
  const onHalt = (stopped: readonly Stream[], by: Stream): void => {
    for (const { name } of stopped) halted.add(name);
    failed.add(by.name);
  };
  const done = lastRun.done.then(() =>
    pollAccount(account, settings, { ...context, stop, onHalt }),
  );
  assigned.polls.add(done);
  void done.finally(() => assigned.polls.delete(done));
  return { account, halted, failed, stop, done };
}

interface AccountContext extends StartContext {
  readonly stop: AbortController;
  /** Called with the streams that an error has stopped, and the stream that met it. */
  readonly onHalt: (streams: readonly Stream[], by: Stream) => void;
}

async function pollAccount(
  account: Account,
  settings: Streams,
  context: AccountContext,
): Promise<void> {
  const signal = AbortSignal.any([context.stop.signal, context.assigned.signal, context.all]);
  await Promise.all(
    groupByList(settings.streams).map((group) => {
      const started = group.map(({ stream }) => startJob(stream, account, context.assigned.known));
      const jobs = runnable(started, context.tools.telemetry);
      for (const { job, error } of started) {
        if (error !== undefined) context.onHalt([job.stream], job.stream);
      }
      return pollOnSchedule(jobs, settings, { ...context, signal }).catch(context.onFatal);
    }),
  );
}

/**
 * Polls the streams of one list, each on its own interval; those that are due at about the same
 * time share a cycle.
 */
async function pollOnSchedule(
  jobs: readonly Job[],
  settings: Streams,
  context: AccountContext & { readonly signal: AbortSignal },
): Promise<void> {
  const { tools, signal, stop, assigned } = context;
  const schedule = createSchedule(jobs, { ...settings, overdue: context.lastRun.failed }, tools);
  reportAwaited(jobs, schedule, tools);
  using subscriptions = new DisposableStack();
  subscriptions.use(
    settings.overrides.listen((change) => {
      schedule.apply(change);
    }),
  );
  while (!schedule.isEmpty()) {
    if (!(await schedule.untilDue(signal))) return;
    const due = schedule.begin();
    const nextPollMs = (job: Job) => schedule.nextMs(job);
    // An error that stops the account aborts its other polls at once, without waiting for them.
    const onOutcome = (job: Job, { kind }: PollOutcome): void => {
      if (kind !== 'stop-account') return;
      const all = settings.streams.map(({ stream }) => stream);
      context.onHalt(all, job.stream);
      stop.abort();
    };
    const outcomes = await pollGroup(due, tools, { nextPollMs, onOutcome, signal }).catch(
      (failure: unknown) => {
        if (signal.aborted) return [];
        throw failure;
      },
    );
    schedule.end(due);
    for (const [index, job] of due.entries()) {
      // Invariant 2: a later run of the account continues from this state, not the restored one.
      assigned.known.set(stateKey(job.stream.name, job.account.id), {
        kind: 'state',
        state: job.state,
      });
      const outcome = outcomes[index];
      if (outcome?.kind === 'stop-stream') context.onHalt([job.stream], job.stream);
      if (outcome === undefined || outcome.kind === 'stop-stream') schedule.remove(job);
    }
  }
}

/** Reports the jobs that an earlier run or another instance polled, and that are not due yet. */
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
    const ids = { stream: stream.name, accountId: account.id };
    telemetry.report({ type: 'poll-awaited', ...ids, polledMs, nextPollMs });
  }
}
