import { smallest } from './extremes.ts';
import { jitteredMs } from './backoff.ts';
import type { Stream } from './stream.ts';
import type { StreamName } from './stream-name.ts';
import type { Overrides } from './overrides.ts';
import type { Job, PollerTools } from './poller.ts';
import { pauseAt } from './state.ts';

// States of a schedule entry:
// - waiting: its due time is in the future.
// - due: its due time is reached; `untilDue` resolves.
// - running: `begin` has returned its job and set its next due time; `end` adds the poll's length.
// - requested: running, and a control request has set the due time; `end` leaves that time as it
//   is.
// - paused: waiting or due, and excluded from `begin` until its job's pause ends: by a control
//   request, which calls `wake`, or at the end that it carries, which wakes `untilDue` itself.
// - removed: `remove` was called; the entry never runs again.

/** The times of day that polls keep to. Times are epoch milliseconds; pure. */
export interface Calendar {
  /** The first run of a stream's cron expression after a time; null for a stream with an interval. */
  readonly nextRunMs: (stream: StreamName, afterMs: number) => number | null;
  /** The end of the quiet hours that contain a time; null outside of them. */
  readonly quietUntilMs: (ms: number) => number | null;
}

const noCalendar: Calendar = { nextRunMs: () => null, quietUntilMs: () => null };

export interface ScheduleOptions {
  readonly streams: readonly { readonly stream: Stream; readonly intervalMs: number }[];
  /** Fraction of the interval, 0 to 0.5. */
  readonly jitter: number;
  readonly overrides: Pick<Overrides, 'intervalMs'>;
  /** Absent: every stream has an interval, and no hours are quiet. */
  readonly calendar?: Calendar | undefined;
  /** Streams that an error had stopped: due at once, at any time of their last poll. */
  readonly overdue?: ReadonlySet<StreamName>;
}

/** The due time of one job. */
interface ScheduleEntry {
  dueMs: number;
  /** The start of the last poll, epoch milliseconds; null before the first. */
  begunMs: number | null;
  /** True when a control request set `dueMs`: the length of the current poll does not delay it. */
  isRequested: boolean;
}

type ScheduleTools = Pick<PollerTools, 'clock' | 'random'>;

/** The longest sleep, as while all jobs are paused; a control request ends it early. */
const longestWaitMs = 86_400_000;

