import { describe, expect, test } from '@jest/globals';
import { env, load } from './loading.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => `#Tag${index}`);

function loadWith(changes: Readonly<Record<string, string>>) {
  return load({ env: { ...env, ...changes } }).instagram;
}

describe('INSTAGRAM_DISCOVERED_USERS', () => {
  test('takes user names with and without @, in any case, each once', () => {
    const { discoveredUsers } = loadWith({
      INSTAGRAM_DISCOVERED_USERS: '@Brand.Invented, brand.invented,other_1,12345',
    });

    expect(discoveredUsers).toEqual(['brand.invented', 'other_1', '12345']);
  });

  test.each(['a-b', 'a b', 'a)', '@', ''.padEnd(31, 'a')])('rejects "%s"', (name) => {
    expect(() => loadWith({ INSTAGRAM_DISCOVERED_USERS: name })).toThrow(
      'each a user name of letters, digits, "." and "_", such as @name',
    );
  });
});

describe('INSTAGRAM_HASHTAGS', () => {
  test('takes hashtags of any script with and without #, each once', () => {
    const { hashtags } = loadWith({ INSTAGRAM_HASHTAGS: '#Café,cafe\u0301,שבת,new_in' });

    expect(hashtags).toEqual(['café', 'שבת', 'new_in']);
  });

  test.each(['a b', 'sun🌅', '##a', '#', 'a-b'])('rejects "%s"', (hashtag) => {
    expect(() => loadWith({ INSTAGRAM_HASHTAGS: hashtag })).toThrow(
      'each a hashtag of letters, digits and "_", without spaces and emoji, such as #name',
    );
  });

  test('takes thirty different hashtags, and rejects the thirty-first', () => {
    const thirty = [...names(30), 'tag0'].join(',');

    expect(loadWith({ INSTAGRAM_HASHTAGS: thirty }).hashtags).toHaveLength(30);
    expect(() => loadWith({ INSTAGRAM_HASHTAGS: names(32).join(',') })).toThrow(
      '- instagram.hashtags (INSTAGRAM_HASHTAGS): got 32 different hashtags, expected at most 30, because Meta lets an account search for 30 different ones in seven days; remove 2 from INSTAGRAM_HASHTAGS',
    );
  });
});

describe('streams of public content', () => {
  test('are rejected by name without the names that they read', () => {
    expect(() => loadWith({ STREAMS: 'users,discovered_media' })).toThrow(
      '- instagram.discoveredUsers (INSTAGRAM_DISCOVERED_USERS): got nothing, expected one user name or more, because discovered_media is enabled; set INSTAGRAM_DISCOVERED_USERS, or remove discovered_media from the streams',
    );
    const INSTAGRAM_ACCOUNT_SETTINGS = '{"17": {"streams": ["hashtag_media"]}}';
    expect(() => loadWith({ INSTAGRAM_ACCOUNT_SETTINGS })).toThrow(
      'expected one hashtag or more, because hashtag_media is enabled',
    );
  });

  test('may be included by the word all, and then have nothing to read', () => {
    const { streams } = load({ env: { ...env, STREAMS: 'all' } });

    expect(streams.hashtag_media.enabled).toBe(true);
  });

  test.each(['INSTAGRAM_DISCOVERED_USERS', 'INSTAGRAM_HASHTAGS'])(
    'have no names in %s with Instagram Login',
    (list) => {
      expect(() => loadWith({ INSTAGRAM_LOGIN: 'instagram', [list]: 'name' })).toThrow(
        `(${list}): got names, expected nothing, because INSTAGRAM_LOGIN=instagram reads no content of others`,
      );
    },
  );
});
