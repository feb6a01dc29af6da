import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c, quickenChecksum } from '../../../src/kafka/quick-checksum.ts';

const require = createRequire(import.meta.url);
const original = require('kafkajs/src/protocol/recordBatch/crc32C/crc32C.js') as (
  bytes: Buffer,
) => number;
const library = fileURLToPath(new URL('../../../src/kafka/client-library.ts', import.meta.url));

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

describe('quickenChecksum', () => {
  test('takes the place of the function that gives the same', () => {
    const module = { exports: original as unknown };
    expect(quickenChecksum(module)).toBe(true);
    expect(module.exports).toBe(crc32c);
  });

  test.each<[string, unknown]>([
    ['something else', { crc: original }],
    ['a function that gives another sum', () => 1],
    [
      'a function that does not take bytes',
      () => {
        throw new Error('not bytes');
      },
    ],
  ])('leaves %s alone', (_what, exports) => {
    const module = { exports };
    expect(quickenChecksum(module)).toBe(false);
    expect(module.exports).toBe(exports);
    expect(quickenChecksum(undefined)).toBe(false);
  });

  test('is what the batches of the program get', () => {
    const code = `
      import { createRequire } from 'node:module';
      import { Kafka } from ${JSON.stringify(library)};
      const require = createRequire(${JSON.stringify(library)});
      require('kafkajs/src/protocol/requests/produce/v3/request.js');
      const { exports } = require.cache[require.resolve('kafkajs/src/protocol/recordBatch/crc32C/index.js')];
      console.log(typeof Kafka, exports.name);`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
      encoding: 'utf8',
    });
    expect(output.trim()).toBe('function crc32c');
  });
});
