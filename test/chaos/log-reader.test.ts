import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { type Cluster, startCluster } from '../../sandbox/cluster/start.ts';
import { type LogReader, createLogReader } from './log/log-reader.ts';
import { CompressionTypes } from '../support/kafka-library.ts';

describe('log reader of the chaos suite', () => {
  const topic = `chaos-reader-${randomUUID().slice(0, 8)}`;
  let cluster: Cluster;
  let admin: Admin;
  const producers: Producer[] = [];
  let reader: LogReader;

  const openProducer = async (name: string): Promise<Producer> => {
    const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({
      transactionalId: `${topic}-${name}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    producers.push(producer);
    return producer;
  };
  const send = (key: string, compression = CompressionTypes.None) => ({
    topic,
    compression,
    messages: [{ key, value: null, headers: { poll: 'p1' }, partition: 0 }],
  });
  const keys = () => reader.records(topic).map(({ key }) => key?.toString());

  /** Markers are written a moment after a commit or abort is acknowledged. */
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 200; tries += 1) {
      await reader.catchUp();
      if (isSo()) return;
      await sleep(25);
    }
  };

  beforeAll(async () => {
    cluster = await startCluster();
    const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
    admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    reader = createLogReader({
      brokers: cluster.brokers,
      registryUrl: cluster.registryUrl,
      topics: [topic, 'not-there'],
    });
  }, 600_000);

  afterAll(async () => {
    for (const producer of producers) await producer.disconnect();
    await admin.disconnect();
    await cluster[Symbol.asyncDispose]();
  });

  test('returns committed records in log order when transactions overlap', async () => {
    const [first, second, third] = await Promise.all([
      openProducer('a'),
      openProducer('b'),
      openProducer('c'),
    ]);
    const committed = await first.transaction();
    const aborted = await second.transaction();
    const open = await third.transaction();
    await committed.send(send('committed 1'));
    await aborted.send(send('aborted 1'));
    await open.send(send('open'));
    await committed.send(send('committed 2', CompressionTypes.GZIP));
    await aborted.send(send('aborted 2'));
    await aborted.abort();
    await committed.commit();

    await until(() => keys().length === 2 && reader.open() === 1);
    expect(keys()).toEqual(['committed 1', 'committed 2']);
    expect(reader.open()).toBe(1);

    await open.commit();
    await until(() => reader.open() === 0);
    expect(keys()).toEqual(['committed 1', 'open', 'committed 2']);
    const [record, other] = reader.records(topic);
    expect(record).toMatchObject({ partition: 0, decoded: null, headers: { poll: 'p1' } });
    expect(record?.producer).not.toBe(other?.producer);
    expect(record?.timestampMs).toBeLessThanOrEqual(record?.committedMs ?? 0);
  });
});
