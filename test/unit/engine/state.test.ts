import { describe, expect, test } from '@jest/globals';
import {
  emptyCheckpoint,
  formatOf,
  stateFormatVersion,
  stateKey,
} from '../../../src/engine/state.ts';
import { listStory } from '../../../src/instagram/model/story-final.ts';

describe('the state', () => {
  test('has a key of the form stream/account', () => {
    expect(stateKey('user_insights', '17841400000000001')).toBe('user_insights/17841400000000001');
  });

  test('is empty before the first poll', () => {
    expect(emptyCheckpoint).toEqual({
      cursorMs: null,
      coveredUntilMs: null,
      days: [],
      totals: [],
      deadLetters: [],
      delivered: new Map(),
      polledMs: null,
      published: new Map(),
      insightsRead: new Map(),
      seen: new Map(),
      reading: null,
      rejections: [],
      convertedMs: null,
      truncationSuspectedMs: null,
      stories: [],
      hashtags: [],
    });
  });

  test('is written in format 7 with stories or delivered comments, in 6 with a pause, else in 5', () => {
    const pause = { sinceMs: 1, untilMs: null };
    const none = { delivered: new Map(), stories: [] };
    const delivered = new Map([['1', new Set(['2'])]]);
    const stories = listStory([], { id: '1', createdMs: null });
    expect(stateFormatVersion).toBe(7);
    expect(formatOf({ ...none, pause, stories })).toBe(7);
    expect(formatOf({ ...none, pause: null, stories })).toBe(7);
    expect(formatOf({ ...none, pause: null, delivered })).toBe(7);
    expect(formatOf({ ...none, pause })).toBe(6);
    expect(formatOf({ ...none, pause: null })).toBe(5);
  });
});
