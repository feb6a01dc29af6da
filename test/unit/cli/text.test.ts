import { describe, expect, test } from '@jest/globals';
import { styleFor } from '../../../src/cli/text.ts';

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
