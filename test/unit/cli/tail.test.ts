import { describe, expect, test } from '@jest/globals';
import { parseOffset, startOf, topicOf } from '../../../src/cli/tail.ts';

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
