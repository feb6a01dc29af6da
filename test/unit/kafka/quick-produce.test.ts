import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeProduce, type ProduceRequest } from '../../../src/kafka/quick-produce.ts';

interface Request {
  readonly encode: () => Promise<{ readonly buffer: Buffer }>;
}

const require = createRequire(import.meta.url);
const original = require('kafkajs/src/protocol/requests/produce/v7/request.js') as (
  request: ProduceRequest,
) => Request;
const Long = require('kafkajs/src/utils/long.js') as {
  fromValue: (value: string) => { toString: () => string };
};

beforeEach(() => {
  jest.spyOn(Date, 'now').mockReturnValue(1_764_150_000_123);
});

afterEach(() => {
  jest.restoreAllMocks();
});

async function encodeOriginally(request: ProduceRequest): Promise<string> {
  return (await original(request).encode()).buffer.toString('hex');
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 90 }),
  fc.constantFrom('', 'a'.repeat(63), 'a'.repeat(64), 'é'.repeat(63), '\ud800', 'x'.repeat(9000)),
);
/** With lengths at which that of the record takes one byte, two or three. */
const values = fc.oneof(
  fc.constant(null),
  fc.oneof(fc.nat(80), fc.integer({ min: 8100, max: 8200 })).map((size) => Buffer.alloc(size, 7)),
);
const messages = fc.array(
  fc.record({ key: texts, value: values, headers: fc.dictionary(texts, texts, { maxKeys: 4 }) }),
  { minLength: 1, maxLength: 70 },
);
const partitions = fc.record({
  partition: fc.nat(),
  firstSequence: fc.nat(2 ** 31 - 1),
  messages,
});
const producerIds = fc
  .bigInt({ min: -1n, max: 2n ** 62n })
  .chain((id) => fc.constantFrom(id.toString(), Long.fromValue(id.toString())));
const requests: fc.Arbitrary<ProduceRequest> = fc.record({
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat(2 ** 31 - 1),
  transactionalId: fc.oneof(fc.constant(null), fc.constant(''), texts),
  producerId: producerIds,
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  topicData: fc.array(
    fc.record({ topic: texts, partitions: fc.array(partitions, { maxLength: 3 }) }),
    { maxLength: 3 },
  ),
});

const message = { key: 'k', value: Buffer.from('v'), headers: { stream: 'media' } };

function requestOf(fields: object): ProduceRequest {
  const messages = [message, { ...message, ...fields }];
  return {
    acks: -1,
    timeout: 1000,
    topicData: [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages }] }],
  };
}

describe('encodeProduce', () => {
  test('writes what kafkajs writes, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        expect(encodeProduce(request)?.toString('hex')).toBe(await encodeOriginally(request));
      }),
      { numRuns: 150 },
    );
  });

  test('takes what kafkajs takes when it is told no more than it must', async () => {
    const request = requestOf({});
    expect(encodeProduce(request)?.toString('hex')).toBe(await encodeOriginally(request));
  });

  test('numbers the records of a large batch', async () => {
    const messages = Array.from({ length: 20_000 }, () => message);
    const request = {
      ...requestOf({}),
      topicData: [{ topic: 't', partitions: [{ partition: 2, firstSequence: 7, messages }] }],
    };
    expect(encodeProduce(request)?.toString('hex')).toBe(await encodeOriginally(request));
  });

  test.each<[string, object]>([
    ['a timestamp', { timestamp: '1764150000000' }],
    ['a key of bytes', { key: Buffer.from('k') }],
    ['no key', { key: null }],
    ['a value that is text', { value: 'v' }],
    ['no headers', { headers: undefined }],
    ['a header of bytes', { headers: { h: Buffer.from('v') } }],
    ['a header with several values', { headers: { h: ['v', 'w'] } }],
  ])('leaves %s to kafkajs', (_what, fields) => {
    expect(encodeProduce(requestOf(fields))).toBeUndefined();
  });

  test('leaves compression to kafkajs', () => {
    expect(encodeProduce({ ...requestOf({}), compression: 1 })).toBeUndefined();
  });
});
