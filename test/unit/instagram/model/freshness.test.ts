import { describe, expect, it } from '@jest/globals';
import { agesOf, isDue, type Tier } from '../../../../src/instagram/model/freshness.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-01T12:00:00Z');

const tiers: readonly Tier[] = [
  { untilAgeMs: 2 * DAY, everyMs: 0 },
  { untilAgeMs: 30 * DAY, everyMs: DAY },
  { untilAgeMs: Infinity, everyMs: 7 * DAY },
];

/** The number of hourly polls in which each of many media of an age is due. */
function turns(ageMs: number, hours: number): readonly number[] {
  return Array.from({ length: 200 }, (_, index) => {
    const media = { id: `18${index}`, createdMs: NOW - ageMs - hours * HOUR };
    let count = 0;
    for (let hour = 0; hour < hours; hour += 1) {
      const nowMs = NOW + hour * HOUR;
      if (isDue({ ...media, createdMs: nowMs - ageMs }, { nowMs, lastMs: nowMs - HOUR }, tiers)) {
        count += 1;
      }
    }
    return count;
  });
}

describe('agesOf', () => {
  it('names the tier of each media; one without a time is old', () => {
    const ages = [0, 2 * DAY - 1, 2 * DAY, 30 * DAY - 1, 30 * DAY, null];
    const media = ages.map((age, id) => ({
      id: `${id}`,
      createdMs: age === null ? null : NOW - age,
    }));

    expect([...agesOf(media, NOW, tiers).values()]).toEqual([
      'new',
      'new',
      'recent',
      'recent',
      'old',
      'old',
    ]);
  });
});

describe('isDue', () => {
  it.each([
    ['at every poll under two days', DAY, 48, 48],
    ['once a day under thirty days', 10 * DAY, 48, 2],
    ['once a week above thirty days', 90 * DAY, 14 * 24, 2],
  ])('is true %s', (_, ...[ageMs, hours, expected]) => {
    expect(new Set(turns(ageMs, hours))).toEqual(new Set([expected]));
  });

  it('spreads old media evenly over the polls of a week', () => {
    const perPoll = Array.from({ length: 7 * 24 }, (_, hour) => {
      const nowMs = NOW + hour * HOUR;
      return Array.from({ length: 1680 }, (_unused, index) =>
        isDue({ id: `17${index}`, createdMs: 0 }, { nowMs, lastMs: nowMs - HOUR }, tiers),
      ).filter(Boolean).length;
    });

    expect(perPoll.reduce((sum, count) => sum + count, 0)).toBe(1680);
    expect(Math.max(...perPoll)).toBeLessThan(30);
  });

  it('is true for all media that fell due during an outage', () => {
    const media = Array.from({ length: 100 }, (_, index) => ({ id: `18${index}`, createdMs: 0 }));
    const times = { nowMs: NOW, lastMs: NOW - 8 * DAY };

    expect(media.every((one) => isDue(one, times, tiers))).toBe(true);
  });

  it.each([
    ['any media in the first poll', { id: '1', createdMs: 0 }, null],
    ['a media that was just posted', { id: '1', createdMs: NOW - 1 }, NOW - 1],
    ['a media dated ahead of the clock', { id: '1', createdMs: NOW + DAY }, NOW - 1],
  ])('is true for %s', (_, aged, lastMs) => {
    expect(isDue(aged, { nowMs: NOW, lastMs }, tiers)).toBe(true);
  });

  it('treats a media without a date as old', () => {
    const due = [1, 2, 3].filter((day) =>
      isDue(
        { id: '1', createdMs: null },
        { nowMs: NOW + day * DAY, lastMs: NOW + (day - 1) * DAY },
        tiers,
      ),
    );

    expect(due.length).toBeLessThan(2);
  });
});
