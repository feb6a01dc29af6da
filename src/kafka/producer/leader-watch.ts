import type { ICustomPartitioner, PartitionMetadata } from 'kafkajs';
import type { Layout } from '../shared.ts';

/** Thrown when a partition is gone or has another leader than its produce request was planned for. */
class LeaderMovedError extends Error {
  override readonly name = 'LeaderMovedError';
  /** Read by kafkajs, which would otherwise retry the same produce request. */
  readonly retriable = false;
}

/** Verifies, inside kafkajs, that a produce request still goes to the broker it was planned for. */
export interface LeaderWatch {
  /** Sets the broker that must lead the partitions of every record from now on. */
  expect(leader: number): void;
  readonly createPartitioner: ICustomPartitioner;
}

function updateLeaders(layout: Layout, name: string, metadata: readonly PartitionMetadata[]): void {
  const leaders = layout.byName(name)?.leaders ?? [];
  for (const { partitionId, leader } of metadata) {
    // Partitions added later stay unused until the next start, so that keys keep their partitions.
    if (partitionId < leaders.length) leaders[partitionId] = leader;
  }
}

/**
 * Creates a leader watch. kafkajs calls its partitioner for each message, with fresh metadata, before
 * each attempt of a produce request. Only there can two hazards be stopped: kafkajs silently drops a
 * record whose partition it does not know, and it spreads a request over two brokers.
 */
export function createLeaderWatch(layout: Layout): LeaderWatch {
  let expectedLeader = -1;
  const partitioner: ReturnType<ICustomPartitioner> = ({ topic, partitionMetadata, message }) => {
    const { partition } = message;
    const found = partitionMetadata.find(({ partitionId }) => partitionId === partition);
    if (partition === undefined || found?.leader !== expectedLeader) {
      updateLeaders(layout, topic, partitionMetadata);
      throw new LeaderMovedError(
        `partition ${String(partition)} of ${topic} ` +
          (found === undefined
            ? 'is gone; restart this program if the topic was made again with fewer partitions'
            : `is led by broker ${found.leader}, not by ${expectedLeader}`),
      );
    }
    return partition;
  };
  return {
    expect(leader) {
      expectedLeader = leader;
    },
    createPartitioner: () => partitioner,
  };
}
