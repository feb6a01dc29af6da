import { describe, expect, test } from '@jest/globals';
import { stories } from '../../../../src/instagram/streams/stories.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

describe('stream stories', () => {
  test.each(['facebook', 'instagram'] as const)(
    'requests one list with %s login',
    async (login) => {
      expect(await requestsOf(stories, { login })).toEqual([
        {
          path: '/17841400000000001/stories',
          query: {
            fields:
              'id,ig_id,media_type,media_url,owner,permalink,shortcode,thumbnail_url,timestamp,username,caption,like_count,media_product_type',
            limit: '100',
          },
        },
      ]);
    },
  );

  test('maps a video story without a media_url', () => {
    const node = {
      id: '17861937508009798',
      ig_id: '3895195932682001109',
      media_type: 'VIDEO',
      owner: { id: '17841400000000001' },
      permalink: 'https://www.instagram.com/stories/first/3895195932682001109',
      shortcode: 'DYOhBAqDprV',
      thumbnail_url: 'https://scontent.cdninstagram.com/v/t51?oe=6A247B54',
      timestamp: '2026-05-12T05:26:06+0000',
      username: 'first',
      like_count: 0,
      media_product_type: 'STORY',
    };

    expect(stories.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        ...node,
        media_url: null,
        timestamp: Date.UTC(2026, 4, 12, 5, 26, 6),
        caption: null,
      }),
    );
  });
});
