import { describe, expect, test } from '@jest/globals';
import { jsonLine, parseOffset, startOf, topicOf } from '../../../src/cli/tail.ts';

const nowMs = Date.UTC(2026, 10, 1, 12);

describe('the topic that tail reads', () => {
  const topicTemplate = 'ig.{account}.{stream}';

  test('is the one of the account where each has its own', () => {
    expect(topicOf('dead_letters', { topicTemplate }, ['17'])).toBe('ig.17.dead-letters');
    expect(topicOf('state', { topicTemplate }, [])).toBe('ig.state');
    expect(topicOf('media', { topicTemplate: 'ig.{stream}' }, ['17', '18'])).toBe('ig.media');
  });

  test.each([[[]], [['17', '18']]])('is refused for the accounts %j', (accounts) => {
    expect(() => topicOf('media', { topicTemplate }, accounts)).toThrow(
      'tail: expected one --account, because KAFKA_TOPIC_TEMPLATE is ig.{account}.{stream}',
    );
  });
});

describe('the start of tail', () => {
  test.each([
    [{}, { kind: 'end' }],
    [{ fromBeginning: true }, { kind: 'beginning' }],
    [{ fromOffset: parseOffset('1200') }, { kind: 'offset', offset: 1200n }],
    [{ fromOffset: parseOffset('-10') }, { kind: 'offset', offset: -10n }],
    [{ since: '2h' }, { kind: 'since', ms: Date.UTC(2026, 10, 1, 10) }],
    [{ since: '2026-10-30' }, { kind: 'since', ms: Date.UTC(2026, 9, 30) }],
    [{ since: '2026-10-30T07:00:00Z' }, { kind: 'since', ms: Date.UTC(2026, 9, 30, 7) }],
  ])('is the requested position: %p', (options, start) => {
    expect(startOf(options, nowMs)).toEqual(start);
  });

  test.each([
    [{ since: 'yesterday' }, '--since "yesterday": expected how long ago'],
    [{ since: '2h', fromBeginning: true }, 'expected one of --from-beginning, --from-offset'],
  ])('is rejected when the options are invalid: %j', (options, message) => {
    expect(() => startOf(options, nowMs)).toThrow(message);
  });

  test('is rejected when the offset is not a whole number', () => {
    expect(() => parseOffset('ten')).toThrow('--from-offset "ten": expected a whole number');
  });
});

describe('a line of JSON of tail', () => {
  test('has the schema ids of the value and of the key, also of a record that is unreadable', () => {
    const place = { partition: 0, offset: '5', timestampMs: 0, headers: {} };
    const value = Buffer.from('000000000700', 'hex');
    const key = { text: 'media/17', fields: null };
    const read = {
      kind: 'unreadable',
      reason: 'the registry knows no Avro schema with id 7',
    } as const;
    const lineOf = (bytes: Buffer | null, keyBytes: Buffer) => {
      const record = { ...place, key: keyBytes, value: bytes };
      const line: unknown = JSON.parse(jsonLine({ topic: 't', record, key, read }));
      return line;
    };

    expect(lineOf(value, Buffer.from('media/17'))).toMatchObject({
      schema_id: 7,
      key_schema_id: null,
    });
    expect(lineOf(null, Buffer.from('0000000009aa', 'hex'))).toMatchObject({
      schema_id: null,
      key_schema_id: 9,
    });
  });
});
