import { describe, expect, test } from '@jest/globals';
import type { Priority } from '../../../../src/engine/rate-limit/quota.ts';
import {
  compactedStreams,
  defaultStreamNames,
  isStreamName,
  streamNames,
  streams,
} from '../../../../src/instagram/streams/index.ts';

describe('streams', () => {
  test('are listed once each, under their own names, in the order of streamNames', () => {
    expect(Object.keys(streams)).toEqual([...streamNames]);
    expect(Object.values(streams).map(({ name }) => name)).toEqual([...streamNames]);
  });

  test.each([
    ['stories', ['id'], 'full'],
    ['story_insights', ['id'], 'full'],
    ['users', ['id'], 'full'],
    ['media', ['id'], 'full'],
    ['media_insights', ['id'], 'full'],
    ['user_insights', ['business_account_id', 'date'], 'incremental'],
    ['user_lifetime_insights', ['business_account_id', 'breakdown'], 'full'],
    ['user_engaged_audience', ['business_account_id', 'breakdown'], 'full'],
    ['user_reached_audience', ['business_account_id', 'breakdown'], 'full'],
    ['user_daily_totals', ['business_account_id', 'date'], 'incremental'],
    ['tags', ['business_account_id', 'id'], 'full'],
    ['comments', ['id'], 'incremental'],
  ] as const)('declare %s with the key %j and the mode %s', (name, key, mode) => {
    expect(streams[name]).toMatchObject({ key, mode });
    expect(streams[name].doc).toMatch(/^[A-Z].*\.$/);
  });

  test('have priority urgent when their data is gone after a day, and backfill when it lasts for years', () => {
    const namesOf = (priority: Priority) =>
      Object.values(streams).flatMap((one) => (one.priority === priority ? [one.name] : []));

    expect(namesOf('urgent')).toEqual(['stories', 'story_insights']);
    expect(namesOf('backfill')).toEqual(['user_daily_totals', 'tags', 'comments']);
  });

  test('derive compacted topics and the permission to read people from their declarations', () => {
    const people = Object.values(streams).flatMap((one) => (one.readsPeople ? [one.name] : []));

    expect(compactedStreams).toEqual(['media', 'tags', 'comments']);
    expect(people).toEqual(['tags', 'comments']);
  });
});

describe('streamNames', () => {
  test('starts with the stories, because they expire within a day', () => {
    expect(streamNames).toEqual([
      'stories',
      'story_insights',
      'users',
      'media',
      'media_insights',
      'user_insights',
      'user_lifetime_insights',
      'user_engaged_audience',
      'user_reached_audience',
      'user_daily_totals',
      'tags',
      'comments',
    ]);
  });
});

describe('defaultStreamNames', () => {
  test('holds the seven streams that cost few calls and describe the account itself', () => {
    expect(defaultStreamNames).toEqual(streamNames.slice(0, 7));
  });
});

describe('isStreamName', () => {
  test.each([
    ['media', true],
    ['user_insights', true],
    ['user-insights', false],
    ['Media', false],
    ['state', false],
    ['', false],
    ['constructor', false],
  ])('returns for %j the value %j', (text, is) => {
    expect(isStreamName(text)).toBe(is);
  });
});