/** The due times of the jobs of one list: an interval after their last poll, or at once. */
export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #tools: ScheduleTools;
  readonly #calendar: Calendar;
  readonly #entries: Map<Job, ScheduleEntry>;
  #begunMs = 0;
  #lastMs: number;
  #wake = new AbortController();

  constructor(jobs: readonly Job[], options: ScheduleOptions, tools: ScheduleTools) {
    this.#options = options;
    this.#tools = tools;
    this.#calendar = options.calendar ?? noCalendar;
    this.#lastMs = tools.clock.nowMs();
    const drawn = tools.random();
    this.#entries = new Map(jobs.map((job) => [job, this.#firstEntry(job, drawn)]));
    this.#alignEqualIntervals();
  }

  #firstEntry(job: Job, drawn: number): ScheduleEntry {
    const nowMs = this.#lastMs;
    const { polledMs } = job.state;
    // A last poll in the future means that the clock was set back since.
    const isKnown = polledMs !== null && polledMs <= nowMs;
    if (!isKnown || this.#options.overdue?.has(job.stream.name) === true) {
      return { dueMs: this.#afterQuiet(nowMs), begunMs: null, isRequested: false };
    }
    const dueMs = this.#afterQuiet(Math.max(nowMs, this.#nextDueMs(job, polledMs, drawn)));
    return { dueMs, begunMs: polledMs, isRequested: false };
  }

  /** Aligns jobs of equal interval to the earliest one, so that one list scan serves them all. */
  #alignEqualIntervals(): void {
    const withInterval = [...this.#entries].filter(([job]) => !this.#hasCron(job));
    const byInterval = Map.groupBy(withInterval, ([job]) => this.#intervalMs(job));
    for (const [intervalMs, group] of byInterval) {
      const earliestMs = smallest(group.map(([, { dueMs }]) => dueMs));
      for (const [, entry] of group) {
        if (entry.dueMs - earliestMs < intervalMs / 2) entry.dueMs = earliestMs;
      }
    }
  }

  /** True when no job is left. */
  isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Milliseconds until the earliest job may begin; Infinity while all are paused without an end. */
  waitMs(): number {
    const nowMs = this.#nowMs();
    return smallest([...this.#entries].map((entry) => this.#beginMs(...entry))) - nowMs;
  }

  /** Waits until a job is due, also by a control request received meanwhile; false when aborted. */
  async untilDue(signal: AbortSignal): Promise<boolean> {
    do {
      this.#wake = new AbortController();
      const wakeOrAbort = AbortSignal.any([signal, this.#wake.signal]);
      try {
        // Sleeps even for 0 ms: accounts that are due together begin together, and share requests.
        await this.#tools.clock.sleep(Math.min(this.waitMs(), longestWaitMs), wakeOrAbort);
      } catch (error) {
        if (!wakeOrAbort.aborted) throw error;
      }
    } while (!signal.aborted && this.waitMs() > 0);
    return !signal.aborted;
  }

  /** The next due time of a job, epoch milliseconds; null for a removed job. */
  nextMs(job: Job): number | null {
    return this.#entries.get(job)?.dueMs ?? null;
  }

  /** Returns the jobs whose cycle begins now, and sets their next due times. */
  begin(): readonly Job[] {
    const begunMs = this.#nowMs();
    this.#begunMs = begunMs;
    const due = [...this.#entries].filter(([job, entry]) => {
      const slackMs = this.#slackMs(job, begunMs);
      return pauseAt(job.pause, begunMs) === null && this.#beginMs(job, entry) <= begunMs + slackMs;
    });
    // One random number for all jobs keeps equal intervals together.
    const drawn = this.#tools.random();
    for (const [job, entry] of due) {
      const dueMs = this.#nextDueMs(job, begunMs, drawn);
      Object.assign(entry, { dueMs, begunMs, isRequested: false });
    }
    return due.map(([job]) => job);
  }

  /** Ends the cycle: the interval is the pause between two polls, however long a poll takes. */
  end(ended: readonly Job[]): void {
    const tookMs = this.#nowMs() - this.#begunMs;
    for (const job of ended) {
      const entry = this.#entries.get(job);
      if (entry === undefined || entry.isRequested || this.#hasCron(job)) continue;
      entry.dueMs = this.#afterQuiet(entry.dueMs + tookMs);
    }
  }

  /** Makes a job due now, or right after its running poll. */
  request(job: Job): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    Object.assign(entry, { dueMs: this.#nowMs(), isRequested: true });
    this.wake();
  }

  /** Applies the changed interval of a stream. */
  changeInterval(stream: StreamName): void {
    const drawn = this.#tools.random();
    for (const [job, entry] of this.#entries) {
      if (job.stream.name === stream) this.#reschedule(job, entry, drawn);
    }
    this.wake();
  }

  /** Makes `untilDue` compute its wait again, after a pause has changed. */
  wake(): void {
    this.#wake.abort();
  }

  remove(job: Job): void {
    this.#entries.delete(job);
  }

  /** Reads the clock; when the host's clock was set back, moves every due time back with it. */
  #nowMs(): number {
    const hostMs = this.#tools.clock.nowMs();
    const backMs = Math.max(0, this.#lastMs - hostMs);
    this.#lastMs = hostMs;
    if (backMs === 0) return hostMs;
    this.#begunMs -= backMs;
    for (const [job, entry] of this.#entries) {
      if (!this.#hasCron(job)) entry.dueMs = this.#afterQuiet(entry.dueMs - backMs);
      if (entry.begunMs !== null) entry.begunMs -= backMs;
    }
    return hostMs;
  }

  /** Counts the new interval from the start of the last poll; a time in the past is due at once. */
  #reschedule(job: Job, entry: ScheduleEntry, drawn: number): void {
    if (entry.begunMs === null) return;
    const nextMs = this.#nextDueMs(job, entry.begunMs, drawn);
    entry.dueMs = this.#afterQuiet(Math.max(this.#nowMs(), nextMs));
  }

  /** Adds the interval with random jitter, so that polls spread over time; `drawn` is in [0, 1). */
  #nextDueMs(job: Job, sinceMs: number, drawn: number): number {
    const runMs = this.#calendar.nextRunMs(job.stream.name, sinceMs);
    if (runMs !== null) return this.#afterQuiet(runMs);
    const dueMs = sinceMs + jitteredMs(this.#intervalMs(job), this.#options.jitter, drawn);
    return this.#afterQuiet(dueMs);
  }

  /** How much earlier than due a job may begin together with others. */
  #slackMs(job: Job, nowMs: number): number {
    const isExact = this.#hasCron(job) || this.#calendar.quietUntilMs(nowMs) !== null;
    return isExact ? 0 : this.#options.jitter * this.#intervalMs(job);
  }

  #hasCron({ stream }: Job): boolean {
    return this.#calendar.nextRunMs(stream.name, this.#lastMs) !== null;
  }

  #afterQuiet(ms: number): number {
    return this.#calendar.quietUntilMs(ms) ?? ms;
  }

  #intervalMs({ stream: { name }, account }: Job): number {
    const { overrides, streams } = this.#options;
    const configured = streams.find(({ stream }) => stream.name === name)?.intervalMs;
    return account.polling?.intervalsMs[name] ?? overrides.intervalMs(name) ?? configured ?? 0;
  }

  /** The due time of a job, or the end of its pause if that is later; Infinity without an end. */
  #beginMs({ pause }: Job, { dueMs }: ScheduleEntry): number {
    if (pause === null) return dueMs;
    const { untilMs } = pause;
    if (untilMs === null) return Infinity;
    return untilMs > dueMs ? this.#afterQuiet(untilMs) : dueMs;
  }
}
