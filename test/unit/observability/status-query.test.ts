import { describe, expect, test } from '@jest/globals';
import { parseStatusQuery } from '../../../src/observability/status-query.ts';

const parse = (text: string) => parseStatusQuery(new URLSearchParams(text));

describe('parseStatusQuery', () => {
  test('selects the first fifty accounts when the query is empty', () => {
    expect(parse('')).toEqual({ offset: 0, limit: 50, search: '', trouble: false });
  });

  test('reads every field, and trims the search', () => {
    expect(parse('offset=25&limit=200&search=%20museum%20&trouble=true')).toEqual({
      offset: 25,
      limit: 200,
      search: 'museum',
      trouble: true,
    });
  });

  test.each([
    ['limit=201', 'limit: expected a whole number from 0 to 200'],
    ['limit=', 'limit: expected a whole number from 0 to 200'],
    ['offset=-1', 'offset: expected a whole number from 0 to 1000000'],
    ['offset=1e3', 'offset: expected a whole number from 0 to 1000000'],
    ['trouble=yes', 'trouble: expected true or false'],
    [`search=${'x'.repeat(101)}`, 'search: expected at most 100 characters'],
    ['account=1', '"account" is not known; expected offset, limit, search, trouble'],
  ])('rejects %s', (text, error) => {
    expect(parse(text)).toBe(error);
  });
});
