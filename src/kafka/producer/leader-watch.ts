import type { ICustomPartitioner, PartitionMetadata } from 'kafkajs';
import type { Layout } from '../layout.ts';

/** A partition is led by another broker than the send was planned for, or is gone. */
class LeaderMovedError extends Error {
  override readonly name = 'LeaderMovedError';
  /** Read by kafkajs, which would otherwise try the same send again. */
  readonly retriable = false;
}

/** Checks, inside kafkajs, that a send still goes to the one broker that it was planned for. */
export interface LeaderWatch {
  /** The broker that everything sent from now on must be led by. */
  expect(leader: number): void;
  readonly createPartitioner: ICustomPartitioner;
}

function learn(layout: Layout, name: string, metadata: readonly PartitionMetadata[]): void {
  const leaders = layout.byName(name)?.leaders ?? [];
  for (const { partitionId, leader } of metadata) {
    // A partition that was added later is not used until the next start: keys stay where they are.
    if (partitionId < leaders.length) leaders[partitionId] = leader;
  }
}

/**
 * kafkajs asks its partitioner for every message, with fresh metadata, before every try of a send:
 * the one place from which a record of a partition that it does not know, which kafkajs drops
 * silently, and a send that would spread over two brokers can be stopped.
 */
export function createLeaderWatch(layout: Layout): LeaderWatch {
  let expected = -1;
  const partitioner: ReturnType<ICustomPartitioner> = ({ topic, partitionMetadata, message }) => {
    const { partition } = message;
    const found = partitionMetadata.find(({ partitionId }) => partitionId === partition);
    if (partition === undefined || found?.leader !== expected) {
      learn(layout, topic, partitionMetadata);
      throw new LeaderMovedError(
        `partition ${String(partition)} of ${topic} ` +
          (found === undefined
            ? 'is gone; restart this program if the topic was made again with fewer partitions'
            : `is led by broker ${found.leader}, not by ${expected}`),
      );
    }
    return partition;
  };
  return {
    expect(leader) {
      expected = leader;
    },
    createPartitioner: () => partitioner,
  };
}
