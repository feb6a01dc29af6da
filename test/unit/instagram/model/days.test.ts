import { describe, expect, test } from '@jest/globals';
import {
  type SeriesAnswer,
  mergeDays,
  detectChangedDays,
} from '../../../../src/instagram/model/days.ts';
import type { DeadLetterError } from '../../../../src/engine/errors.ts';
import type { Json, Node, Value } from '../../../../src/engine/json.ts';
import { type DayValues, type Checkpoint, emptyCheckpoint } from '../../../../src/engine/state.ts';
import type { ChangeContext } from '../../../../src/engine/stream.ts';
import { deepFreeze } from '../../../support/frozen.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = Date.UTC(2026, 4, 12, 12);
const may = (day: number) => Date.UTC(2026, 4, day, 7);

describe('mergeDays', () => {
  const request = (metrics: Record<string, string>) => ({ period: 'day', metrics, recentOnly: [] });
  const series = (name: string, values: readonly Node[]) => ({ name, values });

  const merged = (...answers: readonly SeriesAnswer[]) => {
    const rejected: DeadLetterError[] = [];
    return { nodes: mergeDays(answers, rejected), rejected };
  };

  test('returns one node per day, oldest first, with the original end_time', () => {
    const { nodes } = merged(
      {
        request: request({ reach: 'reach' }),
        body: {
          data: [
            series('reach', [
              { value: 2, end_time: '2026-05-11T07:00:00+0000' },
              { value: 1, end_time: '2026-05-10T07:00:00+0000' },
            ]),
          ],
        },
      },
      {
        request: request({ reach: 'reach_week' }),
        body: { data: [series('reach', [{ value: 9, end_time: '2026-05-11T07:00:00+0000' }])] },
      },
    );

    expect(nodes).toEqual([
      { date: '2026-05-10T07:00:00+0000', reach: 1 },
      { date: '2026-05-11T07:00:00+0000', reach: 2, reach_week: 9 },
    ]);
  });

  test('keeps days apart across the start of daylight saving time', () => {
    const body = {
      data: [
        series('reach', [
          { value: 1, end_time: '2026-03-08T08:00:00+0000' },
          { value: 2, end_time: '2026-03-09T07:00:00+0000' },
        ]),
      ],
    };

    expect(merged({ request: request({ reach: 'reach' }), body }).nodes).toEqual([
      { date: '2026-03-08T08:00:00+0000', reach: 1 },
      { date: '2026-03-09T07:00:00+0000', reach: 2 },
    ]);
  });

  test.each(['views', 'constructor', 'toString'])(
    'ignores the metric %s, which was not requested',
    (name) => {
      const body = { data: [series(name, [{ value: 1, end_time: '2026-05-10T07:00:00+0000' }])] };

      expect(merged({ request: request({ reach: 'reach' }), body }).nodes).toEqual([]);
    },
  );

  test('keeps a missing value as null', () => {
    const body = { data: [series('reach', [{ end_time: '2026-05-10T07:00:00+0000' }])] };

    expect(merged({ request: request({ reach: 'reach' }), body }).nodes).toEqual([
      { date: '2026-05-10T07:00:00+0000', reach: null },
    ]);
  });

  const date = '2026-05-10T07:00:00+0000';
  const plain = (...data: readonly Json[]): SeriesAnswer => ({
    request: request({ follower_count: 'follower_count', reach: 'reach' }),
    body: { data },
  });

  // Invariant 3
  test.each([
    ['reach.values[0]', null, 'an object with value and end_time, got null'],
    ['reach.values[0]', 7, 'an object with value and end_time, got number'],
    ['reach.values[0].end_time', { value: 1 }, 'a time, got nothing'],
    ['reach.values[0].end_time', { value: 1, end_time: null }, 'a time, got null'],
  ])('rejects %s of %j and keeps the other days (Invariant 3)', (path, point, words) => {
    const { nodes, rejected } = merged(
      plain(
        { name: 'reach', period: 'day', values: [point, { value: 2, end_time: date }] },
        { name: 'follower_count', values: [{ value: 3, end_time: date }] },
      ),
    );

    expect(nodes).toEqual([{ date, reach: 2, follower_count: 3 }]);
    expect(rejected).toMatchObject([
      {
        name: 'DeadLetterError',
        code: 'mapping.invalid',
        path,
        message: `field "${path}": expected ${words}`,
        raw: JSON.stringify({ name: 'reach', period: 'day', values: [point] }),
      },
    ]);
  });

  test.each([
    ['insights.data[0]', null],
    ['insights.data[0].name', { values: [] }],
    ['reach.values', { name: 'reach' }],
    ['reach.values', { name: 'reach', values: 'n/a' }],
  ])('rejects %s of %j and keeps the other metric', (path, metric) => {
    const { nodes, rejected } = merged(
      plain(metric, { name: 'follower_count', values: [{ value: 3, end_time: date }] }),
    );

    expect(nodes).toEqual([{ date, follower_count: 3 }]);
    expect(rejected.map((error) => error.path)).toEqual([path]);
  });

  test('rejects an answer without a list and keeps the other answers', () => {
    const week = { request: request({ reach: 'reach_week' }), body: {} };
    const { nodes, rejected } = merged(
      week,
      plain({ name: 'reach', values: [{ value: 2, end_time: date }] }),
    );

    expect(nodes).toEqual([{ date, reach: 2 }]);
    expect(rejected.map((error) => error.path)).toEqual(['insights.data']);
  });

  test('rejects online_followers without end_time and keeps the days of other metrics', () => {
    const hours = { name: 'online_followers', values: [{ value: { '0': 5 } }] };
    const { nodes, rejected } = merged(
      plain({ name: 'reach', values: [{ value: 2, end_time: date }] }),
      { request: request({ online_followers: 'online_followers' }), body: { data: [hours] } },
    );

    expect(nodes).toEqual([{ date, reach: 2 }]);
    expect(rejected.map((error) => error.path)).toEqual(['online_followers.values[0].end_time']);
  });
});

