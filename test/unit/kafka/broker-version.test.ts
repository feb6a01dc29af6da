import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { releaseOf, type VersionRange } from '../../../src/kafka/broker-version.ts';
import { openKafka } from '../../../src/kafka/index.ts';
import { jsonStateCodec } from '../../support/json-state-codec.ts';
import { usualShutdown } from '../../support/shutdown.ts';

const keys = [0, 1, 2, 3, 11, 24, 28, 35];
const kafka41 = [13, 18, 10, 13, 9, 5, 5, 4];

function accepted(maxima: readonly number[]): Map<number, VersionRange> {
  return new Map(maxima.map((max, column) => [keys[column] ?? -1, { min: 0, max }]));
}

describe('releaseOf', () => {
  test.each([
    ['2.8 or earlier', [9, 12, 6, 11, 7, 3, 3, 2]],
    ['3.0', [9, 12, 7, 11, 7, 3, 3, 2]],
    ['3.3 or 3.4', [9, 13, 7, 12, 9, 3, 3, 4]],
    ['3.6', [9, 15, 8, 12, 9, 4, 3, 4]],
    ['3.9', [11, 17, 9, 12, 9, 5, 4, 4]],
    ['4.1', kafka41],
    ['4.3', [13, 18, 11, 13, 9, 5, 5, 5]],
    ['4.4 or later', [13, 18, 11, 13, 9, 5, 6, 5]],
  ])('is %s for the request versions of that release', (release, maxima) => {
    expect(releaseOf(accepted(maxima))).toBe(release);
  });

  test('is the oldest known release for a broker that accepts less', () => {
    expect(releaseOf(accepted([7, 8, 3, 5, 2, 1, 2, 1]))).toBe('2.8 or earlier');
  });

  test('is the newest known release, or later, for a broker that accepts more', () => {
    expect(releaseOf(accepted([14, 18, 11, 14, 9, 5, 7, 5]))).toBe('4.4 or later');
  });

  test('is null for versions of different releases', () => {
    expect(releaseOf(accepted([7, 18, 3, 8, 9, 5, 3, 2]))).toBeNull();
  });

  test('is null for a broker that lacks one of the requests', () => {
    expect(releaseOf(accepted(kafka41.slice(1)))).toBeNull();
    expect(releaseOf(accepted([9, 12, 6]))).toBeNull();
    expect(releaseOf(new Map())).toBeNull();
  });
});

interface AnswerParts {
  readonly correlationId?: number;
  readonly errorCode?: number;
  readonly count?: number;
  readonly length?: number;
  readonly ranges?: ReadonlyMap<number, VersionRange>;
}

/** Encodes an answer to ApiVersions v0; by default a valid one of Kafka 4.1. */
function answerOf(parts: AnswerParts): Buffer {
  const { correlationId = 1, errorCode = 0, ranges = accepted(kafka41) } = parts;
  const answer = Buffer.alloc(14 + ranges.size * 6);
  answer.writeInt32BE(parts.length ?? answer.length - 4, 0);
  answer.writeInt32BE(correlationId, 4);
  answer.writeInt16BE(errorCode, 8);
  answer.writeInt32BE(parts.count ?? ranges.size, 10);
  [...ranges].forEach(([key, { min, max }], entry) => {
    [key, min, max].forEach((value, field) => {
      answer.writeInt16BE(value, 14 + entry * 6 + field * 2);
    });
  });
  return answer;
}

/** Requests the version of a server that sends `chunks` after the first bytes of a request, then ends the connection. */
async function ask(chunks: readonly Buffer[], end = true) {
  const requests: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    socket.once('data', (request) => {
      requests.push(Buffer.from(request));
      void (async () => {
        for (const chunk of chunks) {
          socket.write(chunk);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        if (end) socket.end();
      })();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using kafka = openProbed(port);
  try {
    const release = await kafka.probe.version({ host: '127.0.0.1', port });
    return { release, requests };
  } finally {
    server.close();
  }
}

function openProbed(port: number) {
  const options = {
    brokers: [`127.0.0.1:${port}`],
    security: { tls: null, sasl: null, principal: () => 'User:ANONYMOUS' },
    clientId: 'test',
    topicTemplate: 'test.{stream}',
    transactionalIdPrefix: 'test',
    transactionTimeoutMs: 15_000,
    sendDeadlineMs: 4_500,
    connectionTimeoutMs: 300,
    compression: 'none',
    group: { sessionTimeoutMs: 6_000, heartbeatMs: 500, rebalanceTimeoutMs: 10_000 },
    instance: 'test',
    topics: {
      create: false,
      partitions: 1,
      statePartitions: 1,
      replicationFactor: -1,
      minInSyncReplicas: -1,
      deadLetterRetentionMs: 1,
    },
    roles: ['state'],
    compacted: [],
    topicSettings: {},
    keyFormat: 'string',
    eventTimed: [],
  } as const;
  return openKafka(options, {
    codec: jsonStateCodec,
    telemetry: { report: () => undefined },
    log: () => undefined,
    shutdown: usualShutdown,
  });
}

describe('KafkaProbe.version', () => {
  test('sends ApiVersions v0 and returns the release', async () => {
    const { release, requests } = await ask([answerOf({})], false);

    expect(release).toBe('4.1');
    const expected = '0000000e' + '0012' + '0000' + '00000001' + '0004' + '74657374';
    expect(Buffer.concat(requests).toString('hex')).toBe(expected);
  });

  test('reads an answer that comes in parts', async () => {
    const answer = answerOf({});
    const parts = [answer.subarray(0, 2), answer.subarray(2, 20), answer.subarray(20)];

    expect((await ask(parts)).release).toBe('4.1');
  });

  test.each([
    ['a negative length', answerOf({ length: -1 })],
    ['a length below that of an empty list', answerOf({ length: 9 })],
    ['a length of more than 64 KiB', answerOf({ length: 65_537 })],
    ['the bytes of an HTTP server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a TLS alert', Buffer.from('15030300020246', 'hex')],
  ])('rejects an answer with %s', async (_, answer) => {
    await expect(ask([answer], false)).rejects.toThrow('has an invalid length');
  });

  test.each([
    ['a count beyond its end', answerOf({ count: 9 })],
    ['a count before its end', answerOf({ count: 7 })],
    ['a negative count', answerOf({ count: -1 })],
    ['another correlation id', answerOf({ correlationId: 2 })],
    ['an error code', answerOf({ errorCode: 35 })],
  ])('rejects an answer with %s', async (_, answer) => {
    await expect(ask([answer])).rejects.toThrow('the answer to ApiVersions is invalid');
  });

  test.each([
    { min: -1, max: 3 },
    { min: 4, max: 3 },
  ])('rejects a range from $min to $max', async (range) => {
    const answer = answerOf({ ranges: new Map([[0, range]]) });

    await expect(ask([answer])).rejects.toThrow('has an invalid range');
  });

  test('rejects a connection that ends before the answer is complete', async () => {
    await expect(ask([answerOf({}).subarray(0, 30)])).rejects.toThrow('the connection ended');
  });

  test('rejects when the broker does not answer in time', async () => {
    await expect(ask([], false)).rejects.toThrow('asking for the version took longer than 300 ms');
  });
});
