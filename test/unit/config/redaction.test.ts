import { describe, expect, test } from '@jest/globals';
import { maskStray } from '../../../src/config/redaction.ts';

describe('maskStray', () => {
  test.each([
    ['user:password@host', '[secret]@host'],
    ['a@b@c', '[secret]@c'],
    ['https://user:pass@host/path and one@two', 'https://[secret]@host/path and [secret]@two'],
    ['{"a":"x@y","b":"z"}', '{"a":"[secret]@y","b":"z"}'],
    ['@name', '@name'],
    ['@@', '[secret]@'],
    ['host:9092', 'host:9092'],
  ])('masks the part of a word before its last @: %s', (text, shown) => {
    expect(maskStray(text)).toBe(shown);
  });

  test.each(['x'.repeat(200_000), '@'.repeat(200_000), 'IG-'.repeat(70_000), '?'.repeat(200_000)])(
    'takes linear time for one word of 200,000 characters: case %#',
    (text) => {
      const startMs = performance.now();
      maskStray(text);

      expect(performance.now() - startMs).toBeLessThan(500);
    },
  );
});
