import { describe, expect, test } from '@jest/globals';
import {
  fieldsParameter,
  id,
  list,
  long,
  object,
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
  test('asks for the fields in their order, an edge expanded in place', () => {
    expect(fieldsParameter(fields)).toBe('id,caption,owner,children{id,caption},like_count');
  });

  test('leaves out what was refused, inside an expanded edge as well', () => {
    expect(fieldsParameter(fields, new Set(['caption', 'owner']))).toBe(
      'id,children{id},like_count',
    );
  });
});

describe('required', () => {
  test('marks a field without changing the original', () => {
    expect([required(text).required, text.required]).toEqual([true, false]);
  });
});
