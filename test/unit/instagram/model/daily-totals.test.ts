import { describe, expect, test } from '@jest/globals';
import {
  dayNode,
  planDays,
  detectChangedTotals,
} from '../../../../src/instagram/model/daily-totals.ts';
import type { DeadLetterError } from '../../../../src/engine/errors.ts';
import type { Node, Value } from '../../../../src/engine/json.ts';
import { emptyCheckpoint, type Checkpoint } from '../../../../src/engine/state.ts';
import type { TotalsRequest } from '../../../../src/instagram/streams/stream.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Noon in UTC, five hours after the day of 11 May ended in California. */
const nowMs = Date.UTC(2026, 4, 12, 12);
const plan = {
  nowMs,
  cursorMs: null,
  coveredUntilMs: null,
  startDateMs: null,
  lookbackMs: 2 * dayMs,
  missingFromMs: null,
};
const endOf = (day: number): number => Date.UTC(2026, 4, day + 1, 7);

describe('planDays', () => {
  const datesOf = (changes: Partial<typeof plan> | Record<string, number>) =>
    planDays({ ...plan, ...changes }).map(({ date }) => date);

  test('begins 30 days back and omits the day that has not ended', () => {
    const dates = datesOf({});

    expect(dates).toHaveLength(30);
    expect([dates.at(0), dates.at(-1)]).toEqual(['2026-04-12', '2026-05-11']);
  });

  test('begins with the first day that ends after the start date', () => {
    expect(datesOf({ startDateMs: Date.UTC(2026, 4, 10) })).toEqual([
      '2026-05-09',
      '2026-05-10',
      '2026-05-11',
    ]);
  });

  test('begins within the reach of the API when the start date is older', () => {
    const dates = datesOf({ startDateMs: Date.UTC(2020, 0, 1) });

    expect([dates.length, dates.at(0)]).toEqual([729, '2024-05-13']);
  });

  test('repeats a day that was last requested less than a look-back after its end', () => {
    expect(datesOf({ cursorMs: endOf(11), coveredUntilMs: endOf(11) - 2 * dayMs + 1 })).toEqual([
      '2026-05-10',
      '2026-05-11',
    ]);
  });

  test('begins with the days that lack a metric, and marks them as catch-up', () => {
    const plan_ = { ...plan, cursorMs: endOf(11), coveredUntilMs: endOf(10) };
    const days = planDays({ ...plan_, missingFromMs: endOf(8) });

    expect(days.map(({ date, catchUp }) => [date, catchUp])).toEqual([
      ['2026-05-09', true],
      ['2026-05-10', true],
      ['2026-05-11', false],
    ]);
  });

  test('repeats a look-back when the state knows only the newest day', () => {
    expect(datesOf({ cursorMs: endOf(11) })).toEqual(['2026-05-10', '2026-05-11']);
  });

  test('repeats a look-back when a clock that was ahead covered future days', () => {
    const ahead = { cursorMs: endOf(11) + 300 * dayMs, coveredUntilMs: endOf(11) + 298 * dayMs };

    expect(datesOf(ahead)).toEqual(['2026-05-10', '2026-05-11']);
  });

  test('plans no day when all days are final and none has ended since', () => {
    expect(datesOf({ cursorMs: endOf(11), coveredUntilMs: nowMs })).toEqual([]);
  });
});

