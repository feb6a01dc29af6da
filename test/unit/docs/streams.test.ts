import { describe, expect, test } from '@jest/globals';
import { renderStreamsPage } from '../../../scripts/streams-page.ts';
import { rowsBelow } from './markdown.ts';

const page = renderStreamsPage();

describe('docs/streams.md', () => {
  test('has the topic, key, mode and interval of each stream', () => {
    const overview = rowsBelow(page, '# Streams').map((cells) => cells.slice(0, 5));

    expect(overview).toContainEqual([
      '[`user_insights`](#user_insights)',
      '`instagram.user-insights`',
      '`business_account_id/date`',
      'incremental',
      '3h',
    ]);
    expect(overview).toHaveLength(12);
  });

  test('explains how to enable a stream that is disabled by default', () => {
    expect(page).toContain(
      '- off until `STREAMS` names it: `STREAMS=default,user_reached_audience`',
    );
    expect(page.match(/- off until/g)).toHaveLength(5);
  });

  test('lists the fields of nested records, even when the schema refers to them by name', () => {
    const fields = rowsBelow(page, '## `media`').map(([name, type]) => [name, type]);

    expect(fields).toContainEqual(['`children`', 'list of MediaChild or null']);
    expect(fields).toContainEqual(['`children[].owner.id`', 'string']);
    expect(fields).toContainEqual(['`timestamp`', 'timestamp-millis or null']);
  });

  test('lists the metrics of each product type and login', () => {
    expect(page).toMatch(/\| REELS, VIDEO \|[^|]*`ig_reels_avg_watch_time`/);
    expect(page).toMatch(/\| live stories, Facebook Login \|[^|]*`link_clicks` \|/);
    expect(page).toMatch(/\| live stories, Instagram Login \|[^|]*`profile_activity` \|/);
  });
});
