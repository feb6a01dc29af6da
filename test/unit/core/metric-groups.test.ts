import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../src/core/json.ts';
import { groupByMetrics, maxIds } from '../../../src/core/metric-groups.ts';

const groupsOf = (node: Node) => [
  { metrics: node['product'] === 'REELS' ? ['views', 'reels_skip_rate'] : ['views'] },
];

describe('groupByMetrics', () => {
  test('gathers what answers equal metrics, in the order of the list', () => {
    const nodes = [
      { id: '1', product: 'FEED' },
      { id: '2', product: 'REELS' },
      { id: '3', product: 'AD' },
    ];

    expect(groupByMetrics(nodes, groupsOf)).toEqual([
      { groups: [{ metrics: ['views'] }], nodes: [nodes[0], nodes[2]] },
      { groups: [{ metrics: ['views', 'reels_skip_rate'] }], nodes: [nodes[1]] },
    ]);
  });

  test('keeps metrics with a breakdown apart from the same without', () => {
    const nodes = [{ id: '1' }, { id: '2' }];
    const groups = groupByMetrics(nodes, ({ id }) => [
      id === '1' ? { metrics: ['navigation'], breakdown: 'x' } : { metrics: ['navigation'] },
    ]);

    expect(groups).toHaveLength(2);
  });

  test('is nothing for nothing', () => {
    expect(groupByMetrics([], groupsOf)).toEqual([]);
  });
});

describe('maxIds', () => {
  test('is what the API says: "Too many IDs. Maximum: 50."', () => {
    expect(maxIds).toBe(50);
  });
});
