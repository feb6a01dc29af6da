import { describe, expect, test } from '@jest/globals';
import { codecs } from '../../../../src/kafka/client/compression.ts';

const text =
  '{"id":"17890","like_count":12},'.repeat(3) + '{"id":"17891","like_count":12},'.repeat(3);

/**
 * The text above, compressed by other programs: `Compression.wrapForOutput` of kafka-clients 4.1.1
 * (Java), Snappy.compress of snappy-java 1.1.10 (a block without its stream's header, as clients in other
 * languages may write it), lz4 1.9.4 and zstd 1.5.4 (command line, with checksums and the content's size).
 */
const compressedElsewhere = [
  [
    'snappy',
    'Java, one block',
    'glNOQVBQWQAAAAABAAAAAQAAAC+6AXh7ImlkIjoiMTc4OTAiLCJsaWtlX2NvdW50IjoxMn0s/h8AFR8AMXZdAMofAA==',
  ],
  [
    'snappy',
    'Java, two blocks',
    'glNOQVBQWQAAAAABAAAAAQAAACRdeHsiaWQiOiIxNzg5MCIsImxpa2VfY291bnQiOjEyfSz2HwAAAAAkXXh7ImlkIjoiMTc4OTEiLCJsaWtlX2NvdW50IjoxMn0s9h8A',
  ],
  [
    'snappy',
    'clients without the stream header of Java',
    'ugF4eyJpZCI6IjE3ODkwIiwibGlrZV9jb3VudCI6MTJ9LP4fABUfADF2XQDKHwA=',
  ],
  [
    'lz4',
    'Java, one block',
    'BCJNGGBAgjMAAAD/EHsiaWQiOiIxNzg5MCIsImxpa2VfY291bnQiOjEyfSwfADYfMV0ACw8fABtQOjEyfSwAAAAA',
  ],
  [
    'lz4',
    'Java, two blocks',
    'BCJNGGBAgioAAAD/EHsiaWQiOiIxNzg5MCIsImxpa2VfY291bnQiOjEyfSwfACZQOjEyfSwqAAAA/xB7ImlkIjoiMTc4OTEiLCJsaWtlX2NvdW50IjoxMn0sHwAmUDoxMn0sAAAAAA==',
  ],
  [
    'lz4',
    'the lz4 command',
    'BCJNGHxAugAAAAAAAABoMwAAAP8QeyJpZCI6IjE3ODkwIiwibGlrZV9jb3VudCI6MTJ9LB8ANh8xXQALDx8AG1A6MTJ9LBW2UcUAAAAAThw56w==',
  ],
  [
    'zstd',
    'Java, one block',
    'KLUv/QBYXAEABAJ7ImlkIjoiMTc4OTAiLCJsaWtlX2NvdW50IjoxMn0sMQIADlCxCVQ5AQEAAA==',
  ],
  [
    'zstd',
    'Java, two blocks',
    'KLUv/QBYNAEA+HsiaWQiOiIxNzg5MCIsImxpa2VfY291bnQiOjEyfSwBAE9IyglUAAAQezECAA6QwOAKAQAA',
  ],
  [
    'zstd',
    'the zstd command',
    'KLUv/SS6XQEABAJ7ImlkIjoiMTc4OTAiLCJsaWtlX2NvdW50IjoxMn0sMQIADlCxCVQ5ASDCPPU=',
  ],
] as const;

describe.each(['snappy', 'lz4', 'zstd'] as const)('%s codec', (name) => {
  const codec = codecs[name];

  test.each(compressedElsewhere.filter(([of]) => of === name))(
    'reads %s written by %s',
    async (_codec, _writer, base64) => {
      const bytes = await codec.decompress(Buffer.from(base64, 'base64'));

      expect(bytes.toString()).toBe(text);
    },
  );

  test('compresses a megabyte of similar records and decompresses them again', async () => {
    const records = Buffer.from(text.repeat(6000));

    const compressed = await codec.compress({ buffer: records });

    expect(compressed.length).toBeLessThan(records.length / 10);
    expect((await codec.decompress(compressed)).equals(records)).toBe(true);
  });

  test('names the codec in the error of a damaged batch, and then reads an intact batch', async () => {
    const good = await codec.compress({ buffer: Buffer.from(text) });

    for (const damaged of [good.subarray(0, good.length - 9), Buffer.from('not compressed')]) {
      await expect(codec.decompress(damaged)).rejects.toThrow(
        `A record batch of ${damaged.length} bytes is not readable as ${name}`,
      );
    }

    expect((await codec.decompress(good)).toString()).toBe(text);
  });
});

test('snappy codec writes the stream header that Java clients write', async () => {
  const compressed = await codecs.snappy.compress({ buffer: Buffer.from(text) });

  expect(compressed.subarray(0, 20).toString('hex')).toBe(
    '82534e4150505900' + '00000001' + '00000001' + '0000002f',
  );
});

test('snappy codec rejects a block whose length points outside the batch', async () => {
  const header = '82534e41505059000000000100000001';

  for (const length of ['fffffffc', '7fffffff', '00']) {
    const damaged = Buffer.from(header + length, 'hex');
    await expect(codecs.snappy.decompress(damaged)).rejects.toThrow('not readable as snappy');
  }
});
