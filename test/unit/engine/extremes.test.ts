import { describe, expect, test } from '@jest/globals';
import { largest, smallest } from '../../../src/engine/extremes.ts';

/** A list that is longer than the argument limit of a call. */
const many = Array.from({ length: 200_000 }, (_, index) => index);

describe('largest and smallest', () => {
  test('accept a list that is longer than the argument limit of a call', () => {
    expect([largest(many), smallest(many)]).toEqual([199_999, 0]);
  });

  test('return the floor or an infinity for an empty list', () => {
    expect([largest([], 0), largest([]), smallest([])]).toEqual([0, -Infinity, Infinity]);
  });
});
