import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assignPartitions, type Member } from '../../../src/engine/assignment.ts';

const member = (id: string, ...owned: number[]): Member => ({ id, owned });
const dealt = (members: readonly Member[], count: number) =>
  Object.fromEntries(assignPartitions(members, count));

describe('assignPartitions', () => {
  test('gives every partition to the only member', () => {
    expect(dealt([member('a')], 3)).toEqual({ a: [0, 1, 2] });
  });

  test('moves no more than an even share to a new member', () => {
    expect(dealt([member('b'), member('a', 0, 1, 2, 3, 4, 5)], 6)).toEqual({
      a: [0, 1, 2],
      b: [3, 4, 5],
    });
  });

  test('keeps the owned partitions with their members and assigns the free ones', () => {
    expect(dealt([member('a', 1, 4), member('b', 0, 5)], 6)).toEqual({
      a: [1, 2, 4],
      b: [0, 3, 5],
    });
  });

  test('leaves the extra partition with the member that owns it when the count does not divide evenly', () => {
    expect(dealt([member('a', 0), member('b', 1, 2)], 3)).toEqual({ a: [0], b: [1, 2] });
  });

  test('leaves surplus members without partitions', () => {
    expect(dealt([member('a', 0), member('b'), member('c', 1)], 2)).toEqual({
      a: [0],
      b: [],
      c: [1],
    });
  });

  test('gives a partition that two members claim to one of them, and ignores claims of unknown partitions', () => {
    expect(dealt([member('a', 0, 1), member('b', 1, 9)], 2)).toEqual({ a: [0], b: [1] });
  });

  test('moves only the temporarily assigned partitions, and the others stay with their members', () => {
    const members = [
      member('a', 0, 1, 2),
      member('b', 3, 4, 5),
      { ...member('command'), temporary: [4, 1] },
    ];

    expect(dealt(members, 6)).toEqual({ a: [0, 2], b: [3, 5], command: [1, 4] });
  });

  test('returns temporarily assigned partitions to their earlier members', () => {
    expect(dealt([member('a', 0, 2), member('b', 3, 5, 4)], 6)).toEqual({
      a: [0, 1, 2],
      b: [3, 4, 5],
    });
  });

  test('assigns a partition temporarily to one member only, and ignores unknown partitions', () => {
    const commands = ['x', 'y'].map((id) => ({ ...member(id), temporary: [1, 9] }));

    expect(dealt([...commands, member('a')], 3)).toEqual({ x: [1], y: [], a: [0, 2] });
    expect(dealt(commands, 3)).toEqual({ x: [1], y: [] });
  });

  test('assigns every partition to exactly one member, evenly, for any claims', () => {
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

  test('is stable when it is repeated with its own result', () => {
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
