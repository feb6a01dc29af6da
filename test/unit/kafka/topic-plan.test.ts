import { describe, expect, test } from '@jest/globals';
import type { TopicRole } from '../../../src/engine/stream-name.ts';
import type { KafkaOptions, TopicOptions } from '../../../src/kafka/options.ts';
import { planTopics, topicProblems, topicWarnings } from '../../../src/kafka/topic-plan.ts';

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
  topicSettings: KafkaOptions['topicSettings'] = {},
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
    topicSettings,
    keyFormat: 'string',
    eventTimed: ['media'],
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
        policy: 'delete',
        settings: {},
        hasEventTime: false,
      },
      {
        role: 'media',
        name: 'instagram.media',
        partitions: 6,
        replicationFactor: 3,
        configs: { 'cleanup.policy': 'compact', 'min.insync.replicas': '2' },
        policy: 'compact',
        settings: {},
        hasEventTime: true,
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
        policy: 'compact',
        settings: {},
        hasEventTime: false,
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

describe('the settings of a stream', () => {
  const settings = {
    'retention.ms': '86400000',
    'min.insync.replicas': '3',
    'segment.ms': '3600000',
  };
  const [plan] = plansOf({}, ['users'], { users: settings, media: { 'segment.ms': '1' } });

  test('win over those of all topics where its topic is created', () => {
    expect(plan?.configs).toEqual({
      'cleanup.policy': 'delete',
      'retention.ms': '86400000',
      'min.insync.replicas': '3',
      'segment.ms': '3600000',
    });
  });

  test('refuse a topic with fewer replicas in sync', () => {
    const found = { replicas: 3, partitions: 6, configs: { 'min.insync.replicas': '2' } };
    expect(plan && topicProblems(plan, found, ['b:9092'])).toEqual([
      expect.stringContaining('min.insync.replicas is 2, expected at least 3; run: '),
    ]);
  });
});

describe('a topic of records with the time of their event', () => {
  const [plan] = plansOf({}, ['media']);
  const problems = (configs: Record<string, string>) =>
    plan && topicProblems(plan, { replicas: 3, partitions: 6, configs }, ['b:9092']);

  test('is refused where the broker replaces or rejects old times', () => {
    const wanted =
      'because its records carry the time of their event (STREAM_MEDIA_RECORD_TIMESTAMP or ' +
      'KAFKA_RECORD_TIMESTAMP is event); run: kafka-configs.sh --bootstrap-server b:9092 --alter ' +
      '--entity-type topics --entity-name instagram.media --add-config';
    expect(
      problems({
        'message.timestamp.type': 'LogAppendTime',
        'message.timestamp.before.max.ms': '86400000',
      }),
    ).toEqual([
      'instagram.media: message.timestamp.type is LogAppendTime, expected CreateTime, ' +
        `${wanted} message.timestamp.type=CreateTime`,
      'instagram.media: message.timestamp.before.max.ms is 86400000, expected at least ' +
        `630720000000, ${wanted} message.timestamp.before.max.ms=630720000000`,
    ]);
  });

  test('is taken with the defaults of the broker', () => {
    const configs = {
      'message.timestamp.type': 'CreateTime',
      'message.timestamp.before.max.ms': '9223372036854775807',
      'message.timestamp.after.max.ms': '3600000',
    };
    expect(problems(configs)).toEqual([]);
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

describe('topicWarnings', () => {
  const alter = (topic: string, config: string): string =>
    `Run: kafka-configs.sh --bootstrap-server b:9092 --alter --entity-type topics --entity-name ${topic} ` +
    `--add-config ${config}`;
  const warnAll = (
    role: TopicRole,
    configs: Record<string, string>,
    settings: Record<string, string> = {},
  ) => {
    const [plan] = plansOf({}, [role, 'state'], { [role]: settings });
    return plan === undefined ? [] : topicWarnings(plan, { configs }, ['b:9092']);
  };
  const warn = (role: TopicRole, configs: Record<string, string>) => warnAll(role, configs)[0];
  const forever = { 'retention.ms': '-1', 'retention.bytes': '-1' };
  const week = { 'retention.ms': '604800000', 'retention.bytes': '-1' };

  test.each([
    ['media', { 'cleanup.policy': 'compact', ...week }],
    ['users', { 'cleanup.policy': 'delete', ...forever }],
    ['dead_letters', { 'cleanup.policy': 'delete', ...week }],
    ['users', {}],
  ] as const)('are none for %s with %p', (role, configs) => {
    expect(warnAll(role, configs)).toEqual([]);
  });

  test('names the retention after which unchanged media are lost', () => {
    expect(warn('media', { 'cleanup.policy': 'delete', ...week })).toEqual({
      kind: 'loss',
      problem:
        'cleanup.policy=delete, retention.ms=604800000, expected cleanup.policy=compact: records ' +
        'expire, and what has not changed is never published again',
      action: alter('instagram.media', 'cleanup.policy=compact'),
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
      kind: 'loss',
      problem:
        'cleanup.policy=compact, expected cleanup.policy=delete without a limit of time or size: of ' +
        'the records with one key only the last one stays, and the history is lost',
      action: alter('instagram.users', 'cleanup.policy=delete,retention.ms=-1'),
    });
  });

  test('names a history topic that expires, by time or by size', () => {
    const bytes = { 'retention.ms': '-1', 'retention.bytes': '1000' };
    expect(warn('users', { 'cleanup.policy': 'delete', ...week })?.action).toBe(
      alter('instagram.users', 'retention.ms=-1'),
    );
    expect(warn('users', { 'cleanup.policy': 'delete', ...bytes })?.action).toBe(
      alter('instagram.users', 'retention.bytes=-1'),
    );
  });

  test('names a dead-letter topic that is compacted, and accepts its retention', () => {
    expect(warn('dead_letters', { 'cleanup.policy': 'compact', ...week })?.action).toBe(
      alter('instagram.dead-letters', 'cleanup.policy=delete'),
    );
  });

  test('names the variable of a setting that loses records', () => {
    const settings = { 'retention.ms': '604800000' };
    const [warning] = warnAll('users', { 'cleanup.policy': 'delete', ...week }, settings);
    const run = alter('instagram.users', 'retention.ms=-1').replace('Run', 'run');
    expect(warning?.action).toBe(
      `Keep the records elsewhere too; or remove STREAM_USERS_TOPIC_RETENTION_MS, and ${run}`,
    );
  });

  test('names the settings that an existing topic does not have, with the command', () => {
    const settings = { 'cleanup.policy': 'compact,delete', 'max.compaction.lag.ms': '1000' };
    const found = { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '2000' };
    expect(warnAll('media', found, settings)).toEqual([
      {
        kind: 'difference',
        problem:
          'cleanup.policy=compact, expected compact,delete (STREAM_MEDIA_TOPIC_CLEANUP_POLICY); ' +
          'max.compaction.lag.ms=2000, expected 1000 (STREAM_MEDIA_TOPIC_MAX_COMPACTION_LAG_MS)',
        action: alter(
          'instagram.media',
          'cleanup.policy=[compact,delete],max.compaction.lag.ms=1000',
        ),
      },
    ]);
  });

  test.each([
    [
      'the same numbers',
      { 'min.cleanable.dirty.ratio': '0.50' },
      { 'min.cleanable.dirty.ratio': '0.5' },
    ],
    ['an unreadable config', {}, { 'segment.ms': '1' }],
    ['more replicas in sync', { 'min.insync.replicas': '3' }, { 'min.insync.replicas': '2' }],
  ])('say nothing of %s', (_what, found, settings) => {
    const configs = { 'cleanup.policy': 'compact', ...found };
    expect(
      warnAll('media', configs as Record<string, string>, settings as Record<string, string>),
    ).toEqual([]);
  });
});
