import { describe, expect, test } from '@jest/globals';
import { media } from '../../../../src/instagram/streams/media.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

const child =
  'id,ig_id,media_type,media_url,owner,permalink,shortcode,thumbnail_url,timestamp,username';
const newest = 'media_audio_type,is_ai_generated,is_shared_to_feed,legacy_instagram_media_id';
const own = `${child},caption,comments_count,is_comment_enabled,like_count,media_product_type,alt_text,${newest}`;
const counts =
  'reposts_count,saved_count,shares_count,total_like_count,total_comments_count,total_views_count';

/** Every field of a record with the value null. */
const nothing = {
  ig_id: null,
  media_type: null,
  media_url: null,
  owner: null,
  permalink: null,
  shortcode: null,
  thumbnail_url: null,
  timestamp: null,
  username: null,
};
const nothingOwn = {
  ...nothing,
  caption: null,
  comments_count: null,
  is_comment_enabled: null,
  like_count: null,
  media_product_type: null,
  alt_text: null,
  media_audio_type: null,
  is_ai_generated: null,
  is_shared_to_feed: null,
  legacy_instagram_media_id: null,
  reposts_count: null,
  saved_count: null,
  shares_count: null,
  total_like_count: null,
  total_comments_count: null,
  total_views_count: null,
  children: null,
};

describe('stream media', () => {
  test.each([
    ['facebook', `${own},${counts},children{${child}}`],
    ['instagram', `${own},children{${child}}`],
  ] as const)(
    'requests with %s login the fields of that login, children included',
    async (login, fields) => {
      expect(await requestsOf(media, { login })).toEqual([
        { path: '/17841400000000001/media', query: { fields, limit: '100' } },
      ]);
    },
  );

  test('maps a recorded picture', () => {
    const node = {
      id: '18103912474834219',
      caption: 'A table',
      media_type: 'IMAGE',
      like_count: 1,
      ig_id: '3895195932682001109',
      comments_count: 0,
      is_comment_enabled: true,
      media_url: 'https://scontent.cdninstagram.com/v/t51?_nc_rid=abc&oe=6A247B54',
      owner: { id: '17841400000000001' },
      permalink: 'https://www.instagram.com/p/DYOhBAqDprV/',
      shortcode: 'DYOhBAqDprV',
      timestamp: '2026-05-12T05:26:06+0000',
    };

    expect(media.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        ...nothingOwn,
        id: '18103912474834219',
        caption: 'A table',
        media_type: 'IMAGE',
        like_count: 1,
        ig_id: '3895195932682001109',
        comments_count: 0,
        is_comment_enabled: true,
        media_url: 'https://scontent.cdninstagram.com/v/t51?oe=6A247B54',
        owner: { id: '17841400000000001' },
        permalink: 'https://www.instagram.com/p/DYOhBAqDprV/',
        shortcode: 'DYOhBAqDprV',
        timestamp: Date.UTC(2026, 4, 12, 5, 26, 6),
      }),
    );
  });

  test('maps an album with its children, and removes _nc_rid from their URLs', () => {
    const node = {
      id: '1',
      media_type: 'CAROUSEL_ALBUM',
      children: {
        data: [
          { id: '2', media_type: 'IMAGE', media_url: 'https://a/b?_nc_rid=x&oe=1' },
          { id: '3', owner: { id: '4' }, timestamp: '2026-01-12T05:26:06+0000' },
        ],
      },
    };

    expect(media.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        ...nothingOwn,
        id: '1',
        media_type: 'CAROUSEL_ALBUM',
        children: [
          { ...nothing, id: '2', media_type: 'IMAGE', media_url: 'https://a/b?oe=1' },
          {
            ...nothing,
            id: '3',
            owner: { id: '4' },
            timestamp: Date.UTC(2026, 0, 12, 5, 26, 6),
          },
        ],
      }),
    );
  });

  test('maps the fields that Meta added in 2026', () => {
    const node = {
      id: '1',
      reposts_count: 1,
      saved_count: 2,
      shares_count: 3,
      total_like_count: 4,
      total_comments_count: 5,
      total_views_count: 6,
      alt_text: 'A table',
      media_audio_type: 'MUSIC',
      is_ai_generated: true,
      is_shared_to_feed: false,
      legacy_instagram_media_id: '3895195932682001109',
    };

    expect(media.toRecord(node, origin)).toEqual(
      mappedTo({ ...provenance, ...nothingOwn, ...node }),
    );
  });
});