describe('dayNode', () => {
  const day = { date: '2026-05-11', startMs: endOf(10), endMs: endOf(11) };
  const plain: TotalsRequest = { metrics: ['views', 'likes'] };
  const split: TotalsRequest = {
    metrics: ['follows_and_unfollows'],
    parts: { breakdown: 'follow_type', fields: { FOLLOWER: 'follows', NON_FOLLOWER: 'unfollows' } },
  };
  const follows = (results: Node['x']): Node => ({
    data: [{ name: 'follows_and_unfollows', total_value: { breakdowns: [{ results }] } }],
  });
  const found = (results: Node['x']) =>
    dayNode(day, [{ request: split, body: follows(results) }], []);

  test('combines the totals of all answers with the day and its end', () => {
    const body = { data: [{ name: 'views', total_value: { value: 5 } }, { name: 'likes' }] };
    const results = [
      { dimension_values: ['NON_FOLLOWER'], value: 2 },
      { dimension_values: ['FOLLOWER'], value: 3 },
    ];

    expect(
      dayNode(
        day,
        [
          { request: plain, body },
          { request: split, body: follows(results) },
        ],
        [],
      ),
    ).toEqual({
      date: '2026-05-12T07:00:00Z',
      day: '2026-05-11',
      views: 5,
      follows: 3,
      unfollows: 2,
    });
  });

  test('returns 0 for a part that is missing beside another part', () => {
    expect(found([{ dimension_values: ['FOLLOWER'], value: 3 }])).toMatchObject({
      follows: 3,
      unfollows: 0,
    });
  });

  test('returns neither part when the API returns none', () => {
    expect(found([])).toEqual({ date: '2026-05-12T07:00:00Z', day: '2026-05-11' });
  });

  test('ignores a part that maps to no field', () => {
    expect(found([{ dimension_values: ['UNKNOWN'], value: 3 }])).toEqual({
      date: '2026-05-12T07:00:00Z',
      day: '2026-05-11',
      follows: 0,
      unfollows: 0,
    });
  });

  describe('of a breakdown with a map', () => {
    const likes: TotalsRequest = {
      metrics: ['likes'],
      parts: { breakdown: 'media_product_type', fields: 'likes_by_media_product_type' },
    };
    const found = (total: Node) => {
      const body = { data: [{ name: 'likes', total_value: total }] };
      return dayNode(day, [{ request: likes, body }], [])['likes_by_media_product_type'];
    };

    test('has all parts, whatever their names', () => {
      const results = ['REEL', 'AR_EFFECT_PREVIEW', '__proto__'].map((name, index) => ({
        dimension_values: [name],
        value: index + 1,
      }));

      expect(Object.entries(found({ value: 6, breakdowns: [{ results }] }) as Node)).toEqual([
        ['REEL', 1],
        ['AR_EFFECT_PREVIEW', 2],
        ['__proto__', 3],
      ]);
    });

    test('has an empty map for a total of 0, and none where the API has no data', () => {
      expect(found({ value: 0, breakdowns: [{ results: [] }] })).toEqual({});
      expect(found({ breakdowns: [{}] })).toBeUndefined();
      expect(found({ value: 3, breakdowns: [] })).toBeUndefined();
    });
  });

  // Invariant 3
  test('rejects an invalid total and an invalid answer and keeps the others (Invariant 3)', () => {
    const rejected: DeadLetterError[] = [];
    const views = { name: 'views', total_value: { value: 'n/a' } };
    const likes = { name: 'likes', total_value: { value: 3 } };
    const answers = [
      { request: split, body: { data: 'n/a' } },
      { request: plain, body: { data: [views, likes] } },
    ];

    expect(dayNode(day, answers, rejected)).toEqual({
      date: '2026-05-12T07:00:00Z',
      day: '2026-05-11',
      likes: 3,
    });
    expect(rejected.map(({ path }) => path)).toEqual([
      'insights.data',
      'insights.data[0].total_value.value',
    ]);
  });

  test.each(['date', 'day', '__proto__'])('keeps its date beside a metric named %s', (name) => {
    const body = { data: [{ name, total_value: { value: 5 } }] };

    expect(dayNode(day, [{ request: plain, body }], [])).toMatchObject({
      date: '2026-05-12T07:00:00Z',
      day: '2026-05-11',
    });
  });
});

