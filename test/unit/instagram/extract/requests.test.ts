import { describe, expect, test } from '@jest/globals';
import { nextCursor } from '../../../../src/instagram/extract/requests.ts';
import { thrownBy } from '../../../support/frozen.ts';

const next = 'https://graph.facebook.com/v25.0/1/media?access_token=secret&after=B';

describe('nextCursor', () => {
  test('returns the cursor after the last item when there is a next page', () => {
    const seen = new Set<string>(['A']);

    expect(nextCursor({ paging: { cursors: { before: 'a', after: 'B' }, next } }, seen)).toBe('B');
    expect([...seen]).toEqual(['A', 'B']);
  });

  test.each([
    ['no paging', { data: [] }],
    ['cursors but no next', { paging: { cursors: { before: 'a', after: 'B' } } }],
    ['a next that is null', { paging: { cursors: { after: 'B' }, next: null } }],
    ['an empty next', { paging: { cursors: { after: 'B' }, next: '' } }],
    ['a previous but no next', { paging: { cursors: { after: 'B' }, previous: next } }],
  ])('returns no cursor for a body with %s', (_what, body) => {
    expect(nextCursor(body, new Set())).toBeUndefined();
  });

  // Invariant 9
  test.each([
    ['no cursors', { next }, 'null'],
    ['an empty cursor', { cursors: { after: '' }, next }, '""'],
    ['a cursor that is not a string', { cursors: { after: 7 }, next }, '7'],
    ['a repeated cursor', { cursors: { after: 'A' }, next }, '"A"'],
  ])(
    'rejects a next page with %s, without printing its URL (Invariant 9)',
    (_what, paging, raw) => {
      const error = thrownBy(() => nextCursor({ paging }, new Set(['A'])));

      expect(error).toMatchObject({ code: 'graph.bad-body', path: 'paging.cursors.after', raw });
      expect((error as Error).message).not.toContain('secret');
    },
  );
});
