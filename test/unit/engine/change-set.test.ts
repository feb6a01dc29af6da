import { describe, expect, test } from '@jest/globals';
import { changesOf, nothing, withNothing, withoutGone } from '../../../src/engine/change-set.ts';

const media = (id: string, likes: number, polledAt = 0) => ({
  key: id,
  record: { id, polled_at: polledAt, like_count: likes },
});

describe('changesOf', () => {
  test('keeps new and changed records, and stores the fingerprint of both', () => {
    const first = changesOf([media('1', 5), media('2', 5)], new Map(), 'changes');
    const second = changesOf(
      [media('1', 5, 9), media('2', 6, 9), media('3', 0, 9)],
      first.published,
      'changes',
    );

    expect(first.records).toHaveLength(2);
    expect(second.records.map(({ id }) => id)).toEqual(['2', '3']);
    expect([...second.published.keys()]).toEqual(['1', '2', '3']);
  });

  test('publishes each change when a value changes and then changes back', () => {
    let published: ReadonlyMap<string, bigint> = new Map();
    const counts = [5, 6, 5].map((likes) => {
      const changes = changesOf([media('1', likes)], published, 'changes');
      published = changes.published;
      return changes.records.length;
    });

    expect(counts).toEqual([1, 1, 1]);
  });

  test('keeps every record in the mode "always"', () => {
    const first = changesOf([media('1', 5)], new Map(), 'always');

    expect(changesOf([media('1', 5)], first.published, 'always').records).toHaveLength(1);
  });

  test('does not modify its input', () => {
    const published = new Map([['1', 7n]]);
    changesOf([media('1', 5), media('2', 5)], published, 'changes');

    expect([...published]).toEqual([['1', 7n]]);
  });
});

describe('withNothing', () => {
  test('stores an empty result for each object without data, and keeps published fingerprints', () => {
    expect([...withNothing(new Map([['1', 7n]]), ['1', '2'])]).toEqual([
      ['1', 7n],
      ['2', nothing],
    ]);
  });
});

describe('withoutGone', () => {
  const walkOf = (ids: readonly string[]) => ({
    present: new Set(ids),
    expired: new Set<string>(),
    claimed: null,
  });

  test('drops deleted objects, and returns the keys of those that had been published', () => {
    const published = new Map([
      ['1', 7n],
      ['2', 8n],
      ['3', nothing],
    ]);

    expect(withoutGone(published, walkOf(['1']))).toEqual({
      published: new Map([['1', 7n]]),
      gone: ['2'],
    });
  });

  test('drops nothing when every object is still listed', () => {
    const published = new Map([['1', 7n]]);

    expect(withoutGone(published, walkOf(['1', '2']))).toEqual({ published, gone: [] });
  });
});
