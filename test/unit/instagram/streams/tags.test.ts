import { describe, expect, test } from '@jest/globals';
import { tags } from '../../../../src/instagram/streams/tags.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

describe('stream tags', () => {
  test.each(['facebook', 'instagram'] as const)(
    "requests the fields that Meta allows on other people's media, with %s login",
    async (login) => {
      expect(await requestsOf(tags, { login })).toEqual([
        {
          path: '/17841400000000001/tags',
          query: {
            fields:
              'id,media_type,media_product_type,media_url,permalink,thumbnail_url,timestamp,username,caption,comments_count,like_count',
            limit: '100',
          },
        },
      ]);
    },
  );

  test('maps missing fields to null', () => {
    expect(tags.toRecord({ id: '1', username: 'friend' }, origin)).toEqual(
      mappedTo({
        ...provenance,
        id: '1',
        media_type: null,
        media_product_type: null,
        media_url: null,
        permalink: null,
        thumbnail_url: null,
        timestamp: null,
        username: 'friend',
        caption: null,
        comments_count: null,
        like_count: null,
      }),
    );
  });
});
