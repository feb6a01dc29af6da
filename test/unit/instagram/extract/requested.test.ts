import { describe, expect, test } from '@jest/globals';
import { withExtra, withoutExcluded } from '../../../../src/instagram/extract/requested.ts';
import { fieldsParameter } from '../../../../src/instagram/model/fields.ts';
import {
  streamNames,
  streams,
  type InstagramStreamName,
} from '../../../../src/instagram/streams/index.ts';

/** The `fields=` of a stream's request. */
function requestedOf(name: InstagramStreamName, paths: readonly string[]): string {
  const { request } = withoutExcluded(streams[name], paths);
  return 'fields' in request ? fieldsParameter(request.fields) : '';
}

describe('requests of a stream with excluded fields', () => {
  test('lack these fields, also those of the entries of a list', () => {
    expect(requestedOf('media', ['caption', 'owner', 'children.media_url', 'children.owner'])).toBe(
      'id,ig_id,media_type,media_url,permalink,shortcode,thumbnail_url,timestamp,username,' +
        'comments_count,is_comment_enabled,like_count,media_product_type,alt_text,' +
        'media_audio_type,is_ai_generated,is_shared_to_feed,legacy_instagram_media_id,' +
        'reposts_count,saved_count,shares_count,total_like_count,total_comments_count,total_views_count,' +
        'children{id,ig_id,media_type,permalink,shortcode,thumbnail_url,timestamp,username}',
    );
    expect(requestedOf('media', ['children'])).not.toContain('children');
    expect(requestedOf('media_children', ['media_url', 'owner', 'position'])).toBe(
      'id,ig_id,media_type,permalink,shortcode,thumbnail_url,timestamp,username',
    );
    expect(requestedOf('comments', ['text', 'from'])).toBe(
      'id,timestamp,like_count,hidden,username',
    );
    expect(requestedOf('users', ['name', 'biography', 'website', 'profile_picture_url'])).toBe(
      'id,ig_id,followers_count,follows_count,media_count,username,has_profile_pic,is_published',
    );
  });

  test('keep the fields that extraction reads itself', () => {
    const needed = ['timestamp', 'like_count', 'comments_count', 'media_product_type'];

    expect(requestedOf('media', needed)).toBe(requestedOf('media', []));
    expect(requestedOf('users', ['media_count'])).toBe(requestedOf('users', []));
    expect(requestedOf('comments', ['timestamp'])).toBe(requestedOf('comments', []));
  });

  test('keep an object of which only a part is excluded', () => {
    expect(requestedOf('comments', ['from.username'])).toBe(requestedOf('comments', []));
  });

  test('lack excluded breakdowns, each of which has a request of its own', () => {
    const { request } = withoutExcluded(streams.user_daily_breakdowns, [
      'views_by_follow_type',
      'likes_by_media_product_type',
    ]);
    const fields = 'requests' in request ? JSON.stringify(request.requests) : '';

    expect(fields).not.toMatch(/views_by_follow_type|likes_by/);
    expect(fields).toMatch(/views_by_media_product_type.*taps_by/);
    expect(withoutExcluded(streams.user_daily_totals, ['views', 'follows']).request).toEqual(
      streams.user_daily_totals.request,
    );
  });

  test.each(streamNames)('are those of the declaration of %s without a list', (name) => {
    expect(withoutExcluded(streams[name], [])).toBe(streams[name]);
  });
});

describe('requests of a stream with extra metrics', () => {
  const optIn = (extra: readonly string[]) => {
    const { request } = withExtra(streams.media_insights, extra);
    const separate = request.kind === 'insights' ? Object.entries(request.separate) : [];
    return separate.filter(([, { isOptIn }]) => isOptIn).map(([field]) => field);
  };

  test('include those that are named', () => {
    expect(optIn(['facebook_views', 'profile_activity_actions'])).toEqual([
      'crossposted_views',
      'total_views',
      'total_likes',
      'total_comments',
    ]);
  });

  test.each(streamNames)('are those of the declaration of %s without any', (name) => {
    expect(withExtra(streams[name], [])).toBe(streams[name]);
  });
});
