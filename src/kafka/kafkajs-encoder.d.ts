/** A file of kafkajs 2.2.4 that it does not declare, as far as `quick-encoder.ts` uses it. */
declare module 'kafkajs/src/protocol/encoder.js' {
  /** What is written into a buffer that grows. */
  export interface KafkaEncoder {
    buf: Buffer;
    offset: number;
    /** What was written so far. */
    readonly buffer: Buffer;
    ensureAvailable: (this: KafkaEncoder, length: number) => void;
    writeBufferInternal: (this: KafkaEncoder, buffer: Buffer) => void;
    writeUVarInt: (this: KafkaEncoder, value: number) => KafkaEncoder;
    writeVarInt: (this: KafkaEncoder, value: number) => KafkaEncoder;
    writeVarLong: (this: KafkaEncoder, value: unknown) => KafkaEncoder;
    writeVarIntString: (this: KafkaEncoder, value: unknown) => KafkaEncoder;
    writeVarIntBytes: (this: KafkaEncoder, value: unknown) => KafkaEncoder;
    writeEncoder: (this: KafkaEncoder, value: unknown) => KafkaEncoder;
    writeEncoderArray: (this: KafkaEncoder, value: unknown) => KafkaEncoder;
  }

  /** The class, with what it has of its own. */
  export interface EncoderClass {
    new (initialSize?: number): KafkaEncoder;
    readonly prototype: KafkaEncoder;
    nextPowerOfTwo: (value: number) => number;
    sizeOfVarInt: (value: number) => number;
    sizeOfVarLong: (value: unknown) => number;
  }

  const Encoder: EncoderClass;
  export default Encoder;
}
