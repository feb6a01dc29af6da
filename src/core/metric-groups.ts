import type { Node } from './json.ts';
import type { MetricGroup } from './stream.ts';

/** `(#100) Too many IDs. Maximum: 50.` */
export const maxIds = 50;

/** Media that can be asked in the same requests. */
export interface MetricMembers {
  readonly groups: readonly MetricGroup[];
  readonly nodes: readonly Node[];
}

/** Gathers the media that answer equal metrics, in the order in which they were listed. */
export function groupByMetrics(
  nodes: readonly Node[],
  groupsOf: (node: Node) => readonly MetricGroup[],
): readonly MetricMembers[] {
  const members = new Map<string, { groups: readonly MetricGroup[]; nodes: Node[] }>();
  for (const node of nodes) {
    const groups = groupsOf(node);
    const key = JSON.stringify(groups);
    const same = members.get(key) ?? { groups, nodes: [] };
    same.nodes.push(node);
    members.set(key, same);
  }
  return [...members.values()];
}
