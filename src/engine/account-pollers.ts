import { type Account, isPolled } from './account.ts';
import type { ActivePartition } from './active-partitions.ts';
import { planPolling } from './assignment-changes.ts';
import type { Overrides } from './overrides.ts';
import { partitionOf } from './partition.ts';
import { type SaveSignals, Pauses } from './pauses.ts';
import { groupByList, pollGroup } from './poll-group.ts';
import { type Job, type PollerTools, type PollOutcome, runnable, startJob } from './poller.ts';
import { type Calendar, Schedule } from './schedule.ts';
import { pauseAt, stateKey } from './state.ts';
import type { StreamName } from './stream-name.ts';
import type { Stream } from './stream.ts';
import { pollChanges } from './webhook-polls.ts';

// States of an account's pollers:
// - idle: not polled by this instance; a later start waits for the polls of the earlier run.
// - running: each stream is polled on its own schedule.
// - halted, by stream (status `stopped`): an error ended its polls, or those of the whole account;
//   `restartHalted` makes the account idle, so that `reconcile` starts it again.
// A stream is also paused (status `paused`) while its job's pause is in effect: src/engine/pauses.ts.
// An account runs while its partition is assigned and restored, and the tokens list the account.

/** The streams to poll, those of any account, and their settings. */
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

/** One stream of an account that this instance polls, as control requests change it. */
export interface PolledStream {
  readonly accountId: string;
  /** `stopped`: by an error; `unreadable`: by an error of its state, so that it has no job. */
  readonly status: 'polled' | 'paused' | 'stopped' | 'unreadable';
  /** Polls at once, or right after the running poll. */
  poll(): void;
  /**
   * Pauses it until a time, or without an end (null); a running try of its poll ends by itself.
   * @returns true once the state topic has the pause, false when it could not be saved
   */
  pause(untilMs: number | null): Promise<boolean>;
  /** Ends its pause; returns as `pause`. */
  resume(): Promise<boolean>;
}

/** A job and the schedule that polls it. */
interface ScheduledJob {
  readonly job: Job;
  readonly schedule: Schedule;
}

interface Run {
  readonly account: Account;
  readonly partition: ActivePartition;
  /** The jobs by stream, once the polls of earlier runs have ended. */
  readonly jobs: PromiseWithResolvers<ReadonlyMap<StreamName, ScheduledJob>>;
  /** The streams whose polls failed in the last run: due at once. */
  readonly overdue: ReadonlySet<StreamName>;
  /** The streams that an error stopped. */
  readonly halted: Set<StreamName>;
  /** The halted streams whose own poll met the error. */
  readonly failed: Set<StreamName>;
  /** Stops the polls. */
  readonly stop: AbortController;
  /** Aborted when the run is over: also the saving of pauses stops, which outlives stopped polls. */
  readonly over: AbortController;
  readonly saves: Set<Promise<unknown>>;
  /** Resolves when every poll of this run and of those before it has ended. */
  done: Promise<void>;
}

export class AccountPollers {
  readonly #settings: Streams;
  readonly #context: PollersContext;
  readonly #pauses: Pauses;
  readonly #running = new Map<string, Run>();
  /** The last runs of idle accounts: a new run of an account waits for the polls of its last. */
  readonly #lastRuns = new Map<string, Pick<Run, 'done' | 'failed'>>();

