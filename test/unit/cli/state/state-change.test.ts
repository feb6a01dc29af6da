import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  changeCursor,
  changeTo,
  checkHasCursor,
  moveCursor,
  parseCursor,
  parseStateKey,
} from '../../../../src/cli/state/state-change.ts';
import { type DayValues, type StreamState, emptyCheckpoint } from '../../../../src/engine/state.ts';

const nowMs = Date.parse('2026-11-25T12:00:00Z');
const author = { writtenBy: 'somebody', nowMs };
const id = { stream: 'user_insights', accountId: '17' } as const;

function day(date: string): DayValues {
  return {
    dateMs: Date.parse(date),
    followerCount: 1,
    reach: 2,
    reachWeek: 3,
    reachDays28: 4,
    onlineFollowers: null,
  };
}

const before: StreamState = {
  ...emptyCheckpoint,
  ...id,
  cursorMs: Date.parse('2026-11-24T08:00:00Z'),
  coveredUntilMs: Date.parse('2026-11-23T12:00:00Z'),
  days: [day('2026-11-22T08:00:00Z'), day('2026-11-23T08:00:00Z'), day('2026-11-24T08:00:00Z')],
  totals: ['2026-11-22T08:00:00Z', '2026-11-23T08:00:00Z'].map((date) => ({
    dateMs: Date.parse(date),
    values: { views: 1 },
  })),
  sequence: 41,
  writtenAtMs: 1,
  writtenBy: 'vm',
};

describe("a state's key", () => {
  test('is read in its parts', () => {
    expect(parseStateKey('media_insights/17841400000000001')).toEqual({
      stream: 'media_insights',
      accountId: '17841400000000001',
    });
  });

  test.each([
    ['media', 'key "media": expected <stream>/<account id>'],
    ['media/1/2', 'key "media/1/2": expected <stream>/<account id>'],
    ['/1', 'stream "": expected one of stories'],
    ['reels/1', 'stream "reels": expected one of stories'],
    ['media/abc', 'account "abc": expected an account id'],
    ['media/', 'key "media/": expected <stream>/<account id>'],
  ])('is refused when it is %s', (text, message) => {
    expect(() => parseStateKey(text)).toThrow(
      expect.objectContaining({
        code: 'state.invalid',
        exitCode: 2,
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('a cursor that a person gives', () => {
  test.each([
    ['2026-11-01', '2026-11-01T00:00:00Z'],
    ['2026-11-01T07:00:00Z', '2026-11-01T07:00:00Z'],
    ['2026-11-01T07:00:00+02:00', '2026-11-01T05:00:00Z'],
    ['2026-11-26T12:00:00Z', '2026-11-26T12:00:00Z'],
  ])('is %s, the moment %s', (text, moment) => {
    expect(parseCursor(text, nowMs)).toBe(Date.parse(moment));
  });

  test.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-11-01T07:00:00',
    '1.11.2026',
    '2026-11-26T12:00:01Z',
    '1970-01-01',
    '2009-12-31T23:59:59Z',
  ])('is refused when it is "%s"', (text) => {
    expect(() => parseCursor(text, nowMs)).toThrow(`cursor "${text}": expected a`);
  });

  test('is refused for a stream that is read in full', () => {
    expect(() => {
      checkHasCursor('media');
    }).toThrow('stream "media" has no cursor');
  });
});

describe('moving a cursor', () => {
  test('makes the stream due at once when it moves, and not when it stays', () => {
    const polled = { ...before, polledMs: nowMs };
    expect(moveCursor(polled, nowMs).polledMs).toBeNull();
    expect(moveCursor(polled, before.cursorMs ?? 0).polledMs).toBe(nowMs);
  });

  test('back forgets the days after it, and what was asked for after it', () => {
    const cursorMs = Date.parse('2026-11-22T12:00:00Z');

    expect(moveCursor(before, cursorMs)).toMatchObject({
      cursorMs,
      coveredUntilMs: cursorMs,
      days: [day('2026-11-22T08:00:00Z')],
      totals: [{ dateMs: Date.parse('2026-11-22T08:00:00Z'), values: { views: 1 } }],
    });
  });

  test('forward keeps the days that are known', () => {
    const cursorMs = Date.parse('2026-11-25T08:00:00Z');

    expect(moveCursor(before, cursorMs)).toMatchObject({
      cursorMs,
      coveredUntilMs: before.coveredUntilMs,
      days: before.days,
    });
  });

  test('makes a state that goes on in its sequence and names its author (Invariant 2)', () => {
    const { key, after } = changeCursor(id, nowMs, { ...author, before });

    expect(key).toBe('user_insights/17');
    expect(after).toMatchObject({
      ...id,
      sequence: 42,
      writtenBy: 'somebody',
      writtenAtMs: nowMs,
    });
  });

  test('makes the first state of an account that has none', () => {
    const { after } = changeCursor(id, nowMs, { ...author, before: null });

    expect(after).toEqual({
      ...emptyCheckpoint,
      ...id,
      cursorMs: nowMs,
      sequence: 1,
      writtenBy: 'somebody',
      writtenAtMs: nowMs,
    });
  });

  test('never leaves the sequence behind what the topic or the import has (Invariant 2)', () => {
    const sequences = fc.nat();
    fc.assert(
      fc.property(sequences, sequences, (stored, atLeast) => {
        const { after } = changeTo(id, emptyCheckpoint, {
          ...author,
          before: { ...before, sequence: stored },
          atLeast,
        });
        expect(after?.sequence).toBe(Math.max(stored, atLeast) + 1);
      }),
    );
  });
});
