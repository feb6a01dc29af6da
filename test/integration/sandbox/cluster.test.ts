import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';

import { type Cluster, startCluster } from '../../../sandbox/cluster/start.ts';

const TOPIC = 'cluster.test';
const SUBJECT = `${TOPIC}-value`;

/** A new client for every step, because a client that lost its broker waits before it retries. */
function connectKafka(cluster: Cluster): Kafka {
  return new Kafka({
    clientId: 'cluster-test',
    brokers: [...cluster.brokers],
    logLevel: logLevel.NOTHING,
  });
}

async function createTopic(cluster: Cluster): Promise<void> {
  const admin = connectKafka(cluster).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
}

async function commitRecord(cluster: Cluster, value: string): Promise<void> {
  const producer = connectKafka(cluster).producer({
    transactionalId: 'cluster-test',
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: TOPIC, messages: [{ key: 'key', value }] });
  await transaction.commit();
  await producer.disconnect();
}

async function readRecords(cluster: Cluster, count: number): Promise<string[]> {
  const groupId = `cluster-test-${String(Math.random())}`;
  const consumer = connectKafka(cluster).consumer({ groupId });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      values.push(message.value?.toString('utf8') ?? '');
      if (values.length === count) resolve();
      return Promise.resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return values;
}

async function registerSchema(cluster: Cluster, fields: readonly object[]): Promise<Response> {
  const schema = JSON.stringify({ type: 'record', name: 'Thing', fields });
  return fetch(`${cluster.registryUrl}/subjects/${SUBJECT}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
}

describe('sandbox cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    // Faults need a new cluster, whatever the environment offers.
    const env = { ...process.env, KAFKA_BROKERS: '', SCHEMA_REGISTRY_URL: '' };
    cluster = await startCluster({ env });
  }, 600_000);

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  test('commits a record in a transaction and returns it to a consumer', async () => {
    await createTopic(cluster);
    await commitRecord(cluster, 'first');
    expect(await readRecords(cluster, 1)).toEqual(['first']);
  });

  test('registers a schema and lists its subject', async () => {
    const response = await registerSchema(cluster, [{ name: 'id', type: 'string' }]);
    expect(response.status).toBe(200);
    const subjects = await fetch(`${cluster.registryUrl}/subjects`);
    expect(await subjects.json()).toEqual([SUBJECT]);
  });

  test('keeps the records when a broker is killed and restarted', async () => {
    await cluster.broker.kill(0);
    await cluster.broker.start(0);
    await commitRecord(cluster, 'second');
    expect(await readRecords(cluster, 2)).toEqual(['first', 'second']);
  });

  test('keeps the records when a broker is stopped and restarted', async () => {
    await cluster.broker.stop();
    await cluster.broker.start();
    expect(await readRecords(cluster, 2)).toEqual(['first', 'second']);
  });

  test('answers again when a paused broker is resumed', async () => {
    await cluster.broker.pause();
    await cluster.broker.resume();
    expect(await readRecords(cluster, 2)).toEqual(['first', 'second']);
  });

  test('keeps schemas and ids when the registry is killed and restarted', async () => {
    const before = (await (
      await registerSchema(cluster, [{ name: 'id', type: 'string' }])
    ).json()) as { id: number };
    await cluster.registry.kill();
    await expect(fetch(`${cluster.registryUrl}/subjects`)).rejects.toThrow('fetch failed');
    await cluster.registry.start();
    const response = await fetch(`${cluster.registryUrl}/schemas/ids/${before.id}`);
    expect(response.status).toBe(200);
  });

  test('rejects an incompatible schema with 409 when the subject has a compatibility level', async () => {
    await fetch(`${cluster.registryUrl}/config/${SUBJECT}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ compatibility: 'FULL_TRANSITIVE' }),
    });
    const response = await registerSchema(cluster, [{ name: 'other', type: 'string' }]);
    expect(response.status).toBe(409);
  });

  test('accepts no connection after it is disposed', async () => {
    await cluster[Symbol.asyncDispose]();
    const admin = new Kafka({
      brokers: [...cluster.brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin();
    await expect(admin.connect()).rejects.toThrow('ECONNREFUSED');
    await expect(fetch(`${cluster.registryUrl}/subjects`)).rejects.toThrow('fetch failed');
  });
});