  constructor(settings: Streams, context: PollersContext) {
    this.#settings = settings;
    this.#context = context;
    this.#pauses = new Pauses(context.tools);
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
    const removed = stop.filter(({ id }) => !this.#running.has(id));
    this.#context.tools.telemetry.report({ type: 'accounts', added: start, removed });
  }

  /** Ends the accounts, one or all, that an error stopped: the next `reconcile` starts them. */
  restartHalted(accountId?: string): void {
    for (const run of [...this.#running.values()]) {
      const isSelected = accountId === undefined || run.account.id === accountId;
      if (isSelected && run.halted.size > 0) this.#end(run);
    }
  }

  /** Returns an account's streams, all or one; undefined when this instance does not poll it. */
  async streamsOf(
    accountId: string,
    stream: StreamName | null,
  ): Promise<readonly PolledStream[] | undefined> {
    const run = this.#running.get(accountId);
    if (run === undefined) return undefined;
    const jobs = await run.jobs.promise;
    return this.#settings.streams.flatMap(({ stream: { name } }) =>
      name === (stream ?? name) ? this.#polledStream(run, name, jobs.get(name)) : [],
    );
  }

  #polledStream(run: Run, name: StreamName, found: ScheduledJob | undefined): PolledStream[] {
    const isHalted = run.halted.has(name);
    const accountId = run.account.id;
    if (found === undefined) {
      const never = () => Promise.resolve(false);
      const unreadable = { accountId, poll: () => undefined, pause: never, resume: never } as const;
      return isHalted ? [{ ...unreadable, status: 'unreadable' }] : [];
    }
    const { job, schedule } = found;
    const isPaused = pauseAt(job.pause, this.#context.tools.clock.nowMs()) !== null;
    const changed = (): Promise<boolean> => {
      schedule.wake();
      return this.#save(run, job);
    };
    const running = isPaused ? 'paused' : 'polled';
    return [
      {
        accountId,
        status: isHalted ? 'stopped' : running,
        poll: () => {
          schedule.request(job);
        },
        pause: (untilMs) => {
          this.#pauses.pause(job, untilMs);
          return changed();
        },
        resume: () => {
          this.#pauses.resume(job);
          return changed();
        },
      },
    ];
  }

  /** Saves a job's pause, also while an error keeps its polls stopped. */
  #save(run: Run, job: Job): Promise<boolean> {
    const { partition, over, saves } = run;
    const write = AbortSignal.any([partition.signal, over.signal]);
    const signals: SaveSignals = { write, retry: AbortSignal.any([write, this.#context.all]) };
    const saving = this.#pauses.save(job, signals).then((isSaved) => {
      if (isSaved) keep(run, job);
      return isSaved;
    });
    for (const set of [saves, partition.polls]) {
      set.add(saving);
      void saving.then(() => set.delete(saving));
    }
    return saving;
  }

  /** Returns an account that is polled here and that no error has stopped. */
  anyActive(): Account | undefined {
    return [...this.#running.values()].find(({ halted }) => halted.size === 0)?.account;
  }

  /** Resolves when every running poll has ended, and every pause was saved or given up. */
  async ended(): Promise<void> {
    const runs = [...this.#running.values()].map(endOf);
    await Promise.all([...[...this.#lastRuns.values()].map(({ done }) => done), ...runs]);
  }

  #start(account: Account, partition: ActivePartition): void {
    const last = this.#lastRuns.get(account.id);
    const run: Run = {
      account,
      partition,
      jobs: Promise.withResolvers(),
      overdue: last?.failed ?? new Set(),
      halted: new Set(),
      failed: new Set(),
      stop: new AbortController(),
      over: new AbortController(),
      saves: new Set(),
      done: last?.done ?? Promise.resolve(),
    };
    const done = run.done.then(() => this.#poll(run));
    run.done = done;
    partition.polls.add(done);
    void done.finally(() => partition.polls.delete(done));
    this.#running.set(account.id, run);
  }

  #end(run: Run): void {
    const { account, stop, over, failed } = run;
    stop.abort();
    over.abort();
    this.#lastRuns.set(account.id, { done: endOf(run), failed });
    this.#running.delete(account.id);
  }

  async #poll(run: Run): Promise<void> {
    const { partition, stop } = run;
    const { all, onFatal } = this.#context;
    const signal = AbortSignal.any([stop.signal, partition.signal, all]);
    const groups = groupByList(this.#streamsOf(run.account)).map((group) => {
      const jobs = this.#startJobs(group, run);
      return { jobs, schedule: this.#scheduleOf(jobs, run) };
    });
    const scheduled = groups.flatMap(({ jobs, schedule }) =>
      jobs.map((job) => [job.stream.name, { job, schedule }] as const),
    );
    run.jobs.resolve(new Map(scheduled));
    await Promise.all([
      ...groups.map(({ schedule }) => this.#pollOnSchedule(schedule, run, signal).catch(onFatal)),
      ...scheduled.map(([, one]) => this.#pollChanges(one, run, signal).catch(onFatal)),
    ]);
  }

  /** Publishes the changes that webhooks report for a stream, beside its polls of the schedule. */
  async #pollChanges(
    { job, schedule }: ScheduledJob,
    run: Run,
    signal: AbortSignal,
  ): Promise<void> {
    if (job.stream.webhookFields.length === 0) return;
    const onOutcome = (outcome: PollOutcome): void => {
      keep(run, job);
      this.#haltAfter(outcome, job, run);
      if (outcome.kind === 'stop-stream') schedule.remove(job);
    };
    const isStopped = (): boolean => run.halted.has(job.stream.name);
    const polling = { nextPollMs: () => schedule.nextMs(job), onOutcome, isStopped, signal };
    await pollChanges(job, polling, this.#context.tools).catch((failure: unknown) => {
      if (!signal.aborted) throw failure;
    });
  }

  /** Halts the streams that an outcome stops. */
  #haltAfter({ kind }: PollOutcome, job: Job, run: Run): void {
    if (kind === 'stop-stream') halt(run, job.stream);
    if (kind !== 'stop-account') return;
    halt(run, job.stream, this.#streamsOf(run.account));
    // The other polls of the account are aborted at once, without waiting for them.
    run.stop.abort();
  }

  #streamsOf(account: Account): Streams['streams'] {
    return this.#settings.streams.filter(({ stream }) => isPolled(account, stream.name));
  }

  /** Starts the jobs of one list, with their pauses, except those whose state cannot be read. */
  #startJobs(group: readonly { readonly stream: Stream }[], run: Run): readonly Job[] {
    const { account, partition } = run;
    const started = group.map(({ stream }) => startJob(stream, account, partition.known));
    for (const { job, error } of started) if (error !== undefined) halt(run, job.stream);
    const jobs = runnable(started, this.#context.tools.telemetry);
    for (const job of jobs) {
      if (this.#pauses.restore(job)) void this.#save(run, job);
    }
    return jobs;
  }

  #scheduleOf(jobs: readonly Job[], { overdue }: Run): Schedule {
    const { tools } = this.#context;
    const schedule = new Schedule(jobs, { ...this.#settings, overdue }, tools);
    reportAwaited(jobs, schedule, tools);
    return schedule;
  }

  /** Polls the streams of one list, each on its interval; what is due together shares a cycle. */
  async #pollOnSchedule(schedule: Schedule, run: Run, signal: AbortSignal): Promise<void> {
    const { tools } = this.#context;
    const settings = this.#settings;
    using subscriptions = new DisposableStack();
    subscriptions.use(
      settings.overrides.listen((stream) => {
        schedule.changeInterval(stream);
      }),
    );
    const nextPollMs = (job: Job) => schedule.nextMs(job);
    const onOutcome = (job: Job, outcome: PollOutcome): void => {
      this.#haltAfter(outcome, job, run);
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
        keep(run, job);
        const outcome = outcomes[index];
        if (outcome?.kind === 'paused') schedule.request(job);
        if (outcome === undefined || outcome.kind === 'stop-stream') schedule.remove(job);
      }
    }
  }
}

/** Resolves when the polls of a run and of those before it have ended, and its saves. */
async function endOf({ done, saves }: Run): Promise<void> {
  await Promise.all([done, ...saves]);
}

/** Invariant 2: a later run of the account continues from this state, not the restored one. */
function keep({ partition }: Run, { stream, account, state }: Job): void {
  partition.known.set(stateKey(stream.name, account.id), { kind: 'state', state });
}

/** Records the streams that an error has stopped, and the stream whose poll met it. */
function halt(
  { halted, failed }: Run,
  by: Stream,
  stopped: readonly { readonly stream: Stream }[] = [{ stream: by }],
): void {
  for (const { stream } of stopped) halted.add(stream.name);
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
