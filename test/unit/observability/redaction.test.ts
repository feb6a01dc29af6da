import { describe, expect, test } from '@jest/globals';
import { createRedactor } from '../../../src/observability/redaction.ts';

const token = 'tok/en+1 "x"|y';
const { value } = createRedactor([token, 'hush', 'hush-hush-9', '', '987654321']);
const shown = (anything: unknown): string => JSON.stringify(value(anything));

describe('the redactor', () => {
  test('keeps values without secrets, and their types', () => {
    const fields = { count: 3, ok: true, none: null, list: [1, 'a'], at: new Date(0) };

    expect(value(fields)).toEqual({
      count: 3,
      ok: true,
      none: null,
      list: [1, 'a'],
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  test('masks secrets in lists, keys, numbers, maps, sets, headers and URLs', () => {
    const fields = {
      list: [['a', token]],
      [token]: 1,
      number: 987_654_321,
      big: 987_654_321n,
      map: new Map([['k', token]]),
      set: new Set([token]),
      headers: new Headers({ authorization: 'anything', accept: 'x' }),
      url: new URL('http://h/?access_token=abc'),
    };

    expect(value(fields)).toEqual({
      list: [['a', '[secret]']],
      '[secret]': 1,
      number: '[secret]',
      big: '[secret]',
      map: { k: '[secret]' },
      set: ['[secret]'],
      headers: { authorization: '[secret]', accept: 'x' },
      url: 'http://h/?access_token=[secret]',
    });
  });

  test('masks a field by its name, unless it is empty', () => {
    expect(value({ Authorization: ['x', 'y'], password: null, accessToken: 'x' })).toEqual({
      Authorization: '[secret]',
      password: null,
      accessToken: '[secret]',
    });
  });

  test('masks secrets in an error, its stack, fields, causes and collected errors', () => {
    const deepest = Object.assign(new Error(`deep ${token}`), { url: `http://h/?q=${token}` });
    const many = new AggregateError([new Error(token)], 'many', { cause: deepest });
    const error = new Error(`outer ${token}`, { cause: many });

    expect(value({ error })).toMatchObject({
      error: {
        name: 'Error',
        message: 'outer [secret]',
        cause: {
          name: 'AggregateError',
          message: 'many',
          errors: [{ message: '[secret]' }],
          cause: { message: 'deep [secret]', url: 'http://h/?q=[secret]' },
        },
      },
    });
    expect(shown({ error })).toContain('redaction.test.ts');
    expect(shown({ error })).not.toContain('tok/en');
  });

  test('replaces bytes by their size', () => {
    expect(value({ body: Buffer.from(token) })).toEqual({ body: '[14 bytes]' });
  });

  test('ends at cycles and at depth eight', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    let deep: unknown = token;
    for (let level = 0; level < 20; level += 1) deep = [deep];

    expect(value(circle)).toEqual({ self: '[circular]' });
    expect(shown(deep)).toBe('[[[[[[[["[too deep]"]]]]]]]]');
  });
});
