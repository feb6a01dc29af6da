import { describe, expect, test } from '@jest/globals';
import type { DayValues } from '../../../src/core/state.ts';
import { emptyMemory } from '../../../src/core/state.ts';
import { forgetUnpublished } from '../../../src/core/unpublished.ts';

const day = (date: string, reach: number): DayValues => ({
  dateMs: Date.parse(date),
  followerCount: null,
  reach,
  reachWeek: null,
  reachDays28: null,
  onlineFollowers: null,
});

describe('a record that was not published after all', () => {
  test('leaves what was remembered of its key before', () => {
    const before = { ...emptyMemory, published: new Map([['1', 5n]]) };
    const memory = {
      ...emptyMemory,
      published: new Map([
        ['1', 6n],
        ['2', 7n],
      ]),
    };

    expect(forgetUnpublished(memory, before, '1').published).toEqual(
      new Map([
        ['1', 5n],
        ['2', 7n],
      ]),
    );
    expect(forgetUnpublished(memory, before, '2').published).toEqual(new Map([['1', 6n]]));
  });

  test('leaves the day that was remembered before, in its place', () => {
    const first = day('2026-05-10T07:00:00Z', 1);
    const second = day('2026-05-11T07:00:00Z', 2);
    const third = day('2026-05-12T07:00:00Z', 3);
    const before = { ...emptyMemory, days: [first, second] };
    const memory = { ...emptyMemory, days: [first, { ...second, reach: 20 }, third] };

    const left = forgetUnpublished(memory, before, '17841/2026-05-11T07:00:00Z');

    expect(left.days).toEqual([first, second, third]);
    expect(forgetUnpublished(left, before, '17841/2026-05-12T07:00:00Z').days).toEqual([
      first,
      second,
    ]);
  });
});
