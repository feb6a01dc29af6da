import { describe, expect, test } from '@jest/globals';
import { describeCost, requestCost } from '../../../src/cli/request-cost.ts';
import { streams } from '../../../src/instagram/streams/index.ts';

const costOf = (name: keyof typeof streams) => describeCost(requestCost(streams[name].request));

describe('requestCost', () => {
  test('counts the calls of each kind of request', () => {
    expect(costOf('users')).toBe('1 an account');
    expect(costOf('media')).toBe('1 a page');
    expect(costOf('media_insights')).toBe('1 a media that is due, and the list');
    expect(costOf('story_insights')).toBe('2 a media that is due, and the list');
    expect(costOf('user_insights')).toBe('4 a window of 30 days');
    expect(costOf('user_daily_totals')).toBe('2 a day');
    expect(costOf('user_lifetime_insights')).toBe('3 a poll');
    expect(costOf('comments')).toBe('1 a media with another comments_count, and the list');
  });
});
