import { Cron } from 'croner';
import type { Calendar } from '../engine/schedule.ts';
import type { StreamName } from '../engine/stream-name.ts';
import { format } from './formats.ts';

/** The settings of times of day. */
interface CalendarSettings {
  readonly polling: { readonly timeZone: string; readonly quietHours: string | null };
  readonly streams: Readonly<Record<StreamName, { readonly schedule?: string | null }>>;
}

/** A cron expression of five fields that has a next run. */
export const cronExpression = format(
  'a cron expression of five fields (minute, hour, day, month, weekday) that has a next run, such as "0 6 * * MON-FRI"',
  (raw, nowMs) => {
    if (typeof raw !== 'string' || !/^\S+(?: \S+){4}$/.test(raw)) return undefined;
    return attempt(() => nextRunMs(cronOf(raw, 'UTC'), nowMs)) === undefined ? undefined : raw;
  },
);

/** The name of a time zone. */
export const timeZone = format(
  'the name of a time zone of the IANA database, such as UTC or Europe/Berlin',
  (raw) =>
    typeof raw === 'string' && attempt(() => Intl.DateTimeFormat('en', { timeZone: raw }))
      ? raw
      : undefined,
);

const hours = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;

/** Two different times of day, as `22:00-06:00`. */
export const quietHours = format('two different times of day, such as 22:00-06:00', (raw) => {
  const [, ...times] = typeof raw === 'string' ? (hours.exec(raw) ?? []) : [];
  const isSpan = times.slice(0, 2).join() !== times.slice(2).join();
  return isSpan ? String(raw) : undefined;
});

/** The calendar of a configuration, with the pauses that its polls make. */
export interface PollCalendar extends Calendar {
  /** The longest pause between two runs of a stream's cron expression; null for an interval. */
  readonly longestPauseMs: (stream: StreamName, nowMs: number) => number | null;
  /** The length of the quiet hours that contain a time or ended at most `withinMs` before it; else 0. */
  readonly quietPauseMs: (nowMs: number, withinMs: number) => number;
}

/** Creates the calendar; its functions are pure. */
export function createCalendar({ polling, streams }: CalendarSettings): PollCalendar {
  const crons = new Map(
    Object.entries(streams).flatMap(([name, { schedule }]) =>
      typeof schedule === 'string' ? [[name, cronOf(schedule, polling.timeZone)] as const] : [],
    ),
  );
  const quiet = quietOf(polling.quietHours, polling.timeZone);
  const quietUntilMs = (ms: number): number | null => {
    if (quiet === null) return null;
    const [startMs = 0, endMs = 0] = quiet.map((cron) => nextRunMs(cron, ms));
    return endMs < startMs ? endMs : null;
  };
  return {
    nextRunMs(stream, afterMs) {
      const cron = crons.get(stream);
      return cron === undefined ? null : (nextRunMs(cron, afterMs) ?? afterMs + comparedMs);
    },
    quietUntilMs,
    longestPauseMs(stream, nowMs) {
      const cron = crons.get(stream);
      return cron === undefined ? null : longestPauseOf(cron, nowMs);
    },
    quietPauseMs(nowMs, withinMs) {
      if (quiet === null) return 0;
      const [start, end] = quiet;
      const endMs = quietUntilMs(nowMs) ?? lastRunMs(end, nowMs);
      // From one to the other: a day with a change of the clock has 23 or 25 hours.
      return endMs < nowMs - withinMs ? 0 : endMs - lastRunMs(start, endMs);
    },
  };
}

function quietOf(text: string | null, zone: string): readonly [Cron, Cron] | null {
  const [, fromHour, fromMinute, toHour, toMinute] = hours.exec(text ?? '') ?? [];
  if (fromHour === undefined) return null;
  return [
    cronOf(`${fromMinute} ${fromHour} * * *`, zone),
    cronOf(`${toMinute} ${toHour} * * *`, zone),
  ];
}

function cronOf(expression: string, timezone: string): Cron {
  return new Cron(expression, { timezone, mode: '5-part', paused: true });
}

function nextRunMs(cron: Cron, afterMs: number): number | undefined {
  return cron.nextRun(new Date(afterMs))?.getTime();
}

/** Returns the last run at a time or before it. */
function lastRunMs(cron: Cron, ms: number): number {
  const [run] = cron.previousRuns(1, new Date(ms + 1000));
  return run?.getTime() ?? ms;
}

/** The runs that are compared at most: some days of an expression that runs every minute. */
const comparedRuns = 5000;
const comparedMs = 400 * 86_400_000;

/** The longest pause among the next runs, for 400 days or 5,000 runs. */
function longestPauseOf(cron: Cron, nowMs: number): number {
  let longestMs = 0;
  let lastMs = nextRunMs(cron, nowMs) ?? nowMs;
  for (let run = 0; run < comparedRuns && lastMs < nowMs + comparedMs; run += 1) {
    const nextMs = nextRunMs(cron, lastMs);
    if (nextMs === undefined) break;
    longestMs = Math.max(longestMs, nextMs - lastMs);
    lastMs = nextMs;
  }
  return longestMs;
}

/** Returns the result, or undefined when it throws. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
