import type { Type } from 'avsc';
import { DeadLetterError } from '../engine/errors.ts';
import { type Json, type Value, describeJson, isNode } from '../engine/json.ts';
import type { TopicRole } from '../engine/stream-name.ts';

/** The magic byte 0 and the schema id in four bytes. */
export const wireHeaderBytes = 5;
const slabBytes = 1024 * 1024;

/** Encodes one value with the schema that is registered under `id`. */
export type WireEncode = (type: Type, id: number, value: Value) => Buffer;

/**
 * Encodes into slabs of its own, because avsc's `toBuffer` encodes values above 1 KB twice. A slab
 * is never overwritten; it is released with the last record in it.
 */
export function createWireEncode(): WireEncode {
  let slab = Buffer.allocUnsafe(slabBytes);
  let used = 0;
  return (type, id, value) => {
    for (;;) {
      const start = used;
      const end =
        start + wireHeaderBytes <= slab.length
          ? type.encode(value, slab, start + wireHeaderBytes)
          : -wireHeaderBytes;
      if (end >= 0) {
        slab.writeUInt8(0, start);
        slab.writeInt32BE(id, start + 1);
        used = end;
        return slab.subarray(start, end);
      }
      // A negative result is the number of missing bytes.
      slab = Buffer.allocUnsafe(Math.max(slabBytes, slab.length - start - end + wireHeaderBytes));
      used = 0;
    }
  };
}

/** The error of a value that does not fit its schema; names the field. */
export function encodingError(role: TopicRole, type: Type, value: Value): DeadLetterError {
  let path = '';
  let received: Json | undefined;
  let expected = 'what the schema says';
  type.isValid(value, {
    errorHook: (fields: string[], actual: unknown, expectedType: Type) => {
      path = fields.join('.');
      received = actual as Json | undefined;
      expected = expectedType.toString();
    },
  });
  const shown =
    isNode(received) || received === undefined ? describeJson(received) : JSON.stringify(received);
  return new DeadLetterError(
    'encoding.invalid',
    `record of ${role}, field "${path}": expected ${expected}, got ${shown.slice(0, 200)}`,
    { path, raw: JSON.stringify(value) },
  );
}
