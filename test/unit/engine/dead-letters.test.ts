import { describe, expect, it } from '@jest/globals';
import {
  deadLetterFingerprint,
  maxRememberedDeadLetters,
  withDeadLetters,
} from '../../../src/engine/dead-letters.ts';

const part = { code: 'mapping.invalid' as const, path: 'id', raw: '{"id":7,"like_count":3}' };

describe('the fingerprint of a dead letter', () => {
  it('is equal when only URL signatures and the time of the poll differ', () => {
    const raw = (signature: string, polledAt: number) =>
      `{"media_url":"https://cdn.example.com/a.jpg?_nc_rid=${signature}&oh=1","polled_at":${polledAt},"id":7}`;

    expect(deadLetterFingerprint({ ...part, raw: raw('a1', 1000) })).toBe(
      deadLetterFingerprint({ ...part, raw: raw('b2', 2000) }),
    );
  });

  it.each([
    ['another value', { raw: '{"id":7,"like_count":4}' }],
    ['another path', { path: 'like_count' }],
    ['another reason', { code: 'encoding.invalid' as const }],
    ['another text after a question mark', { raw: '{"id":7,"caption":"really?"}' }],
  ])('differs for %s', (_what, changes) => {
    expect(deadLetterFingerprint({ ...part, ...changes })).not.toBe(deadLetterFingerprint(part));
  });
});

describe('withDeadLetters', () => {
  it('keeps each fingerprint once, with the newest at the end', () => {
    expect(withDeadLetters([1n, 2n, 3n], [2n, 4n, 4n])).toEqual([1n, 3n, 2n, 4n]);
  });

  it('returns the same list when there are no new dead letters', () => {
    const known = [1n];

    expect(withDeadLetters(known, [])).toBe(known);
  });

  it('keeps at most 10,000 fingerprints and drops the oldest', () => {
    const known = Array.from({ length: maxRememberedDeadLetters }, (_, index) => BigInt(index));

    const after = withDeadLetters(known, [-1n]);

    expect(after).toHaveLength(10_000);
    expect([after[0], after.at(-1)]).toEqual([1n, -1n]);
  });
});
