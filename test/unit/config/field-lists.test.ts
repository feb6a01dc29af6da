import { describe, expect, test } from '@jest/globals';
import { fieldRulesOf } from '../../../src/config/field-lists.ts';
import { explainConfig } from '../../../src/config/explain.ts';
import { env, failure, load, useFolder } from './loading.ts';

const { write } = useFolder();
const secret = 'k'.repeat(32);

/** The problems of some variables, as the program prints them. */
const linesOf = (changes: Readonly<Record<string, string>>): readonly string[] =>
  failure({ env: { ...env, ...changes } })
    .message.split('\n')
    .slice(1);

describe('lists of fields', () => {
  test('are read from the environment and from the file', () => {
    const configFile = write('lists.json', { streams: { media: { mask: ['caption'] } } });
    const { streams } = load({
      env: { ...env, STREAM_MEDIA_EXCLUDE: 'owner, children.media_url' },
      configFile,
    });

    expect(streams.media).toMatchObject({
      exclude: ['owner', 'children.media_url'],
      mask: ['caption'],
      hash: [],
    });
  });

  test.each([
    [
      'an unknown field, with the nearest one',
      { STREAM_MEDIA_EXCLUDE: 'captoin' },
      '- streams.media.exclude (STREAM_MEDIA_EXCLUDE): got "captoin", which no record of media ' +
        'has, expected fields of media in docs/streams.md, nested ones as owner.id; ' +
        'remove or correct it; did you mean caption?',
    ],
    [
      'an unknown nested field, with the nearest one',
      { STREAM_COMMENTS_MASK: 'from.user_name' },
      '- streams.comments.mask (STREAM_COMMENTS_MASK): got "from.user_name", which no record of ' +
        'comments has, expected fields of comments in docs/streams.md, nested ones as owner.id; ' +
        'remove or correct it; did you mean from.username?',
    ],
    [
      'a field of the key',
      { STREAM_MEDIA_EXCLUDE: 'id' },
      '- streams.media.exclude (STREAM_MEDIA_EXCLUDE): got "id", which identifies the record, ' +
        'expected fields outside the key and the origin (business_account_id, page_id, ' +
        'polled_at); remove it',
    ],
    [
      'a field of the origin',
      { STREAM_USERS_MASK: 'page_id' },
      '- streams.users.mask (STREAM_USERS_MASK): got "page_id", which identifies the record, ' +
        'expected fields outside the key and the origin (business_account_id, page_id, ' +
        'polled_at); remove it',
    ],
    [
      'a required field that is to be excluded',
      { STREAM_COMMENTS_EXCLUDE: 'from.id' },
      '- streams.comments.exclude (STREAM_COMMENTS_EXCLUDE): got "from.id", which is never null, ' +
        'expected fields that may be null; remove it, or exclude "from", or mask or hash it',
    ],
    [
      'a number that is to be masked',
      { STREAM_MEDIA_MASK: 'like_count' },
      '- streams.media.mask (STREAM_MEDIA_MASK): got "like_count", which is no text, expected ' +
        'text fields; remove it, or exclude it',
    ],
    [
      'a record that is to be hashed',
      { STREAM_COMMENTS_HASH: 'from', FIELDS_HASH_SECRET: secret },
      '- streams.comments.hash (STREAM_COMMENTS_HASH): got "from", which is no text, expected ' +
        'text fields; remove it, or exclude it',
    ],
    [
      'a field in two lists',
      { STREAM_TAGS_EXCLUDE: 'username,caption', STREAM_TAGS_MASK: 'caption' },
      '- streams.tags.mask (STREAM_TAGS_MASK): got "caption", and "caption" in ' +
        'STREAM_TAGS_EXCLUDE, expected each field in one list, without the fields within it; ' +
        'remove "caption" here, or "caption" from STREAM_TAGS_EXCLUDE',
    ],
    [
      'a field within an excluded one',
      { STREAM_MEDIA_EXCLUDE: 'children', STREAM_MEDIA_MASK: 'children.username' },
      '- streams.media.mask (STREAM_MEDIA_MASK): got "children.username", and "children" in ' +
        'STREAM_MEDIA_EXCLUDE, expected each field in one list, without the fields within it; ' +
        'remove "children.username" here, or "children" from STREAM_MEDIA_EXCLUDE',
    ],
    [
      'hashes without a secret',
      { STREAM_TAGS_HASH: 'username' },
      '- fields.hashSecret (FIELDS_HASH_SECRET): got nothing, and STREAM_TAGS_HASH lists fields, ' +
        'expected the key of the hashes; set FIELDS_HASH_SECRET, or FIELDS_HASH_SECRET_FILE to ' +
        'the name of its file',
    ],
    [
      'a short secret, without showing it',
      { STREAM_TAGS_HASH: 'username', FIELDS_HASH_SECRET: 'short' },
      '- fields.hashSecret (FIELDS_HASH_SECRET): got [secret], expected a text of 32 to 500 ' +
        'visible characters; correct FIELDS_HASH_SECRET',
    ],
  ])('are rejected by name: %s', (_what, changes, line) => {
    expect(linesOf(changes)).toEqual([line]);
  });

  test('are rejected for every stream that lacks the field, once each', () => {
    expect(linesOf({ STREAM_STORIES_EXCLUDE: 'a,a', STREAM_USERS_HASH: 'constructor' })).toEqual([
      expect.stringContaining('"a", which no record of stories has'),
      expect.stringContaining('"constructor", which no record of users has'),
      expect.stringContaining('got nothing, and STREAM_USERS_HASH lists fields'),
    ]);
  });

  test('are problems of the command `config` too', () => {
    const { problems } = explainConfig({
      env: { ...env, STREAM_MEDIA_EXCLUDE: 'captoin' },
      args: {},
    });

    expect(problems.map(({ path }) => path)).toEqual(['streams.media.exclude']);
  });
});

describe('field rules of a configuration', () => {
  const record = { id: '1', username: 'ann', caption: 'Hi', like_count: 3 };
  const rulesOf = (changes: Readonly<Record<string, string>>) =>
    fieldRulesOf(load({ env: { ...env, ...changes } }));

  test('are those of the streams with lists', () => {
    const rules = rulesOf({ STREAM_TAGS_EXCLUDE: 'like_count', STREAM_TAGS_MASK: 'caption' });

    expect(Object.keys(rules)).toEqual(['tags']);
    expect(rules['tags']?.apply(record)).toEqual({
      ...record,
      caption: '[masked]',
      like_count: null,
    });
  });

  test('hash by HMAC-SHA-256 in hex with the secret as key', () => {
    const changes = { STREAM_TAGS_HASH: 'username', FIELDS_HASH_SECRET: secret };

    // printf ann | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    expect(rulesOf(changes)['tags']?.apply(record)).toEqual({
      ...record,
      username: '8adee30bc7f03373ea62a78320e36f1bd2584031e9b6c38a06b7bf29ebb1e11e',
    });
  });
});
