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

  test.each([
    ['ig.{account}.{stream}', 'dead_letters', 'ig.17.dead-letters'],
    ['{account}{stream}', 'media', '17media'],
  ] as const)('of %s for %s of an account is %s', (template, role, name) => {
    expect(topicName(template, role, '17')).toBe(name);
  });

  test.each([
    ['ig.{account}.{stream}', 'ig.state'],
    ['{account}-{stream}', 'state'],
    ['{stream}_{account}', 'state'],
    ['{account}{stream}', 'state'],
  ])('of %s for the state, which all accounts share, is %s', (template, name) => {
    expect(topicName(template, 'state', '17')).toBe(name);
  });

  test('keeps {account} where no account is meant', () => {
    expect(topicName('ig.{account}.{stream}', 'media')).toBe('ig.{account}.media');
  });
});
