import { describe, expect, test } from '@jest/globals';
import { check } from '../../chaos/checker/check.ts';
import type { Log } from '../../chaos/checker/logged.ts';
import type { Expected } from '../../chaos/checker/truth.ts';
import { STREAM_NAMES } from '../../integration/end-to-end/expected-records.ts';
import { type MadeTransaction, ACCOUNT, logOfTransactions, published } from './logs.ts';

const nothing = Object.fromEntries(
  STREAM_NAMES.map((name) => [name, new Map()]),
) as unknown as Expected;

/** How often each promise is broken in a log. */
function count(log: Log, expected: Partial<Expected> = {}) {
  const findings = check(log, { ...nothing, ...expected }, []);
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

describe('the checker', () => {
  test('finds nothing in a log that is as it must be', () => {
    const log = logOfTransactions([
      ...media,
      firstDay,
      secondDay,
      // Snapshots say the same again.
      users(1, 1),
      users(2, 2),
      { stream: 'stories', poll: 1, sequence: 1, records: {}, deadLetters: 2 },
    ]);
    expect(count(log)).toEqual(none);
  });

  test('takes a poll of several transactions', () => {
    const log = logOfTransactions([firstMedia, { ...secondMedia, poll: 1 }]);
    expect(count(log)).toEqual(none);
  });
});

describe('a value is lost', () => {
  test.each([
    ['when its key is not there', { 99: { likes: 1 } }],
    ['when another value is the last of its key', { 11: { likes: 1 } }],
    ['when a field is missing', { 11: { likes: 2, saves: 1 } }],
    ['when there is a field that it does not have', { 11: {} }],
  ])('%s', (_when, values) => {
    const expected = { media: new Map(Object.entries(values)) };
    expect(count(logOfTransactions(media), expected)).toEqual({ ...none, lost: 1 });
  });

  test('not when it is the last of its key, URLs without their signatures', () => {
    const log = logOfTransactions([
      { ...firstMedia, records: { 11: { media_url: 'https://cdn/a?sig=1' }, 12: {} } },
    ]);
    const expected = { media: new Map([['11', { media_url: 'https://cdn/a' }]]) };
    expect(count(log, expected)).toEqual(none);
  });

  test('not when hours were seen that the API does not tell any more', () => {
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

  test('when it was at an earlier time of rest', () => {
    const { lost } = check(logOfTransactions([]), nothing, ['after round 1: media 11']);
    expect(lost).toEqual(['after round 1: media 11']);
  });
});

describe('a record is a duplicate', () => {
  test('when it says the same as the one before it of its key', () => {
    const repeated = { ...secondMedia, records: { 11: { likes: 1 } } };
    expect(count(logOfTransactions([firstMedia, repeated]))).toEqual({ ...none, duplicated: 1 });
  });

  test('not when the value came back after another', () => {
    const back = { ...secondMedia, poll: 3, sequence: 3, records: { 11: { likes: 1 } } };
    const state = published({ 11: 101, 12: 121 });
    expect(count(logOfTransactions([...media, { ...back, state }]))).toEqual(none);
  });

  test('of a snapshot, when the same poll has published the key', () => {
    const log = logOfTransactions([users(1, 1), users(1, 2)]);
    expect(count(log)).toEqual({ ...none, duplicated: 1 });
  });
});

describe('a key is reordered', () => {
  test('when a record was polled before the one in front of it', () => {
    const late = { ...secondMedia, records: { 11: { likes: 2, polled_at: 500 } } };
    expect(count(logOfTransactions([firstMedia, late]))).toEqual({ ...none, reordered: 1 });
  });

  test('when it lies in two partitions', () => {
    const log = logOfTransactions(media);
    const moved = (log.streams.get('media') ?? []).map((record, index) =>
      index === 2 ? { ...record, partition: 1 } : record,
    );
    const streams = new Map([...log.streams, ['media', moved] as const]);
    expect(count({ ...log, streams })).toEqual({ ...none, reordered: 1 });
  });
});

describe('a state is ahead', () => {
  test('when a transaction before it is missing', () => {
    const log = logOfTransactions([users(1, 1), users(2, 3)]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1 });
  });

  test('when it tells of media that are nowhere', () => {
    const log = logOfTransactions([{ ...firstMedia, broken: 'state-alone' }]);
    // Each of the two, and that the poll has no record at all.
    expect(count(log)).toEqual({ ...none, state_ahead: 3 });
  });

  test('when one of its media is not beside it', () => {
    const log = logOfTransactions([{ ...firstMedia, records: { 11: { likes: 1 } } }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1 });
  });

  test('when it was committed before its records, which come later', () => {
    const log = logOfTransactions([{ ...users(1, 1), broken: 'state-first' }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1, state_behind: 1 });
  });

  test('when its cursor or its days are beyond the days published', () => {
    const { state } = secondDay;
    const log = logOfTransactions([{ ...firstDay, ...(state && { state }) }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 2 });
  });
});

describe('a state is behind', () => {
  test('when its number comes again', () => {
    const log = logOfTransactions([users(1, 1), users(2, 1)]);
    expect(count(log)).toEqual({ ...none, state_behind: 1 });
  });

  test('when records are there without any state', () => {
    const log = logOfTransactions([{ ...firstMedia, broken: 'records-alone' }]);
    expect(count(log)).toEqual({ ...none, state_behind: 2 });
  });

  test('when records were committed before it was sent', () => {
    const log = logOfTransactions([{ ...users(1, 1), broken: 'records-first' }]);
    expect(count(log)).toEqual({ ...none, state_ahead: 1, state_behind: 1 });
  });

  test('when it does not tell of a record beside it', () => {
    const log = logOfTransactions([firstMedia, { ...secondMedia, state: firstMedia.state ?? {} }]);
    expect(count(log)).toEqual({ ...none, state_behind: 1 });
  });

  test('and ahead, when its day has another value than the record', () => {
    const other = { cursor: Date.parse(monday), days: [day(monday, 4)] };
    expect(count(logOfTransactions([{ ...firstDay, state: other }]))).toEqual({
      ...none,
      state_ahead: 1,
      state_behind: 1,
    });
  });

  test('when another producer wrote the records', () => {
    const log = logOfTransactions([users(1, 1)]);
    const states = log.states.map((state) => ({ ...state, producer: '7/1' }));
    expect(count({ ...log, states })).toEqual({ ...none, state_ahead: 1, state_behind: 1 });
  });
});
