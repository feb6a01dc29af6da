import { describe, expect, test } from '@jest/globals';
import { endOf, isLonger, isRenewalDue, warningOf } from '../../../src/engine/token-life.ts';

const dayMs = 86_400_000;
const life = { issuedAtMs: 0, expiresAtMs: null, dataAccessUntilMs: null };

describe('the end of a token', () => {
  test.each([
    [null, null, null],
    [5, null, 5],
    [null, 7, 7],
    [5, 7, 5],
    [9, 7, 7],
  ])('that expires at %j and reads data until %j is %j', (expiresAtMs, dataAccessUntilMs, end) => {
    expect(endOf({ ...life, expiresAtMs, dataAccessUntilMs })).toBe(end);
  });
});

describe('the expiry warning', () => {
  test.each([
    [14.1, null],
    [14, 14],
    [7.1, 14],
    [7, 7],
    [1.1, 7],
    [1, 1],
    [0.1, 1],
    [0, 0],
    [-3, 0],
  ])('with %j days left has the step %j', (days, step) => {
    expect(warningOf(days * dayMs, 0)).toBe(step);
  });

  test('is null for a token that never expires', () => {
    expect(warningOf(null, 0)).toBeNull();
  });
});

describe('a token renewal', () => {
  test.each([
    [21, false],
    [20, true],
    [0.01, true],
    [0, false],
    [-1, false],
  ])('with %j days left is due: %j', (days, isDue) => {
    expect(isRenewalDue({ ...life, expiresAtMs: days * dayMs }, 0)).toBe(isDue);
  });

  test('is never due for a token that never expires, even when its access to data ends', () => {
    expect(isRenewalDue({ ...life, dataAccessUntilMs: dayMs }, 0)).toBe(false);
  });

  test('counts as a gain only when the expiry moved to a later time or to never', () => {
    expect(isLonger(60 * dayMs, 20 * dayMs)).toBe(true);
    expect(isLonger(null, dayMs)).toBe(true);
    expect(isLonger(dayMs, dayMs)).toBe(false);
    expect(isLonger(dayMs, null)).toBe(false);
  });
});
