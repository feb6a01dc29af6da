import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../support/airbyte/api.ts';
import { compare } from '../../support/airbyte/compare.ts';
import { differences } from '../../support/airbyte/differences.ts';

function compared(stream: string, theirs: Node, ours: Node) {
  const { surprises, met } = compare(stream, [{ theirs, ours }], differences);
  return { surprises, met: [...met] };
}

describe("the comparison with Airbyte's records", () => {
  test('treats absent and null as equal', () => {
    expect(compared('media', { id: '1', caption: null }, { id: '1', children: null })).toEqual({
      surprises: [],
      met: [],
    });
  });

  test('reports every field that differs unexpectedly', () => {
    const theirs = {
      id: '1',
      like_count: 5,
      timestamp: '2026-05-12T05:26:06+00:00',
      children: [{ id: '2' }, { id: '3', username: 'a' }],
    };
    const ours = {
      id: '1',
      like_count: 6,
      timestamp: Date.parse('2026-05-12T05:26:07Z'),
      children: [{ id: '2' }, { id: '3' }],
    };
    expect(compared('media', theirs, ours).surprises).toEqual([
      'media.like_count: 5 and 6',
      'media.timestamp: "2026-05-12T05:26:06+00:00" and 1778563567000',
      'media.children[].username: "a" and null',
    ]);
  });

  test('reports a known difference when both sides have a value', () => {
    expect(compared('media_insights', { views: 5 }, { views: 6 }).surprises).toEqual([
      'media_insights.views: 5 and 6',
    ]);
    expect(compared('media_insights', {}, { views: 6 })).toEqual({
      surprises: [],
      met: ['media_insights.views'],
    });
  });

  test('ignores the values of URL signatures, but not the path or the parameter names', () => {
    const link = (path: string, query: string) => ({
      media_url: `https://cdn.example${path}?${query}`,
    });

    expect(compared('media', link('/a', 'oh=1&oe=2'), link('/a', 'oh=3&oe=4')).surprises).toEqual(
      [],
    );
    expect(compared('media', link('/a', 'oh=1'), link('/b', 'oh=1')).surprises).toHaveLength(1);
    expect(
      compared('media', link('/a', 'oh=1'), link('/a', 'oh=1&_nc_rid=2')).surprises,
    ).toHaveLength(1);
  });
});
