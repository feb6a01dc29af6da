import { smallest } from './extremes.ts';
import { jitteredMs } from './backoff.ts';
import type { Stream } from './stream.ts';
import type { StreamName } from './stream-name.ts';
import type { OverrideChange, Overrides } from './overrides.ts';
import type { Job } from './poller.ts';
import type { Clock } from './ports.ts';

/** When each of the jobs on one list is due. */
export interface Schedule {
  /** Whether no job is left. */
  isEmpty(): boolean;
  /** How long until the earliest is due, milliseconds; infinite when none is, as while all are paused. */
  waitMs(): number;
  /** Waits until a job is due, also by an order that comes meanwhile; false when aborted. */
  untilDue(signal: AbortSignal): Promise<boolean>;
  /** When a job is due next; null for one that has left. */
  nextMs(job: Job): number | null;
  /** The jobs whose round begins now, which are given their next time. */
  begin(): readonly Job[];
  /** Ends the round: the interval is the pause between two polls, however long a poll takes. */
  end(jobs: readonly Job[]): void;
  /** Does what an order says to its jobs. */
  obey(order: OverrideChange): void;
  /** Takes a job out for good. */
  leave(job: Job): void;
}

/** What the schedule is made by. */
export interface ScheduleOptions {
  readonly streams: readonly { readonly stream: Stream; readonly intervalMs: number }[];
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
  readonly overrides: Pick<Overrides, 'intervalMs' | 'isPaused'>;
  /** Streams that are due at once whenever they were last polled: an error had stopped them. */
  readonly overdue?: ReadonlySet<StreamName>;
}

/** What a next poll is drawn from. */
interface Draw {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly drawn: number;
}

/** A job's next turn. */
interface Entry {
  dueMs: number;
  /** When the last one began; null before the first. */
  begunMs: number | null;
  /** Ordered while a poll was under way, whose length does not put it off. */
  isRequested: boolean;
}

/** A job is due an interval after the last poll in its state; one without, at once. */
export function createSchedule(
  jobs: readonly Job[],
  options: ScheduleOptions,
  tools: ScheduleTools,
): Schedule {
  return new JobSchedule(jobs, options, tools);
}

interface ScheduleTools {
  readonly clock: Clock;
  readonly random: () => number;
}

class JobSchedule implements Schedule {
  readonly #options: ScheduleOptions;
  readonly #tools: ScheduleTools;
  readonly #entries: Map<Job, Entry>;
  #begunMs = 0;
  #lastMs: number;
  #wake = new AbortController();

  constructor(jobs: readonly Job[], options: ScheduleOptions, tools: ScheduleTools) {
    this.#options = options;
    this.#tools = tools;
    this.#lastMs = tools.clock.nowMs();
    const drawn = tools.random();
    this.#entries = new Map(jobs.map((job) => [job, this.#first(job, drawn)]));
    this.#bringTogether();
  }

  #first(job: Job, drawn: number): Entry {
    const nowMs = this.#lastMs;
    const { polledMs } = job.state;
    // A last poll in the future was before the clock was set back.
    const isKnown = polledMs !== null && polledMs <= nowMs;
    if (!isKnown || this.#options.overdue?.has(job.stream.name) === true) {
      return { dueMs: nowMs, begunMs: null, isRequested: false };
    }
    const dueMs = Math.max(nowMs, this.#next(job, { nowMs: polledMs, drawn }));
    return { dueMs, begunMs: polledMs, isRequested: false };
  }

  /** Equal intervals stay together, so that one scan of the list serves all: the earliest decides. */
  #bringTogether(): void {
    const byInterval = Map.groupBy(this.#entries, ([job]) => this.#intervalMs(job));
    for (const [intervalMs, group] of byInterval) {
      const earliestMs = smallest(group.map(([, { dueMs }]) => dueMs));
      for (const [, entry] of group) {
        if (entry.dueMs - earliestMs < intervalMs / 2) entry.dueMs = earliestMs;
      }
    }
  }

  isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  waitMs(): number {
    const nowMs = this.#nowMs();
    const due = [...this.#entries].filter(([job]) => !this.#isPaused(job));
    return smallest(due.map(([, { dueMs }]) => dueMs)) - nowMs;
  }

  async untilDue(signal: AbortSignal): Promise<boolean> {
    do {
      this.#wake = new AbortController();
      const either = AbortSignal.any([signal, this.#wake.signal]);
      try {
        // Also for no time: accounts that are due together begin together, and share requests.
        await this.#tools.clock.sleep(Math.min(this.waitMs(), longestWaitMs), either);
      } catch (error) {
        if (!either.aborted) throw error;
      }
    } while (!signal.aborted && this.waitMs() > 0);
    return !signal.aborted;
  }

  nextMs(job: Job): number | null {
    return this.#entries.get(job)?.dueMs ?? null;
  }

  begin(): readonly Job[] {
    const begunMs = this.#nowMs();
    this.#begunMs = begunMs;
    const { jitter } = this.#options;
    const due = [...this.#entries].filter(
      ([job, { dueMs }]) =>
        !this.#isPaused(job) && dueMs <= begunMs + jitter * this.#intervalMs(job),
    );
    // One draw for all, so that equal intervals stay together.
    const draw = { nowMs: begunMs, drawn: this.#tools.random() };
    for (const [job, entry] of due) {
      Object.assign(entry, { dueMs: this.#next(job, draw), begunMs, isRequested: false });
    }
    return due.map(([job]) => job);
  }

  end(ended: readonly Job[]): void {
    const tookMs = this.#nowMs() - this.#begunMs;
    for (const job of ended) {
      const entry = this.#entries.get(job);
      if (entry !== undefined && !entry.isRequested) entry.dueMs += tookMs;
    }
  }

  obey(order: OverrideChange): void {
    const drawn = this.#tools.random();
    for (const [job, entry] of this.#entries) {
      if (job.stream.name !== order.stream) continue;
      if (order.kind === 'interval') this.#respace(job, entry, drawn);
      else if (order.kind === 'poll' && job.account.id === order.accountId) {
        Object.assign(entry, { dueMs: this.#nowMs(), isRequested: true });
      }
    }
    this.#wake.abort();
  }

  leave(job: Job): void {
    this.#entries.delete(job);
  }

  /** When the host's clock was set back, everything that is due moves with it. */
  #nowMs(): number {
    const hostMs = this.#tools.clock.nowMs();
    const backMs = Math.max(0, this.#lastMs - hostMs);
    this.#lastMs = hostMs;
    if (backMs === 0) return hostMs;
    this.#begunMs -= backMs;
    for (const entry of this.#entries.values()) {
      entry.dueMs -= backMs;
      if (entry.begunMs !== null) entry.begunMs -= backMs;
    }
    return hostMs;
  }

  /** Counted from when the last poll began; what would have been by now is due at once. */
  #respace(job: Job, entry: Entry, drawn: number): void {
    if (entry.begunMs === null) return;
    const next = this.#next(job, { nowMs: entry.begunMs, drawn });
    entry.dueMs = Math.max(this.#nowMs(), next);
  }

  /** An interval on, moved at random so that polls do not all fall on one moment. */
  #next(job: Job, { nowMs, drawn }: Draw): number {
    return nowMs + jitteredMs(this.#intervalMs(job), this.#options.jitter, drawn);
  }

  #intervalMs({ stream: { name } }: Job): number {
    const { overrides, streams } = this.#options;
    const configured = streams.find(({ stream }) => stream.name === name)?.intervalMs;
    return overrides.intervalMs(name) ?? configured ?? 0;
  }

  #isPaused({ stream, account }: Job): boolean {
    return this.#options.overrides.isPaused(stream.name, account.id);
  }
}

/** While all are paused; an order wakes before. */
const longestWaitMs = 86_400_000;
