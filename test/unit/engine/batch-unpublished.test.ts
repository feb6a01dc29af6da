import { describe, expect, test } from '@jest/globals';
import { type DayValues, emptyCheckpoint } from '../../../src/engine/state.ts';
import { forgetUnpublished } from '../../../src/engine/batch.ts';

const day = (date: string, reach: number): DayValues => ({
  dateMs: Date.parse(date),
  followerCount: null,
  reach,
  reachWeek: null,
  reachDays28: null,
  onlineFollowers: null,
});

describe('the checkpoint after a record that was not published', () => {
  test("keeps the earlier fingerprint of the record's key", () => {
    const before = { ...emptyCheckpoint, published: new Map([['1', 5n]]) };
    const checkpoint = {
      ...emptyCheckpoint,
      published: new Map([
        ['1', 6n],
        ['2', 7n],
      ]),
    };

    expect(forgetUnpublished(checkpoint, before, ['1']).published).toEqual(
      new Map([
        ['1', 5n],
        ['2', 7n],
      ]),
    );
    expect(forgetUnpublished(checkpoint, before, ['2']).published).toEqual(new Map([['1', 6n]]));
  });

  test("keeps the earlier values of the record's day, in date order", () => {
    const first = day('2026-05-10T07:00:00Z', 1);
    const second = day('2026-05-11T07:00:00Z', 2);
    const third = day('2026-05-12T07:00:00Z', 3);
    const before = { ...emptyCheckpoint, days: [first, second] };
    const checkpoint = { ...emptyCheckpoint, days: [first, { ...second, reach: 20 }, third] };

    const left = forgetUnpublished(checkpoint, before, ['17841/2026-05-11T07:00:00Z']);

    expect(left.days).toEqual([first, second, third]);
    expect(forgetUnpublished(left, before, ['17841/2026-05-12T07:00:00Z']).days).toEqual([
      first,
      second,
    ]);
  });

  test("keeps the earlier totals of the record's day", () => {
    const totals = (views: number) => [
      { dateMs: Date.parse('2026-05-12T07:00:00Z'), values: { views } },
    ];
    const before = { ...emptyCheckpoint, totals: totals(1) };
    const checkpoint = { ...emptyCheckpoint, totals: totals(2) };
    const key = '17841/2026-05-12T07:00:00Z';

    expect(forgetUnpublished(checkpoint, before, [key]).totals).toEqual(totals(1));
    expect(forgetUnpublished(checkpoint, emptyCheckpoint, [key]).totals).toEqual([]);
  });

  test("drops the fingerprint stored under the id at the end of the record's key", () => {
    const checkpoint = { ...emptyCheckpoint, published: new Map([['1', 6n]]) };

    expect(forgetUnpublished(checkpoint, emptyCheckpoint, ['17841/1']).published).toEqual(
      new Map(),
    );
  });
});
