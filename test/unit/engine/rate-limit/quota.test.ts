import { describe, expect, test } from '@jest/globals';
import {
  type Decision,
  type Priority,
  type Quota,
  decide,
  newQuota,
  noteAnswer,
  noteSilence,
  noteCall,
  noteRejection,
  noteUsage,
  statusOf,
  strictest,
} from '../../../../src/engine/rate-limit/quota.ts';
import { usedPercent } from '../../../../src/engine/rate-limit/rolling-usage.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const go: Decision = { kind: 'go' };

/** A quota after the answer to its last call. */
const answered = (quota: Quota) => noteAnswer(quota, quota.stops);

/** An account's quota after one header per percentage, at time 0. */
function quotaAt(...percents: readonly number[]): Quota {
  return percents.reduce(
    (quota, percent) => noteUsage(quota, { percent, regainMs: 0 }, 0),
    answered(newQuota('account')),
  );
}

const decideFor = (quota: Quota, changes: Partial<Parameters<typeof decide>[1]> = {}) =>
  decide(quota, { priority: 'normal', nowMs: 0, calls: 1, inFlight: 0, ...changes });

const each = (quota: Quota, nowMs: number) =>
  (['urgent', 'normal', 'backfill'] as const).map(
    (priority) => decideFor(quota, { priority, nowMs }).kind,
  );

describe('a scope below 75 %', () => {
  test('lets calls of every priority go at once', () => {
    const quota = noteCall(quotaAt(74), 'normal', 0);

    expect(each(quota, 0)).toEqual(['go', 'go', 'go']);
    expect(decideFor(quotaAt(40), { inFlight: 8 })).toEqual(go);
  });

  test('lets a single call go while its usage is unknown', () => {
    expect(decideFor(newQuota('account'))).toEqual(go);
    expect(decideFor(newQuota('account'), { inFlight: 1 })).toEqual({ kind: 'queue' });
    expect(decideFor(answered(newQuota('account')), { inFlight: 7 })).toEqual(go);
  });

  test('counts calls in flight, so that concurrent calls cannot exceed 75 %', () => {
    const quota = quotaAt(60, 64, 68, 72);

    expect(decideFor(quota, { inFlight: 0 })).toEqual(go);
    expect(decideFor(quota, { inFlight: 1 })).toEqual({ kind: 'queue' });
  });
});

describe('a scope at 75 % or more', () => {
  test('lets one call go at a time', () => {
    expect(decideFor(quotaAt(75), { inFlight: 1 })).toEqual({ kind: 'queue' });
    expect(decideFor(quotaAt(75))).toEqual(go);
  });

  test('spaces calls so that the quota up to their ceiling lasts for the window', () => {
    const quota = quotaAt(0, 75);
    const cost = (1 + 75) / 2;
    expect(quota.costPercent).toBe(cost);
    const cheap = { ...quota, costPercent: 0.5 };
    const busy = (['urgent', 'normal'] as const).reduce(
      (state, priority) => noteCall(state, priority, 0),
      cheap,
    );

    // 10 % left of 24 hours for calls of 0.5 %: 20 calls; 20 % left: 40 calls.
    expect(decideFor(busy)).toEqual({ kind: 'wait', ms: dayMs / 20 });
    expect(decideFor(busy, { priority: 'urgent' })).toEqual({ kind: 'wait', ms: dayMs / 40 });
    expect(decideFor(busy, { nowMs: dayMs / 20 })).toEqual(go);
  });

  test('spaces the calls of each priority separately', () => {
    const quota = noteCall({ ...quotaAt(0, 80), costPercent: 0.5 }, 'normal', 0);

    expect(decideFor(quota, { priority: 'urgent' })).toEqual(go);
  });

  test('stops spacing as soon as enough usage has left the window', () => {
    const quota = noteCall({ ...quotaAt(72), costPercent: 0.01 }, 'normal', 0);
    const slowed = noteUsage(quota, { percent: 75.5, regainMs: 0 }, 0);

    // A 24th of the 72 %, 3 %, leaves after an hour.
    expect(decideFor({ ...slowed, costPercent: 0.5 })).toEqual({ kind: 'wait', ms: hourMs });
  });

  test.each<[number, Priority[]]>([
    [75, ['urgent', 'normal']],
    [84, ['urgent', 'normal']],
    [85, ['urgent']],
    [94, ['urgent']],
    [95, []],
  ])('whose usage is %d %% lets the priorities %j go on', (percent, free) => {
    const quota = { ...quotaAt(0, percent), costPercent: 0.5 };

    expect(each(quota, 0)).toEqual(
      (['urgent', 'normal', 'backfill'] as const).map((priority) =>
        free.includes(priority) ? 'go' : 'wait',
      ),
    );
  });

  test('that has reached the ceiling delays calls until the oldest usage leaves the window', () => {
    const quota = { ...quotaAt(0, 95), costPercent: 0.5 };

    expect(decideFor(quota, { priority: 'urgent' })).toEqual({ kind: 'wait', ms: dayMs });
    expect(decideFor({ ...quotaAt(96), costPercent: 0.5 }, { priority: 'urgent' })).toEqual({
      kind: 'wait',
      ms: hourMs,
    });
  });

  test('has a window of one hour when it is an app', () => {
    const quota = noteUsage(answered(newQuota('app')), { percent: 50, regainMs: 0 }, 0);

    expect(usedPercent(quota.usage, hourMs / 2)).toBe(25);
    expect(usedPercent(quota.usage, hourMs)).toBe(0);
  });
});

