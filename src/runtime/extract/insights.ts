import type { Fields } from '../../core/fields.ts';
import { isDue } from '../../core/freshness.ts';
import { keyNumber } from '../../core/fingerprint.ts';
import type { Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import { groupByMetrics, maxIds } from '../../core/metric-groups.ts';
import { metricValues } from '../../core/metric-values.ts';
import { everything, isLeftOut, metricsFor, readListed } from '../../core/refusals.ts';
import type { Listed } from '../../core/refusals.ts';
import type { MetricGroup, Stream } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Page } from '../extraction.ts';
import { createIsolation, isolate } from './isolation.ts';
import type { Isolation } from './isolation.ts';
import { isOfRound, presentIds, walkList, withoutInsights } from './list.ts';

type InsightsSource = Extract<Stream['source'], { kind: 'insights' }>;

/** A listed media: as it came, and what refusals and freshness know it by. */
interface Candidate {
  readonly node: Node;
  readonly listed: Listed;
}

/**
 * Takes the media that are due from the list, groups those that answer the same metrics, and asks 50
 * of a group at a time by `?ids=`. Each node is the listed media with its metrics beside its fields.
 */
export async function* extractInsights(
  source: InsightsSource,
  context: ExtractContext,
): Extraction {
  yield* list(source, context);
  const { edge } = source;
  const { nodes } = context.catalogs.of(context.account.id, edge);
  const isolation = createIsolation(context);
  // A node without a usable id goes on as it is, for the mapping to refuse it by name.
  const unusable = nodes.filter((node) => readListed(node) === undefined);
  if (unusable.length > 0) yield { nodes: unusable, skipped: [], coveredUntilMs: null };
  for (const members of groupsOf(dueOf(nodes, source, context), source, isolation)) {
    for (let start = 0; start < members.candidates.length; start += maxIds) {
      const asked = { ...members, candidates: members.candidates.slice(start, start + maxIds) };
      yield await askMembers(asked, isolation);
    }
  }
  const present = presentIds(edge, context);
  if (present !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, present };
}

/** Walks the list, unless another stream has done so in this round. */
async function* list(source: InsightsSource, context: ExtractContext): Extraction {
  const { edge, listFields: fields } = source;
  const { walkedMs, walkedWholeMs } = context.catalogs.of(context.account.id, edge);
  if (isOfRound(walkedMs, context)) return;
  const walk = { edge, fields, lastWholeMs: walkedWholeMs };
  for await (const { skipped } of walkList(walk, context)) {
    if (skipped.length > 0) yield { nodes: [], skipped, coveredUntilMs: null };
  }
}

/** Live stories all, media by their age; what was never asked is due. */
function dueOf(
  nodes: readonly Node[],
  { edge, listFields }: InsightsSource,
  { memory, nowMs, freshness }: ExtractContext,
): readonly Candidate[] {
  const times = { nowMs, lastMs: memory.polledMs };
  return nodes.flatMap((node) => {
    const listed = readListed(node);
    if (listed === undefined || isLeftOut(listed, memory, nowMs)) return [];
    const due =
      edge === 'stories' ||
      !memory.published.has(keyNumber(listed.id)) ||
      isDue(listed, times, freshness.tiers);
    return due ? [{ node: wanted(node, listFields), listed }] : [];
  });
}

/** The walk may have been another stream's, which asked for more. */
function wanted(node: Node, fields: Fields): Node {
  const names = Object.keys(node).filter((name) => name in fields || name === 'insights');
  return Object.fromEntries(names.map((name) => [name, node[name] ?? null]));
}

interface Members {
  readonly groups: readonly MetricGroup[];
  readonly candidates: readonly Candidate[];
}

/** Those that answer equal metrics, less the metrics that they are known to refuse. */
function groupsOf(
  candidates: readonly Candidate[],
  source: InsightsSource,
  { context, memory }: Isolation,
): readonly Members[] {
  const byNode = new Map(candidates.map((candidate) => [candidate.node, candidate]));
  const members = groupByMetrics([...byNode.keys()], (node) => {
    const { id = '', kind = '' } = byNode.get(node)?.listed ?? {};
    const at = { memory, nowMs: context.nowMs };
    return source.groups(node, context.login).map((group) => ({
      ...group,
      metrics: metricsFor(group.metrics, [everything, kind, id], at),
    }));
  });
  return members.map(({ groups, nodes }) => ({
    groups,
    candidates: nodes.flatMap((node) => byNode.get(node) ?? []),
  }));
}

async function askMembers({ groups, candidates }: Members, work: Isolation): Promise<Page> {
  const values = new Map<string, Node>();
  const listed = candidates.map((candidate) => candidate.listed);
  for (const [index, group] of groups.entries()) {
    // The list itself may have brought the first group's metrics along.
    const known = index === 0 ? nestedValues(candidates) : new Map<string, Node>();
    const left = listed.filter(({ id }) => !known.has(id));
    const answers = new Map([...known, ...(await isolate(left, group, work))]);
    for (const [id, found] of answers) values.set(id, { ...values.get(id), ...found });
  }
  const open = candidates.filter((one) => !isLeftOut(one.listed, work.memory, work.context.nowMs));
  const found = open.filter(({ listed: { id } }) => hasMetrics(values.get(id)));
  return {
    nodes: found.map(({ node, listed: { id } }) => ({
      ...withoutInsights(node),
      ...values.get(id),
    })),
    skipped: work.skipped.splice(0),
    coveredUntilMs: null,
    learned: { refusals: work.memory.refusals, convertedMs: work.memory.convertedMs },
    empty: open.flatMap(({ listed: { id } }) => (hasMetrics(values.get(id)) ? [] : [id])),
  };
}

function nestedValues(candidates: readonly Candidate[]): Map<string, Node> {
  return new Map(
    candidates.flatMap(({ node, listed }) =>
      isNode(node['insights']) ? [[listed.id, metricValues(node['insights'], node)] as const] : [],
    ),
  );
}

/** A media whose insights came empty has nothing to publish yet. */
function hasMetrics(values: Node | undefined): boolean {
  return values !== undefined && Object.keys(values).length > 0;
}
