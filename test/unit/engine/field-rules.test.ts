import { describe, expect, test } from '@jest/globals';
import { DeadLetterError } from '../../../src/engine/errors.ts';
import {
  createFieldRules,
  type RecordShape,
  type Shape,
  type Treatment,
} from '../../../src/engine/field-rules.ts';

const textShape: Shape = { kind: 'text' };
const required = (shape: Shape) => ({ shape, isNullable: false });
const optional = (shape: Shape) => ({ shape, isNullable: true });
const recordOf = (fields: Readonly<Record<string, ReturnType<typeof required>>>): Shape => ({
  kind: 'record',
  fields: new Map(Object.entries(fields)),
});

const child = recordOf({ id: required(textShape), media_url: optional(textShape) });
const fields: RecordShape = new Map([
  ['id', required(textShape)],
  ['caption', optional(textShape)],
  ['media_url', optional(textShape)],
  ['like_count', optional({ kind: 'scalar' })],
  ['counts', optional({ kind: 'map' })],
  ['owner', optional(recordOf({ id: required(textShape), username: optional(textShape) }))],
  ['children', optional({ kind: 'list', entry: child })],
]);

const rulesOf = (paths: Readonly<Record<string, Treatment>>) =>
  createFieldRules(fields, new Map(Object.entries(paths)), (text) => `hash of ${text}`);

const record = {
  id: '1',
  caption: 'Hi Ann',
  media_url: 'https://cdn/a.jpg?sig=1',
  like_count: 3,
  counts: { DE: 1 },
  owner: { id: '2', username: 'ann' },
  children: [
    { id: '11', media_url: 'https://cdn/b.jpg?sig=2' },
    { id: '12', media_url: null },
  ],
};

describe('field rules', () => {
  test('replace the values of listed fields, and keep the order of all fields', () => {
    const rules = rulesOf({
      caption: 'mask',
      like_count: 'exclude',
      counts: 'exclude',
      'owner.username': 'hash',
      'owner.id': 'mask',
      'children.media_url': 'exclude',
    });
    const reduced = rules.apply(record);

    expect(reduced).toEqual({
      ...record,
      caption: '[masked]',
      like_count: null,
      counts: null,
      owner: { id: '[masked]', username: 'hash of ann' },
      children: [
        { id: '11', media_url: null },
        { id: '12', media_url: null },
      ],
    });
    expect(Object.keys(reduced)).toEqual(Object.keys(record));
    expect(record.owner).toEqual({ id: '2', username: 'ann' });
  });

  test('leave null as it is', () => {
    const rules = rulesOf({ caption: 'mask', 'owner.username': 'hash', children: 'exclude' });
    const empty = { id: '1', caption: null, owner: null, children: null };

    expect(rules.apply(empty)).toEqual(empty);
    expect(rules.apply({ ...empty, owner: { id: '2', username: null } })).toMatchObject({
      owner: { id: '2', username: null },
    });
  });

  test('hash a URL without its signature, which differs in every poll', () => {
    const rules = rulesOf({ media_url: 'hash', caption: 'hash' });

    expect(rules.apply({ ...record, caption: 'why?' })).toMatchObject({
      media_url: 'hash of https://cdn/a.jpg',
      caption: 'hash of why?',
    });
  });

  test('remove restored values of excluded fields only', () => {
    const rules = rulesOf({ caption: 'hash', like_count: 'exclude' });

    expect(rules.exclude(record)).toEqual({ ...record, like_count: null });
  });
});

describe('content of a dead letter under field rules', () => {
  const rules = rulesOf({
    caption: 'exclude',
    media_url: 'mask',
    'owner.username': 'hash',
    'children.media_url': 'exclude',
  });
  const rawOf = (raw: unknown): unknown => {
    const text = typeof raw === 'string' ? raw : JSON.stringify(raw);
    const error = new DeadLetterError('mapping.invalid', 'field "id"', { path: 'id', raw: text });
    const redacted = rules.redact(error);
    expect(redacted).toMatchObject({ code: 'mapping.invalid', message: error.message, path: 'id' });
    return redacted.raw.startsWith('{') ? (JSON.parse(redacted.raw) as unknown) : redacted.raw;
  };

  test('has the treatments of the record, in the form of the API', () => {
    const { children, ...others } = record;

    expect(rawOf({ ...others, children: { data: children, paging: {} } })).toEqual({
      id: '1',
      media_url: '[masked]',
      like_count: 3,
      counts: { DE: 1 },
      owner: { id: '2', username: 'hash of ann' },
      children: [{ id: '11' }, { id: '12' }],
    });
  });

  test('keeps invalid values of other fields', () => {
    expect(rawOf({ id: true, like_count: 'many', counts: { DE: 'x', FR: {} } })).toEqual({
      id: true,
      like_count: 'many',
      counts: { DE: 'x' },
    });
  });

  test.each<[string, unknown, unknown]>([
    ['an undeclared field', { id: '1', caption_v2: 'Hi Ann' }, { id: '1' }],
    ['an object in place of a text', { id: '1', like_count: { caption: 'Hi Ann' } }, { id: '1' }],
    ['a list in place of a text', { id: ['Hi Ann'] }, {}],
    ['a text in place of a record', { id: '1', owner: 'ann' }, { id: '1' }],
    ['a text in place of a list', { id: '1', children: 'Hi Ann' }, { id: '1' }],
    ['texts in a list of records', { children: { data: ['ann', null] } }, { children: [] }],
    ['a list in place of a map', { counts: ['ann'] }, {}],
    ['a masked field of another type', { media_url: ['x'] }, { media_url: '[masked]' }],
    [
      'a hashed field of another type',
      { owner: { username: 7 } },
      { owner: { username: '[masked]' } },
    ],
    ['a prototype', '{"__proto__": {"caption": "Hi Ann"}}', {}],
    ['a list', ['Hi Ann'], '[removed: 10 characters]'],
    ['a text', '"Hi Ann"', '[removed: 8 characters]'],
    ['a body that is not JSON', 'caption=Hi Ann', '[removed: 14 characters]'],
  ])('removes %s', (_what, raw, expected) => {
    expect(rawOf(raw)).toEqual(expected);
  });
});
