import { describe, expect, test } from '@jest/globals';
import { explainConfig } from '../../../src/config/explain.ts';
import { env, failure, load, useFolder } from './loading.ts';

const { write } = useFolder();

describe('topic settings of a stream', () => {
  test('come from variables, the file and the argument, which wins setting by setting', () => {
    const topic = {
      'retention.ms': 1000,
      'segment.ms': '2000',
      'cleanup.policy': 'compact,delete',
    };
    const config = load({
      env: {
        ...env,
        STREAM_MEDIA_TOPIC_RETENTION_MS: '-1',
        STREAM_MEDIA_TOPIC_SEGMENT_MS: '3000',
        STREAM_MEDIA_INSIGHTS_TOPIC_COMPRESSION_TYPE: 'zstd',
      },
      configFile: write('topics.json', { streams: { media: { topic } } }),
      args: { 'stream-media-topic': 'segment.ms=4000  preallocate=true' },
    });
    expect(config.streams.media.topic).toEqual({
      'retention.ms': '-1',
      'segment.ms': '4000',
      'cleanup.policy': 'compact,delete',
      preallocate: 'true',
    });
    expect(config.streams.media_insights.topic).toEqual({ 'compression.type': 'zstd' });
    expect(config.streams.users.topic).toEqual({});
  });

  test('of a vendor are passed on by their names', () => {
    const config = load({
      env: { ...env, STREAM_TAGS_TOPIC_REDPANDA_REMOTE_READ: 'true' },
      args: { 'stream-tags-topic': 'confluent.tier.enable=true' },
    });
    expect(config.streams.tags.topic).toEqual({
      'redpanda.remote.read': 'true',
      'confluent.tier.enable': 'true',
    });
  });

  test('with an unknown name are refused by the variable, with the nearest setting', () => {
    const error = failure({ env: { ...env, STREAM_MEDIA_TOPIC_RETENTON_MS: '1000' } });
    expect(error.message).toBe(
      '1 problem in the configuration:\n' +
        '- STREAM_MEDIA_TOPIC_RETENTON_MS: got the unknown name retenton.ms in ' +
        'streams.media.topic, expected a topic setting of Kafka, such as retention.ms; remove or ' +
        'correct it; did you mean STREAM_MEDIA_TOPIC_RETENTION_MS?',
    );
  });

  test('with an unknown name are refused in the file and in the argument', () => {
    const configFile = write('unknown.json', { streams: { tags: { topic: { retention: 1 } } } });
    const error = failure({ configFile, args: { 'stream-tags-topic': 'segment.mss=1 other' } });
    expect(error.problems.map(({ path, action }) => [path, action])).toEqual([
      [
        'streams.tags.topic.retention',
        'remove or correct it; did you mean "streams.tags.topic.retention.ms"?',
      ],
      [
        '--stream-tags-topic=segment.mss',
        'remove or correct it; did you mean --stream-tags-topic=segment.ms?',
      ],
      ['--stream-tags-topic=other', 'remove or correct it'],
    ]);
  });

  test.each([
    ['RETENTION_MS', '7d', 'retention.ms', 'a whole number from -1'],
    [
      'MIN_CLEANABLE_DIRTY_RATIO',
      '1.5',
      'min.cleanable.dirty.ratio',
      'a number from 0 to 1, such as 0.1',
    ],
    [
      'CLEANUP_POLICY',
      'keep',
      'cleanup.policy',
      'one of delete, compact, compact,delete, delete,compact',
    ],
    [
      'COMPRESSION_TYPE',
      'brotli',
      'compression.type',
      'one of producer, uncompressed, gzip, snappy, lz4, zstd',
    ],
    [
      'MAX_MESSAGE_BYTES',
      '65535',
      'max.message.bytes',
      'a whole number from 65536: larger records become dead letters',
    ],
    [
      'UNCLEAN_LEADER_ELECTION_ENABLE',
      'true',
      'unclean.leader.election.enable',
      'false: an unclean leader loses committed records for ever',
    ],
    ['CONFLUENT_TIER_ENABLE', 'a b', 'confluent.tier.enable', 'a text of visible characters'],
  ])('refuse %s=%s by the variable', (name, value, setting, expected) => {
    const variable = `STREAM_MEDIA_TOPIC_${name}`;
    const error = failure({ env: { ...env, [variable]: value } });
    expect(error.problems).toEqual([
      {
        path: `streams.media.topic.${setting}`,
        env: variable,
        received: JSON.stringify(value),
        expected,
        action: `correct ${variable}`,
      },
    ]);
  });

  test('refuse a value of the file that is no object', () => {
    const configFile = write('text.json', { streams: { tags: { topic: 'retention.ms=1' } } });
    expect(failure({ configFile }).problems).toMatchObject([
      { path: 'streams.tags.topic', received: 'a single value or a list' },
    ]);
  });

  test('refuse more replicas in sync than replicas', () => {
    const error = failure({
      env: {
        ...env,
        KAFKA_TOPICS_REPLICATION_FACTOR: '2',
        STREAM_MEDIA_TOPIC_MIN_INSYNC_REPLICAS: '3',
      },
    });
    expect(error.problems.map(({ path, action }) => [path, action])).toEqual([
      [
        'streams.media.topic',
        'lower STREAM_MEDIA_TOPIC_MIN_INSYNC_REPLICAS or raise KAFKA_TOPICS_REPLICATION_FACTOR',
      ],
    ]);
  });

  test('are explained with their strongest source', () => {
    const { values } = explainConfig({
      env: { ...env, STREAM_MEDIA_TOPIC_RETENTION_MS: '1000' },
      args: {},
    });
    expect(values.find(({ path }) => path === 'streams.media.topic')).toEqual({
      path: 'streams.media.topic',
      env: 'STREAM_MEDIA_TOPIC_<SETTING>',
      value: { 'retention.ms': '1000' },
      origin: 'environment',
      from: 'STREAM_MEDIA_TOPIC_<SETTING>',
    });
  });
});

describe('the record timestamp', () => {
  test('of a stream wins over that of all, and is publish for a reading', () => {
    const { streams } = load({
      env: {
        ...env,
        KAFKA_RECORD_TIMESTAMP: 'event',
        STREAM_STORIES_RECORD_TIMESTAMP: 'publish',
      },
    });
    expect(streams.media.recordTimestamp).toBe('event');
    expect(streams.user_insights.recordTimestamp).toBe('event');
    expect(streams.stories.recordTimestamp).toBe('publish');
    expect(streams.users.recordTimestamp).toBe('publish');
  });

  test('of a stream without a time of an event is an unknown setting', () => {
    const error = failure({ env: { ...env, STREAM_USERS_RECORD_TIMESTAMP: 'event' } });
    expect(error.problems.map(({ path }) => path)).toEqual(['STREAM_USERS_RECORD_TIMESTAMP']);
  });
});
