import { describe, expect, test } from '@jest/globals';
import type { PartitionMetadata } from 'kafkajs';
import { createLayout } from '../../../../src/kafka/shared.ts';
import { createLeaderGuardPartitioner } from '../../../../src/kafka/producer/transaction.ts';

function metadata(leaders: readonly number[]): PartitionMetadata[] {
  return leaders.map((leader, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader,
    replicas: [leader],
    isr: [leader],
  }));
}

function setUp() {
  const layout = createLayout('t.{stream}', [
    { name: 't.state', leaders: [1, 1], maxBatchBytes: 1000 },
  ]);
  const leaderGuard = createLeaderGuardPartitioner(layout);
  const partitioner = leaderGuard.createPartitioner();
  const ask = (partition: number, leaders: readonly number[]) =>
    partitioner({
      topic: 't.state',
      partitionMetadata: metadata(leaders),
      message: { value: 'v', partition },
    });
  return { layout, leaderGuard, ask };
}

describe('createLeaderGuardPartitioner', () => {
  test('returns the partition while the planned broker leads it', () => {
    const { leaderGuard, ask } = setUp();
    leaderGuard.setExpectedLeader(1);
    expect(ask(1, [1, 1])).toBe(1);
  });

  test('stops the produce request and updates the leaders when a leader has moved', () => {
    const { layout, leaderGuard, ask } = setUp();
    leaderGuard.setExpectedLeader(1);
    expect(() => ask(1, [1, 2])).toThrow('partition 1 of t.state is led by broker 2, not by 1');
    expect(layout.topic('state').leaders).toEqual([1, 2]);
  });

  test('stops a produce request to a deleted partition, which kafkajs would drop silently', () => {
    const { leaderGuard, ask } = setUp();
    leaderGuard.setExpectedLeader(1);
    expect(() => ask(1, [1])).toThrow('partition 1 of t.state is gone; restart');
  });

  test('ignores partitions that were added during the run', () => {
    const { layout, leaderGuard, ask } = setUp();
    leaderGuard.setExpectedLeader(1);
    expect(() => ask(0, [3, 1, 2])).toThrow('led by broker 3');
    expect(layout.topic('state').leaders).toEqual([3, 1]);
  });
});
