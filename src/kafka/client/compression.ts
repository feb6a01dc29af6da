import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Loads the WebAssembly codecs with the first batch that needs them: 8 MB of memory and 15 ms. */
const loadWasm = () => import('@platformatic/wasm-utils');

/** A codec for kafkajs: compresses the records of one batch, and decompresses them. */
interface Codec {
  readonly compress: (records: { readonly buffer: Buffer }) => Promise<Buffer>;
  readonly decompress: (bytes: Buffer) => Promise<Buffer>;
}

/** The codec of produce requests, by its name in Kafka's `compression.type`. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** The codecs that kafkajs lacks; gzip is built in. */
export const codecs = {
  snappy: createCodec('snappy', compressSnappy, decompressSnappy),
  lz4: createCodec(
    'lz4',
    async (bytes) => (await loadWasm()).lz4Compress(bytes),
    async (bytes) => (await loadWasm()).lz4Decompress(bytes),
  ),
  // Synchronous, since a pool thread costs more than it saves: a full batch takes 1 ms, 500 bytes 40 µs.
  zstd: createCodec('zstd', zstdCompressSync, zstdDecompressSync),
};

type Transform = (bytes: Buffer) => Buffer | Promise<Buffer>;

function createCodec(name: Compression, compress: Transform, decompress: Transform): Codec {
  return {
    compress: async ({ buffer }) => compress(buffer),
    async decompress(bytes) {
      try {
        return await decompress(bytes);
      } catch (cause) {
        // The error of WebAssembly only says "unreachable".
        throw new Error(
          `A record batch of ${bytes.length} bytes is not readable as ${name}, which its attributes ` +
            'name. Check the log segment on the broker with kafka-dump-log.sh.',
          { cause },
        );
      }
    },
  };
}

/**
 * The stream header of snappy-java 1.1.10, which Kafka's Java clients and the broker write: magic
 * bytes, version 1, compatible from version 1 on. Each block after it is preceded by its 32-bit
 * length.
 */
const snappyStreamHeader = Buffer.from('82534e41505059000000000100000001', 'hex');
const snappyMagicBytes = 8;
const lengthBytes = 4;

/** Compresses into one block, in the stream format that every Java consumer reads. */
async function compressSnappy(bytes: Buffer): Promise<Buffer> {
  const { snappyCompress } = await loadWasm();
  const block = snappyCompress(bytes);
  const length = Buffer.alloc(lengthBytes);
  length.writeInt32BE(block.length);
  return Buffer.concat([snappyStreamHeader, length, block]);
}

/** Decompresses a stream, or one block without a stream header, as clients in other languages write. */
async function decompressSnappy(bytes: Buffer): Promise<Buffer> {
  const { snappyDecompress } = await loadWasm();
  const isStream =
    snappyStreamHeader.compare(bytes, 0, snappyMagicBytes, 0, snappyMagicBytes) === 0;
  if (!isStream) return snappyDecompress(bytes);
  const blocks: Buffer[] = [];
  for (let offset = snappyStreamHeader.length; offset < bytes.length;) {
    const start = offset + lengthBytes;
    const length = bytes.readInt32BE(offset);
    offset = start + length;
    if (length <= 0 || offset > bytes.length)
      throw new RangeError(`got a block of ${length} bytes`);
    blocks.push(snappyDecompress(bytes.subarray(start, offset)));
  }
  return Buffer.concat(blocks);
}
