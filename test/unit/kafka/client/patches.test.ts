import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { patches } from '../../../../src/kafka/client/patches.ts';

const require = createRequire(import.meta.url);
const library = fileURLToPath(new URL('../../../../src/kafka/client/kafkajs.ts', import.meta.url));

type Path = keyof typeof patches;

/** A module of kafkajs, as it is and patched. */
function both<T>(path: Path): readonly [original: T, patched: T] {
  const original = require(path) as T;
  return [original, patches[path](original as never) as T];
}

describe('kafkajs patch: grouping by partition', () => {
  interface Grouping {
    readonly topic: string;
    readonly partitionMetadata: readonly object[];
    readonly messages: readonly { readonly partition: number; readonly value: number }[];
    readonly partitioner: (asked: { message: { partition: number } }) => number;
  }
  const [original, patched] = both<(grouping: Grouping) => unknown>(
    'kafkajs/src/producer/groupMessagesPerPartition.js',
  );
  const partitioner = ({ message }: { message: { partition: number } }) => message.partition;

  test('groups any messages like the original', () => {
    const drawn = fc.array(fc.record({ partition: fc.nat(5), value: fc.nat() }));
    fc.assert(
      fc.property(drawn, fc.constantFrom([], [{}]), (messages, partitionMetadata) => {
        const grouping = { topic: 't', partitionMetadata, messages, partitioner };
        expect(patched(grouping)).toEqual(original(grouping));
        expect(Object.keys(patched(grouping) as object)).toEqual(
          Object.keys(original(grouping) as object),
        );
      }),
    );
  });

  test('calls the partitioner once for each message, with the topic and its metadata', () => {
    const asked = jest.fn(() => 3);
    const partitionMetadata = [{ partitionId: 3 }];
    const messages = [{ partition: 3, value: 1 }];
    patched({ topic: 't', partitionMetadata, messages, partitioner: asked });
    expect(asked.mock.calls).toEqual([[{ topic: 't', partitionMetadata, message: messages[0] }]]);
  });
});

describe('kafkajs patch: request queue', () => {
  interface Queue {
    push(request: object): void;
    fulfillRequest(answer: object): void;
    maybeThrottle(ms: number): void;
    destroy(): void;
  }
  type Class = new (options: object) => Queue;
  const [original, patched] = both<Class>('kafkajs/src/network/requestQueue/index.js');
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
    ['the original keeps its timer running', original, 1],
    ['the patched queue has no timer', patched, 0],
  ] as const)('without pending requests: %s', (_how, RequestQueue, timers) => {
    const { queue, push } = open(RequestQueue);
    push();
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
    jest.advanceTimersByTime(100);
    expect(jest.getTimerCount()).toBe(timers);
    queue.destroy();
  });

  test("sends a pending request once the broker's throttling ends", () => {
    const { queue, sent, push } = open(patched);
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

  test('sends a pending request once the request in flight is answered', () => {
    const { queue, sent, push } = open(patched, 1);
    push();
    push();
    jest.advanceTimersByTime(100);
    expect(sent).toEqual([1]);
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
    expect(sent).toEqual([1, 2]);
    queue.destroy();
  });
});

test('client library: kafkajs is loaded with every patch', () => {
  const code = `
    import { createRequire } from 'node:module';
    import { Kafka } from ${JSON.stringify(library)};
    const require = createRequire(${JSON.stringify(library)});
    const names = ${JSON.stringify(Object.keys(patches))};
    console.log(typeof Kafka, names.map((name) => require(name).name).join());`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
  });
  expect(output.trim()).toBe('function groupMessages,PatchedRequestQueue');
});
