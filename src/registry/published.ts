import type { Published } from '../engine/state.ts';

/** Key number and fingerprint, eight bytes each. */
const entryBytes = 16;

/** Encodes published keys and fingerprints as bytes, 16 per key. */
export function packPublished(published: Published): Buffer {
  const bytes = Buffer.allocUnsafe(published.size * entryBytes);
  let offset = 0;
  for (const [key, fingerprint] of published) {
    offset = bytes.writeBigUInt64BE(BigInt(key), offset);
    offset = bytes.writeBigUInt64BE(fingerprint, offset);
  }
  return bytes;
}

/** Decodes the bytes; undefined when they are not whole entries. */
export function readPublished(bytes: Uint8Array): Published | undefined {
  if (bytes.length % entryBytes !== 0) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const published = new Map<string, bigint>();
  for (let offset = 0; offset < view.length; offset += entryBytes) {
    published.set(String(view.readBigUInt64BE(offset)), view.readBigUInt64BE(offset + 8));
  }
  return published;
}

const printBytes = 8;

/** Encodes fingerprints as bytes, eight each. */
export function packPrints(prints: readonly bigint[]): Buffer {
  const bytes = Buffer.allocUnsafe(prints.length * printBytes);
  prints.forEach((print, index) => bytes.writeBigUInt64BE(print, index * printBytes));
  return bytes;
}

/** Decodes the bytes; undefined when they are not whole fingerprints. */
export function readPrints(bytes: Uint8Array): readonly bigint[] | undefined {
  if (bytes.length % printBytes !== 0) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: view.length / printBytes }, (_, index) =>
    view.readBigUInt64BE(index * printBytes),
  );
}

/**
 * Encodes the reading times of media, eight bytes per published key, in the same order; 0 for none.
 */
export function packReadings(readings: Published, published: Published): Buffer {
  if (readings.size === 0) return Buffer.alloc(0);
  return packPrints([...published.keys()].map((key) => readings.get(key) ?? 0n));
}

/** Decodes the bytes; undefined when they are neither empty nor eight per key. */
export function readReadings(bytes: Uint8Array, published: Published): Published | undefined {
  const prints = readPrints(bytes);
  if (prints === undefined || (prints.length > 0 && prints.length !== published.size)) {
    return undefined;
  }
  const keys = [...published.keys()];
  return new Map(
    prints.flatMap((print, index) => {
      const key = keys[index];
      return print === 0n || key === undefined ? [] : [[key, print] as const];
    }),
  );
}
