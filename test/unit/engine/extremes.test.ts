import { describe, expect, test } from '@jest/globals';
import { largest, smallest } from '../../../src/engine/extremes.ts';

/** More than a call takes arguments. */
const many = Array.from({ length: 200_000 }, (_, index) => index);

describe('largest and smallest', () => {
  test('are those of a list that is too long for the arguments of a call', () => {
    expect([largest(many), smallest(many)]).toEqual([199_999, 0]);
  });

  test('of no values are the floor, or infinite', () => {
    expect([largest([], 0), largest([]), smallest([])]).toEqual([0, -Infinity, Infinity]);
  });
});
