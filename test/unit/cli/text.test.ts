import { describe, expect, test } from '@jest/globals';
import { roughDuration, styleFor } from '../../../src/cli/text.ts';

const red = '\u001B[31mno\u001B[0m';

describe('styleFor', () => {
  test.each([
    ['a terminal', { isTTY: true, env: {} }, { live: true, shown: red }],
    ['NO_COLOR', { isTTY: true, env: { NO_COLOR: '1' } }, { live: true, shown: 'no' }],
    ['an empty NO_COLOR', { isTTY: true, env: { NO_COLOR: '' } }, { live: true, shown: red }],
    ['a dumb terminal', { isTTY: true, env: { TERM: 'dumb' } }, { live: true, shown: 'no' }],
    ['a pipe or a file', { env: {} }, { live: false, shown: 'no' }],
  ])(
    'uses colours only where the output supports them: %s',
    (_name, { env, ...output }, { live, shown }) => {
      const style = styleFor(output, env);

      expect(style.bad('no')).toBe(shown);
      expect(style.isLive).toBe(live);
    },
  );
});

describe('roughDuration', () => {
  test.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [7199, '119m'],
    [7200, '2h'],
    [172_800, '2d'],
  ])('formats %p seconds as %p', (seconds, text) => {
    expect(roughDuration(seconds)).toBe(text);
  });
});
