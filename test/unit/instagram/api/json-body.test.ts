import { describe, expect, test } from '@jest/globals';
import { parseJsonBody } from '../../../../src/instagram/api/json-body.ts';

describe('parseJsonBody', () => {
  test.each([
    ['{"ig_id":17841405309211844}', { ig_id: '17841405309211844' }],
    ['{"a":[-9007199254740993, 1]}', { a: ['-9007199254740993', 1] }],
    ['[9007199254740991]', [9007199254740991]],
    ['{"a":9007199254740992}', { a: '9007199254740992' }],
    ['{"a":1e400,"b":1e2}', { a: '1e400', b: 100 }],
    ['{"a":12345678901234567.5}', { a: '12345678901234567.5' }],
    ['{"a":48.4,"b":0.123456789012345}', { a: 48.4, b: 0.123456789012345 }],
  ])('keeps large numbers exact in %s', (text, value) => {
    expect(parseJsonBody(text)).toEqual(value);
  });

  test('leaves numbers in strings unchanged', () => {
    expect(parseJsonBody('{"caption":": 12345678901234567 ,1e400","n":1}')).toEqual({
      caption: ': 12345678901234567 ,1e400',
      n: 1,
    });
  });

  test.each([
    [String.raw`"a\ud83d"`, 'a\ufffd'],
    [String.raw`"\ude0d\ud83d"`, '\ufffd\ufffd'],
    [String.raw`"\ud83d\ud83d\ude0d"`, '\ufffd😍'],
    [String.raw`"\ud83d\n\ude0d"`, '\ufffd\n\ufffd'],
    [String.raw`"\ud83d\\ude0d"`, '\ufffd\\ude0d'],
    [String.raw`"\\ud83d\ude0d"`, '\\ud83d\ufffd'],
    [String.raw`"\\\ud83d"`, '\\\ufffd'],
    [String.raw`{"a\uD83D":[1]}`, { 'a\ufffd': [1] }],
    [String.raw`{"a\ud83d":12345678901234567}`, { 'a\ufffd': '12345678901234567' }],
  ])('replaces half a surrogate pair by U+FFFD: %s', (text, value) => {
    expect(parseJsonBody(text)).toEqual(value);
  });

  test.each([
    [String.raw`"\ud83d\ude0d\uD83D\uDE0D"`, '😍😍'],
    [String.raw`"\\ud83d"`, '\\ud83d'],
    ['"😍"', '😍'],
  ])('leaves %s unchanged', (text, value) => {
    expect(parseJsonBody(text)).toBe(value);
  });

  test.each(['{', String.raw`"\ud8zz"`, String.raw`"\ud83"`])('throws on %s', (text) => {
    expect(() => parseJsonBody(text)).toThrow(SyntaxError);
  });
});
