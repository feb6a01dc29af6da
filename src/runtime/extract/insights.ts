import type { Fields } from '../../core/fields.ts';
import { isDue } from '../../core/freshness.ts';
import { keyNumber } from '../../core/fingerprint.ts';
import type { Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import { groupByMetrics, maxIds } from '../../core/metric-groups.ts';
import { metricValues } from '../../core/metric-values.ts';
import {
  isDoubtful,
  isLeftOut,
  metricsFor,
  readListed,
  subjectsOf,
  turnOf,
} from '../../core/refusals.ts';
import type { Listed } from '../../core/refusals.ts';
import type { MetricGroup, Stream } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Page } from '../extraction.ts';
import type { Candidate } from './faults.ts';
import type { Answers } from './ids.ts';
import { createIsolation } from './isolation-work.ts';
import type { Isolation } from './isolation-work.ts';
import { askNext, isolate } from './isolation.ts';
import { ensureWalked, walkedBy, withoutInsights } from './list.ts';
import { tryAgain } from './trials.ts';

type InsightsSource = Extract<Stream['source'], { kind: 'insights' }>;

/**
 * Takes the media that are due from the list, groups those that answer the same metrics, and asks 50
 * of a group at a time by `?ids=`. Each node is the listed media with its metrics beside its fields.
 */
export async function* extractInsights(
  source: InsightsSource,
  context: ExtractContext,
): Extraction {
  yield* ensureWalked(
    { edge: source.edge, fields: { ...source.listFields, ...source.besides } },
    context,
  );
  const { edge } = source;
  const { nodes } = context.catalogs.of(context.account.id, edge);
  const isolation = createIsolation(context, {
    all: () => nodes.flatMap(candidateOf),
    groupsOf: (node) => source.groups(node, context.login),
  });
  // A node without a usable id goes on as it is, for the mapping to refuse it by name.
  const unusable = nodes.filter((node) => readListed(node) === undefined);
  if (unusable.length > 0) yield { nodes: unusable, skipped: [], coveredUntilMs: null };
  const due = dueOf(nodes, source, context);
  await tryAgain(due, isolation);
  for (let left = due; left.length > 0;) {
    for (const members of groupsOf(left, source, isolation)) yield* askMembers(members, isolation);
    // Those that refused a metric are asked again without it, all of them together.
    left = left.filter(({ listed: { id } }) => isolation.deferred.has(id));
    isolation.deferred.clear();
  }
  const walked = walkedBy(edge, context);
  if (walked !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, walked };
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
      isDoubtful(listed, memory) ||
      isDue({ ...listed, id: turnOf(listed, memory) }, times, freshness.tiers);
    return due ? [{ node: wanted(node, listFields), listed }] : [];
  });
}

function candidateOf(node: Node): readonly Candidate[] {
  const listed = readListed(node);
  return listed === undefined ? [] : [{ node, listed }];
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
    const listed = byNode.get(node)?.listed;
    const subjects = listed === undefined ? [] : subjectsOf(listed, memory);
    const at = { memory, nowMs: context.nowMs };
    return source.groups(node, context.login).map((group) => ({
      ...group,
      metrics: metricsFor(group.metrics, subjects, at),
    }));
  });
  return members.map(({ groups, nodes }) => ({
    groups,
    candidates: nodes.flatMap((node) => byNode.get(node) ?? []),
  }));
}

/** Asks the first group's metrics step by step, the other groups' of those that have answered. */
async function* askMembers({ groups, candidates }: Members, work: Isolation): Extraction {
  const [first, ...others] = groups;
  if (first === undefined) return;
  work.size = maxIds;
  const byId = new Map(candidates.map((one) => [one.listed.id, one]));
  // The list itself may have brought the first group's metrics along.
  let answers = nestedValues(candidates, work);
  let rest: readonly Listed[] = candidates.flatMap(({ listed }) =>
    answers.has(listed.id) ? [] : [listed],
  );
  while (rest.length > 0 || answers.size > 0) {
    if (answers.size === 0) ({ answers, rest } = await askNext(rest, first, work));
    const answered = [...answers.keys()].flatMap((id) => byId.get(id) ?? []);
    for (const group of others) {
      const more = await isolate(
        answered.map(({ listed }) => listed),
        group,
        work,
      );
      for (const [id, found] of more) answers.set(id, { ...answers.get(id), ...found });
    }
    yield pageOf(answered, answers, work);
    answers = new Map();
  }
}

function pageOf(answered: readonly Candidate[], values: Answers, work: Isolation): Page {
  const { memory, context, deferred, skipped, rejected } = work;
  const open = answered.filter(
    ({ listed }) => !deferred.has(listed.id) && !isLeftOut(listed, memory, context.nowMs),
  );
  const found = open.filter(({ listed: { id } }) => hasMetrics(values.get(id)));
  return {
    nodes: found.map(({ node, listed: { id } }) => ({
      ...withoutInsights(node),
      ...values.get(id),
    })),
    skipped: skipped.splice(0),
    rejected: rejected.splice(0),
    coveredUntilMs: null,
    learned: { refusals: memory.refusals, convertedMs: memory.convertedMs },
    empty: open.flatMap(({ listed: { id } }) => (hasMetrics(values.get(id)) ? [] : [id])),
  };
}

function nestedValues(candidates: readonly Candidate[], { rejected }: Isolation): Answers {
  return new Map(
    candidates.flatMap(({ node, listed }) =>
      isNode(node['insights'])
        ? [[listed.id, metricValues(node['insights'], node, rejected)] as const]
        : [],
    ),
  );
}

/** A media whose insights came empty has nothing to publish yet. */
function hasMetrics(values: Node | undefined): boolean {
  return values !== undefined && Object.keys(values).length > 0;
}
