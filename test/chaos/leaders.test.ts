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
  const read = async () => {
    // A broker that does not know the topic or its leaders yet answers with an error.
    const found = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
    return (found?.topics[0]?.partitions ?? []).toSorted((a, b) => a.partitionId - b.partitionId);
  };
  // An election of preferred leaders skips a replica that is not in sync.
  const isReady = (partitions: Awaited<ReturnType<typeof read>>) =>
    partitions.length === 3 && partitions.every(({ isr }) => isr.length === 3);
  let before = await read();
  while (!isReady(before)) {
    await sleep(50);
    before = await read();
  }

  await electLeaders(cluster.brokers);

  const expected = before.map(({ replicas }) => replicas[1]);
  // The brokers learn of the election one after another.
  let leaders: readonly number[] = [];
  const deadlineMs = performance.now() + 60_000;
  while (leaders.join() !== expected.join() && performance.now() < deadlineMs) {
    await sleep(50);
    leaders = (await read()).map(({ leader }) => leader);
  }
  await admin.disconnect();
  expect(leaders).toEqual(expected);
}, 120_000);
