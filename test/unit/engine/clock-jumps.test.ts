import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../../src/engine/ports.ts';
import { RateLimiter } from '../../../src/engine/rate-limit/rate-limiter.ts';
import { runPoll } from '../../../src/engine/poll.ts';
import { createOverrides } from '../../../src/engine/overrides.ts';
import { Schedule } from '../../../src/engine/schedule.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { account } from '../../support/accounts.ts';
import { createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { type ManualClock, createManualClock } from '../../support/manual-clock.ts';
import { createRecordingTelemetry } from '../../support/recording-telemetry.ts';
import {
  calm,
  createWorld,
  dayMs,
  hourMs,
  jobOf,
  minuteMs,
  pollOf,
  posts,
  startMs,
} from './world.ts';

const yearMs = 365 * dayMs;

/** A host's clock that the test sets; its timers are unaffected. */
function createHostClock(): Clock & { readonly timers: ManualClock; set(byMs: number): void } {
  const timers = createManualClock(startMs);
  let byMs = 0;
  return {
    timers,
    nowMs: () => timers.nowMs() + byMs,
    sleep: (ms, signal) => timers.sleep(ms, signal),
    set(ms) {
      byMs = ms;
    },
  };
}

const overrides = createOverrides({ report: () => undefined });

describe('the program on a host whose clock jumps', () => {
  test.each([
    ['back by a day', -dayMs],
    ['ahead by a year', yearMs],
  ])('polls again within two intervals when the clock is set %s', async (_how, byMs) => {
    const clock = createHostClock();
    const options = { streams: [{ stream: posts, intervalMs: hourMs }], jitter: 0, overrides };
    const table = new Schedule([jobOf(posts)], options, { clock, random: () => 0.5 });
    const poll = (): number => {
      const due = table.begin();
      table.end(due);
      return due.length;
    };
    expect(poll()).toBe(1);
    await clock.timers.advance(30 * minuteMs);

    clock.set(byMs);
    const waits: number[] = [];
    for (let polls = 0; polls < 1;) {
      waits.push(table.waitMs());
      await clock.timers.advance(Math.max(0, table.waitMs()));
      polls += poll();
    }

    expect(waits.length).toBe(1);
    expect(waits[0]).toBeLessThanOrEqual(hourMs);
    expect(table.waitMs()).toBe(hourMs);
  });

  test('keeps polling when the clock is set ahead by a year and then corrected', async () => {
    const clock = createHostClock();
    const options = { streams: [{ stream: posts, intervalMs: hourMs }], jitter: 0, overrides };
    const table = new Schedule([jobOf(posts)], options, { clock, random: () => 0.5 });
    clock.set(yearMs);
    table.end(table.begin());
    clock.set(0);
    expect(table.waitMs()).toBeLessThanOrEqual(hourMs);
    await clock.timers.advance(hourMs);
    expect(table.begin()).toHaveLength(1);
  });

  test('ends the wait for a rate limit on time when the clock is set back during the wait', async () => {
    const clock = createHostClock();
    const telemetry = createRecordingTelemetry();
    const rateLimiter = new RateLimiter({ clock, telemetry, maxConcurrentRequests: 1 });
    rateLimiter.block({ kind: 'account', id: account.id }, minuteMs);
    let ready = false;
    const waiting = rateLimiter.ready({ account, priority: 'normal' }, calm).then(() => {
      ready = true;
    });
    await clock.timers.advance(minuteMs / 2);
    clock.set(-dayMs);
    await clock.timers.advance(2 * minuteMs);
    expect(ready).toBe(true);
    await waiting;
  });

  test('scans a list again when its last scan is dated in the future', async () => {
    const world = createWorld({ graph: createFakeGraph(() => pageOf([])) });
    const stream = streams.media_insights;
    const at = (nowMs: number) => pollOf(stream, { startedMs: nowMs, cycleMs: nowMs });
    await runPoll(at(startMs + yearMs), world, calm);
    await runPoll(at(startMs), world, calm);
    expect(world.graph.requests).toHaveLength(2);
  });
});
