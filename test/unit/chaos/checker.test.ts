import { describe, expect, test } from '@jest/globals';
import { check } from '../../chaos/checker/check.ts';
import type { Log } from '../../chaos/checker/logged.ts';
import type { Expected } from '../../chaos/checker/truth.ts';
import { STREAM_NAMES } from '../../integration/end-to-end/expected-records.ts';
import { type MadeTransaction, ACCOUNT, logOfTransactions, published } from './logs.ts';

const nothing = Object.fromEntries(
  STREAM_NAMES.map((name) => [name, new Map()]),
) as unknown as Expected;

/** The number of findings of each kind in a log. */
function count(log: Log, expected: Partial<Expected> = {}, comments: readonly string[] = []) {
  const records = { ...nothing, ...expected };
  const findings = check(log, { records, comments: new Set(comments) }, []);
  return Object.fromEntries(
    Object.entries(findings).map(([name, lines]) => [name, (lines as string[]).length]),
  );
}

const none = { lost: 0, duplicated: 0, reordered: 0, state_ahead: 0, state_behind: 0 };

/** Two polls of media: the second finds a change. */
const media: readonly MadeTransaction[] = [
  {
    stream: 'media',
    poll: 1,
    sequence: 1,
    records: { 11: { likes: 1 }, 12: { likes: 1 } },
    state: published({ 11: 101, 12: 121, 13: 0 }),
  },
  {
    stream: 'media',
    poll: 2,
    sequence: 2,
    records: { 11: { likes: 2 } },
    state: published({ 11: 102, 12: 121, 13: 0 }),
  },
];
const [firstMedia, secondMedia] = media as [MadeTransaction, MadeTransaction];

const day = (date: string, reach: number) => ({
  date: Date.parse(date),
  follower_count: null,
  reach,
  reach_week: null,
  reach_days_28: null,
  online_followers: null,
});
const monday = '2026-05-11T07:00:00Z';
const tuesday = '2026-05-12T07:00:00Z';
const firstDay: MadeTransaction = {
  stream: 'user_insights',
  poll: 1,
  sequence: 1,
  records: { [`${ACCOUNT}/${monday}`]: { ...day(monday, 5), online_followers: {} } },
  state: { cursor: Date.parse(monday), days: [day(monday, 5)] },
};
const secondDay: MadeTransaction = {
  stream: 'user_insights',
  poll: 2,
  sequence: 2,
  records: { [`${ACCOUNT}/${tuesday}`]: day(tuesday, 6) },
  state: { cursor: Date.parse(tuesday), days: [day(monday, 5), day(tuesday, 6)] },
};

const users = (poll: number, sequence: number): MadeTransaction => ({
  stream: 'users',
  poll,
  sequence,
  records: { [ACCOUNT]: { followers_count: 7 } },
});

describe('the chaos checker', () => {
  test('reports nothing for a correct log', () => {
    const log = logOfTransactions([
      ...media,
      firstDay,
      secondDay,
      // Snapshots repeat their values.
      users(1, 1),
      users(2, 2),
      { stream: 'stories', poll: 1, sequence: 1, records: {}, deadLetters: 2 },
    ]);
    expect(count(log)).toEqual(none);
  });

  test('accepts a poll of several transactions', () => {
    const log = logOfTransactions([firstMedia, { ...secondMedia, poll: 1 }]);
    expect(count(log)).toEqual(none);
  });
});

describe('chaos checker: the last record of a story', () => {
  const story = (outcome: string | null) => ({ stories: [{ id: '21', outcome }] });
  const live: MadeTransaction = {
    stream: 'story_insights',
    poll: 1,
    sequence: 1,
    records: { 21: { reach: 5 } },
    state: { ...published({ 21: 7 }), ...story(null) },
  };
  const last: MadeTransaction = {
    stream: 'story_insights',
    poll: 2,
    sequence: 2,
    records: { 21: { reach: 5, is_final: true } },
    state: story('final'),
  };
  const repeated = { ...last, poll: 3, sequence: 3, records: { 21: { reach: 6, is_final: true } } };

  test('is accepted beside the state that tells of it', () => {
    expect(count(logOfTransactions([live, last]))).toEqual(none);
  });

  test('is accepted beside a state that forgets the story at once', () => {
    expect(count(logOfTransactions([live, { ...last, state: { stories: [] } }]))).toEqual(none);
  });

  test('is a state behind when the state has told of it before', () => {
    expect(count(logOfTransactions([live, last, repeated]))).toEqual({ ...none, state_behind: 1 });
  });

  test('is missing when only the state tells of it', () => {
    const log = logOfTransactions([live, { ...last, broken: 'state-alone' }]);

    expect(count(log)).toMatchObject({ state_ahead: expect.any(Number) });
    expect(count(log)['state_ahead']).toBeGreaterThan(0);
  });
});

describe('chaos checker: a lost value', () => {
  test.each([
    ['its key is missing', { 99: { likes: 1 } }],
    ['another value is the last of its key', { 11: { likes: 1 } }],
    ['the record lacks a field', { 11: { likes: 2, saves: 1 } }],
    ['the record has an additional field', { 11: {} }],
  ])('is reported when %s', (_when, values) => {
    const expected = { media: new Map(Object.entries(values)) };
    expect(count(logOfTransactions(media), expected)).toEqual({ ...none, lost: 1 });
  });

  test('is not reported when only the URL signatures of the last value differ', () => {
    const log = logOfTransactions([
      { ...firstMedia, records: { 11: { media_url: 'https://cdn/a?sig=1' }, 12: {} } },
    ]);
    const expected = { media: new Map([['11', { media_url: 'https://cdn/a' }]]) };
    expect(count(log, expected)).toEqual(none);
  });

  test('is not reported when the API has dropped the published hours meanwhile', () => {
    const key = `${ACCOUNT}/${monday}`;
    const seen = { ...day(monday, 5), online_followers: { 0: 3 } };
    const log = logOfTransactions([
      { ...firstDay, records: { [key]: seen }, state: { ...firstDay.state, days: [seen] } },
    ]);
    const expected = {
      user_insights: new Map([[key, { ...day(monday, 5), online_followers: {} }]]),
    };
    expect(count(log, expected)).toEqual(none);
  });

  test('is reported when it was found after an earlier round', () => {
    const { lost } = check(logOfTransactions([]), { records: nothing, comments: new Set() }, [
      'after round 1: media 11',
    ]);
    expect(lost).toEqual(['after round 1: media 11']);
  });
});

