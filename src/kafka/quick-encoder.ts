import type { EncoderClass, KafkaEncoder } from 'kafkajs/src/protocol/encoder.js';

/** V8 keeps arrays up to this many bytes on its own heap, where making one costs next to nothing. */
const smallest = 64;
/** The size that kafkajs starts with when none is asked for. */
const usualSize = 511;
const usualBytes = 512;
const mostBytesOfVarInt = 5;
const moreFollows = 0x80;
const sevenBits = 0x7f;
/** Up to here a loop is quicker than a call out of JavaScript. */
const shortBytes = 40;
/** Below this, zigzag needs no more than 32 bits. */
const smallLong = 2 ** 30;

const replaced = [
  'ensureAvailable',
  'writeBufferInternal',
  'writeUVarInt',
  'writeVarInt',
  'writeVarLong',
  'writeVarIntString',
  'writeVarIntBytes',
  'writeEncoder',
  'writeEncoderArray',
] as const;
const replacedOfClass = ['nextPowerOfTwo', 'sizeOfVarInt', 'sizeOfVarLong'] as const;

const quickened = new WeakSet<EncoderClass>();

/**
 * Replaces the slow methods of kafkajs' encoder, for the process, by quicker ones that write the same bytes.
 * A class that is not the one of kafkajs 2.2.4 is left as it is.
 *
 * @returns whether its methods are the quick ones now
 */
export function quickenEncoder(Encoder: EncoderClass): boolean {
  if (quickened.has(Encoder)) return true;
  if (!isAsExpected(Encoder)) return false;
  Object.assign(Encoder, quickStatics(Encoder));
  Object.assign(Encoder.prototype, quickMethods(Encoder));
  quickened.add(Encoder);
  return true;
}

function isAsExpected(Encoder: EncoderClass): boolean {
  try {
    const has = (where: object, name: string) =>
      typeof Object.getOwnPropertyDescriptor(where, name)?.value === 'function';
    const { buf, offset } = new Encoder();
    return (
      replaced.every((name) => has(Encoder.prototype, name)) &&
      replacedOfClass.every((name) => has(Encoder, name)) &&
      Buffer.isBuffer(buf) &&
      buf.length === usualBytes &&
      offset === 0
    );
  } catch {
    return false;
  }
}

function quickStatics(Encoder: EncoderClass): Partial<EncoderClass> {
  const { nextPowerOfTwo, sizeOfVarLong } = Encoder;
  return {
    // What asks for it is the constructor, which cannot be replaced: most encoders hold one header.
    nextPowerOfTwo: (value) =>
      value === usualSize ? smallest : Reflect.apply(nextPowerOfTwo, Encoder, [value]),
    sizeOfVarInt: (value) => sizeOfUVarInt(zigZag(value)),
    sizeOfVarLong: (value) =>
      isSmall(value)
        ? sizeOfUVarInt(zigZag(value))
        : Reflect.apply(sizeOfVarLong, Encoder, [value]),
  };
}

function quickMethods(Encoder: EncoderClass): Partial<KafkaEncoder> {
  return {
    ensureAvailable(length) {
      const needed = this.offset + length;
      if (needed > this.buf.length) grow(this, needed);
    },
    writeBufferInternal(buffer) {
      append(this, buffer, buffer.length);
    },
    writeUVarInt(value) {
      putUVarInt(this, value);
      return this;
    },
    writeVarInt(value) {
      putUVarInt(this, zigZag(value));
      return this;
    },
    ...quickContents(Encoder),
    ...quickNesting(Encoder),
  };
}

/** Longs, texts and bytes; what is neither usual nor quick is left to kafkajs. */
function quickContents({ prototype }: EncoderClass): Partial<KafkaEncoder> {
  const { writeVarLong, writeVarIntString, writeVarIntBytes } = prototype;
  return {
    writeVarLong(value) {
      if (!isSmall(value)) return Reflect.apply(writeVarLong, this, [value]);
      putUVarInt(this, zigZag(value));
      return this;
    },
    writeVarIntString(value) {
      if (typeof value !== 'string') return Reflect.apply(writeVarIntString, this, [value]);
      putText(this, value);
      return this;
    },
    writeVarIntBytes(value) {
      if (typeof value === 'string') {
        putText(this, value);
        return this;
      }
      if (!Buffer.isBuffer(value)) return Reflect.apply(writeVarIntBytes, this, [value]);
      putUVarInt(this, zigZag(value.length));
      append(this, value, value.length);
      return this;
    },
  };
}

/** What other encoders hold is copied from their buffers without a slice of each. */
function quickNesting(Encoder: EncoderClass): Partial<KafkaEncoder> {
  const { writeEncoder, writeEncoderArray } = Encoder.prototype;
  const isEncoder = (value: unknown): value is KafkaEncoder => value instanceof Encoder;
  return {
    writeEncoder(value) {
      if (!isEncoder(value)) return Reflect.apply(writeEncoder, this, [value]);
      append(this, value.buf, value.offset);
      return this;
    },
    writeEncoderArray(value) {
      if (!Array.isArray(value) || !value.every(isEncoder)) {
        return Reflect.apply(writeEncoderArray, this, [value]);
      }
      // At once, or the buffer of a batch would be copied at each doubling.
      this.ensureAvailable(value.reduce((sum, { offset }) => sum + offset, 0));
      for (const one of value) append(this, one.buf, one.offset);
      return this;
    },
  };
}

function isSmall(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) < smallLong;
}

function zigZag(value: number): number {
  return (value << 1) ^ (value >> 31);
}

/** Bytes of a varint of 32 bits: seven of its bits fit into one. */
function sizeOfUVarInt(value: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(value)) / 7));
}

function grow(encoder: KafkaEncoder, needed: number): void {
  // What lies behind the offset is never read, so it need not be zero.
  const larger = Buffer.allocUnsafe(Math.max(needed, encoder.buf.length * 2));
  encoder.buf.copy(larger, 0, 0, encoder.offset);
  encoder.buf = larger;
}

function putUVarInt(encoder: KafkaEncoder, value: number): void {
  encoder.ensureAvailable(mostBytesOfVarInt);
  const { buf } = encoder;
  let { offset } = encoder;
  let rest = value;
  while ((rest & ~sevenBits) !== 0) {
    buf[offset++] = (rest & sevenBits) | moreFollows;
    rest >>>= 7;
  }
  buf[offset++] = rest & sevenBits;
  encoder.offset = offset;
}

/** The length of a text in UTF-8, as a varint, and the text. */
function putText(encoder: KafkaEncoder, text: string): void {
  const bytes = Buffer.byteLength(text, 'utf8');
  putUVarInt(encoder, zigZag(bytes));
  encoder.ensureAvailable(bytes);
  const { buf, offset } = encoder;
  // As many bytes as units: all of it is ASCII.
  if (bytes === text.length && bytes <= shortBytes) {
    for (let index = 0; index < bytes; index += 1) buf[offset + index] = text.charCodeAt(index);
  } else {
    buf.write(text, offset, bytes, 'utf8');
  }
  encoder.offset = offset + bytes;
}

function append(encoder: KafkaEncoder, source: Buffer, length: number): void {
  encoder.ensureAvailable(length);
  const { buf, offset } = encoder;
  if (length <= shortBytes) {
    for (let index = 0; index < length; index += 1) buf[offset + index] = source[index] ?? 0;
  } else {
    source.copy(buf, offset, 0, length);
  }
  encoder.offset = offset + length;
}
