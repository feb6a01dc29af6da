import { describe, expect, test } from '@jest/globals';
import type { TopicRole } from '../../../src/engine/stream-name.ts';
import type { KafkaOptions, TopicOptions } from '../../../src/kafka/options.ts';
import { planTopics, topicProblems, topicWarning } from '../../../src/kafka/topic-plan.ts';

const topics: TopicOptions = {
  create: true,
  partitions: 6,
  statePartitions: 12,
  replicationFactor: 3,
  minInSyncReplicas: 2,
  deadLetterRetentionMs: 2_592_000_000,
};

function plansOf(
  changes: Partial<TopicOptions> = {},
  roles: readonly TopicRole[] = ['user_insights', 'media', 'state'],
) {
  const options: KafkaOptions = {
    brokers: ['b:9092'],
    security: { tls: null, sasl: null, principal: () => 'User:ANONYMOUS' },
    clientId: 'c',
    topicTemplate: 'instagram.{stream}',
    transactionalIdPrefix: 'x',
    transactionTimeoutMs: 1,
    sendDeadlineMs: 1,
    connectionTimeoutMs: 1,
    compression: 'none',
    group: { sessionTimeoutMs: 1, heartbeatMs: 1, rebalanceTimeoutMs: 1 },
    instance: 'i',
    topics: { ...topics, ...changes },
    roles,
    compacted: ['media', 'tags', 'comments'],
  };
  return planTopics(options);
}

function problemsOf(configs: Record<string, string>, replicas = 3, partitions = 12) {
  const plan = plansOf().find(({ role }) => role === 'state');
  return plan === undefined
    ? []
    : topicProblems(plan, { replicas, configs, partitions }, ['b:9092']);
}

describe('planTopics', () => {
  test("compacts the topics with other people's content, so that tombstones delete it", () => {
    const plans = plansOf({}, ['comments', 'tags']);

    expect(plans.map(({ configs }) => configs['cleanup.policy'])).toEqual(['compact', 'compact']);
  });

  test('keeps history without a time limit, and compacts topics that need the latest record only', () => {
    expect(plansOf()).toEqual([
      {
        role: 'user_insights',
        name: 'instagram.user-insights',
        partitions: 6,
        replicationFactor: 3,
        configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'min.insync.replicas': '2' },
      },
      {
        role: 'media',
        name: 'instagram.media',
        partitions: 6,
        replicationFactor: 3,
        configs: { 'cleanup.policy': 'compact', 'min.insync.replicas': '2' },
      },
      {
        role: 'state',
        name: 'instagram.state',
        partitions: 12,
        replicationFactor: 3,
        configs: {
          'cleanup.policy': 'compact',
          'min.cleanable.dirty.ratio': '0.1',
          'segment.bytes': '52428800',
          'segment.ms': '86400000',
          'compression.type': 'producer',
          'min.insync.replicas': '2',
        },
      },
    ]);
  });

  test("lets dead letters expire, because they hold other people's content", () => {
    expect(plansOf({}, ['dead_letters'])[0]?.configs).toEqual({
      'cleanup.policy': 'delete',
      'retention.ms': '2592000000',
      'segment.ms': '86400000',
      'min.insync.replicas': '2',
    });
  });

  test('rolls the segments of dead letters as often as they expire, at least daily', () => {
    const [plan] = plansOf({ deadLetterRetentionMs: 3_600_000 }, ['dead_letters']);

    expect(plan?.configs).toMatchObject({ 'retention.ms': '3600000', 'segment.ms': '3600000' });
  });

  test('leaves min.insync.replicas to the broker when it is not configured', () => {
    expect(plansOf({ minInSyncReplicas: -1 })[1]?.configs).toEqual({ 'cleanup.policy': 'compact' });
  });
});