describe('a blocked scope', () => {
  test('lets no call go until the block ends, for any usage and priority', () => {
    const quota = noteRejection(quotaAt(10), 30 * minuteMs, 0);

    expect(each(quota, 30 * minuteMs - 1)).toEqual(['wait', 'wait', 'wait']);
    expect(decideFor(quota, { nowMs: minuteMs })).toEqual({ kind: 'wait', ms: 29 * minuteMs });
    expect(each(quota, 30 * minuteMs)).toEqual(['go', 'go', 'go']);
  });

  test('results from a usage header as well as from a rejection', () => {
    const quota = noteUsage(quotaAt(10), { percent: 30, regainMs: 5 * minuteMs }, 0);

    expect(decideFor(quota)).toEqual({ kind: 'wait', ms: 5 * minuteMs });
  });

  test('keeps its block when a shorter block or a header without one follows', () => {
    const quota = noteUsage(
      noteRejection(noteRejection(quotaAt(10), hourMs, 0), minuteMs, 0),
      { percent: 10, regainMs: 0 },
      0,
    );

    expect(decideFor(quota)).toEqual({ kind: 'wait', ms: hourMs });
  });

  test('lets a single call go after the block until that call is answered', () => {
    const quota = noteRejection(quotaAt(10), minuteMs, 0);

    expect(decideFor(quota, { nowMs: minuteMs, inFlight: 1 })).toEqual({ kind: 'queue' });
    expect(decideFor(answered(quota), { nowMs: minuteMs, inFlight: 1 })).toEqual(go);
  });

  test('lets an urgent call go after the block although the window is full, and the other priorities later', () => {
    const quota = noteRejection(quotaAt(0, 100), hourMs, 0);

    expect(each(quota, hourMs)).toEqual(['go', 'wait', 'wait']);
    expect(each(quota, 2 * hourMs)).toEqual(['go', 'go', 'wait']);
    expect(each(quota, 3 * hourMs)).toEqual(['go', 'go', 'go']);
    expect(each(noteCall(quota, 'urgent', hourMs), 3 * hourMs)).toEqual(['wait', 'wait', 'wait']);
  });

  test('is blocked for longer after each rejection in a row, up to an hour', () => {
    let quota = newQuota('user');
    let nowMs = 0;
    const waits = Array.from({ length: 6 }, () => {
      quota = noteRejection(quota, minuteMs, nowMs);
      const waitMs = quota.blockedUntilMs - nowMs;
      nowMs = quota.blockedUntilMs;
      return waitMs / minuteMs;
    });

    expect(waits).toEqual([1, 10, 20, 40, 60, 60]);
    expect(noteRejection(answered(quota), minuteMs, nowMs).blockedUntilMs - nowMs).toBe(minuteMs);
  });

  test('counts the rejections of concurrent calls as one', () => {
    const quota = noteRejection(noteRejection(newQuota('user'), minuteMs, 0), minuteMs, 10);

    expect(quota.rejections).toBe(1);
  });
});

