import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from '../../../src/kafka/quick-checksum.ts';

const require = createRequire(import.meta.url);
const original = require('kafkajs/src/protocol/recordBatch/crc32C/crc32C.js') as (
  bytes: Buffer,
) => number;

describe('crc32c', () => {
  test('is what the standard says', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });

  test('is what kafkajs makes of any bytes', () => {
    const lengths = fc.oneof(fc.nat(40), fc.integer({ min: 4080, max: 4120 }), fc.nat(20_000));
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1 }), (length, seed) => {
        const bytes = Buffer.from(
          Array.from({ length }, (_, at) => Math.imul(at + 1, seed) >>> 13),
        );
        expect(crc32c(bytes)).toBe(original(bytes));
      }),
      { numRuns: 50 },
    );
  });
});
