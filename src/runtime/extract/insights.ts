import { DeadLetterError, SkipError } from '../../core/errors.ts';
import type { Json, Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import { metricValues } from '../../core/metric-values.ts';
import { groupByMetrics, maxIds } from '../../core/metric-groups.ts';
import type { MetricGroup, Stream } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Skipped } from '../extraction.ts';
import { listPages } from './list.ts';

type InsightsSource = Extract<Stream['source'], { kind: 'insights' }>;

/**
 * Lists the media, groups those that answer the same metrics, and asks 50 of a group at a time by
 * `?ids=`. Each node is the listed media with its metrics beside its fields.
 */
export async function* extractInsights(
  source: InsightsSource,
  context: ExtractContext,
): Extraction {
  const listed: Node[] = [];
  for await (const page of listPages({ edge: source.edge, fields: source.listFields }, context)) {
    listed.push(...page.nodes);
  }
  for (const members of groupByMetrics(listed, (node) => source.groups(node, context.login))) {
    for (let start = 0; start < members.nodes.length; start += maxIds) {
      const nodes = members.nodes.slice(start, start + maxIds);
      yield await askGroup({ nodes, groups: members.groups }, context);
    }
  }
}

interface Members {
  readonly nodes: readonly Node[];
  readonly groups: readonly MetricGroup[];
}

async function askGroup(members: Members, context: ExtractContext) {
  const skipped: Skipped[] = [];
  const metrics = new Map<string, Node>();
  let ids = members.nodes.map((node) => node['id']).filter((id) => typeof id === 'string');
  for (const group of members.groups) {
    const answers = await isolate(ids, group, { context, skipped });
    for (const [id, values] of answers) metrics.set(id, { ...metrics.get(id), ...values });
    // What has no insights for one group has none for the next.
    ids = ids.filter((id) => answers.has(id));
  }
  const nodes = members.nodes
    // A node without a usable id goes on as it is, for the mapping to refuse it by name.
    .filter(({ id }) => typeof id !== 'string' || hasMetrics(metrics.get(id)))
    .map((node) => ({ ...node, ...(typeof node['id'] === 'string' && metrics.get(node['id'])) }));
  return { nodes, skipped, coveredUntilMs: null };
}

/** A media whose insights came empty has nothing to publish yet. */
function hasMetrics(values: Node | undefined): boolean {
  return values !== undefined && Object.keys(values).length > 0;
}

interface Isolation {
  readonly context: ExtractContext;
  readonly skipped: Skipped[];
}

/**
 * Asks for all ids at once. The API is all-or-nothing: one media without insights or one refused
 * metric fails the request. A metric that it names is left out and the rest asked again; otherwise
 * the ids are halved until the one at fault stands alone: at most 2·log2(50) + 2 requests for it.
 */
async function isolate(
  ids: readonly string[],
  group: MetricGroup,
  work: Isolation,
): Promise<Map<string, Node>> {
  if (ids.length === 0 || group.metrics.length === 0) return new Map();
  try {
    return answersOf(ids, await askIds(ids, group, work.context));
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    const kept = group.metrics.filter((metric) => !error.subjects.includes(metric));
    if (kept.length < group.metrics.length) {
      return dropMetrics(ids, { group, kept, error }, work);
    }
    return halve(ids, { group, error }, work);
  }
}

async function dropMetrics(
  ids: readonly string[],
  refusal: { group: MetricGroup; kept: readonly string[]; error: SkipError },
  work: Isolation,
): Promise<Map<string, Node>> {
  const { group, kept, error } = refusal;
  for (const metric of group.metrics) {
    if (!kept.includes(metric)) work.skipped.push({ reason: error.code, subject: metric });
  }
  const answers = await isolate(ids, { ...group, metrics: kept }, work);
  // With no metric left the media are still there, only without this group's values.
  return kept.length === 0 ? new Map(ids.map((id) => [id, {}])) : answers;
}

async function halve(
  ids: readonly string[],
  refusal: { group: MetricGroup; error: SkipError },
  work: Isolation,
): Promise<Map<string, Node>> {
  if (ids.length === 1) {
    work.skipped.push({ reason: refusal.error.code, subject: ids[0] ?? '' });
    return new Map();
  }
  const middle = Math.ceil(ids.length / 2);
  const first = await isolate(ids.slice(0, middle), refusal.group, work);
  const second = await isolate(ids.slice(middle), refusal.group, work);
  return new Map([...first, ...second]);
}

function askIds(
  ids: readonly string[],
  group: MetricGroup,
  context: ExtractContext,
): Promise<Node> {
  const breakdown = group.breakdown === undefined ? '' : `.breakdown(${group.breakdown})`;
  return context.graph.get(
    {
      endpoint: '/?ids',
      path: '/',
      query: {
        ids: ids.join(','),
        fields: `insights.metric(${group.metrics.join(',')})${breakdown}`,
      },
      accountId: context.account.id,
    },
    context.signal,
  );
}

function answersOf(ids: readonly string[], body: Node): Map<string, Node> {
  return new Map(
    ids.map((id) => {
      const answer: Json | undefined = body[id];
      if (!isNode(answer)) {
        throw new DeadLetterError(
          'graph.bad-body',
          `field "${id}": the answer to ?ids= lacks a media that was asked`,
          { path: id, raw: JSON.stringify(body) },
        );
      }
      // A media without any insight comes as its id alone.
      const insights = answer['insights'];
      return [id, insights === undefined ? {} : metricValues(insights, answer)] as const;
    }),
  );
}