describe('topicProblems', () => {
  test('accepts a dead-letter topic with any retention', () => {
    const [plan] = plansOf({}, ['dead_letters']);
    const found = { replicas: 3, partitions: 6, configs: { 'retention.ms': '-1' } };

    expect(plan && topicProblems(plan, found, ['b:9092'])).toEqual([]);
  });

  test('is empty for a topic that matches its plan', () => {
    expect(problemsOf({ 'cleanup.policy': 'compact', 'min.insync.replicas': '2' })).toEqual([]);
  });

  test('lists every problem of a topic', () => {
    expect(
      problemsOf({ 'cleanup.policy': 'compact,delete', 'min.insync.replicas': '1' }, 1),
    ).toEqual([
      'instagram.state: cleanup.policy is compact,delete, expected compact, or the state of the streams ' +
        'is lost when it expires; run: kafka-configs.sh --bootstrap-server b:9092 --alter ' +
        '--entity-type topics --entity-name instagram.state --add-config cleanup.policy=compact',
      'instagram.state: has 1 replicas, expected at least 3; add replicas with ' +
        'kafka-reassign-partitions.sh or lower the replication factor that is asked for',
      'instagram.state: min.insync.replicas is 1, expected at least 2; run: kafka-configs.sh ' +
        '--bootstrap-server b:9092 --alter --entity-type topics --entity-name instagram.state ' +
        '--add-config min.insync.replicas=2',
    ]);
  });
});

describe('topicWarning', () => {
  const alter = (topic: string, config: string): string =>
    `kafka-configs.sh --bootstrap-server b:9092 --alter --entity-type topics --entity-name ${topic} ` +
    `--add-config ${config}`;
  const warn = (role: TopicRole, configs: Record<string, string>) => {
    const [plan] = plansOf({}, [role, 'state']);
    return plan === undefined ? null : topicWarning(plan, { configs }, ['b:9092']);
  };
  const forever = { 'retention.ms': '-1', 'retention.bytes': '-1' };
  const week = { 'retention.ms': '604800000', 'retention.bytes': '-1' };

  test.each([
    ['media', { 'cleanup.policy': 'compact', ...week }],
    ['users', { 'cleanup.policy': 'delete', ...forever }],
    ['dead_letters', { 'cleanup.policy': 'delete', ...week }],
    ['users', {}],
  ] as const)('is null for %s with %p', (role, configs) => {
    expect(warn(role, configs)).toBeNull();
  });

  test('names the retention after which unchanged media are lost', () => {
    expect(warn('media', { 'cleanup.policy': 'delete', ...week })).toEqual({
      problem:
        'cleanup.policy=delete, retention.ms=604800000, expected cleanup.policy=compact: records ' +
        'expire, and what has not changed is never published again',
      command: alter('instagram.media', 'cleanup.policy=compact'),
    });
  });

  test('names a retention on a compacted topic', () => {
    expect(warn('media', { 'cleanup.policy': 'compact,delete', ...week })?.problem).toMatch(
      /^cleanup.policy=compact,delete, retention.ms=604800000, expected .*: records expire/,
    );
  });

  test('names tombstones that delete nothing', () => {
    expect(warn('tags', { 'cleanup.policy': 'delete', ...forever })?.problem).toMatch(
      /tombstones delete nothing$/,
    );
  });

  test('names a history topic that is compacted', () => {
    expect(warn('users', { 'cleanup.policy': 'compact', ...week })).toEqual({
      problem:
        'cleanup.policy=compact, expected cleanup.policy=delete without a limit of time or size: of ' +
        'the records with one key only the last one stays, and the history is lost',
      command: alter('instagram.users', 'cleanup.policy=delete,retention.ms=-1'),
    });
  });

  test('names a history topic that expires, by time or by size', () => {
    const bytes = { 'retention.ms': '-1', 'retention.bytes': '1000' };
    expect(warn('users', { 'cleanup.policy': 'delete', ...week })?.command).toBe(
      alter('instagram.users', 'retention.ms=-1'),
    );
    expect(warn('users', { 'cleanup.policy': 'delete', ...bytes })?.command).toBe(
      alter('instagram.users', 'retention.bytes=-1'),
    );
  });

  test('names a dead-letter topic that is compacted, and accepts its retention', () => {
    expect(warn('dead_letters', { 'cleanup.policy': 'compact', ...week })?.command).toBe(
      alter('instagram.dead-letters', 'cleanup.policy=delete'),
    );
  });
});
