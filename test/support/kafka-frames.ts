import { array, createReader, int16, int32, int64, text, type Reader } from './kafka-bytes.ts';

/** Numbers of Kafka's requests (the protocol's "api key"). */
export const apiKeys = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  findCoordinator: 10,
  joinGroup: 11,
  leaveGroup: 13,
  createTopics: 19,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  endTxn: 26,
  electLeaders: 43,
} as const;

/** Numbers of the broker's errors. */
export const errorCodes = {
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  recordTooLarge: 10,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  notEnoughReplicas: 19,
  invalidTimestamp: 32,
  unknownProducerId: 59,
  storageError: 56,
} as const;

/** What stands in front of every request. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly correlationId: number;
}

/** Splits a stream into Kafka's frames: four bytes of length, then the body. */
export function createFrames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const end = 4 + pending.readInt32BE(0);
      onFrame(pending.subarray(0, end));
      pending = pending.subarray(end);
    }
  };
}

/** Reads the header of a request, its length in front. */
export function headerOf(frame: Buffer): RequestHeader {
  return { apiKey: frame.readInt16BE(4), correlationId: frame.readInt32BE(8) };
}

/**
 * Puts other ports in place of the brokers' own in an answer that names brokers, whatever its version:
 * a host, its length in front, and the port behind it. Hosts stay, so the length does.
 */
export function withPorts(frame: Buffer, ports: ReadonlyMap<string, number>): Buffer {
  const changed = Buffer.from(frame);
  for (const [address, port] of ports) {
    const [host = '', own = ''] = address.split(':');
    const pattern = Buffer.alloc(2 + host.length + 4);
    pattern.writeInt16BE(host.length, 0);
    pattern.write(host, 2);
    pattern.writeInt32BE(Number(own), 2 + host.length);
    for (let at = frame.indexOf(pattern); at >= 0; at = frame.indexOf(pattern, at + 1)) {
      changed.writeInt32BE(port, at + 2 + host.length);
    }
  }
  return changed;
}

/**
 * The answer that refuses a request with an error code, as the broker would write it (Produce 5 to 7;
 * Metadata 3 to 6; EndTxn, AddPartitionsToTxn and InitProducerId 0 and 1).
 */
export function refusalOf(request: Buffer, code: number): Buffer {
  const { apiKey, correlationId } = headerOf(request);
  const body = createReader(request, 12);
  body.text();
  const parts = [int32(correlationId), ...refusalBody(apiKey, body, code)];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([int32(size), ...parts]);
}

function refusalBody(apiKey: number, body: Reader, code: number): readonly Buffer[] {
  switch (apiKey) {
    case apiKeys.produce:
      return refusedProduce(body, code);
    case apiKeys.metadata:
      return refusedMetadata(body, code);
    case apiKeys.addPartitionsToTxn:
      return refusedPartitions(body, code);
    case apiKeys.initProducerId:
      return [int32(0), int16(code), int64(-1n), int16(-1)];
    case apiKeys.endTxn:
      return [int32(0), int16(code)];
    default:
      throw new RangeError(`no refusal is known for requests of kind ${String(apiKey)}`);
  }
}

function refusedProduce(body: Reader, code: number): readonly Buffer[] {
  body.text();
  body.skip(2 + 4);
  const topics = body.list(() => {
    const name = body.text();
    const partitions = body.list(() => {
      const partition = body.int32();
      body.skip(body.int32());
      return Buffer.concat([int32(partition), int16(code), int64(-1n), int64(-1n), int64(-1n)]);
    });
    return Buffer.concat([text(name), array(partitions)]);
  });
  return [array(topics), int32(0)];
}

/** Knows no broker either; nobody looks at them when a topic is refused. */
function refusedMetadata(body: Reader, code: number): readonly Buffer[] {
  const topics = body.list(() =>
    Buffer.concat([int16(code), text(body.text()), Buffer.from([0]), array([])]),
  );
  return [int32(0), array([]), text('refused'), int32(-1), array(topics)];
}

function refusedPartitions(body: Reader, code: number): readonly Buffer[] {
  body.text();
  body.skip(8 + 2);
  const topics = body.list(() => {
    const name = body.text();
    const partitions = body.list(() => Buffer.concat([int32(body.int32()), int16(code)]));
    return Buffer.concat([text(name), array(partitions)]);
  });
  return [int32(0), array(topics)];
}
