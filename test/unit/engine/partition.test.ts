import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { murmur2, partitionOf } from '../../../src/engine/partition.ts';

const encoder = new TextEncoder();

describe('murmur2', () => {
  // The vectors of Apache Kafka's own UtilsTest.testMurmur2.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])("hashes %s like Kafka's Java client", (text, hash) => {
    expect(murmur2(encoder.encode(text))).toBe(hash);
  });

  test("hashes three bytes like Kafka's Java client", () => {
    expect(murmur2(new Uint8Array([97, 98, 99]))).toBe(479470107);
  });

  test('hashes a view into a larger buffer by the bytes of the view alone', () => {
    expect(murmur2(encoder.encode('xx21yy').subarray(2, 4))).toBe(-973932308);
  });
});

describe('any key', () => {
  test('has a hash that is a signed 32-bit integer, as in Java', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const hash = murmur2(bytes);
        expect(hash).toBe(hash | 0);
        expect(murmur2(new Uint8Array(bytes))).toBe(hash);
      }),
    );
  });

  test('has a partition within the partition count', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 1000 }), (key, count) => {
        const partition = partitionOf(key, count);
        expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true);
      }),
    );
  });
});

describe('partitionOf', () => {
  test('makes a negative hash positive by its lower 31 bits', () => {
    expect(partitionOf('21', 12)).toBe((-973932308 & 0x7fffffff) % 12);
    expect(partitionOf('21', 12)).toBe(0);
  });

  test('returns partition 0 when there is one partition', () => {
    expect(partitionOf('17841400000000000', 1)).toBe(0);
  });

  test('hashes the UTF-8 bytes of a key', () => {
    expect(partitionOf('ключ', 1000)).toBe(
      (murmur2(new Uint8Array([0xd0, 0xba, 0xd0, 0xbb, 0xd1, 0x8e, 0xd1, 0x87])) & 0x7fffffff) %
        1000,
    );
  });
});
