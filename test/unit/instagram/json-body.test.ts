import { describe, expect, test } from '@jest/globals';
import { parseJsonBody } from '../../../src/instagram/json-body.ts';

describe('parsing a body', () => {
  test.each([
    ['{"ig_id":17841405309211844}', { ig_id: '17841405309211844' }],
    ['{"a":[-9007199254740993, 1]}', { a: ['-9007199254740993', 1] }],
    ['[9007199254740991]', [9007199254740991]],
    ['{"a":9007199254740992}', { a: '9007199254740992' }],
    ['{"a":1e400,"b":1e2}', { a: '1e400', b: 100 }],
    ['{"a":12345678901234567.5}', { a: '12345678901234567.5' }],
    ['{"a":48.4,"b":0.123456789012345}', { a: 48.4, b: 0.123456789012345 }],
  ])('keeps whole numbers exact in %s', (text, value) => {
    expect(parseJsonBody(text)).toEqual(value);
  });

  test('leaves numbers in texts alone', () => {
    expect(parseJsonBody('{"caption":": 12345678901234567 ,1e400","n":1}')).toEqual({
      caption: ': 12345678901234567 ,1e400',
      n: 1,
    });
  });

  test('throws on what is not JSON', () => {
    expect(() => parseJsonBody('{')).toThrow(SyntaxError);
  });
});
