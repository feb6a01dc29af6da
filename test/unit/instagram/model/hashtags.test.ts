import { describe, expect, test } from '@jest/globals';
import {
  admitHashtags,
  rememberedHashtags,
  withSearched,
} from '../../../../src/instagram/model/hashtags.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 10, 30);

const names = (count: number, prefix = 'tag') =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

const searched = (name: string, daysAgo: number) => ({
  name,
  id: '17',
  countedMs: nowMs - daysAgo * dayMs,
});

describe('admitHashtags', () => {
  test('admits thirty hashtags that were never searched', () => {
    expect(admitHashtags(names(30), [], nowMs)).toEqual({ admitted: names(30), waiting: [] });
  });

  test('lets a hashtag wait that replaces one within seven days, until that no longer counts', () => {
    const known = names(30).map((name) => searched(name, 3));
    const listed = ['new', ...names(29)];

    expect(admitHashtags(listed, known, nowMs)).toEqual({ admitted: names(29), waiting: ['new'] });
    // After seven days the kept hashtags count anew, before the new one.
    expect(admitHashtags(listed, known, nowMs + 4 * dayMs)).toEqual({
      admitted: listed,
      waiting: [],
    });
  });

  test('admits hashtags that count already without room', () => {
    const known = [...names(20), ...names(10, 'gone')].map((name) => searched(name, 1));

    expect(admitHashtags([...names(20), 'new'], known, nowMs)).toEqual({
      admitted: names(20),
      waiting: ['new'],
    });
  });

  test('prefers hashtags that were searched before to new ones', () => {
    const known = [...names(29, 'gone').map((name) => searched(name, 1)), searched('old', 8)];

    expect(admitHashtags(['new', 'old'], known, nowMs)).toEqual({
      admitted: ['old'],
      waiting: ['new'],
    });
  });

  test('counts a hashtag of the future: the clock was set back', () => {
    const known = names(30, 'gone').map((name) => searched(name, -1));

    expect(admitHashtags(['new'], known, nowMs).waiting).toEqual(['new']);
  });
});

describe('withSearched', () => {
  test('counts a hashtag from its first search on, and anew after seven days', () => {
    const first = withSearched([], { name: 'coke', id: null }, nowMs);
    const second = withSearched(first, { name: 'coke', id: '17' }, nowMs + 6 * dayMs);
    const third = withSearched(second, { name: 'coke', id: '17' }, nowMs + 7 * dayMs);

    expect([first, second, third]).toEqual([
      [{ name: 'coke', id: null, countedMs: nowMs }],
      [{ name: 'coke', id: '17', countedMs: nowMs }],
      [{ name: 'coke', id: '17', countedMs: nowMs + 7 * dayMs }],
    ]);
  });
});

describe('rememberedHashtags', () => {
  test('forgets a removed hashtag after seven days, and no listed one', () => {
    const known = [searched('gone', 7), searched('removed', 6), searched('listed', 30)];

    expect(rememberedHashtags(known, ['listed'], nowMs).map(({ name }) => name)).toEqual([
      'removed',
      'listed',
    ]);
  });
});
