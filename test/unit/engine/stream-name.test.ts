import { describe, expect, test } from '@jest/globals';
import {
  defaultStreamNames,
  isStreamName,
  streamNames,
  topicName,
} from '../../../src/engine/stream-name.ts';

describe('streamNames', () => {
  test('has the stories first, because what is not read within a day is gone', () => {
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
  test('has the seven that are cheap and about the account itself', () => {
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
  ])('of %j is %j', (text, is) => {
    expect(isStreamName(text)).toBe(is);
  });
});

describe('topicName', () => {
  test.each([
    ['instagram.{stream}', 'media', 'instagram.media'],
    ['instagram.{stream}', 'user_lifetime_insights', 'instagram.user-lifetime-insights'],
    ['instagram.{stream}', 'dead_letters', 'instagram.dead-letters'],
    ['instagram.{stream}', 'state', 'instagram.state'],
    ['{stream}.eu.{stream}', 'story_insights', 'story-insights.eu.story-insights'],
  ] as const)('of %s for %s is %s', (template, role, name) => {
    expect(topicName(template, role)).toBe(name);
  });
});
