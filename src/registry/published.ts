import type { Published } from '../engine/published.ts';

/** The key number and the fingerprint, eight bytes each. */
const entryBytes = 16;

/** What was published as bytes, 16 a key. */
export function packPublished(published: Published): Buffer {
  const bytes = Buffer.allocUnsafe(published.size * entryBytes);
  let at = 0;
  for (const [key, fingerprint] of published) {
    at = bytes.writeBigUInt64BE(BigInt(key), at);
    at = bytes.writeBigUInt64BE(fingerprint, at);
  }
  return bytes;
}

/** The bytes read again; undefined when they are not whole entries. */
export function readPublished(bytes: Uint8Array): Published | undefined {
  if (bytes.length % entryBytes !== 0) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const published = new Map<string, bigint>();
  for (let at = 0; at < view.length; at += entryBytes) {
    published.set(String(view.readBigUInt64BE(at)), view.readBigUInt64BE(at + 8));
  }
  return published;
}

const printBytes = 8;

/** Fingerprints as bytes, eight each. */
export function packPrints(prints: readonly bigint[]): Buffer {
  const bytes = Buffer.allocUnsafe(prints.length * printBytes);
  prints.forEach((print, index) => bytes.writeBigUInt64BE(print, index * printBytes));
  return bytes;
}

/** The bytes read again; undefined when they are not whole fingerprints. */
export function readPrints(bytes: Uint8Array): readonly bigint[] | undefined {
  if (bytes.length % printBytes !== 0) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: view.length / printBytes }, (_, index) =>
    view.readBigUInt64BE(index * printBytes),
  );
}

/** The readings of media, eight bytes for each key published, in that order; 0 where there is none. */
export function packReadings(readings: Published, published: Published): Buffer {
  if (readings.size === 0) return Buffer.alloc(0);
  return packPrints([...published.keys()].map((key) => readings.get(key) ?? 0n));
}

/** The bytes read again; undefined when they are neither none nor eight for each key. */
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