const day = (dateMs: number, changes: Partial<DayValues> = {}): DayValues => ({
  dateMs,
  followerCount: null,
  reach: null,
  reachWeek: null,
  reachDays28: null,
  onlineFollowers: null,
  ...changes,
});

const record = (date: number, values: Value = {}): Value => ({
  business_account_id: '1',
  date,
  follower_count: null,
  reach: null,
  reach_week: null,
  reach_days_28: null,
  online_followers: null,
  ...values,
});

const knowing = (...days: readonly DayValues[]): Checkpoint => ({
  ...emptyCheckpoint,
  cursorMs: days.at(-1)?.dateMs ?? null,
  days,
});

function detect(records: readonly Value[], changes: Partial<ChangeContext> = {}) {
  const context = {
    checkpoint: emptyCheckpoint,
    nowMs,
    lookbackMs: 2 * dayMs,
    coveredUntilMs: nowMs + dayMs,
    ...changes,
  };
  return detectChangedDays(deepFreeze(records), deepFreeze(context));
}

describe('detectChangedDays', () => {
  test('publishes each new day', () => {
    const { records } = detect([record(may(11), { reach: 5 }), record(may(12), { reach: 6 })]);

    expect(records).toEqual([record(may(11), { reach: 5 }), record(may(12), { reach: 6 })]);
  });

  test.each([
    ['follower_count', { followerCount: 1 }, { follower_count: 2 }],
    ['reach', { reach: 1 }, { reach: 2 }],
    ['reach_week', { reachWeek: 1 }, { reach_week: 2 }],
    ['reach_days_28', { reachDays28: 1 }, { reach_days_28: 2 }],
    ['online_followers', { onlineFollowers: { '1': 2 } }, { online_followers: { '1': 3 } }],
    ['a value that was missing', { reach: 1 }, { reach: 1, reach_week: 7 }],
    ['a value that became zero', { reach: 1 }, { reach: 0 }],
  ])('publishes a known day again when %s changed', (_what, before, after) => {
    const { records } = detect([record(may(11), after)], {
      checkpoint: knowing(day(may(11), before)),
    });

    expect(records).toEqual([record(may(11), after)]);
  });

  test.each([
    ['equal values', { reach: 5 }, { reach: 5 }],
    [
      'equal hours in another order',
      { onlineFollowers: { '1': 2, '13': 4 } },
      { online_followers: { '13': 4, '1': 2 } },
    ],
    ['no values', { reach: 5 }, {}],
    ['hours that came empty', { onlineFollowers: { '1': 2 } }, { online_followers: {} }],
  ])('publishes no known day again with %s', (_what, before, after) => {
    const checkpoint = knowing(day(may(11), before));
    const changes = detect([record(may(11), after)], { checkpoint });

    expect(changes.records).toEqual([]);
    expect(changes.checkpoint.days).toEqual(checkpoint.days);
  });

  test('keeps the known hours when they are empty beside a change', () => {
    const checkpoint = knowing(day(may(11), { reach: 5, onlineFollowers: { '9': 20 } }));
    const changes = detect([record(may(11), { reach: 6, online_followers: {} })], { checkpoint });

    expect(changes.records).toEqual([record(may(11), { reach: 6, online_followers: { '9': 20 } })]);
    expect(changes.checkpoint.days).toEqual([
      day(may(11), { reach: 6, onlineFollowers: { '9': 20 } }),
    ]);
  });

  test('keeps every known value that is missing beside a change', () => {
    const checkpoint = knowing(day(may(11), { followerCount: 1, reach: 2, reachWeek: 3 }));
    const { records } = detect([record(may(11), { reach_days_28: 4 })], { checkpoint });

    expect(records).toEqual([
      record(may(11), { follower_count: 1, reach: 2, reach_week: 3, reach_days_28: 4 }),
    ]);
  });

  test.each([
    ['no values', {}],
    ['only empty hours', { online_followers: {} }],
  ])('publishes no day with %s', (_what, values) => {
    const changes = detect([record(may(11), values)]);

    expect(changes.records).toEqual([]);
    expect(changes.checkpoint).toMatchObject({ cursorMs: null, days: [] });
  });

  test('publishes a day whose only value is zero', () => {
    expect(detect([record(may(11), { reach: 0 })]).records).toHaveLength(1);
  });

  test('publishes one day for two equal records', () => {
    const { records, checkpoint } = detect([
      record(may(11), { reach: 5 }),
      record(may(11), { reach: 5 }),
    ]);

    expect(records).toHaveLength(1);
    expect(checkpoint.days).toHaveLength(1);
  });
});

