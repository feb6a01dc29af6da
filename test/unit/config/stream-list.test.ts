import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.ts';
import { chosenStreams, unsupportedStreams } from '../../../src/config/stream-list.ts';

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

describe('unsupportedStreams', () => {
  test('returns named streams that the login lacks, and no word', () => {
    const words = ['all', 'default', 'first', 'facebookAlone'];

    expect(unsupportedStreams(words, 'instagram', declared)).toEqual(['facebookAlone']);
    expect(unsupportedStreams(words, 'facebook', declared)).toEqual([]);
  });
});

describe('loadConfig', () => {
  const load = (STREAMS: string) => {
    const env = {
      INSTAGRAM_ACCESS_TOKEN: 'EAAtoken',
      INSTAGRAM_LOGIN: 'instagram',
      KAFKA_BROKERS: 'localhost:9092',
      SCHEMA_REGISTRY_URL: 'http://localhost:8081',
      STREAMS,
    };
    return loadConfig({ env, args: {} });
  };

  test('rejects a named stream that the login lacks, with the login that has it', () => {
    expect(() => load('media,collaborative_media')).toThrow(
      '- streams.enabled (STREAMS): got collaborative_media, expected streams that the API has for ' +
        'INSTAGRAM_LOGIN=instagram; remove it from STREAMS, or set INSTAGRAM_LOGIN=facebook',
    );
  });

  test('enables every stream but that one for the word all', () => {
    const { streams } = load('all');

    expect([streams.tags.enabled, streams.collaborative_media.enabled]).toEqual([true, false]);
  });
});
