import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHealth, type Layout } from '../../../src/kafka/shared.ts';

import { createWarningLog, prepareLayout, watchTopics } from '../../../src/kafka/topics.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import { jsonStateCodec } from '../../support/json-state-codec.ts';
import { usualShutdown } from '../../support/shutdown.ts';
import { ConfigResourceTypes } from '../../support/kafka-library.ts';
import { readTopic } from '../../support/topic-reader.ts';
import {
  createKafkaWorld,
  mediaBatch,
  mediaRecord,
  noSignal,
  restoreAll,
  type KafkaWorld,
} from '../../support/kafka-world.ts';

let world: KafkaWorld;

beforeEach(async () => {
  world = await createKafkaWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function configsOf(name: string): Promise<Record<string, string>> {
  const admin = await world.openAdmin();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name }],
  });
  return Object.fromEntries(
    resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]) ?? [],
  );
}

describe('prepareTopics', () => {
  test('creates missing topics with explicit partitions and configs', async () => {
    const topics = { ...world.options.topics, minInSyncReplicas: 1, replicationFactor: 1 };
    await world.openReady({ topics });

    const admin = await world.openAdmin();
    const names = [world.nameOf('media'), world.nameOf('users'), world.nameOf('state')];
    const metadata = await admin.fetchTopicMetadata({ topics: names });
    const counts = metadata.topics.map(({ name, partitions }) => [name, partitions.length]);
    expect(Object.fromEntries(counts)).toEqual({
      [world.nameOf('media')]: 3,
      [world.nameOf('users')]: 3,
      [world.nameOf('state')]: 4,
    });
    expect(await configsOf(world.nameOf('media'))).toMatchObject({ 'cleanup.policy': 'compact' });
    expect(await configsOf(world.nameOf('users'))).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
    });
    expect(await configsOf(world.nameOf('state'))).toMatchObject({
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.1',
      'min.insync.replicas': '1',
    });
  });

  test('creates the topic of a stream with its settings, and finds an existing one that differs', async () => {
    const configured = {
      'retention.ms': '86400000',
      'compression.type': 'lz4',
      'max.message.bytes': '2000000',
      'min.insync.replicas': '1',
    };
    await world.openReady({ topicSettings: { users: configured } });
    expect(await configsOf(world.nameOf('users'))).toMatchObject({
      'cleanup.policy': 'delete',
      ...configured,
    });

    const topicSettings = { users: { ...configured, 'segment.ms': '3600000' } };
    const found = await world.open({ topicSettings }).probe.topics();
    expect(found.find(({ name }) => name === world.nameOf('users'))).toMatchObject({
      problems: [],
      warnings: [
        {
          kind: 'loss',
          action: expect.stringContaining('or remove STREAM_USERS_TOPIC_RETENTION_MS'),
        },
        {
          kind: 'difference',
          problem: 'segment.ms=604800000, expected 3600000 (STREAM_USERS_TOPIC_SEGMENT_MS)',
          action: expect.stringMatching(
            /^Run: kafka-configs.sh .* --add-config segment.ms=3600000$/,
          ),
        },
      ],
    });
    expect(found.find(({ name }) => name === world.nameOf('media'))).toMatchObject({
      warnings: [],
    });
  });

  test('reports that the broker does not know a setting of a vendor', async () => {
    const topicSettings = { users: { 'redpanda.remote.read': 'true' } };
    await expect(world.openReady({ topicSettings })).rejects.toMatchObject({
      code: 'kafka.topic-invalid',
      message: expect.stringContaining('could not be created: Configuration is invalid'),
    });
  });

  test('accepts existing topics with their partition counts', async () => {
    await world.openReady();
    const topics = { ...world.options.topics, create: false, partitions: 9 };
    expect((await restoreAll(await world.openReady({ topics }))).size).toBe(0);
  });

  test('rejects a state topic whose partition count differs from the configuration', async () => {
    await world.openReady();
    const topics = { ...world.options.topics, statePartitions: 9 };
    await expect(world.openReady({ topics })).rejects.toMatchObject({
      code: 'kafka.topic-invalid',
      message:
        "Kafka's topics are not as they must be:\n" +
        `- ${world.nameOf('state')}: has 4 partitions, expected 9 (KAFKA_TOPICS_STATE_PARTITIONS): ` +
        'accounts and their states are found by this number. If the topic was made with as many, set ' +
        'it so, the same for all instances; if partitions were added later, stop all instances, ' +
        'set it so, run "instagram-kafka state move-partitions --apply"',
    });
  });

  test('lists every missing topic when topic creation is off', async () => {
    const adapter = world.open({ topics: { ...world.options.topics, create: false } });
    const refusal = await adapter.prepareTopics(noSignal).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      disposition: 'stop-process',
      code: 'kafka.topic-invalid',
      exitCode: 3,
    });
    for (const role of ['media', 'users', 'state'] as const) {
      expect(String(refusal)).toContain(`${world.nameOf(role)}: is missing`);
    }
  });

  test('rejects a state topic that is not compacted, with the command that fixes it', async () => {
    const admin = await world.openAdmin();
    await admin.createTopics({ topics: [{ topic: world.nameOf('state'), numPartitions: 4 }] });
    const name = world.nameOf('state');
    await expect(world.openReady()).rejects.toMatchObject({
      code: 'kafka.topic-invalid',
      message:
        "Kafka's topics are not as they must be:\n" +
        `- ${name}: cleanup.policy is delete, expected compact, or the state of the streams is lost ` +
        'when it expires; run: kafka-configs.sh --bootstrap-server ' +
        `${world.cluster.brokers.join(',')} --alter --entity-type topics --entity-name ${name} ` +
        '--add-config cleanup.policy=compact',
    });
  });

  test('names every topic with fewer replicas than configured', async () => {
    await world.openReady();
    const topics = { ...world.options.topics, replicationFactor: 3 };
    const refusal = await world.openReady({ topics }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'kafka.topic-invalid' });
    for (const role of ['media', 'users', 'state'] as const) {
      expect(String(refusal)).toContain(
        `${world.nameOf(role)}: has 1 replicas, expected at least 3`,
      );
    }
  });

  test('reports the reason when the broker does not create a topic', async () => {
    const topics = { ...world.options.topics, replicationFactor: 3 };
    const refusal = await world.openReady({ topics }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'kafka.topic-invalid' });
    expect(String(refusal)).toContain(
      `${world.nameOf('media')}: could not be created: Replication-factor is invalid`,
    );
  });
});

