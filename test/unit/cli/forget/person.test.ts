import { describe, expect, test } from '@jest/globals';
import {
  formOfNames,
  hiddenNames,
  idsOf,
  isBy,
  readPerson,
  termsOf,
} from '../../../../src/cli/forget/person.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';

const author = { username: ['username', 'from.username'], id: ['from.id'] };
const ann = { kind: 'username', value: 'ann' } as const;
const annsId = { kind: 'id', value: '5' } as const;

describe('the person to forget', () => {
  test('is named by a user name in any case, with or without @, and by an id', () => {
    expect(readPerson({ user: '@Ann', userId: '5' })).toEqual([ann, annsId]);
    expect(readPerson({ user: 'ann' })).toEqual([ann]);
  });

  test.each([
    [{}, 'forget: expected --user, --user-id or --list'],
    [{ user: 'ann smith' }, '--user "ann smith": expected a user name of Instagram'],
    [{ userId: 'ann' }, '--user-id "ann": expected the id of a person'],
  ])('is rejected: %j', (options, message) => {
    expect(() => readPerson(options)).toThrow(message);
  });
});

describe('the form of the names in a record', () => {
  const hashed = 'a'.repeat(64);

  test.each([
    [{ username: 'ann' }, 'clear'],
    [{ username: hashed }, 'hashed'],
    [{ username: hashed, from: { username: 'ann' } }, 'clear'],
    [{ username: '[masked]', from: { username: hashed } }, 'hashed'],
    [{ username: '[masked]' }, 'hidden'],
    [{ username: null, from: { id: '5' } }, 'hidden'],
  ])('is told by the record: %j is %s', (record, form) => {
    expect(formOfNames(record, author, new Set(['username']))).toBe(form);
  });

  test('counts the kinds of names that were given alone', () => {
    const record = { username: hashed, from: { id: '5' } };

    expect(formOfNames(record, author, new Set(['id']))).toBe('clear');
    expect(formOfNames(record, author, new Set(['username', 'id']))).toBe('clear');
  });
});

describe('a record of a person', () => {
  const terms = termsOf([ann, annsId], (text) => `hash of ${text}`);

  test.each([
    [{ username: 'Ann' }, true],
    [{ username: null, from: { id: '5' } }, true],
    [{ username: 'hash of ann' }, true],
    [{ username: '[masked]', from: { id: 'hash of 5' } }, true],
    [{ username: 'bob', text: 'ann' }, false],
    [{ username: '5' }, false],
  ])('is found by the name, the id and their hashes: %j', (record, expected) => {
    expect(isBy(record, author, terms)).toBe(expected);
  });

  test('names its author by an id unless it is hashed', () => {
    expect(idsOf({ from: { id: '5' } }, author)).toEqual([annsId]);
    expect(idsOf({ from: { id: 'a'.repeat(64) } }, author)).toEqual([]);
  });
});

describe('names that a search cannot find', () => {
  test.each([
    ['comments', [], [], []],
    ['comments', ['username'], [], []],
    [
      'comments',
      ['from'],
      ['username'],
      [
        'comments: username and from.username are excluded or masked, so it was not searched by user name.',
        'comments: from.id is excluded or masked, so it was not searched by id.',
      ],
    ],
    [
      'tags',
      [],
      [],
      ['tags: its records have no id of their author, so it was not searched by id.'],
    ],
  ] as const)('are reported for %s with exclude=%j and mask=%j', (name, exclude, mask, notes) => {
    expect(hiddenNames(streams[name], [ann, annsId], { exclude, mask })).toEqual(notes);
  });
});
