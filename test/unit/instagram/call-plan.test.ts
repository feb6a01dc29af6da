import { describe, expect, test } from '@jest/globals';
import type { Calendar } from '../../../src/engine/schedule.ts';
import {
  accountCalls,
  callLimit,
  fittingIntervals,
  planPlatform,
} from '../../../src/instagram/call-limits.ts';
import {
  type AccountContent,
  type CallPlanSettings,
  planCalls,
} from '../../../src/instagram/call-plan.ts';
import { withExtra } from '../../../src/instagram/extract/requested.ts';
import { type InstagramStreamName, streams } from '../../../src/instagram/streams/index.ts';
import { dayMs, hourMs, startMs } from '../engine/world.ts';

const calm: Calendar = { nextRunMs: () => null, quietUntilMs: () => null };

function settingsOf(
  intervals: Partial<Record<InstagramStreamName, number>>,
  changes: Partial<CallPlanSettings> = {},
): CallPlanSettings {
  const names = Object.keys(intervals) as readonly InstagramStreamName[];
  return {
    streams: names.map((name) => ({ stream: streams[name], intervalMs: intervals[name] ?? 0 })),
    calendar: calm,
    tiers: [
      { untilAgeMs: 2 * dayMs, everyMs: 0 },
      { untilAgeMs: 30 * dayMs, everyMs: dayMs },
      { untilAgeMs: Infinity, everyMs: 7 * dayMs },
    ],
    wholeListMs: dayMs,
    newestMs: 2 * dayMs,
    pageSize: 100,
    lookbackMs: 2 * dayMs,
    startDateMs: null,
    publicContent: { users: [], hashtags: [] },
    nowMs: startMs,
    ...changes,
  };
}

const aged = (...agesMs: readonly number[]): AccountContent => ({
  mediaMs: agesMs.map((ageMs) => startMs - ageMs),
  storiesADay: 0,
});

function callsOf(
  content: AccountContent,
  settings: CallPlanSettings,
): Readonly<Record<string, readonly [first: number, day: number]>> {
  const plan = planCalls(content, settings);
  return Object.fromEntries(plan.map(({ stream, first, day }) => [stream.name, [first, day]]));
}

describe('the plan of an account', () => {
  test('counts one call a poll for a profile, and one for each breakdown', () => {
    const settings = settingsOf({ users: hourMs, user_lifetime_insights: dayMs });

    expect(callsOf(aged(), settings)).toEqual({ users: [1, 24], user_lifetime_insights: [3, 3] });
  });

  test('counts a poll every two days as half a poll', () => {
    expect(planCalls(aged(), settingsOf({ users: 2 * dayMs }))[0]?.polls).toBe(0.5);
  });

  test('reads the list of new media at each poll, and the whole list once a day', () => {
    const content = aged(hourMs, ...Array.from({ length: 249 }, () => 100 * dayMs));

    // Three pages; 24 polls read the first, one of them the two others.
    expect(callsOf(content, settingsOf({ media: hourMs }))).toEqual({ media: [3, 26] });
  });

  test.each([
    ['an hour old at each poll', hourMs, 24],
    ['four days old after an eighth of its age', 4 * dayMs, 2],
    ['twenty days old once a day', 20 * dayMs, 1],
    ['a year old once a week', 365 * dayMs, 1 / 7],
  ])('reads the insights of media that are %s', (_what, ageMs, daily) => {
    const seven = aged(...Array.from({ length: 7 }, () => ageMs));
    const settings = settingsOf({ media: hourMs, media_insights: hourMs });

    expect(callsOf(seven, settings)['media_insights']).toEqual([7, Math.round(7 * daily)]);
  });

  test('counts the scan of a list once for all streams that share it', () => {
    const content = aged(100 * dayMs);
    const scans = (intervals: Partial<Record<InstagramStreamName, number>>) =>
      callsOf(content, settingsOf(intervals))['media_insights']?.[1];

    expect(scans({ media: hourMs, media_insights: hourMs })).toBe(0);
    expect(scans({ media: 2 * hourMs, media_insights: hourMs })).toBe(12);
    expect(scans({ media_insights: hourMs })).toBe(24);
  });

  test('reads each live story at each poll, and its navigation by action once an hour', () => {
    const content = { mediaMs: [], storiesADay: 3 };
    const settings = settingsOf({ stories: hourMs / 4, story_insights: hourMs / 4 });

    expect(callsOf(content, settings)).toEqual({
      stories: [1, 96],
      story_insights: [6, 3 * (96 + 24)],
    });
  });

  test('counts an extra metric at each reading, and actions on the profile of stories once an hour', () => {
    const settings = settingsOf({ stories: hourMs / 4, media: hourMs });
    const withExtras = {
      ...settings,
      streams: [
        ...settings.streams,
        {
          stream: withExtra(streams.story_insights, ['profile_activity_actions']),
          intervalMs: hourMs / 4,
        },
        {
          stream: withExtra(streams.media_insights, ['facebook_views', 'total_views']),
          intervalMs: hourMs,
        },
      ],
    };

    expect(callsOf({ ...aged(hourMs, hourMs), storiesADay: 3 }, withExtras)).toMatchObject({
      story_insights: [3 * 3, 3 * (96 + 2 * 24)],
      media_insights: [2 * 3, 2 * 3 * 24],
    });
  });

  test('counts the listed names of public content, apart from the limit of the account', () => {
    const publicContent = { users: ['a', 'b', 'c'], hashtags: ['d', 'e'] };
    const streamsOf = { users: dayMs, discovered_users: 6 * hourMs, hashtag_media: 12 * hourMs };
    const settings = settingsOf(streamsOf, { publicContent });

    expect(callsOf(aged(), settings)).toEqual({
      users: [1, 1],
      discovered_users: [3, 3 * 4],
      hashtag_media: [2 * 3, 2 * 2 * 2],
    });
    expect(accountCalls(planCalls(aged(), settings))).toBe(1);
    expect(fittingIntervals(aged(), settings, 1)).toEqual(new Map());
    expect(fittingIntervals(aged(), settings, 0)).toBeNull();
  });

  test('requests the days that may still change', () => {
    const settings = settingsOf({
      user_insights: 3 * hourMs,
      user_daily_totals: 12 * hourMs,
      user_daily_breakdowns: 24 * hourMs,
    });

    expect(callsOf(aged(), settings)).toMatchObject({
      user_insights: [expect.any(Number), 8 * 4],
      user_daily_totals: [expect.any(Number), 2 * 2 * 3],
      user_daily_breakdowns: [30 * 10, 10 * 3],
    });
  });

  test('counts the runs of a cron expression outside of quiet hours', () => {
    const startOfDay = Math.floor(startMs / dayMs) * dayMs;
    const calendar: Calendar = {
      nextRunMs: (name, afterMs) =>
        name === 'users' ? (Math.floor(afterMs / (6 * hourMs)) + 1) * 6 * hourMs : null,
      quietUntilMs: (ms) =>
        (ms - startOfDay) % dayMs < 12 * hourMs
          ? ms - ((ms - startOfDay) % dayMs) + 12 * hourMs
          : null,
    };
    const plan = planCalls(aged(), settingsOf({ users: hourMs, media: hourMs }, { calendar }));

    expect(plan.map(({ stream, polls }) => [stream.name, polls])).toEqual([
      ['users', 2],
      ['media', 12],
    ]);
  });
});

