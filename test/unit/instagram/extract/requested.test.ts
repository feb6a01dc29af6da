import { describe, expect, test } from '@jest/globals';
import { withoutExcluded } from '../../../../src/instagram/extract/requested.ts';
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

  test.each(streamNames)('are those of the declaration of %s without a list', (name) => {
    expect(withoutExcluded(streams[name], [])).toBe(streams[name]);
  });
});
