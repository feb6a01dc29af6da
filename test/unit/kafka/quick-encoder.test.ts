import { createRequire } from 'node:module';
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { EncoderClass } from 'kafkajs/src/protocol/encoder.js';
import { quickenEncoder } from '../../../src/kafka/quick-encoder.ts';

const require = createRequire(import.meta.url);

/** kafkajs' class, each time another one: what is done to it is done to nobody else's. */
function loadEncoder(): EncoderClass {
  let loaded: unknown;
  jest.isolateModules(() => {
    loaded = require('kafkajs/src/protocol/encoder.js');
  });
  return loaded as EncoderClass;
}

/** What both classes are told: a method, and what makes its arguments with the encoder of each. */
interface Call {
  readonly method: string;
  readonly args: (Encoder: EncoderClass) => readonly unknown[];
}

const original = loadEncoder();
const quick = loadEncoder();
quickenEncoder(quick);

function run(target: object, { method, args }: Call, Encoder: EncoderClass): unknown {
  const call = Reflect.get(target, method) as (...args: readonly unknown[]) => unknown;
  try {
    return Reflect.apply(call, target, args(Encoder));
  } catch (error) {
    return String(error);
  }
}

function write(Encoder: EncoderClass, calls: readonly Call[], initialSize?: number) {
  const encoder = new Encoder(initialSize);
  const results = calls.map((call) => {
    const result = run(encoder, call, Encoder);
    return result === encoder ? 'itself' : result;
  });
  return { encoder, seen: { results, bytes: encoder.buffer.toString('hex') } };
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 90 }),
  fc.constantFrom('', 'a'.repeat(40), 'a'.repeat(41), 'é'.repeat(40), '\ud800', 'x'.repeat(5000)),
);
const bytes = fc.uint8Array({ maxLength: 90 }).map((array) => Buffer.from(array));
const ints = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -1, 1, 63, 64, -64, -65, 127, 128, 16_383, 16_384, 2 ** 31 - 1, -(2 ** 31)),
  fc.constantFrom(2 ** 30 - 1, 2 ** 30, -(2 ** 30), -(2 ** 30) - 1, 2 ** 32 - 1, 2 ** 32),
);
// A negative number of 64 bits is written with all of them: kafkajs' loop needs a number that ends.
const longs = fc.oneof(
  ints,
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  ints.map(String),
);
const nothing = fc.constantFrom(null, undefined);
const odd = fc.oneof(nothing, fc.double(), fc.boolean(), fc.constant({}), fc.constant([]));

function calls(names: readonly string[], values: fc.Arbitrary<unknown>): fc.Arbitrary<Call> {
  return fc
    .tuple(fc.constantFrom(...names), values)
    .map(([method, value]) => ({ method, args: () => [value] }));
}

const { list } = fc.letrec<{ list: readonly Call[]; nested: Call; plain: Call }>((tie) => ({
  plain: fc.oneof(
    calls(['writeInt8', 'writeInt16', 'writeInt32', 'writeUInt32', 'writeUVarInt'], ints),
    calls(['writeVarInt', 'writeBoolean', 'writeDouble'], ints),
    calls(['writeInt64', 'writeVarLong'], longs),
    calls(
      ['writeString', 'writeVarIntString', 'writeUVarIntString', 'writeBytes', 'writeVarIntBytes'],
      fc.oneof(texts, nothing),
    ),
    calls(
      ['writeBytes', 'writeVarIntBytes', 'writeUVarIntBytes', 'writeBuffer'],
      fc.oneof(bytes, odd),
    ),
    calls(['writeBufferInternal'], bytes),
    calls(['writeUVarInt', 'writeVarInt', 'writeVarIntString', 'writeEncoder'], odd),
    calls(['writeEncoderArray', 'writeArray', 'writeVarIntArray'], fc.oneof(odd, fc.array(odd))),
    calls(['writeNullableArray', 'writeArray'], fc.oneof(fc.array(ints), fc.array(texts))),
    fc.constantFrom('size', 'toJSON').map((method) => ({ method, args: () => [] })),
  ),
  nested: fc
    .tuple(
      fc.constantFrom('writeEncoderArray', 'writeArray', 'writeVarIntArray', 'writeUVarIntArray'),
      fc.array(tie('list'), { maxLength: 4 }),
      fc.constantFrom(undefined, 'object'),
    )
    .map(([method, lists, type]) => ({
      method,
      args: (Encoder) => [lists.map((one) => write(Encoder, one).encoder), type],
    })),
  list: fc.array(
    fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('plain'), tie('nested')),
    {
      maxLength: 8,
    },
  ),
}));

describe('quickenEncoder', () => {
  test('leaves every byte that is written as it was, and every refusal', () => {
    fc.assert(
      fc.property(list, fc.constantFrom(undefined, 511, 1, 4096), (all, initialSize) => {
        expect(write(quick, all, initialSize).seen).toEqual(write(original, all, initialSize).seen);
      }),
      { numRuns: 200 },
    );
  });

  test('writes an encoder into another, or into itself', () => {
    fc.assert(
      fc.property(list, (all) => {
        const seen = [quick, original].map((Encoder) => {
          const inner = write(Encoder, all).encoder;
          const outer = write(Encoder, all).encoder;
          outer.writeEncoder(inner).writeEncoder(outer);
          // Made by something else than the class: kafkajs asks for no more than this.
          outer.writeEncoder({ buf: Buffer.alloc(9), buffer: Buffer.from('others') });
          return outer.buffer.toString('hex');
        });
        expect(seen[0]).toBe(seen[1]);
      }),
      { numRuns: 50 },
    );
  });

  test('counts the same sizes', () => {
    const sizes = fc.oneof(
      calls(['sizeOfVarInt', 'encodeZigZag'], fc.oneof(ints, odd)),
      calls(['sizeOfVarLong'], fc.oneof(longs, odd)),
      calls(['sizeOfVarIntBytes'], fc.oneof(texts, bytes, nothing)),
    );
    fc.assert(
      fc.property(sizes, (call) => {
        expect(run(quick, call, quick)).toEqual(run(original, call, original));
      }),
      { numRuns: 1000 },
    );
  });

  test('begins with a buffer that costs next to nothing', () => {
    expect(new quick().buf).toHaveLength(64);
    expect(new original().buf).toHaveLength(512);
  });

  test('can be asked twice', () => {
    const Encoder = loadEncoder();
    expect(quickenEncoder(Encoder)).toBe(true);
    const { writeVarLong } = Encoder.prototype;
    expect(quickenEncoder(Encoder)).toBe(true);
    expect(Encoder.prototype.writeVarLong).toBe(writeVarLong);
  });

  test.each<[string, (Encoder: EncoderClass) => void]>([
    ['lacks a method', ({ prototype }) => Reflect.deleteProperty(prototype, 'writeVarLong')],
    ['lacks a function', (Encoder) => Reflect.deleteProperty(Encoder, 'sizeOfVarLong')],
    ['begins otherwise', (Encoder) => (Encoder.nextPowerOfTwo = () => 1024)],
    ['cannot be made', (Encoder) => (Encoder.nextPowerOfTwo = () => -1)],
  ])('leaves a class alone that %s', (_, change) => {
    const Encoder = loadEncoder();
    change(Encoder);
    const before = Object.getOwnPropertyDescriptors(Encoder.prototype);
    expect(quickenEncoder(Encoder)).toBe(false);
    expect(Object.getOwnPropertyDescriptors(Encoder.prototype)).toEqual(before);
  });
});
