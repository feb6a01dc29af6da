import { describe, expect, test } from '@jest/globals';
import {
  countOf,
  flattened,
  isChanged,
  newsOf,
  packRead,
  readOf,
  settlingMs,
} from '../../../src/core/comments.ts';
import type { CommentsRead } from '../../../src/core/comments.ts';
import type { Node } from '../../../src/core/json.ts';

const nowMs = Date.UTC(2026, 4, 12, 12);
const minutesAgo = (minutes: number): string =>
  new Date(nowMs - minutes * 60_000).toISOString().replace('.000Z', '+0000');
const comment = (id: string, minutes: number): Node => ({ id, timestamp: minutesAgo(minutes) });

describe('what is remembered of a media', () => {
  test.each<CommentsRead>([
    { count: 0, newestMs: null },
    { count: 12, newestMs: nowMs },
    { count: null, newestMs: nowMs },
    { count: 0xff_ff_fe, newestMs: Date.UTC(2100, 0, 1) },
  ])('is %j again, from 64 bits', (read) => {
    const packed = packRead(read);

    expect(packed < 2n ** 64n).toBe(true);
    expect(readOf('18000000000000001', new Map([['18000000000000001', packed]]))).toEqual(read);
  });

  test('is nothing for a media that was never read', () => {
    expect(readOf('18000000000000001', new Map())).toBeUndefined();
  });
});

describe('isChanged', () => {
  const listed = (count: number) => ({ id: '1', comments_count: count });

  test.each([
    ['never read, with comments', listed(2), undefined],
    ['that counts more', listed(3), { count: 2, newestMs: null }],
    ['that counts fewer', listed(1), { count: 2, newestMs: null }],
    ['that must be read again', listed(2), { count: null, newestMs: null }],
  ])('is told of a media %s', (_what, media, before) => {
    expect(isChanged(media, before)).toBe(true);
  });

  test.each([
    ['never read, without comments', listed(0), undefined],
    ['of a list that does not say', { id: '1' }, undefined],
    ['that counts as many as before', listed(2), { count: 2, newestMs: null }],
    ['with more than can be remembered', listed(99_999_999), { count: 0xff_ff_fe, newestMs: null }],
  ])('is not told of a media %s', (_what, media, before) => {
    expect(isChanged(media, before)).toBe(false);
  });
});

describe('countOf', () => {
  test.each([5e-324, -1, 2 ** 53, '3', null])('takes %j for no count', (count) => {
    expect(countOf({ id: '1', comments_count: count })).toBeUndefined();
    expect(isChanged({ id: '1', comments_count: count }, undefined)).toBe(false);
  });
});

describe('flattened', () => {
  test('gives a comment and its replies their places, and no replies within', () => {
    const top = { id: '1', text: 'a', replies: { data: [{ id: '2' }] } };

    expect(flattened('9', top, [{ id: '2', text: 'b' }])).toEqual([
      { id: '1', text: 'a', media_id: '9' },
      { id: '2', text: 'b', media_id: '9', parent_id: '1' },
    ]);
  });
});

describe('newsOf', () => {
  const found = [comment('3', 5), comment('2', 30), comment('1', 60)];

  test('is everything of a media that was never read', () => {
    expect(newsOf(found, { count: 4, before: undefined, nowMs })).toEqual({
      news: found,
      read: { count: 4, newestMs: nowMs - 5 * 60_000 },
    });
  });

  test('is what was written after the newest that was published, replies below old ones too', () => {
    const before = { count: 2, newestMs: nowMs - 30 * 60_000 };

    expect(newsOf(found, { count: 3, before, nowMs }).news).toEqual([comment('3', 5)]);
  });

  test('leaves what was written in the last minute to the next poll, which reads the media again', () => {
    const young = {
      id: '4',
      timestamp: new Date(nowMs - settlingMs + 1000).toISOString().replace('.000', ''),
    };

    expect(newsOf([young, ...found], { count: 4, before: undefined, nowMs })).toEqual({
      news: found,
      read: { count: null, newestMs: nowMs - 5 * 60_000 },
    });
  });

  test('remembers the newest of before when nothing is new', () => {
    const before = { count: 9, newestMs: nowMs };

    expect(newsOf(found, { count: 3, before, nowMs })).toEqual({
      news: [],
      read: { count: 3, newestMs: nowMs },
    });
  });

  test('remembers no newest where there is nothing to see', () => {
    expect(newsOf([], { count: 1, before: undefined, nowMs })).toEqual({
      news: [],
      read: { count: 1, newestMs: null },
    });
  });

  test.each([{ id: '1' }, { id: '1', timestamp: 'yesterday' }])(
    'is a comment whose time cannot be read, for the mapping to judge: %j',
    (odd) => {
      const before = { count: 2, newestMs: nowMs };

      expect(newsOf([odd], { count: 3, before, nowMs }).news).toEqual([odd]);
    },
  );
});
