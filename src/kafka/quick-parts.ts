import { encodeProduce, type ProduceRequest } from './quick-produce.ts';

/**
 * Parts of kafkajs 2.2.4 that are slow with thousands of records, or busy with nothing, each wrapped
 * into one that does the same quickly. They are the modules of its own under these paths.
 */
export const quickParts = {
  'kafkajs/src/producer/groupMessagesPerPartition.js': () => groupMessages,
  'kafkajs/src/protocol/requests/produce/v3/request.js': quickenProduce,
  'kafkajs/src/protocol/request.js': () => createRequest,
  'kafkajs/src/network/requestQueue/index.js': restWhenEmpty,
};

/** What kafkajs' encoder is to those who read it. */
interface Encoded {
  readonly buf: Buffer;
  readonly offset: number;
  /** The part of `buf` that was written. */
  readonly buffer: Buffer;
  size(): number;
}

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly encode: () => Promise<Encoded>;
}

interface Grouping<Message> {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly messages: readonly Message[];
  readonly partitioner: (asked: {
    readonly topic: string;
    readonly partitionMetadata: readonly unknown[];
    readonly message: Message;
  }) => number;
}

/** Messages by partition, in their order; kafkajs copies a partition's list for each message. */
function groupMessages<Message>(grouping: Grouping<Message>): Record<number, Message[]> {
  const { topic, partitionMetadata, messages, partitioner } = grouping;
  const groups: Record<number, Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    (groups[partition] ??= []).push(message);
  }
  return groups;
}

/** Encodes in one pass what this program sends, and leaves anything else to kafkajs. */
function quickenProduce(original: (request: ProduceRequest) => Request) {
  return function produceQuickly(request: ProduceRequest): Request {
    const made = original(request);
    const encode = async (): Promise<Encoded> => {
      const bytes = encodeProduce(request);
      return bytes === undefined ? made.encode() : asEncoded(bytes);
    };
    return { ...made, encode };
  };
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * A connection's queue that looks after what waits only while something does. kafkajs' own looks every
 * millisecond for as long as the connection is open, by timers of negative length, of which Node warns.
 */
function restWhenEmpty(Original: new (...options: never[]) => RequestQueue) {
  return class RestingRequestQueue extends Original {
    override scheduleCheckPendingRequests(): void {
      if (this.pending.length > 0) super.scheduleCheckPendingRequests();
    }
  };
}

interface Envelope {
  readonly correlationId: number;
  readonly clientId?: string | null;
  readonly request: Request;
}

const lengthBytes = 4;
const bytesOfNumbers = 10;
const noText = -1;

/** A whole request in one buffer of the size that it needs; kafkajs doubles, zeroes and copies twice. */
async function createRequest({ correlationId, clientId, request }: Envelope): Promise<Encoded> {
  const payload = (await request.encode()).buffer;
  const client = Buffer.from(clientId ?? '', 'utf8');
  const size = bytesOfNumbers + client.length + payload.length;
  const bytes = Buffer.allocUnsafe(lengthBytes + size);
  let at = bytes.writeInt32BE(size, 0);
  at = bytes.writeInt16BE(request.apiKey, at);
  at = bytes.writeInt16BE(request.apiVersion, at);
  at = bytes.writeInt32BE(correlationId, at);
  at = bytes.writeInt16BE((clientId ?? null) === null ? noText : client.length, at);
  at += client.copy(bytes, at);
  payload.copy(bytes, at);
  return asEncoded(bytes);
}

function asEncoded(buffer: Buffer): Encoded {
  return { buf: buffer, offset: buffer.length, buffer, size: () => buffer.length };
}
