const moreFollows = 0x80;
const sevenBits = 0x7f;
const lastAscii = 0x7f;
/** Up to here a loop is quicker than a call out of JavaScript; the length of such a text is one byte. */
const shortTextLength = 63;
const highWord = 2 ** 32;

/** At most so many bytes a number of 32 bits takes as a varint. */
export const mostBytesOfVarInt = 5;
/** At most so many bytes a unit of a JavaScript string takes in UTF-8. */
export const mostBytesOfUnit = 3;

/** Writes Kafka's types one after another into a buffer that must be large enough for all of them. */
export class QuickWriter {
  readonly bytes: Buffer;
  /** Where the next byte goes. */
  at = 0;

  constructor(maxBytes: number) {
    // What is behind `at` is never read, so it need not be zero.
    this.bytes = Buffer.allocUnsafe(maxBytes);
  }

  int8(value: number): void {
    this.at = this.bytes.writeInt8(value, this.at);
  }

  int16(value: number): void {
    this.at = this.bytes.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.at = this.bytes.writeInt32BE(value, this.at);
  }

  /** A whole number that a double holds without loss. */
  int64(value: number): void {
    this.int32(Math.floor(value / highWord));
    this.at = this.bytes.writeUInt32BE(value >>> 0, this.at);
  }

  bigInt64(value: bigint): void {
    this.at = this.bytes.writeBigInt64BE(value, this.at);
  }

  /** A text behind its length in 16 bits. */
  string(text: string | null): void {
    if (text === null) {
      this.int16(-1);
      return;
    }
    const length = this.bytes.write(text, this.at + 2, 'utf8');
    this.int16(length);
    this.at += length;
  }

  varInt(value: number): void {
    this.unsignedVarInt((value << 1) ^ (value >> 31));
  }

  unsignedVarInt(value: number): void {
    const { bytes } = this;
    let { at } = this;
    let rest = value;
    while ((rest & ~sevenBits) !== 0) {
      bytes[at++] = (rest & sevenBits) | moreFollows;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = at;
  }

  /** A text in UTF-8 behind its length as a varint. */
  varIntText(text: string): void {
    if (text.length <= shortTextLength && this.ascii(text)) return;
    const length = Buffer.byteLength(text, 'utf8');
    this.varInt(length);
    this.bytes.write(text, this.at, length, 'utf8');
    this.at += length;
  }

  varIntBytes(value: Uint8Array | null): void {
    if (value === null) {
      this.varInt(-1);
      return;
    }
    this.varInt(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  /** Writes a short text and says true; or says false, having written nothing, as it is not ASCII. */
  private ascii(text: string): boolean {
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = text.length << 1;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > lastAscii) return false;
      bytes[at++] = unit;
    }
    this.at = at;
    return true;
  }
}

/** Bytes of an unsigned varint of 32 bits: seven of its bits fit into one. */
export function sizeOfUnsignedVarInt(value: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(value)) / 7));
}
