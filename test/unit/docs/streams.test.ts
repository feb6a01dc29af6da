import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  renderDefaultStreams,
  renderOtherStreams,
  renderStreamsPage,
} from '../../../scripts/streams-page.ts';
import { defaultStreamNames, streamNames } from '../../../src/instagram/streams/index.ts';
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
    expect(overview).toHaveLength(streamNames.length);
  });

  test('explains how to enable a stream that is disabled by default', () => {
    expect(page).toContain(
      '- off until `STREAMS` names it: `STREAMS=default,user_reached_audience`',
    );
    expect(page.match(/- off until/g)).toHaveLength(streamNames.length - defaultStreamNames.length);
  });

  test('names the permission that a stream needs besides those of every stream', () => {
    const [tags = ''] = page.split('\n## `tags`\n')[1]?.split('\n## ') ?? [];
    const [media = ''] = page.split('\n## `media`\n')[1]?.split('\n## ') ?? [];

    expect(tags).toContain('needs the permission `instagram_manage_comments` (Facebook Login)');
    expect(media).not.toContain('permission');
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

describe('docs/numbers.md', () => {
  const numbers = readFileSync(new URL('../../../docs/numbers.md', import.meta.url), 'utf8');

  test.each(['## When a number is final', '## Null and 0', '## How far back'])(
    'has each stream below "%s"',
    (heading) => {
      const named = rowsBelow(numbers, heading).flatMap(([cell = '']) =>
        [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
      );

      expect(streamNames.filter((name) => !named.includes(name))).toEqual([]);
    },
  );
});

describe('the streams of README', () => {
  test('are a table of the default ones, with content and interval, and links to the others', () => {
    const named = (part: string) => [...part.matchAll(/\[`(\w+)`\]/g)].map(([, name = '']) => name);

    expect(named(renderDefaultStreams())).toEqual(defaultStreamNames);
    expect([...named(renderDefaultStreams()), ...named(renderOtherStreams())].sort()).toEqual(
      [...streamNames].sort(),
    );
    expect(renderDefaultStreams()).toContain(
      '| [`media`](docs/streams.md#media) | Posts, reels and albums with their children | 1h |',
    );
  });
});
