import { describe, expect, test } from '@jest/globals';
import { topicName } from '../../../src/engine/stream-name.ts';

describe('topicName', () => {
  test.each([
    ['instagram.{stream}', 'media', 'instagram.media'],
    ['instagram.{stream}', 'user_lifetime_insights', 'instagram.user-lifetime-insights'],
    ['instagram.{stream}', 'dead_letters', 'instagram.dead-letters'],
    ['instagram.{stream}', 'state', 'instagram.state'],
    ['{stream}.eu.{stream}', 'story_insights', 'story-insights.eu.story-insights'],
  ] as const)('of the template %s for %s is %s', (template, role, name) => {
    expect(topicName(template, role)).toBe(name);
  });
});
