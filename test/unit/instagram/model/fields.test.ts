import { describe, expect, test } from '@jest/globals';
import {
  fieldsParameter,
  id,
  list,
  long,
  object,
  pathsOf,
  rejectedAfter,
  required,
  text,
} from '../../../../src/instagram/model/fields.ts';

const fields = {
  id: required(id),
  caption: text,
  owner: object({ id }),
  children: list({ id: required(id), caption: text }),
  like_count: long,
};

describe('fieldsParameter', () => {
  test('lists the fields in their order, with an edge expanded in place', () => {
    expect(fieldsParameter(fields)).toBe('id,caption,owner,children{id,caption},like_count');
  });

  test('omits rejected fields, and those of an expanded edge by path', () => {
    expect(fieldsParameter(fields, new Set(['caption', 'owner']))).toBe(
      'id,children{id,caption},like_count',
    );
    expect(fieldsParameter(fields, new Set(['children.caption']))).toBe(
      'id,caption,owner,children{id},like_count',
    );
  });
});

describe('rejectedAfter', () => {
  const paths = pathsOf('caption', fields);
  const after = (...refused: readonly string[]) => {
    const next = rejectedAfter('caption', paths, new Set(refused));
    return next && [...next];
  };

  test('drops the nested field, then only the other, then both', () => {
    expect(paths).toEqual(['children.caption', 'caption']);
    expect(after('owner')).toEqual(['owner', 'children.caption']);
    expect(after('owner', 'children.caption')).toEqual(['owner', 'caption']);
    expect(after('caption')).toEqual(['children.caption', 'caption']);
    expect(after('children.caption', 'caption')).toBeUndefined();
  });

  test('drops a field that occurs once, and a field that is not requested', () => {
    expect([...(rejectedAfter('owner', pathsOf('owner', fields), new Set()) ?? [])]).toEqual([
      'owner',
    ]);
    expect([...(rejectedAfter('other', [], new Set()) ?? [])]).toEqual(['other']);
  });
});

describe('required', () => {
  test('marks a field without changing the original', () => {
    expect([required(text).required, text.required]).toEqual([true, false]);
  });
});
