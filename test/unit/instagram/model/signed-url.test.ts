import { describe, expect, test } from '@jest/globals';
import { withoutParameters } from '../../../../src/instagram/model/decode.ts';

describe('withoutParameters', () => {
  test.each([
    ['https://a/b?_nc_rid=x&oe=1', 'https://a/b?oe=1'],
    ['https://a/b?oe=1&_nc_rid=x', 'https://a/b?oe=1'],
    ['https://a/b?_nc_rid=x', 'https://a/b'],
    ['https://a/b?_nc_rid', 'https://a/b'],
    ['https://a/b?_nc_rid=x=y&_nc_rid=z&oe=1', 'https://a/b?oe=1'],
    ['https://a/b?_nc_rid=x#part', 'https://a/b#part'],
    ['https://a/b?x=1&_nc_rid=2#?_nc_rid=3', 'https://a/b?x=1#?_nc_rid=3'],
    ['https://a/b', 'https://a/b'],
    ['https://a/_nc_rid=x', 'https://a/_nc_rid=x'],
    ['https://a/b?my_nc_rid=x', 'https://a/b?my_nc_rid=x'],
    ['', ''],
  ])('turns %s into %s', (url, left) => {
    expect(withoutParameters(url, ['_nc_rid'])).toBe(left);
  });

  test('keeps the rest of the URL byte for byte', () => {
    const url = 'https://a/%7Eb?x=%2F+&y&&z=%E2%82%AC&gone=1';

    expect(withoutParameters(url, ['gone'])).toBe('https://a/%7Eb?x=%2F+&y&&z=%E2%82%AC');
    expect(withoutParameters(url, [])).toBe(url);
  });
});