describe('the estimated cost of a call', () => {
  test('is the rise in usage divided by the answers since the last rise', () => {
    // Whole percents that rise with every fourth call: 0.25 % each.
    const percents = Array.from({ length: 80 }, (_, index) => Math.floor(index / 4));

    expect(quotaAt(...percents).costPercent).toBeCloseTo(0.25, 3);
  });

  test('is at most one percent divided by the number of answers without a rise', () => {
    expect(quotaAt(...Array<number>(51).fill(0)).costPercent).toBe(1 / 50);
  });

  test('is almost zero without usage headers, and is corrected by the first header', () => {
    const silent = noteSilence(quotaAt(0), 1000);

    expect(silent.costPercent).toBe(1 / 1000);
    expect(noteUsage(silent, { percent: 50, regainMs: 0 }, 1).costPercent).toBeCloseTo(0.025, 3);
  });

  test('is not estimated while usage leaves the window', () => {
    const quota = quotaAt(0, 10, 20);
    const later = noteUsage(quota, { percent: 80, regainMs: 0 }, dayMs);

    expect(later.costPercent).toBe(quota.costPercent);
  });
});

describe('the decision over several scopes', () => {
  test.each<[string, Decision[], Decision]>([
    [
      'the longest wait',
      [go, { kind: 'wait', ms: 5 }, { kind: 'wait', ms: 9 }],
      { kind: 'wait', ms: 9 },
    ],
    [
      'a wait rather than the queue',
      [{ kind: 'queue' }, { kind: 'wait', ms: 5 }],
      { kind: 'wait', ms: 5 },
    ],
    ['the queue rather than going', [go, { kind: 'queue' }], { kind: 'queue' }],
    ['going when every scope lets the call go', [go, go], go],
  ])('is %s', (_name, decisions, decision) => {
    expect(strictest(decisions)).toEqual(decision);
  });
});

describe('the status of a scope', () => {
  test('is free, slowed from 75 % and stopped from 95 %', () => {
    const statuses = [74, 75, 94, 95].map((percent) => statusOf(quotaAt(percent), 'free', 0));

    expect(statuses.map(({ state }) => state)).toEqual(['free', 'slowed', 'slowed', 'stopped']);
    expect(statuses[3]).toEqual({ state: 'stopped', percent: 95, untilMs: hourMs });
    expect(statuses[1]).toEqual({ state: 'slowed', percent: 75, untilMs: null });
  });

  test('returns to free only well below 75 %, so that it does not flicker', () => {
    expect(statusOf(quotaAt(72), 'slowed', 0).state).toBe('slowed');
    expect(statusOf(quotaAt(69), 'slowed', 0).state).toBe('free');
    expect(statusOf(quotaAt(94.5), 'stopped', 0).state).toBe('stopped');
  });

  test('is stopped and used up until the announced end of the block, whatever was reported', () => {
    const quota = noteRejection(quotaAt(10), hourMs, 0);

    expect(statusOf(quota, 'free', 0)).toEqual({
      state: 'stopped',
      percent: 100,
      untilMs: hourMs,
    });
    expect(statusOf(quota, 'stopped', hourMs).state).toBe('free');
  });

  test('is used up while it is blocked, where the API has reported no usage', () => {
    const quota = noteRejection(newQuota('app'), hourMs, 0);

    expect(statusOf(quota, 'free', 0).percent).toBe(100);
    expect(statusOf(quota, 'stopped', hourMs)).toMatchObject({ state: 'free', percent: 0 });
  });
});
