import { describe, expect, test } from '@jest/globals';
import {
  countOf,
  isChanged,
  isKnown,
  packRead,
  commentNode,
  readOf,
  withSeen,
  type CommentsRead,
} from '../../../../src/instagram/model/comments.ts';
import type { Node } from '../../../../src/engine/json.ts';

const nowMs = Date.UTC(2026, 4, 12, 12);
const minutesAgo = (minutes: number): string =>
  new Date(nowMs - minutes * 60_000).toISOString().replace('.000Z', '+0000');
const comment = (id: string, minutes: number): Node => ({ id, timestamp: minutesAgo(minutes) });

describe('packed comments state of a media', () => {
  test.each<CommentsRead>([
    { count: 0, newestMs: null },
    { count: 12, newestMs: nowMs },
    { count: null, newestMs: nowMs },
    { count: 0xff_ff_fe, newestMs: Date.UTC(2100, 0, 1) },
  ])('decodes from 64 bits to %j', (read) => {
    const packed = packRead(read);

    expect(packed < 2n ** 64n).toBe(true);
    expect(readOf('18000000000000001', new Map([['18000000000000001', packed]]))).toEqual(read);
  });

  test('decodes to undefined for a media that was never read', () => {
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
  ])('is true for a media %s', (_what, media, before) => {
    expect(isChanged(media, before, 0)).toBe(true);
  });

  test.each([
    ['true for more comments than webhooks have delivered', listed(5), 2, true],
    ['false for as many comments as webhooks have delivered', listed(4), 2, false],
    ['true when a delivered comment was deleted', listed(3), 2, true],
  ])('is %s', (_what, media, delivered, expected) => {
    expect(isChanged(media, { count: 2, newestMs: null }, delivered)).toBe(expected);
  });

  test('is false for a media never read whose comments webhooks have all delivered', () => {
    expect(isChanged(listed(2), undefined, 2)).toBe(false);
  });

  test.each([
    ['never read, without comments', listed(0), undefined],
    ['without a count in the list', { id: '1' }, undefined],
    ['that counts as many as before', listed(2), { count: 2, newestMs: null }],
    [
      'with more comments than the count can hold',
      listed(99_999_999),
      { count: 0xff_ff_fe, newestMs: null },
    ],
  ])('is false for a media %s', (_what, media, before) => {
    expect(isChanged(media, before, 0)).toBe(false);
  });
});

describe('countOf', () => {
  test.each([5e-324, -1, 2 ** 53, '3', null])('returns no count for %j', (count) => {
    expect(countOf({ id: '1', comments_count: count })).toBeUndefined();
    expect(isChanged({ id: '1', comments_count: count }, undefined, 0)).toBe(false);
  });
});

describe('commentNode', () => {
  test('adds the media to a comment and the parent to a reply, and removes nested replies', () => {
    const top = { id: '1', text: 'a', replies: { data: [{ id: '2' }] } };

    expect(commentNode(top, '9')).toEqual({ id: '1', text: 'a', media_id: '9' });
    expect(commentNode({ id: '2', text: 'b' }, '9', top)).toEqual({
      id: '2',
      text: 'b',
      media_id: '9',
      parent_id: '1',
    });
  });
});

describe('isKnown', () => {
  const before = { count: 2, newestMs: nowMs - 30 * 60_000 };

  test('compares by id when all ids are remembered, however old the comment is', () => {
    const known = { ids: new Set(['1']), delivered: undefined, before };

    expect(isKnown(comment('1', 5), '1', known)).toBe(true);
    expect(isKnown(comment('2', 600), '2', known)).toBe(false);
  });

  test('compares by time when the ids are not remembered', () => {
    const known = { ids: undefined, delivered: undefined, before };

    expect(isKnown(comment('1', 30), '1', known)).toBe(true);
    expect(isKnown(comment('2', 29), '2', known)).toBe(false);
  });

  test.each([{ id: '1' }, { id: '1', timestamp: 'yesterday' }])(
    'is false when the comment has no readable time: %j',
    (odd) => {
      expect(isKnown(odd, '1', { ids: undefined, delivered: undefined, before })).toBe(false);
    },
  );

  test('is true for a comment that a webhook has delivered, newer than the last reading', () => {
    const known = { ids: undefined, delivered: new Set(['1']), before };

    expect(isKnown(comment('1', 5), '1', known)).toBe(true);
  });

  test('is false for a media that was never read', () => {
    expect(
      isKnown(comment('1', 30), '1', { ids: undefined, delivered: undefined, before: undefined }),
    ).toBe(false);
  });
});

describe('withSeen', () => {
  const group = (media: number, count: number) =>
    new Set(Array.from({ length: count }, (_, index) => `${media}${index}`));

  test('moves the media read last to the end', () => {
    const seen = withSeen(
      new Map([
        ['1', new Set(['11'])],
        ['2', new Set(['21'])],
      ]),
      '1',
      new Set(['12']),
    );

    expect([...seen]).toEqual([
      ['2', new Set(['21'])],
      ['1', new Set(['12'])],
    ]);
  });

  test('forgets a media that has too many comments, or whose comments are not all known', () => {
    const seen = new Map([['1', new Set(['11'])]]);

    expect(withSeen(seen, '1', group(1, 2001)).size).toBe(0);
    expect(withSeen(seen, '1', null).size).toBe(0);
    expect(withSeen(seen, '1', group(1, 2000)).size).toBe(1);
  });

  test('forgets the media read longest ago above 25,000 comments in total', () => {
    let seen: ReturnType<typeof withSeen> = new Map();
    for (let media = 1; media <= 13; media += 1)
      seen = withSeen(seen, `m${media}`, group(media, 2000));

    expect([...seen.keys()]).toEqual([...Array(12).keys()].map((index) => `m${index + 2}`));
  });
});
