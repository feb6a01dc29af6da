import { describe, expect, test } from '@jest/globals';
import { limitWaitMs } from '../../../../src/instagram/api/usage.ts';

const nowMs = Date.UTC(2026, 9, 5, 12);
const usage = (minutes: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(minutes).map(([id, value]) => [
        id,
        [{ type: 'instagram', call_count: 100, estimated_time_to_regain_access: value }],
      ]),
    ),
  );

describe('waiting time of a rate limit', () => {
  test.each([
    [
      "the account's own estimate",
      { 'x-business-use-case-usage': usage({ '1': 19, '2': 60 }) },
      1_140_000,
    ],
    [
      'the longest estimate when its own is 0',
      { 'x-business-use-case-usage': usage({ '1': 0, '2': 60 }) },
      3_600_000,
    ],
    [
      'the longest estimate when its own is missing',
      { 'x-business-use-case-usage': usage({ '2': 3, '3': 2 }) },
      180_000,
    ],
    [
      'the estimate before Retry-After',
      { 'x-business-use-case-usage': usage({ '1': 1 }), 'retry-after': '9' },
      60_000,
    ],
    [
      'Retry-After in seconds',
      { 'x-business-use-case-usage': usage({ '1': 0 }), 'retry-after': '9' },
      9_000,
    ],
    ['Retry-After as a date', { 'retry-after': 'Mon, 05 Oct 2026 12:01:00 GMT' }, 60_000],
    [
      'five minutes when Retry-After is in the past',
      { 'retry-after': 'Mon, 05 Oct 2026 11:00:00 GMT' },
      300_000,
    ],
    ['five minutes when no header names a time', {}, 300_000],
    ['five minutes when the header is broken', { 'x-business-use-case-usage': '{"1":' }, 300_000],
    [
      'five minutes when the estimate is a text',
      { 'x-business-use-case-usage': usage({ '1': '19' }) },
      300_000,
    ],
    ['a day at most', { 'x-business-use-case-usage': usage({ '1': 1e12 }) }, 86_400_000],
  ])('is %s', (_name, headers, expected) => {
    expect(limitWaitMs(new Headers(headers), '1', nowMs)).toBe(expected);
  });

  test('is the longest estimate when the request belongs to no single account', () => {
    const headers = new Headers({ 'x-business-use-case-usage': usage({ '1': 1, '2': 2 }) });
    expect(limitWaitMs(headers, null, nowMs)).toBe(120_000);
  });
});
