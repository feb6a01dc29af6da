import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { startCluster } from '../../sandbox/cluster/start.ts';
import { electLeaders } from './leaders.ts';

test('chaos suite: an election moves the leader of every partition to the next replica', async () => {
  await using cluster = await startCluster({ env: {}, brokers: 3 });
  const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topic = 'elected';
  await admin.createTopics({
    topics: [{ topic, numPartitions: 3, replicationFactor: 3 }],
    waitForLeaders: false,
  });
  const find = async () => {
    for (;;) {
      // A broker that does not know the topic or its leaders yet answers with an error.
      const found = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
      const partitions = found?.topics[0]?.partitions ?? [];
      // Only a replica in sync becomes the leader.
      const isReady = partitions.length === 3 && partitions.every(({ isr }) => isr.length === 3);
      if (isReady) return partitions.toSorted((a, b) => a.partitionId - b.partitionId);
      await sleep(50);
    }
  };
  const before = await find();

  await electLeaders(cluster.brokers);

  const expected = before.map(({ replicas }) => replicas[1]);
  // The brokers learn of the election one after another.
  let leaders: readonly number[] = [];
  const deadlineMs = performance.now() + 60_000;
  while (leaders.join() !== expected.join() && performance.now() < deadlineMs) {
    await sleep(50);
    leaders = (await find()).map(({ leader }) => leader);
  }
  await admin.disconnect();
  expect(leaders).toEqual(expected);
}, 120_000);