describe('prepareAccount', () => {
  const perAccount = () => `${world.options.transactionalIdPrefix}.{account}.{stream}`;

  test('creates the topics of one account, to which its batches go', async () => {
    const topicTemplate = perAccount();
    const prefix = world.options.transactionalIdPrefix;
    const adapter = await world.openReady({ topicTemplate });
    const admin = await world.openAdmin();
    const topics = async () =>
      (await admin.listTopics()).filter((name) => name.startsWith(prefix)).sort();
    expect(await topics()).toEqual([`${prefix}.state`]);

    await adapter.prepareAccount('17', noSignal);
    expect(await topics()).toEqual([`${prefix}.17.media`, `${prefix}.17.users`, `${prefix}.state`]);
    expect(await configsOf(`${prefix}.17.media`)).toMatchObject({ 'cleanup.policy': 'compact' });

    await adapter.publisher.publish(mediaBatch('17', 1, [mediaRecord('a')]), noSignal);
    await adapter.prepareAccount('18', noSignal);
    await adapter.publisher.publish(mediaBatch('18', 1, [mediaRecord('b')]), noSignal);
    const keysOf = async (name: string) =>
      (await readTopic(world.cluster.brokers, name, 1)).map(({ key }) => key);
    expect(await keysOf(`${prefix}.17.media`)).toEqual(['a']);
    expect(await keysOf(`${prefix}.18.media`)).toEqual(['b']);
    const found = await adapter.probe.topics(['17', '19']);
    expect(found.map(({ name, exists }) => [name, exists])).toEqual([
      [`${prefix}.17.media`, true],
      [`${prefix}.19.media`, false],
      [`${prefix}.17.users`, true],
      [`${prefix}.19.users`, false],
      [`${prefix}.state`, true],
    ]);
  });

  test('names the topics of the account that may not be created', async () => {
    const topicTemplate = perAccount();
    await world.openReady({ topicTemplate });
    const topics = { ...world.options.topics, create: false };
    const adapter = await world.openReady({ topicTemplate, topics });
    await expect(adapter.prepareAccount('17', noSignal)).rejects.toMatchObject({
      code: 'kafka.topic-invalid',
      message: expect.stringContaining(`.17.media: is missing`),
    });
  });
});

describe('watchTopics', () => {
  async function alter(name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const admin = await world.openAdmin();
    const configEntries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
    const resource = { type: ConfigResourceTypes.TOPIC, name, configEntries };
    await admin.alterConfigs({ validateOnly: false, resources: [resource] });
  }

  test('sets Kafka to not ready while the state topic is not compacted, and logs settings that lose records', async () => {
    await world.openReady();
    const lines: unknown[] = [];
    const dependencies = {
      codec: jsonStateCodec,
      telemetry: { report: (event: TelemetryEvent) => world.events.push(event) },
      log: (...line: readonly unknown[]) => lines.push(line),
      shutdown: usualShutdown,
    };
    const { options } = world;
    const base = {
      options,
      dependencies,
      health: createHealth(dependencies.telemetry),
      layout: (): Layout => layout,
      warnOf: createWarningLog({ options, dependencies }),
    };
    const layout = await prepareLayout(base, noSignal);
    const stop = new AbortController();
    const watching = watchTopics(base, 20, stop.signal);
    const waitFor = async (isThere: () => boolean): Promise<void> => {
      while (!isThere()) await sleep(20);
    };
    const kafka = () => world.events.findLast(({ type }) => type === 'dependency');

    await alter(world.nameOf('state'), { 'cleanup.policy': 'delete' });
    await waitFor(() => JSON.stringify(kafka()).includes('cleanup.policy is delete'));
    expect(kafka()).toMatchObject({ name: 'kafka', ready: false });
    await alter(world.nameOf('state'), {
      'cleanup.policy': 'compact',
      'max.message.bytes': '5000',
    });
    await waitFor(() => JSON.stringify(kafka()).includes('"ready":true'));
    expect(layout.topic('state').maxBatchBytes).toBe(5000);
    expect(lines.filter((line) => JSON.stringify(line).includes('loses'))).toEqual([]);

    await alter(world.nameOf('users'), { 'cleanup.policy': 'delete', 'retention.ms': '3600000' });
    await waitFor(() => JSON.stringify(lines).includes('loses'));
    const looks = () => lines.filter((line) => JSON.stringify(line).includes('loses'));
    expect(looks()).toEqual([
      [
        'warn',
        'topic loses records',
        {
          topic: world.nameOf('users'),
          problem: expect.stringMatching(/retention.ms=3600000, .*: records expire/),
          action: expect.stringMatching(/^Run: kafka-configs.sh .* --add-config retention.ms=-1$/),
        },
      ],
    ]);
    stop.abort();
    await watching;
    expect(looks()).toHaveLength(1);
  }, 30_000);
});
