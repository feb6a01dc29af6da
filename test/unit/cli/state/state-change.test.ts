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
  pause: null,
};

describe('the key of a state', () => {
  test('is parsed into stream and account', () => {
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
  ])('is rejected when it is %s', (text, message) => {
    expect(() => parseStateKey(text)).toThrow(
      expect.objectContaining({
        code: 'state.invalid',
        exitCode: 2,
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('a cursor argument', () => {
  test.each([
    ['2026-11-01', '2026-11-01T00:00:00Z'],
    ['2026-11-01T07:00:00Z', '2026-11-01T07:00:00Z'],
    ['2026-11-01T07:00:00+02:00', '2026-11-01T05:00:00Z'],
    ['2026-11-26T12:00:00Z', '2026-11-26T12:00:00Z'],
  ])('of %s is the time %s', (text, moment) => {
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
  ])('is rejected when it is "%s"', (text) => {
    expect(() => parseCursor(text, nowMs)).toThrow(`cursor "${text}": expected a`);
  });

  test('is rejected for a stream without a cursor', () => {
    expect(() => {
      checkHasCursor('media');
    }).toThrow('stream "media" has no cursor');
  });
});

describe('a moved cursor', () => {
  test('makes the stream due at once, unless the cursor is unchanged', () => {
    const polled = { ...before, polledMs: nowMs };
    expect(moveCursor(polled, nowMs).polledMs).toBeNull();
    expect(moveCursor(polled, before.cursorMs ?? 0).polledMs).toBe(nowMs);
  });

  test('that goes back drops the later days and moves the covered time back', () => {
    const cursorMs = Date.parse('2026-11-22T12:00:00Z');

    expect(moveCursor(before, cursorMs)).toMatchObject({
      cursorMs,
      coveredUntilMs: cursorMs,
      days: [day('2026-11-22T08:00:00Z')],
      totals: [{ dateMs: Date.parse('2026-11-22T08:00:00Z'), values: { views: 1 } }],
    });
  });

  test('that goes forward keeps the known days', () => {
    const cursorMs = Date.parse('2026-11-25T08:00:00Z');

    expect(moveCursor(before, cursorMs)).toMatchObject({
      cursorMs,
      coveredUntilMs: before.coveredUntilMs,
      days: before.days,
    });
  });

  test('produces a state with the next sequence and its author (Invariant 2)', () => {
    const { key, after } = changeCursor(id, nowMs, { ...author, before });

    expect(key).toBe('user_insights/17');
    expect(after).toMatchObject({
      ...id,
      sequence: 42,
      writtenBy: 'somebody',
      writtenAtMs: nowMs,
    });
  });

  test('produces the first state of an account without one', () => {
    const { after } = changeCursor(id, nowMs, { ...author, before: null });

    expect(after).toEqual({
      ...emptyCheckpoint,
      ...id,
      cursorMs: nowMs,
      sequence: 1,
      writtenBy: 'somebody',
      writtenAtMs: nowMs,
      pause: null,
    });
  });

  test('keeps the pause', () => {
    const pause = { sinceMs: 1, untilMs: null };
    const { after } = changeCursor(id, nowMs, { ...author, before: { ...before, pause } });

    expect(after?.pause).toEqual(pause);
  });

  test('always produces a sequence above those of the topic and the import (Invariant 2)', () => {
    const sequences = fc.nat();
    fc.assert(
      fc.property(sequences, sequences, (stored, atLeast) => {
        const { after } = changeTo(
          id,
          { ...emptyCheckpoint, pause: null },
          {
            ...author,
            before: { ...before, sequence: stored },
            atLeast,
          },
        );
        expect(after?.sequence).toBe(Math.max(stored, atLeast) + 1);
      }),
    );
  });
});
