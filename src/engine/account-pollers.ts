import type { Account } from './account.ts';
import type { ActivePartition } from './active-partitions.ts';
import { planPolling } from './assignment-changes.ts';
import type { Overrides } from './overrides.ts';
import { partitionOf } from './partition.ts';
import { groupByList, pollGroup } from './poll-group.ts';
import { type Job, type PollerTools, type PollOutcome, runnable, startJob } from './poller.ts';
import { type Calendar, Schedule } from './schedule.ts';
import { stateKey } from './state.ts';
import type { StreamName } from './stream-name.ts';
import type { Stream } from './stream.ts';

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
  /** Absent: every stream has an interval, and no hours are quiet. */
  readonly calendar?: Calendar | undefined;
  /** Changes by control requests since the start. */
  readonly overrides: Overrides;
}

/** The dependencies that all pollers share. */
export interface PollersContext {
  readonly tools: PollerTools;
  readonly partitions: () => number;
  readonly all: AbortSignal;
  /** Called with the error that ends the process. */
  readonly onFatal: (error: unknown) => void;
}

interface Run {
  readonly account: Account;
  readonly partition: ActivePartition;
  /** The streams whose polls failed in the last run: due at once. */
  readonly overdue: ReadonlySet<StreamName>;
  /** The streams that an error stopped. */
  readonly halted: Set<StreamName>;
  /** The halted streams whose own poll met the error. */
  readonly failed: Set<StreamName>;
  readonly stop: AbortController;
  /** Resolves when every poll of this run and of those before it has ended. */
  done: Promise<void>;
}

export class AccountPollers {
  readonly #settings: Streams;
  readonly #context: PollersContext;
  readonly #running = new Map<string, Run>();
  /** The last runs of idle accounts: a new run of an account waits for the polls of its last. */
  readonly #lastRuns = new Map<string, Pick<Run, 'done' | 'failed'>>();

  constructor(settings: Streams, context: PollersContext) {
    this.#settings = settings;
    this.#context = context;
  }

