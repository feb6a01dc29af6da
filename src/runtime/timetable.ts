import type { Draw } from '../core/schedule.ts';
import { nextAlone, nextTogether } from '../core/schedule.ts';
import type { Stream } from '../core/stream.ts';
import type { Job } from './poller.ts';
import type { Clock } from './ports.ts';

/** When each of the jobs on one list is due. */
export interface Timetable {
  /** How long until the earliest is due, milliseconds; infinite when no job is left. */
  readonly waitMs: () => number;
  /** When a job is due next; null for one that has left. */
  readonly nextMs: (job: Job) => number | null;
  /** The jobs whose round begins now, which are given their next time. */
  begin(): readonly Job[];
  /** Ends the round: the interval is the pause between two polls, however long a poll takes. */
  end(jobs: readonly Job[]): void;
  /** Takes a job out for good. */
  leave(job: Job): void;
}

/** What the timetable is made by. */
export interface TimetableOptions {
  readonly streams: readonly { readonly stream: Stream; readonly intervalMs: number }[];
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
}

/** All are due at once. */
export function createTimetable(
  jobs: readonly Job[],
  { streams, jitter }: TimetableOptions,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): Timetable {
  const intervals = new Map(streams.map(({ stream, intervalMs }) => [stream.name, intervalMs]));
  const intervalOf = ({ stream }: Job): number => intervals.get(stream.name) ?? 0;
  const times = new Map(jobs.map((job) => [job, clock.nowMs()]));
  let begunMs = 0;
  let lastMs = clock.nowMs();
  /** When the host's clock was set back, everything that is due moves with it. */
  const nowMs = (): number => {
    const hostMs = clock.nowMs();
    const backMs = Math.max(0, lastMs - hostMs);
    lastMs = hostMs;
    if (backMs > 0) {
      begunMs -= backMs;
      for (const [job, dueMs] of times) times.set(job, dueMs - backMs);
    }
    return hostMs;
  };
  return {
    waitMs() {
      const now = nowMs();
      return Math.min(...times.values()) - now;
    },
    nextMs: (job) => times.get(job) ?? null,
    begin() {
      begunMs = nowMs();
      const due = [...times.keys()].filter(
        (job) => (times.get(job) ?? Infinity) <= begunMs + jitter * intervalOf(job),
      );
      // One draw for all, so that equal intervals stay together.
      const draw: Draw = { nowMs: begunMs, jitter, drawn: random() };
      for (const job of due) {
        const next = isShared(job) ? nextTogether : nextAlone;
        times.set(job, next(intervalOf(job), draw));
      }
      return due;
    },
    end(ended) {
      const tookMs = nowMs() - begunMs;
      for (const job of ended) {
        if (!isShared(job)) times.set(job, (times.get(job) ?? 0) + tookMs);
      }
    },
    leave(job) {
      times.delete(job);
    },
  };
}

/** One request serves all accounts, so that they poll at one time. */
function isShared({ stream }: Job): boolean {
  return stream.source.kind === 'object';
}
