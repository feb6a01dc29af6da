import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A place in a partition and the broker that leads it. */
export interface FetchPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** What a broker has of a partition from an offset on. */
export interface Fetched {
  /** The end of what is replicated; offsets below it are read. */
  readonly highWatermark: bigint;
  /** Record batches as they lie in the log; the last one may be cut off. */
  readonly batches: Buffer;
}

const FETCH = 1;
const VERSION = 4;
const MAX_BYTES = 4 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 15_000;

/**
 * One connection to a broker that asks for raw record batches (Fetch, version 4). kafkajs keeps back
 * who wrote a record and where transactions end, and its own `read_committed` filter shows aborted
 * records where transactions of several producers overlap.
 */
export class BrokerReader implements AsyncDisposable {
  readonly #socket: Socket;
  #correlation = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws what `connect` throws when nobody listens at `host:port` */
  static async open(address: string): Promise<BrokerReader> {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon);
    const socket = connect({ host, port: Number(address.slice(colon + 1)), noDelay: true });
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return new BrokerReader(socket);
  }

  /**
   * Reads uncommitted records too: who reads with the markers knows what was committed.
   *
   * @throws Error when the broker refuses, as one does that does not lead the partition any more
   */
  async fetch(place: FetchPlace): Promise<Fetched> {
    this.#correlation += 1;
    this.#socket.write(requestOf(place, this.#correlation));
    const frame = await this.#readFrame();
    return readAnswer(frame, place);
  }

  async #readFrame(): Promise<Buffer> {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    let read = Buffer.alloc(0);
    while (read.length < 4 || read.length < 4 + read.readInt32BE(0)) {
      const [chunk] = (await once(this.#socket, 'data', { signal })) as [Buffer];
      read = Buffer.concat([read, chunk]);
    }
    return read.subarray(4);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }
}

function requestOf({ topic, partition, offset }: FetchPlace, correlation: number): Buffer {
  const name = Buffer.from(topic);
  const body = Buffer.alloc(
    2 + 2 + 4 + 2 + 4 + 4 + 4 + 4 + 1 + 4 + 2 + name.length + 4 + 4 + 8 + 4,
  );
  let at = body.writeInt16BE(FETCH, 0);
  at = body.writeInt16BE(VERSION, at);
  at = body.writeInt32BE(correlation, at);
  // No client id, no replica; do not wait for more than there is.
  at = body.writeInt16BE(-1, at);
  at = body.writeInt32BE(-1, at);
  at = body.writeInt32BE(0, at);
  at = body.writeInt32BE(0, at);
  at = body.writeInt32BE(MAX_BYTES, at);
  at = body.writeInt8(0, at);
  at = body.writeInt32BE(1, at);
  at = body.writeInt16BE(name.length, at);
  at += name.copy(body, at);
  at = body.writeInt32BE(1, at);
  at = body.writeInt32BE(partition, at);
  at = body.writeBigInt64BE(offset, at);
  body.writeInt32BE(MAX_BYTES, at);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function readAnswer(frame: Buffer, { topic, partition }: FetchPlace): Fetched {
  // Correlation, throttle time, one topic with its name, one partition with its number.
  let at = 4 + 4 + 4;
  at += 2 + frame.readInt16BE(at) + 4 + 4;
  const error = frame.readInt16BE(at);
  if (error !== 0) throw new Error(`fetching ${topic}/${partition}: the broker answers ${error}`);
  const highWatermark = frame.readBigInt64BE(at + 2);
  at += 2 + 8 + 8;
  const aborted = Math.max(0, frame.readInt32BE(at));
  at += 4 + aborted * 16;
  const size = Math.max(0, frame.readInt32BE(at));
  return { highWatermark, batches: frame.subarray(at + 4, at + 4 + size) };
}