describe('the intervals that fit a limit', () => {
  const content = { mediaMs: [], storiesADay: 3 };
  const intervals = { stories: hourMs / 4, story_insights: hourMs / 4, users: hourMs };

  test('are none to change while the calls fit', () => {
    expect(fittingIntervals(content, settingsOf(intervals), 1000)).toEqual(new Map());
  });

  test('grow for the costliest stream first, until the calls fit', () => {
    const found = fittingIntervals(content, settingsOf(intervals), 400);

    expect(found).toEqual(new Map([['story_insights', hourMs / 2]]));
  });

  test('are null when a poll a day of each stream does not fit', () => {
    expect(fittingIntervals(content, settingsOf(intervals), 4)).toBeNull();
  });

  test('leave a stream at fixed times as it is', () => {
    const calendar: Calendar = {
      ...calm,
      nextRunMs: (name, afterMs) => (name === 'story_insights' ? afterMs + hourMs / 4 : null),
    };
    const found = fittingIntervals(content, settingsOf(intervals, { calendar }), 400);

    expect(found).toEqual(null);
  });
});

describe('the plan of public content', () => {
  const users = Array.from({ length: 400 }, (_, index) => `user${index}`);
  const publicContent = { users, hashtags: ['sunset'] };
  const planWith = (
    intervals: Partial<Record<InstagramStreamName, number>>,
    others: readonly CallPlanSettings[] = [],
  ) => planPlatform([settingsOf(intervals, { publicContent }), ...others]);

  test('has the calls of all accounts beside the limit of one user of the app', () => {
    const other = settingsOf({ users: hourMs, hashtag_media: 6 * hourMs }, { publicContent });

    expect(planWith({ discovered_users: 6 * hourMs }, [other])).toEqual({
      streams: ['discovered_users', 'hashtag_media'],
      calls: 4 * 400 + 4 * 2,
      limit: 200 * 24,
      fitting: null,
    });
  });

  test('proposes the intervals of the public streams by which their calls fit', () => {
    const intervals = { users: hourMs, discovered_users: hourMs / 12, hashtag_media: hourMs };

    expect(planWith(intervals)).toMatchObject({
      calls: 288 * 400 + 24 * 2,
      fitting: new Map([['discovered_users', 3 * hourMs]]),
    });
  });

  test('is null without a stream of public content', () => {
    expect(planWith({ users: hourMs })).toBeNull();
  });
});

describe('the limit of an account', () => {
  test('is 4,800 calls for each impression, and unknown without any', () => {
    expect([callLimit(2), callLimit(0), callLimit(null)]).toEqual([9600, null, null]);
  });
});
