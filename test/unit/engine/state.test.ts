import { describe, expect, test } from '@jest/globals';
import {
  emptyCheckpoint,
  formatOf,
  stateFormatVersion,
  stateKey,
} from '../../../src/engine/state.ts';

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
    });
  });

  test('is written in format 6 while it has a pause, and in format 5 otherwise', () => {
    expect(stateFormatVersion).toBe(7);
    expect(formatOf({ pause: { sinceMs: 1, untilMs: null }, delivered: new Map() })).toBe(6);
    expect(formatOf({ pause: null, delivered: new Map() })).toBe(5);
    const delivered = new Map([['1', new Set(['2'])]]);
    expect(formatOf({ pause: null, delivered })).toBe(7);
  });
});