  /** Starts and stops accounts, so that exactly the listed ones of the active partitions run. */
  reconcile(accounts: readonly Account[], active: ReadonlyMap<number, ActivePartition>): void {
    const partitions = this.#context.partitions();
    const running = new Map([...this.#running].map(([id, { account }]) => [id, account]));
    const { start, stop } = planPolling(running, accounts, active, partitions);
    for (const { id } of stop) {
      const run = this.#running.get(id);
      if (run !== undefined) this.#end(run);
    }
    for (const account of start) {
      const partition = active.get(partitionOf(account.id, partitions));
      if (partition !== undefined) this.#start(account, partition);
    }
    if (start.length + stop.length === 0) return;
    this.#context.tools.telemetry.report({ type: 'accounts', added: start, removed: stop });
    for (const { id } of start) this.#settings.overrides.reportPaused(id);
  }

  /** Ends the accounts, one or all, that an error stopped: the next `reconcile` starts them. */
  restartHalted(accountId?: string): void {
    for (const run of [...this.#running.values()]) {
      const isSelected = accountId === undefined || run.account.id === accountId;
      if (isSelected && run.halted.size > 0) this.#end(run);
    }
  }

  /** Returns whether an account's stream is polled here, stopped by an error, or elsewhere. */
  statusOf(stream: StreamName, accountId: string): 'polled' | 'stopped' | 'elsewhere' {
    const run = this.#running.get(accountId);
    if (run === undefined) return 'elsewhere';
    return run.halted.has(stream) ? 'stopped' : 'polled';
  }

  /** Returns an account that is polled here and that no error has stopped. */
  anyActive(): Account | undefined {
    return [...this.#running.values()].find(({ halted }) => halted.size === 0)?.account;
  }

  /** Resolves when every running poll has ended. */
  async ended(): Promise<void> {
    const runs = [...this.#lastRuns.values(), ...this.#running.values()];
    await Promise.all(runs.map(({ done }) => done));
  }

  #start(account: Account, partition: ActivePartition): void {
    const last = this.#lastRuns.get(account.id);
    const run: Run = {
      account,
      partition,
      overdue: last?.failed ?? new Set(),
      halted: new Set(),
      failed: new Set(),
      stop: new AbortController(),
      done: last?.done ?? Promise.resolve(),
    };
    const done = run.done.then(() => this.#poll(run));
    run.done = done;
    partition.polls.add(done);
    void done.finally(() => partition.polls.delete(done));
    this.#running.set(account.id, run);
  }

  #end({ account, stop, done, failed }: Run): void {
    stop.abort();
    this.#lastRuns.set(account.id, { done, failed });
    this.#running.delete(account.id);
  }

  async #poll(run: Run): Promise<void> {
    const { account, partition, stop } = run;
    const { tools, all, onFatal } = this.#context;
    const signal = AbortSignal.any([stop.signal, partition.signal, all]);
    await Promise.all(
      groupByList(this.#settings.streams).map((group) => {
        const started = group.map(({ stream }) => startJob(stream, account, partition.known));
        const jobs = runnable(started, tools.telemetry);
        for (const { job, error } of started) if (error !== undefined) halt(run, job.stream);
        return this.#pollOnSchedule(jobs, run, signal).catch(onFatal);
      }),
    );
  }

  /** Polls the streams of one list, each on its interval; what is due together shares a cycle. */
  async #pollOnSchedule(jobs: readonly Job[], run: Run, signal: AbortSignal): Promise<void> {
    const { tools } = this.#context;
    const settings = this.#settings;
    const schedule = new Schedule(jobs, { ...settings, overdue: run.overdue }, tools);
    reportAwaited(jobs, schedule, tools);
    using subscriptions = new DisposableStack();
    subscriptions.use(
      settings.overrides.listen((change) => {
        schedule.apply(change);
      }),
    );
    const nextPollMs = (job: Job) => schedule.nextMs(job);
    // An error that stops the account aborts its other polls at once, without waiting for them.
    const onOutcome = (job: Job, { kind }: PollOutcome): void => {
      if (kind !== 'stop-account') return;
      halt(
        run,
        job.stream,
        settings.streams.map(({ stream }) => stream),
      );
      run.stop.abort();
    };
    while (!schedule.isEmpty()) {
      if (!(await schedule.untilDue(signal))) return;
      const due = schedule.begin();
      const outcomes = await pollGroup(due, tools, { nextPollMs, onOutcome, signal }).catch(
        (failure: unknown) => {
          if (signal.aborted) return [];
          throw failure;
        },
      );
      schedule.end(due);
      for (const [index, job] of due.entries()) {
        // Invariant 2: a later run of the account continues from this state, not the restored one.
        const key = stateKey(job.stream.name, job.account.id);
        run.partition.known.set(key, { kind: 'state', state: job.state });
        const outcome = outcomes[index];
        if (outcome?.kind === 'stop-stream') halt(run, job.stream);
        if (outcome === undefined || outcome.kind === 'stop-stream') schedule.remove(job);
      }
    }
  }
}

/** Records the streams that an error has stopped, and the stream whose poll met it. */
function halt({ halted, failed }: Run, by: Stream, stopped: readonly Stream[] = [by]): void {
  for (const { name } of stopped) halted.add(name);
  failed.add(by.name);
}

/** Reports the jobs that an earlier run or another instance polled, and that are not due yet. */
function reportAwaited(
  jobs: readonly Job[],
  schedule: Schedule,
  { clock, telemetry }: PollerTools,
): void {
  for (const job of jobs) {
    const { polledMs } = job.state;
    const nextPollMs = schedule.nextMs(job);
    if (polledMs === null || nextPollMs === null || nextPollMs <= clock.nowMs()) continue;
    const ids = { stream: job.stream.name, accountId: job.account.id };
    telemetry.report({ type: 'poll-awaited', ...ids, polledMs, nextPollMs });
  }
}
