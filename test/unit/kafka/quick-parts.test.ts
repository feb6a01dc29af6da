import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { quickParts } from '../../../src/kafka/quick-parts.ts';

const require = createRequire(import.meta.url);
const library = fileURLToPath(new URL('../../../src/kafka/client-library.ts', import.meta.url));

type Part = keyof typeof quickParts;

/** kafkajs' own part and the quick one that stands in its place. */
function both<T>(path: Part): readonly [original: T, quick: T] {
  const original = require(path) as T;
  return [original, quickParts[path](original as never) as T];
}

describe('grouping by partition', () => {
  interface Grouping {
    readonly topic: string;
    readonly partitionMetadata: readonly object[];
    readonly messages: readonly { readonly partition: number; readonly value: number }[];
    readonly partitioner: (asked: { message: { partition: number } }) => number;
  }
  const [original, quick] = both<(grouping: Grouping) => unknown>(
    'kafkajs/src/producer/groupMessagesPerPartition.js',
  );
  const partitioner = ({ message }: { message: { partition: number } }) => message.partition;

  test('is what kafkajs makes of any messages', () => {
    const drawn = fc.array(fc.record({ partition: fc.nat(5), value: fc.nat() }));
    fc.assert(
      fc.property(drawn, fc.constantFrom([], [{}]), (messages, partitionMetadata) => {
        const grouping = { topic: 't', partitionMetadata, messages, partitioner };
        expect(quick(grouping)).toEqual(original(grouping));
        expect(Object.keys(quick(grouping) as object)).toEqual(
          Object.keys(original(grouping) as object),
        );
      }),
    );
  });

  test('asks the partitioner for each message, with all that it may look at', () => {
    const asked = jest.fn(() => 3);
    const partitionMetadata = [{ partitionId: 3 }];
    const messages = [{ partition: 3, value: 1 }];
    quick({ topic: 't', partitionMetadata, messages, partitioner: asked });
    expect(asked.mock.calls).toEqual([[{ topic: 't', partitionMetadata, message: messages[0] }]]);
  });
});

describe('the envelope of a request', () => {
  interface Encoded {
    readonly buffer: Buffer;
    size(): number;
  }
  interface Envelope {
    readonly correlationId: number;
    readonly clientId: string | null;
    readonly request: {
      readonly apiKey: number;
      readonly apiVersion: number;
      readonly encode: () => Promise<unknown>;
    };
  }
  const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => {
    writeBuffer: (bytes: Buffer) => object;
  };
  const [original, quick] = both<(envelope: Envelope) => Promise<Encoded>>(
    'kafkajs/src/protocol/request.js',
  );

  test('is what kafkajs puts around any body', async () => {
    const numbers = fc.integer({ min: -32_768, max: 32_767 });
    const clientIds = fc.oneof(fc.constant(null), fc.string({ unit: 'binary' }));
    const bodies = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(numbers, numbers, fc.integer(), clientIds, bodies),
        async ([apiKey, apiVersion, correlationId, clientId, body]) => {
          const encode = () => Promise.resolve(new Encoder().writeBuffer(body));
          const envelope = { correlationId, clientId, request: { apiKey, apiVersion, encode } };
          const [seen, wanted] = [await quick(envelope), await original(envelope)];
          expect(seen.buffer.toString('hex')).toBe(wanted.buffer.toString('hex'));
          expect(seen.size()).toBe(wanted.size());
        },
      ),
    );
  });
});

describe('the queue of requests of a connection', () => {
  interface Queue {
    push(request: object): void;
    fulfillRequest(answer: object): void;
    maybeThrottle(ms: number): void;
    destroy(): void;
  }
  type Class = new (options: object) => Queue;
  const [original, quick] = both<Class>('kafkajs/src/network/requestQueue/index.js');
  const logger = { debug: () => undefined, warn: () => undefined };

  function open(RequestQueue: Class, maxInFlightRequests: number | null = null) {
    const sent: number[] = [];
    const queue = new RequestQueue({
      maxInFlightRequests,
      requestTimeout: 30_000,
      enforceRequestTimeout: false,
      clientId: 'test',
      broker: 'b:1',
      logger: { namespace: () => logger, ...logger },
      isConnected: () => true,
    });
    let correlationId = 0;
    const push = (): void => {
      const id = (correlationId += 1);
      const entry = { correlationId: id, resolve: () => undefined, reject: () => undefined };
      queue.push({ entry, expectResponse: true, sendRequest: () => sent.push(id) });
    };
    return { queue, sent, push };
  }

  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each([
    ['kafkajs has a timer a millisecond, for ever', original, 1],
    ['the quick one rests', quick, 0],
  ] as const)('when it is empty: %s', (_how, RequestQueue, timers) => {
    const { queue, push } = open(RequestQueue);
    push();
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
    jest.advanceTimersByTime(100);
    expect(jest.getTimerCount()).toBe(timers);
    queue.destroy();
  });

  test('sends what waits when the broker allows it again', () => {
    const { queue, sent, push } = open(quick);
    queue.maybeThrottle(200);
    push();
    jest.advanceTimersByTime(190);
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(20);
    expect(sent).toEqual([1]);
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
    queue.maybeThrottle(200);
    push();
    jest.advanceTimersByTime(210);
    expect(sent).toEqual([1, 2]);
    queue.destroy();
  });

  test('sends what waits for an answer to another', () => {
    const { queue, sent, push } = open(quick, 1);
    push();
    push();
    jest.advanceTimersByTime(100);
    expect(sent).toEqual([1]);
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
    expect(sent).toEqual([1, 2]);
    queue.destroy();
  });
});

describe('the produce request', () => {
  interface Request {
    readonly encode: () => Promise<{ readonly buffer: Buffer }>;
  }
  const [original, quick] = both<(request: object) => Request>(
    'kafkajs/src/protocol/requests/produce/v3/request.js',
  );
  const request = (value: unknown) => ({
    acks: 0,
    timeout: 1000,
    topicData: [
      { topic: 't', partitions: [{ partition: 0, messages: [{ key: 'k', value, headers: {} }] }] },
    ],
  });

  test.each([
    ['what the program sends', Buffer.from('value')],
    ['what kafkajs alone can write', 'value'],
  ])('is the same for %s', async (_what, value) => {
    jest.spyOn(Date, 'now').mockReturnValue(1_764_150_000_123);
    const [{ encode, ...seen }, wanted] = [quick(request(value)), original(request(value))];
    expect(seen).toEqual({
      apiKey: 0,
      apiVersion: 3,
      apiName: 'Produce',
      expectResponse: expect.any(Function),
    });
    expect((await encode()).buffer).toEqual((await wanted.encode()).buffer);
    jest.restoreAllMocks();
  });
});

test('the clients of the program are made of the quick parts', () => {
  const code = `
    import { createRequire } from 'node:module';
    import { Kafka } from ${JSON.stringify(library)};
    const require = createRequire(${JSON.stringify(library)});
    const names = ${JSON.stringify(Object.keys(quickParts))};
    console.log(typeof Kafka, names.map((name) => require(name).name).join());`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
  });
  expect(output.trim()).toBe(
    'function groupMessages,produceQuickly,createRequest,RestingRequestQueue',
  );
});
