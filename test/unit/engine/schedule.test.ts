import { describe, expect, test } from '@jest/globals';
import type { Stream } from '../../../src/engine/stream.ts';
import { createOverrides } from '../../../src/engine/overrides.ts';
import { type Calendar, Schedule } from '../../../src/engine/schedule.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { hourMs, jobOf, minuteMs, posts, startMs } from './world.ts';

const reels: Stream = { ...posts, name: 'media_insights' };

/** The due times of jobs with polls of that age, from now. */
function dueTimesOf(polled: readonly { readonly stream: Stream; readonly agoMs: number }[]) {
  const jobs = polled.map(({ stream, agoMs }) => {
    const job = jobOf(stream);
    return { ...job, state: { ...job.state, polledMs: startMs - agoMs } };
  });
  const overrides = createOverrides({ report: () => undefined });
  const streams = polled.map(({ stream }) => ({ stream, intervalMs: hourMs }));
  const tools = { clock: createManualClock(startMs), random: () => 0.5 };
  const table = new Schedule(jobs, { streams, jitter: 0, overrides }, tools);
  return jobs.map((job) => (table.nextMs(job) ?? NaN) - startMs);
}

describe('a schedule that starts from restored states', () => {
  test('keeps streams of one list and interval together when their last polls were minutes apart', () => {
    const due = dueTimesOf([
      { stream: posts, agoMs: 30 * minuteMs },
      { stream: reels, agoMs: 25 * minuteMs },
    ]);
    expect(due).toEqual([30 * minuteMs, 30 * minuteMs]);
  });

  test('keeps streams apart when their last polls were half an interval apart', () => {
    const due = dueTimesOf([
      { stream: posts, agoMs: 50 * minuteMs },
      { stream: reels, agoMs: 20 * minuteMs },
    ]);
    expect(due).toEqual([10 * minuteMs, 40 * minuteMs]);
  });
});

describe('a schedule with a paused job', () => {
  /** The media, due an hour after the start, paused until a time. */
  function pausedUntil(untilMs: number | null, jitter = 0, calendar?: Calendar) {
    const job = jobOf(posts);
    job.state = { ...job.state, polledMs: startMs };
    job.pause = { sinceMs: startMs, untilMs };
    const clock = createManualClock(startMs);
    const options = {
      streams: [{ stream: posts, intervalMs: hourMs }],
      jitter,
      overrides: createOverrides({ report: () => undefined }),
      calendar,
    };
    return { job, clock, schedule: new Schedule([job], options, { clock, random: () => 0.5 }) };
  }

  test('waits without end for a pause that has none', async () => {
    const { clock, schedule } = pausedUntil(null);
    await clock.advance(2 * hourMs);

    expect([schedule.waitMs(), schedule.begin()]).toEqual([Infinity, []]);
  });

  test('begins at the end of the pause when the job became due before it', async () => {
    const { job, clock, schedule } = pausedUntil(startMs + 90 * minuteMs);
    expect(schedule.waitMs()).toBe(90 * minuteMs);

    await clock.advance(90 * minuteMs);
    expect(schedule.begin()).toEqual([job]);
    expect(schedule.waitMs()).toBe(hourMs);
  });

  test('begins at the due time when the pause ends before it', () => {
    expect(pausedUntil(startMs + 30 * minuteMs).schedule.waitMs()).toBe(hourMs);
  });

  test('does not begin before the end of the pause, however large the jitter is', async () => {
    const { job, clock, schedule } = pausedUntil(startMs + 90 * minuteMs, 0.5);
    await clock.advance(89 * minuteMs);
    expect(schedule.begin()).toEqual([]);

    await clock.advance(minuteMs);
    expect(schedule.begin()).toEqual([job]);
  });

  test('begins at the end of the quiet hours in which the pause ends', () => {
    const quiet: Calendar = {
      nextRunMs: () => null,
      quietUntilMs: (ms) =>
        ms >= startMs + hourMs && ms < startMs + 3 * hourMs ? startMs + 3 * hourMs : null,
    };
    const { schedule } = pausedUntil(startMs + 2 * hourMs, 0, quiet);

    expect(schedule.waitMs()).toBe(3 * hourMs);
  });
});

describe('schedule with a calendar', () => {
  const nextHour = (ms: number) => (Math.floor(ms / hourMs) + 1) * hourMs;
  const hourly: Calendar = {
    nextRunMs: (stream, afterMs) => (stream === 'media' ? nextHour(afterMs) : null),
    quietUntilMs: () => null,
  };
  /** Quiet from 13:00 to 15:00, an hour after the start of the test. */
  const quiet: Calendar = {
    nextRunMs: () => null,
    quietUntilMs: (ms) =>
      ms >= startMs + hourMs && ms < startMs + 3 * hourMs ? startMs + 3 * hourMs : null,
  };

  function scheduleOf(calendar: Calendar, polledMs: number | null, jitter = 0) {
    const first = jobOf(posts);
    const job = { ...first, state: { ...first.state, polledMs } };
    const overrides = createOverrides({ report: () => undefined });
    const clock = createManualClock(startMs);
    const streams = [{ stream: posts, intervalMs: hourMs }];
    const options = { streams, jitter, overrides, calendar };
    const schedule = new Schedule([job], options, { clock, random: () => 0.9 });
    const dueMs = () => (schedule.nextMs(job) ?? NaN) - startMs;
    return { schedule, job, clock, dueMs };
  }

  test('polls at the next run of the cron expression, without jitter and however long a poll took', async () => {
    const { schedule, job, clock, dueMs } = scheduleOf(hourly, startMs - 5 * minuteMs, 0.5);
    // The run at 12:00, the start, came after the last poll.
    expect(dueMs()).toBe(0);
    expect(schedule.begin()).toEqual([job]);
    await clock.advance(10 * minuteMs);
    schedule.end([job]);
    expect(dueMs()).toBe(hourMs);
    await clock.advance(50 * minuteMs - 1);
    expect(schedule.begin()).toEqual([]);
  });

  test('makes up at the start for a run that no instance polled', () => {
    expect(scheduleOf(hourly, startMs - 3 * hourMs).dueMs()).toBe(0);
  });

  test('moves a poll that is due in quiet hours to their end', () => {
    expect(scheduleOf(quiet, startMs - 30 * minuteMs).dueMs()).toBe(30 * minuteMs);
    expect(scheduleOf(quiet, startMs).dueMs()).toBe(3 * hourMs);
  });

  test('polls in quiet hours on a control request', async () => {
    const { schedule, job, clock } = scheduleOf(quiet, startMs);
    await clock.advance(2 * hourMs);
    expect(schedule.begin()).toEqual([]);
    schedule.request(job);
    expect(schedule.begin()).toEqual([job]);
  });
});
