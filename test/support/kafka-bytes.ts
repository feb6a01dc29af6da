/** Reads the parts of a message one after another. */
export interface Reader {
  int16(): number;
  int32(): number;
  int64(): bigint;
  text(): string;
  skip(bytes: number): void;
  list<T>(read: () => T): T[];
}

/** Begins to read at an offset. */
export function createReader(buffer: Buffer, start: number): Reader {
  let at = start;
  const reader: Reader = {
    int16() {
      at += 2;
      return buffer.readInt16BE(at - 2);
    },
    int32() {
      at += 4;
      return buffer.readInt32BE(at - 4);
    },
    int64() {
      at += 8;
      return buffer.readBigInt64BE(at - 8);
    },
    text() {
      const length = Math.max(0, buffer.readInt16BE(at));
      at += 2 + length;
      return buffer.toString('utf8', at - length, at);
    },
    skip(bytes) {
      at += bytes;
    },
    list: (read) => Array.from({ length: reader.int32() }, read),
  };
  return reader;
}

/** A number of two bytes. */
export function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

/** A number of four bytes. */
export function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

/** A number of eight bytes. */
export function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
}

/** A text with its length in front. */
export function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** A list with its length in front. */
export function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(items.length), ...items]);
}
