import { gunzipSync } from 'node:zlib';

/** A record as it lies in a partition, committed or not. */
export interface RawRecord {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a producer wrote at once, or the marker that ends its transaction. */
export interface RecordBatch {
  readonly lastOffset: bigint;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly records: readonly RawRecord[];
}

const HEADER_BYTES = 61;
const CODEC = 0x07;
const GZIP = 1;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** Reads record batches of format 2, as Kafka's documentation lays them out; leaves out one that is cut off. */
export function readBatches(bytes: Buffer): RecordBatch[] {
  const batches: RecordBatch[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    batches.push(readBatch(bytes.subarray(at, end)));
    at = end;
  }
  return batches;
}

function readBatch(bytes: Buffer): RecordBatch {
  const magic = bytes.readInt8(16);
  if (magic !== 2) throw new Error(`a record batch of format ${magic}, expected 2`);
  const attributes = bytes.readInt16BE(21);
  const base = { offset: bytes.readBigInt64BE(0), timestampMs: Number(bytes.readBigInt64BE(27)) };
  const reader = createReader(decompress(bytes.subarray(HEADER_BYTES), attributes & CODEC));
  const count = bytes.readInt32BE(57);
  return {
    lastOffset: base.offset + BigInt(bytes.readInt32BE(23)),
    producerId: bytes.readBigInt64BE(43),
    producerEpoch: bytes.readInt16BE(51),
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    records: Array.from({ length: count }, () => readRecord(reader, base)),
  };
}

function decompress(records: Buffer, codec: number): Buffer {
  if (codec === 0) return records;
  if (codec === GZIP) return gunzipSync(records);
  throw new Error(`a record batch of codec ${codec}, expected 0 (none) or 1 (gzip)`);
}

function readRecord(
  reader: Reader,
  base: { readonly offset: bigint; readonly timestampMs: number },
): RawRecord {
  // Its length and its attributes, which are none.
  reader.varint();
  reader.skip(1);
  const timestampMs = base.timestampMs + reader.varint();
  const offset = base.offset + BigInt(reader.varint());
  const key = reader.bytes();
  const value = reader.bytes();
  const headers = Array.from({ length: reader.varint() }, () => {
    const name = reader.bytes()?.toString() ?? '';
    return [name, reader.bytes()?.toString() ?? ''] as const;
  });
  return { offset, timestampMs, key, value, headers: Object.fromEntries(headers) };
}

interface Reader {
  varint(): number;
  bytes(): Buffer | null;
  skip(count: number): void;
}

function createReader(buffer: Buffer): Reader {
  let at = 0;
  /** Zigzag, seven bits a byte, the lowest first. */
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(buffer.readUInt8(at));
      at += 1;
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) break;
    }
    return Number((value >> 1n) ^ -(value & 1n));
  };
  return {
    varint,
    bytes() {
      const length = varint();
      if (length < 0) return null;
      at += length;
      return buffer.subarray(at - length, at);
    },
    skip(count) {
      at += count;
    },
  };
}