describe('chaos checker: a comment', () => {
  const [first] = logOfTransactions([firstMedia]).streams.get('media') ?? [];
  if (first === undefined) throw new Error('a record is needed');
  const logOf = (...keys: readonly string[]): Log => ({
    ...logOfTransactions([]),
    comments: keys.map((key, index) => ({ ...first, key, offset: BigInt(index) })),
  });

  test('is lost when it is not published, and duplicated when it is published again', () => {
    expect(count(logOf('1', '2'), {}, ['1', '2'])).toEqual(none);
    expect(count(logOf('1'), {}, ['1', '2'])).toEqual({ ...none, lost: 1 });
    expect(count(logOf('1', '2', '1'), {}, ['1', '2'])).toEqual({ ...none, duplicated: 1 });
  });
});

describe('chaos checker: a duplicate record', () => {
  test('is reported when it equals the previous record of its key', () => {
    const repeated = { ...secondMedia, records: { 11: { likes: 1 } } };
    expect(count(logOfTransactions([firstMedia, repeated]))).toEqual({ ...none, duplicated: 1 });
  });

  test('is not reported when the value changed and then came back', () => {
    const back = { ...secondMedia, poll: 3, sequence: 3, records: { 11: { likes: 1 } } };
    const state = published({ 11: 101, 12: 121 });
    expect(count(logOfTransactions([...media, { ...back, state }]))).toEqual(none);
  });

  test('is reported for a snapshot when the same poll has already published the key', () => {
    const log = logOfTransactions([users(1, 1), users(1, 2)]);
    expect(count(log)).toEqual({ ...none, duplicated: 1 });
  });
});

describe('chaos checker: a reordered key', () => {
  test('is reported when a record was polled before the previous one', () => {
    const late = { ...secondMedia, records: { 11: { likes: 2, polled_at: 500 } } };
    expect(count(logOfTransactions([firstMedia, late]))).toEqual({ ...none, reordered: 1 });
  });

  test('is reported when the key is in two partitions', () => {
    const log = logOfTransactions(media);
    const moved = (log.streams.get('media') ?? []).map((record, index) =>
      index === 2 ? { ...record, partition: 1 } : record,
    );
    const streams = new Map([...log.streams, ['media', moved] as const]);
    expect(count({ ...log, streams })).toEqual({ ...none, reordered: 1 });
  });
});

describe('chaos checker: a state that is ahead', () => {
  test('is reported when an earlier transaction is missing', () => {
    const log = logOfTransactions([users(1, 1), users(2, 3)]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1 });
  });

  test('is reported when no published media match its fingerprints', () => {
    const log = logOfTransactions([{ ...firstMedia, broken: 'state-alone' }]);
    // One for each media, and one for the poll without records.
    expect(count(log)).toEqual({ ...none, state_ahead: 3 });
  });

  test('is reported when one of its media is missing from the transaction', () => {
    const log = logOfTransactions([{ ...firstMedia, records: { 11: { likes: 1 } } }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1 });
  });

  test('is reported when it was committed before its records', () => {
    const log = logOfTransactions([{ ...users(1, 1), broken: 'state-first' }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1, state_behind: 1 });
  });

  test('is reported when its cursor or its days exceed the published days', () => {
    const { state } = secondDay;
    const log = logOfTransactions([{ ...firstDay, ...(state && { state }) }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 2 });
  });
});

describe('chaos checker: a state that is behind', () => {
  test('is reported when its sequence is repeated', () => {
    const log = logOfTransactions([users(1, 1), users(2, 1)]);
    expect(count(log)).toEqual({ ...none, state_behind: 1 });
  });

  test('is reported when records have no state', () => {
    const log = logOfTransactions([{ ...firstMedia, broken: 'records-alone' }]);
    expect(count(log)).toEqual({ ...none, state_behind: 2 });
  });

  test('is reported when records were committed before it was sent', () => {
    const log = logOfTransactions([{ ...users(1, 1), broken: 'records-first' }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1, state_behind: 1 });
  });

  test('is reported when it lacks a record of its transaction', () => {
    const log = logOfTransactions([firstMedia, { ...secondMedia, state: firstMedia.state ?? {} }]);
    expect(count(log)).toEqual({ ...none, state_behind: 1 });
  });

  test('is reported as ahead as well when its day and the record have different values', () => {
    const other = { cursor: Date.parse(monday), days: [day(monday, 4)] };
    expect(count(logOfTransactions([{ ...firstDay, state: other }]))).toEqual({
      ...none,
      state_ahead: 1,
      state_behind: 1,
    });
  });

  test('is reported as ahead as well when another producer wrote the records', () => {
    const log = logOfTransactions([users(1, 1)]);
    const states = log.states.map((state) => ({ ...state, producer: '7/1' }));
    expect(count({ ...log, states })).toEqual({ ...none, state_ahead: 1, state_behind: 1 });
  });
});
