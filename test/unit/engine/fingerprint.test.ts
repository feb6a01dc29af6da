import { describe, expect, it } from '@jest/globals';
import { fingerprint, spreadOf } from '../../../src/engine/fingerprint.ts';

const media = {
  id: '1',
  polled_at: 1000,
  caption: 'Zürich 🏔',
  media_url: 'https://cdn.example.com/a.jpg?oh=1&oe=2',
  children: [{ id: '2', media_url: 'https://cdn.example.com/b.jpg?oh=3' }],
  like_count: 5,
};

describe('fingerprint', () => {
  it('is equal for records that differ only in URL signatures and the time of the poll', () => {
    const later = {
      ...media,
      polled_at: 2000,
      media_url: 'https://cdn.example.com/a.jpg?oh=9&oe=8',
      children: [{ id: '2', media_url: 'https://cdn.example.com/b.jpg?oh=7' }],
    };

    expect(fingerprint(later)).toBe(fingerprint(media));
  });

  it.each([
    ['a count', { ...media, like_count: 6 }],
    ['a text', { ...media, caption: 'Zürich 🏕' }],
    ['a value that became null', { ...media, caption: null }],
    ['another path of a URL', { ...media, media_url: 'https://cdn.example.com/c.jpg?oh=1&oe=2' }],
    ['a removed child', { ...media, children: [] }],
  ])('differs by %s', (_, changed) => {
    expect(fingerprint(changed)).not.toBe(fingerprint(media));
  });

  it('is the same on every machine and in every version, because the state stores it', () => {
    expect(fingerprint(media).toString(16)).toBe('fa34091082688d7a');
  });

  it('is distinct for 200,000 records', () => {
    const seen = new Set<bigint>();
    for (let count = 0; count < 200_000; count += 1) seen.add(fingerprint({ id: '1', count }));

    expect(seen.size).toBe(200_000);
  });
});

describe('spreadOf', () => {
  it('spreads ids evenly', () => {
    const counts = [0, 0, 0, 0];
    for (let id = 0; id < 10_000; id += 1) {
      const slot = spreadOf(`1784140${id}`, 4);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }

    expect(Math.min(...counts)).toBeGreaterThan(2300);
  });
});
