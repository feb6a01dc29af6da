const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/**
 * Java Kafka's murmur2, a signed 32-bit number, so that every client computes the same partition.
 *
 * Source: `org.apache.kafka.common.utils.Utils.murmur2`, read in Apache Kafka 4.1.
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const tail = length & ~3;
  let hash = seed ^ length;
  for (let index = 0; index < tail; index += 4) {
    let word = Math.imul(view.getInt32(index, true), multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  if (tail < length) {
    for (let index = length - 1; index >= tail; index -= 1) {
      hash ^= view.getUint8(index) << (8 * (index - tail));
    }
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

const encoder = new TextEncoder();

/** The partition, from 0 to `count` - 1, that a key (an account id, a record's key) belongs to. */
export function partitionOf(key: string, count: number): number {
  return (murmur2(encoder.encode(key)) & 0x7fffffff) % count;
}
