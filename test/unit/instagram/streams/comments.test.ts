import { describe, expect, test } from '@jest/globals';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { comments } from '../../../../src/instagram/streams/comments.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

describe('stream comments', () => {
  test.each(['facebook', 'instagram'] as const)(
    'requests the list with its counts, and the comments of media that have some, with %s login',
    async (login) => {
      const listed = [
        { id: '1', comments_count: 2 },
        { id: '2', comments_count: 0 },
      ];
      const fields = 'id,timestamp,text,like_count,hidden,username,from';

      expect(await requestsOf(comments, { login, listed })).toEqual([
        {
          path: '/17841400000000001/media',
          query: {
            fields: `id,media_type,media_product_type,timestamp,like_count,comments_count${login === 'facebook' ? ',saved_count,shares_count,reposts_count,total_views_count' : ''}`,
            limit: '100',
          },
        },
        {
          path: '/1/comments',
          query: { fields: `${fields},replies.limit(50){${fields}}`, limit: '50' },
        },
      ]);
    },
  );

  test('maps a reply, and missing fields to null', () => {
    const node = { id: '2', text: 'b', media_id: '9', parent_id: '1' };

    expect(comments.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        id: '2',
        media_id: '9',
        parent_id: '1',
        timestamp: null,
        text: 'b',
        like_count: null,
        hidden: null,
        username: null,
        from: null,
      }),
    );
  });

  test('publishes every comment that extraction found to be new', () => {
    const context = { checkpoint: emptyCheckpoint, nowMs: 0, lookbackMs: 0, coveredUntilMs: null };
    const records = [{ id: '1' }];

    expect(comments.detectChanges?.(records, context)).toEqual({
      records,
      checkpoint: emptyCheckpoint,
    });
  });
});