describe('date in the future', () => {
  test('is published up to a day ahead of now, for accounts ahead of UTC', () => {
    const { records, checkpoint } = detect([record(nowMs + dayMs, { reach: 1 })]);

    expect(records).toHaveLength(1);
    expect(checkpoint.cursorMs).toBe(nowMs + dayMs);
  });

  test('is neither published nor the cursor when it is more than a day ahead', () => {
    const { records, checkpoint } = detect([
      record(may(11), { reach: 1 }),
      record(nowMs + dayMs + 1, { reach: 1 }),
    ]);

    expect(records.map(({ date }) => date)).toEqual([may(11)]);
    expect(checkpoint.cursorMs).toBe(may(11));
  });
});

describe('checkpoint of user_insights', () => {
  test('holds the newest date, never an older one', () => {
    const checkpoint = knowing(day(may(12), { reach: 1 }));

    expect(detect([record(may(11), { reach: 5 })], { checkpoint }).checkpoint.cursorMs).toBe(
      may(12),
    );
  });

  test('holds every day that the next poll repeats, oldest first', () => {
    const checkpoint = knowing(day(may(8), { reach: 1 }), day(may(9), { reach: 1 }));
    const changes = detect([record(may(11), { reach: 2 }), record(may(10), { reach: 2 })], {
      checkpoint,
    });

    expect(changes.checkpoint.days.map(({ dateMs }) => dateMs)).toEqual([may(9), may(10), may(11)]);
  });

  test.each([
    ['the end of the window', nowMs - 5 * dayMs, null, nowMs - 5 * dayMs],
    ['now less the look-back, when the window ends later', nowMs + dayMs, null, nowMs - 2 * dayMs],
    ['the earlier coverage, when that is later', nowMs - 9 * dayMs, may(5), may(5)],
    ['null without windows', null, null, null],
  ])('is covered until %s', (...row) => {
    const [, coveredUntilMs, before, after] = row;
    const { checkpoint } = detect([], {
      coveredUntilMs,
      checkpoint: { ...emptyCheckpoint, coveredUntilMs: before },
    });

    expect(checkpoint.coveredUntilMs).toBe(after);
  });
});
