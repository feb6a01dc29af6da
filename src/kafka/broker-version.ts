import type { Socket } from 'node:net';

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** The releases before 3.0, the oldest supported one. */
export const unsupportedRelease = '2.8 or earlier';

/**
 * Ids of the requests in {@link releases}. Brokers with ZooKeeper and with KRaft accept the same
 * versions of them, and no broker lowers them to what the controller accepts.
 */
const apiKeys = {
  PRODUCE: 0,
  FETCH: 1,
  LIST_OFFSETS: 2,
  METADATA: 3,
  JOIN_GROUP: 11,
  ADD_PARTITIONS_TO_TXN: 24,
  TXN_OFFSET_COMMIT: 28,
  DESCRIBE_LOG_DIRS: 35,
} as const;

const columns = Object.values(apiKeys);

/**
 * The latest stable version of each request of {@link apiKeys}, in that order, by release.
 *
 * Source: `ApiKeys.latestVersion(false)` in the jars org.apache.kafka:kafka-clients 2.8.2, 3.0.2,
 * 3.1.2, 3.2.3, 3.3.2, 3.4.1, 3.5.2, 3.6.2, 3.7.2, 3.8.1, 3.9.1, 4.0.0, 4.1.1, 4.2.1, 4.3.0 and
 * 4.4.0, read on 2026-11-30. A KRaft broker of 3.3 accepts what one of 3.4 accepts.
 */
const releases: readonly (readonly [release: string, versions: readonly number[]])[] = [
  [unsupportedRelease, [9, 12, 6, 11, 7, 3, 3, 2]],
  ['3.0', [9, 12, 7, 11, 7, 3, 3, 2]],
  ['3.1', [9, 13, 7, 12, 7, 3, 3, 2]],
  ['3.2', [9, 13, 7, 12, 9, 3, 3, 3]],
  ['3.3 or 3.4', [9, 13, 7, 12, 9, 3, 3, 4]],
  ['3.5', [9, 15, 8, 12, 9, 3, 3, 4]],
  ['3.6', [9, 15, 8, 12, 9, 4, 3, 4]],
  ['3.7', [10, 16, 8, 12, 9, 4, 3, 4]],
  ['3.8', [11, 16, 8, 12, 9, 5, 4, 4]],
  ['3.9', [11, 17, 9, 12, 9, 5, 4, 4]],
  ['4.0', [12, 17, 10, 13, 9, 5, 5, 4]],
  ['4.1', [13, 18, 10, 13, 9, 5, 5, 4]],
  ['4.2', [13, 18, 11, 13, 9, 5, 5, 4]],
  ['4.3', [13, 18, 11, 13, 9, 5, 5, 5]],
  ['4.4', [13, 18, 11, 13, 9, 5, 6, 5]],
];

/**
 * Returns the release of a broker by the versions that it accepts, such as `4.1` or `4.4 or later`;
 * null where they are those of no release, as with a service that only implements Kafka's protocol.
 */
export function releaseOf(versions: ReadonlyMap<number, VersionRange>): string | null {
  const found = columns.map((key) => versions.get(key)?.max ?? null);
  const compare = (row: readonly number[], holds: (is: number, expected: number) => boolean) =>
    row.every((expected, column) => {
      const is = found[column] ?? null;
      return is !== null && holds(is, expected);
    });
  const [oldest] = releases;
  const newest = releases.at(-1);
  if (newest !== undefined && compare(newest[1], (is, expected) => is >= expected)) {
    return `${newest[0]} or later`;
  }
  if (oldest !== undefined && compare(oldest[1], (is, expected) => is <= expected)) {
    return oldest[0];
  }
  const exact = releases.find(([, row]) => compare(row, (is, expected) => is === expected));
  return exact?.[0] ?? null;
}

const apiVersionsKey = 18;
/** The id of the one request of a connection. */
const correlationId = 1;
/** Bytes of an answer before its list: correlation id, error code, count. */
const headBytes = 10;
const entryBytes = 6;
const maxAnswerBytes = 64 * 1024;

/**
 * Sends ApiVersions v0, which a broker answers before a login, and returns the answer.
 * @throws when the answer is no valid one, or the connection ends before it is complete
 */
export async function requestVersions(
  socket: Socket,
  clientId: string,
): Promise<ReadonlyMap<number, VersionRange>> {
  socket.write(encodeRequest(clientId));
  return decodeAnswer(await readAnswer(socket));
}

function encodeRequest(clientId: string): Buffer {
  const id = Buffer.from(clientId);
  const head = Buffer.alloc(14);
  head.writeInt32BE(head.length - 4 + id.length, 0);
  head.writeInt16BE(apiVersionsKey, 4);
  // Bytes 6 and 7: version 0.
  head.writeInt32BE(correlationId, 8);
  head.writeInt16BE(id.length, 12);
  return Buffer.concat([head, id]);
}

/** Reads one answer; returns it without its length. */
async function readAnswer(socket: Socket): Promise<Buffer> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    if (received.length < 4) continue;
    const length = received.readInt32BE(0);
    if (length < headBytes || length > maxAnswerBytes) {
      throw new Error(`the answer to ApiVersions has an invalid length: ${length}`);
    }
    if (received.length >= 4 + length) return received.subarray(4, 4 + length);
  }
  throw new Error('the connection ended before the answer to ApiVersions');
}

function decodeAnswer(answer: Buffer): ReadonlyMap<number, VersionRange> {
  const errorCode = answer.readInt16BE(4);
  const count = answer.readInt32BE(6);
  const isComplete = answer.length === headBytes + count * entryBytes;
  if (answer.readInt32BE(0) !== correlationId || errorCode !== 0 || !isComplete) {
    throw new Error(`the answer to ApiVersions is invalid (error ${errorCode}, ${count} entries)`);
  }
  const versions = new Map<number, VersionRange>();
  for (let at = headBytes; at < answer.length; at += entryBytes) {
    const range = { min: answer.readInt16BE(at + 2), max: answer.readInt16BE(at + 4) };
    if (range.min < 0 || range.max < range.min) {
      throw new Error(`the answer to ApiVersions has an invalid range: ${JSON.stringify(range)}`);
    }
    versions.set(answer.readInt16BE(at), range);
  }
  return versions;
}
