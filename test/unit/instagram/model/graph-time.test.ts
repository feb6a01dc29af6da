import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseGraphTime } from '../../../../src/instagram/model/graph-time.ts';
import { isoSeconds } from '../../../../src/engine/key.ts';

describe('parseGraphTime', () => {
  test.each([
    ['2026-05-12T05:26:06+0000', Date.UTC(2026, 4, 12, 5, 26, 6)],
    ['2026-05-12T05:26:06Z', Date.UTC(2026, 4, 12, 5, 26, 6)],
    ['2026-05-12T05:26:06+00:00', Date.UTC(2026, 4, 12, 5, 26, 6)],
    ['2026-05-12T05:26:06-0700', Date.UTC(2026, 4, 12, 12, 26, 6)],
    ['2026-05-12T05:26:06+0530', Date.UTC(2026, 4, 11, 23, 56, 6)],
    ['2024-02-29T00:00:00+0000', Date.UTC(2024, 1, 29)],
  ])('parses %s', (text, ms) => {
    expect(parseGraphTime(text)).toBe(ms);
  });

  test.each([
    '',
    '2026-05-12',
    '2026-05-12T05:26:06',
    '2026-05-12 05:26:06+0000',
    '2026-02-31T00:00:00+0000',
    '2025-02-29T00:00:00+0000',
    '2026-13-01T00:00:00+0000',
    '2026-05-12T24:00:00+0000',
    '2026-05-12T05:26:60+0000',
    '0099-01-01T00:00:00+0000',
    ' 2026-05-12T05:26:06+0000',
    '1778563566',
  ])('rejects %j, which is not a valid time', (text) => {
    expect(parseGraphTime(text)).toBeUndefined();
  });

  test('parses every time that isoSeconds writes', () => {
    const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(seconds, (second) => {
        expect(parseGraphTime(isoSeconds(second * 1000))).toBe(second * 1000);
      }),
    );
  });
});

describe('isoSeconds', () => {
  test('omits the milliseconds', () => {
    expect(isoSeconds(Date.UTC(2026, 4, 12, 7, 0, 0, 999))).toBe('2026-05-12T07:00:00Z');
  });
});
