import { describe, expect, test } from '@jest/globals';
import { chosenStreams, lackingStreams } from '../../../src/config/stream-list.ts';

const declared = {
  first: { isDefault: true, logins: ['facebook', 'instagram'] },
  second: { isDefault: false, logins: ['facebook', 'instagram'] },
  facebookAlone: { isDefault: false, logins: ['facebook'] },
} as const;

const chosen = (words: readonly string[], login: 'facebook' | 'instagram' = 'facebook') =>
  chosenStreams(words, login, declared);

describe('chosenStreams', () => {
  test('returns the default streams for an empty list and for the word default', () => {
    expect(chosen([])).toEqual(['first']);
    expect(chosen(['second', 'default'])).toEqual(['first', 'second']);
  });

  test('returns exactly the named streams, each once, in the order of their declaration', () => {
    expect(chosen(['facebookAlone', 'second', 'second'])).toEqual(['second', 'facebookAlone']);
  });

  test('returns every stream that the login has for the word all', () => {
    expect(chosen(['all', 'first'])).toEqual(['first', 'second', 'facebookAlone']);
    expect(chosen(['all'], 'instagram')).toEqual(['first', 'second']);
  });
});

describe('lackingStreams', () => {
  test('returns named streams that the login lacks, and no word', () => {
    const words = ['all', 'default', 'first', 'facebookAlone'];

    expect(lackingStreams(words, 'instagram', declared)).toEqual(['facebookAlone']);
    expect(lackingStreams(words, 'facebook', declared)).toEqual([]);
  });
});
