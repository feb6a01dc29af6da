import { describe, expect, test } from '@jest/globals';
import type { Stream } from '../../../src/engine/stream.ts';
import { createOverrides } from '../../../src/engine/overrides.ts';
import { Schedule } from '../../../src/engine/schedule.ts';
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
