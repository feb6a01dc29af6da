import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assignPartitions, type Member } from '../../../src/engine/assignment.ts';

const member = (id: string, ...owned: number[]): Member => ({ id, owned });
const dealt = (members: readonly Member[], count: number) =>
  Object.fromEntries(assignPartitions(members, count));

describe('assignPartitions', () => {
  test('gives everything to the only member', () => {
    expect(dealt([member('a')], 3)).toEqual({ a: [0, 1, 2] });
  });

  test('takes from those who have, for one that comes, no more than an even share', () => {
    expect(dealt([member('b'), member('a', 0, 1, 2, 3, 4, 5)], 6)).toEqual({
      a: [0, 1, 2],
      b: [3, 4, 5],
    });
  });

  test('leaves what members have where it is, and deals out what nobody has', () => {
    expect(dealt([member('a', 1, 4), member('b', 0, 5)], 6)).toEqual({
      a: [1, 2, 4],
      b: [0, 3, 5],
    });
  });

  test('lets who has more keep one more when it does not come out even', () => {
    expect(dealt([member('a', 0), member('b', 1, 2)], 3)).toEqual({ a: [0], b: [1, 2] });
  });

  test('gives nothing to those who are more than there are partitions', () => {
    expect(dealt([member('a', 0), member('b'), member('c', 1)], 2)).toEqual({
      a: [0],
      b: [],
      c: [1],
    });
  });

  test('gives what two claim to one of them, and forgets what is not there', () => {
    expect(dealt([member('a', 0, 1), member('b', 1, 9)], 2)).toEqual({ a: [0], b: [1] });
  });

  test('lends what is borrowed, and leaves the rest where it is', () => {
    const members = [
      member('a', 0, 1, 2),
      member('b', 3, 4, 5),
      { ...member('command'), borrows: [4, 1] },
    ];

    expect(dealt(members, 6)).toEqual({ a: [0, 2], b: [3, 5], command: [1, 4] });
  });

  test('gives back what was borrowed to who had it', () => {
    expect(dealt([member('a', 0, 2), member('b', 3, 5, 4)], 6)).toEqual({
      a: [0, 1, 2],
      b: [3, 4, 5],
    });
  });

  test('lends a partition once, and none that is not there', () => {
    const commands = ['x', 'y'].map((id) => ({ ...member(id), borrows: [1, 9] }));

    expect(dealt([...commands, member('a')], 3)).toEqual({ x: [1], y: [], a: [0, 2] });
    expect(dealt(commands, 3)).toEqual({ x: [1], y: [] });
  });

  test('deals every partition to one member, evenly, whatever they claim', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 });
    const claims = fc.array(fc.array(fc.integer({ min: -1, max: 30 })), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(ids, claims, fc.integer({ min: 1, max: 24 }), (names, owned, count) => {
        const members = names.map((id, index) => member(id, ...(owned[index] ?? [])));
        const shares = assignPartitions(members, count);
        const all = [...shares.values()].flat();
        const sizes = [...shares.values()].map((share) => share.length);
        expect(all.toSorted((a, b) => a - b)).toEqual([...Array(count).keys()]);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(assignPartitions(members.toReversed(), count)).toEqual(shares);
      }),
    );
  });

  test('changes nothing when it is done again with what it gave', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 24 }),
        (size, count) => {
          const first = assignPartitions(
            Array.from({ length: size }, (_, index) => member(`m${index}`)),
            count,
          );
          const again = [...first].map(([id, owned]) => member(id, ...owned));
          expect(Object.fromEntries(assignPartitions(again, count))).toEqual(
            Object.fromEntries(first),
          );
        },
      ),
    );
  });
});