describe('detectChangedTotals', () => {
  const context = {
    checkpoint: emptyCheckpoint,
    nowMs,
    lookbackMs: 2 * dayMs,
    coveredUntilMs: endOf(11),
  };
  const record = (day: number, values: Value): Value => ({
    polled_at: nowMs,
    date: endOf(day),
    day: `2026-05-${day}`,
    views: null,
    likes: null,
    ...values,
  });
  const detect = (records: readonly Value[], checkpoint: Partial<Checkpoint> = {}) =>
    detectChangedTotals(records, { ...context, checkpoint: { ...emptyCheckpoint, ...checkpoint } });
  const knownDay = { dateMs: endOf(11), values: { views: 5, likes: 1 } };

  test('publishes a new day and remembers it while it may change', () => {
    const day = record(11, { views: 5, likes: 0 });

    expect(detect([day])).toEqual({
      records: [day],
      checkpoint: {
        ...emptyCheckpoint,
        cursorMs: endOf(11),
        coveredUntilMs: nowMs - 2 * dayMs,
        totals: [{ dateMs: endOf(11), values: { views: 5, likes: 0 } }],
      },
    });
  });

  test('publishes no day whose totals are unchanged', () => {
    expect(detect([record(11, { views: 5, likes: 1 })], { totals: [knownDay] }).records).toEqual(
      [],
    );
  });

  test('publishes a day again when one of its totals changed', () => {
    const day = record(11, { views: 6, likes: 1 });

    expect(detect([day], { totals: [knownDay] }).records).toEqual([day]);
  });

  test('never replaces a known total with a missing one', () => {
    const { records, checkpoint } = detect([record(11, { views: 6 })], { totals: [knownDay] });

    expect(records).toEqual([record(11, { views: 6, likes: 1 })]);
    expect(checkpoint.totals).toEqual([{ dateMs: endOf(11), values: { views: 6, likes: 1 } }]);
  });

  describe('of breakdowns', () => {
    const both = { likes_by_type: { REEL: 5, POST: 1 }, taps_by_button: {} };
    const packed = { 'likes_by_type.REEL': 5, 'likes_by_type.POST': 1, 'taps_by_button.': 0 };
    const known = { totals: [{ dateMs: endOf(11), values: packed }] };

    test('keep each part in the state, and compare equal at the next poll', () => {
      const { records, checkpoint } = detect([record(11, both)]);

      expect([records, checkpoint.totals]).toEqual([[record(11, both)], known.totals]);
      expect(detect([record(11, both)], known).records).toEqual([]);
    });

    test('replace all parts of a breakdown at once', () => {
      const { records, checkpoint } = detect([record(11, { likes_by_type: { POST: 6 } })], known);

      expect(records).toEqual([record(11, { likes_by_type: { POST: 6 }, taps_by_button: {} })]);
      expect(checkpoint.totals).toEqual([
        { dateMs: endOf(11), values: { 'likes_by_type.POST': 6, 'taps_by_button.': 0 } },
      ]);
    });

    test('never replace a known breakdown with a missing one', () => {
      const taps = { taps_by_button: { EMAIL: 2, 'St. Louis': 1 } };
      const { records, checkpoint } = detect([record(11, taps)], known);

      expect(records).toEqual([record(11, { ...both, ...taps })]);
      expect(detect([record(11, both)], { totals: checkpoint.totals }).records).toEqual([
        record(11, { ...both }),
      ]);
    });

    test('keep incomplete days for the given reach only (Invariant 10)', () => {
      const dayOf = (ago: number) => ({ dateMs: endOf(11) - ago * dayMs, values: packed });
      const totals = Array.from({ length: 40 }, (_, index) => dayOf(40 - index));
      const rejection = { subject: '*', metric: 'x', reason: 'graph.metric-refused' } as const;
      const missing = { ...rejection, untilMs: nowMs + dayMs, missingFromMs: nowMs - 300 * dayMs };
      const checkpoint = { ...emptyCheckpoint, totals, rejections: [missing] };
      const kept = (reachMs?: number) =>
        detectChangedTotals([], { ...context, checkpoint }, reachMs).checkpoint.totals.length;

      expect([kept(14 * dayMs), kept()]).toEqual([13, 40]);
    });
  });

  test('publishes no day without any total', () => {
    const { records, checkpoint } = detect([record(11, {})]);

    expect([records, checkpoint.totals, checkpoint.cursorMs]).toEqual([[], [], null]);
  });

  test('forgets the totals of a day that is final, and moves the cursor to its end', () => {
    const { checkpoint } = detectChangedTotals([record(1, { views: 5 })], {
      ...context,
      coveredUntilMs: endOf(1),
    });

    expect(checkpoint).toMatchObject({ totals: [], cursorMs: endOf(1), coveredUntilMs: endOf(1) });
  });

  test('moves neither cursor nor coverage back (Invariant 2)', () => {
    const before = { cursorMs: endOf(11), coveredUntilMs: endOf(10) };
    const { checkpoint } = detectChangedTotals([record(1, { views: 5 })], {
      ...context,
      checkpoint: { ...emptyCheckpoint, ...before },
      coveredUntilMs: endOf(1),
    });

    expect(checkpoint).toMatchObject(before);
  });

  test('keeps a rejection until a week after it expired', () => {
    const refusal = { subject: '*', metric: 'views', reason: 'graph.metric-refused' } as const;
    const ended = { ...refusal, untilMs: nowMs - 8 * dayMs };
    const open = { ...refusal, metric: 'likes', untilMs: nowMs + dayMs };

    expect(detect([], { rejections: [ended, open] }).checkpoint.rejections).toEqual([open]);
  });
});
