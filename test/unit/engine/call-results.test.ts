import { describe, expect, test } from '@jest/globals';
import { callResults } from '../../../src/engine/call-results.ts';

const none = { requested: undefined, records: [], gone: 0 };

describe('callResults', () => {
  test('counts a call for a media by the records of that media, at its age', () => {
    const ages = new Map([
      ['1', 'new'],
      ['2', 'new'],
      ['3', 'old'],
    ] as const);
    const records = [
      { id: 'c1', media_id: '1' },
      { id: 'c2', media_id: '1' },
    ];

    expect(
      callResults({ calls: 3, requested: { field: 'media_id', ages }, records, gone: 0 }),
    ).toEqual({ new: { found: 1, nothing: 1 }, old: { found: 0, nothing: 1 } });
  });

  test('counts other calls of the page as found when anything of it is published', () => {
    const ages = new Map([['1', 'recent']] as const);
    const requested = { field: 'id', ages };

    expect(callResults({ calls: 4, requested, records: [{ id: '1' }], gone: 0 })).toEqual({
      recent: { found: 1, nothing: 0 },
      none: { found: 3, nothing: 0 },
    });
  });

  test.each([
    ['a record', { records: [{ id: '1' }] }, { found: 2, nothing: 0 }],
    ['a tombstone', { gone: 1 }, { found: 2, nothing: 0 }],
    ['nothing', {}, { found: 0, nothing: 2 }],
  ])('counts the calls of a list that published %s', (_, changes, expected) => {
    expect(callResults({ ...none, calls: 2, ...changes })).toEqual({ none: expected });
  });

  test('is empty without calls', () => {
    expect(callResults({ ...none, calls: 0 })).toEqual({});
  });
});
