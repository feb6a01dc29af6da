import { describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/engine/account.ts';
import { partitionOf } from '../../../src/engine/partition.ts';
import { diffAssignments, planPolling } from '../../../src/engine/assignment-changes.ts';

const account = (id: string): Account => ({ id, pageId: null, username: null });
const [one, two] = [account('17841400000000001'), account('17841400000000002')];
const partitions = 4;
const ofOne = partitionOf(one.id, partitions);
const ofTwo = partitionOf(two.id, partitions);
const runningOf = (...accounts: readonly Account[]) =>
  new Map(accounts.map((running) => [running.id, running]));

describe('diffAssignments', () => {
  test('lists the gained and the lost partitions', () => {
    expect(diffAssignments([0, 1, 2], [1, 3])).toEqual({ gained: [3], lost: [0, 2] });
  });

  test('finds no change when the same partitions come in another order', () => {
    expect(diffAssignments([1, 0], [0, 1])).toEqual({ gained: [], lost: [] });
  });
});

describe('planPolling', () => {
  test('starts only the listed accounts of owned partitions', () => {
    expect(ofOne).not.toBe(ofTwo);
    const held = new Set([ofOne]);
    expect(planPolling(runningOf(), [one, two], held, partitions)).toEqual({
      start: [one],
      stop: [],
    });
  });

  test('stops an account whose partition was lost or that is no longer listed', () => {
    const held = new Set([ofTwo]);
    const running = runningOf(one, two);
    expect(planPolling(running, [one, two], held, partitions).stop).toEqual([one]);
    expect(planPolling(running, [one], held, partitions).stop).toEqual([one, two]);
  });

  test('changes nothing when the running accounts are the listed accounts of owned partitions', () => {
    const held = new Set([ofOne, ofTwo]);
    const running = runningOf(one, two);
    expect(planPolling(running, [one, two], held, partitions)).toEqual({
      start: [],
      stop: [],
    });
  });

  test('stops every account when no partition is owned', () => {
    const running = runningOf(one);
    expect(planPolling(running, [one], new Set(), partitions)).toEqual({
      start: [],
      stop: [one],
    });
  });
});
