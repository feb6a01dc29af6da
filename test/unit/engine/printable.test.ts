import { describe, expect, test } from '@jest/globals';
import { printable, printableLines } from '../../../src/engine/printable.ts';

describe('printable', () => {
  test.each([
    ['escape and delete', '\u001B[2J\u007F', '\\u001b[2J\\u007f'],
    ['a line break and a tab', 'a\nb\tc', 'a\\u000ab\\u0009c'],
    ['a control sequence of C1', '\u009B31m', '\\u009b31m'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['bidi overrides', '\u202Eevil\u202C', '\\u202eevil\\u202c'],
    [
      'bidi isolates and marks',
      '\u2066a\u2069\u200E\u200F\u061C',
      '\\u2066a\\u2069\\u200e\\u200f\\u061c',
    ],
  ])('escapes %s', (_name, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test('keeps letters, signs and emoji of every language', () => {
    const text = 'Zoë "שלום" مرحبا 日本語 👩‍👩‍👧 \\n';

    expect(printable(text)).toBe(text);
  });
});

describe('printableLines', () => {
  test('keeps line breaks and escapes everything else that printable escapes', () => {
    expect(printableLines('one\n\u001Btwo\r\n')).toBe('one\n\\u001btwo\\u000d\n');
  });
});
