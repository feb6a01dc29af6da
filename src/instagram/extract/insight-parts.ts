import { readOrReject } from '../../engine/dead-letters.ts';
import { type DeadLetterError, SkipError } from '../../engine/errors.ts';
import { isDue } from '../model/freshness.ts';
import type { Json, Node } from '../../engine/json.ts';
import { metricValues } from '../model/metric-values.ts';
import type { ReadParts } from './list-cache.ts';
import type { ExtractContext } from './extraction.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { Candidate, InsightsSource, InsightsPoll } from './each-insights.ts';

/** The shortest period between two requests for a media's parts. */
const partsEveryMs = 3_600_000;
const partsTiers = [{ untilAgeMs: Infinity, everyMs: partsEveryMs }];
/** The time for which a story is listed, less five minutes for clock skew between Meta and us. */
const storyListedMs = 24 * 3_600_000 - 5 * 60_000;

type Parts = NonNullable<InsightsSource['parts']>;

/**
 * Adds the parts of the source's metric (`navigation_actions`), which cost a call for each media.
 * The parts are requested when the metric has changed: at most once an hour, and at the last poll
 * in which the media is listed. All media of an account share its hours, so one batch requests
 * them. Between two requests the parts last read are repeated. A failed request adds no parts.
 *
 * @throws as `Graph.getEach`
 */
export async function withParts(
  values: ReadonlyMap<Candidate, Node>,
  poll: InsightsPoll,
  rejected: DeadLetterError[],
): Promise<ReadonlyMap<Candidate, Node>> {
  const { source, context } = poll;
  const { parts } = source;
  if (parts === undefined) return values;
  const { partsById, nodes } = context.caches.of(context.account.id, source.edge);
  const name = nameOf(parts);
  for (const [candidate, body] of await getParts(values, parts, poll)) {
    const total = values.get(candidate)?.[parts.metric] ?? null;
    const root = { id: candidate.listed.id, insights: body };
    const found = readOrReject(rejected, () => metricValues(body, root, rejected));
    const read = found?.[name] ?? null;
    partsById.set(candidate.listed.id, { total, parts: read, readMs: context.nowMs });
  }
  forgetOthers(partsById, nodes);
  return new Map(
    [...values].map(([candidate, node]) => {
      const read = partsById.get(candidate.listed.id)?.parts ?? null;
      const isThere = read !== null && node[parts.metric] !== undefined;
      return [candidate, isThere ? { ...node, [name]: read } : node];
    }),
  );
}

async function getParts(
  values: ReadonlyMap<Candidate, Node>,
  parts: Parts,
  { source, context, rejections }: InsightsPoll,
): Promise<ReadonlyMap<Candidate, Node>> {
  const { account, caches, graph, signal } = context;
  const { partsById } = caches.of(account.id, source.edge);
  const bodies = new Map<Candidate, Node>();
  const requests = new Map<GraphRequest, Candidate>();
  for (const [candidate, node] of values) {
    const before = partsById.get(candidate.listed.id);
    const isOpen = rejections.metricsFor([nameOf(parts)], candidate.listed).length > 0;
    if (isOpen && areDue(candidate, before, node[parts.metric], context)) {
      requests.set(requestOf(candidate, parts, account.id), candidate);
    }
  }
  for await (const outcome of graph.getEach([...requests.keys()], signal)) {
    const candidate = requests.get(outcome.request);
    if (candidate === undefined) continue;
    if ('node' in outcome) bodies.set(candidate, outcome.node);
    else if (outcome.error instanceof SkipError && outcome.error.subjects.includes(parts.metric)) {
      const { code: reason } = outcome.error;
      rejections.reject({ subject: candidate.listed.id, metric: nameOf(parts), reason });
    }
  }
  return bodies;
}

/** Returns the field that holds the parts. */
function nameOf({ metric }: Parts): string {
  return `${metric}_actions`;
}

/** @param total - the metric now; undefined where the media has none */
function areDue(
  { listed: { createdMs } }: Candidate,
  before: ReadParts | undefined,
  total: Json | undefined,
  { account, nowMs, nextPollMs }: ExtractContext,
): boolean {
  if (total === undefined || before?.total === total) return false;
  const times = { nowMs, lastMs: before?.readMs ?? null };
  if (isDue({ id: account.id, createdMs: null }, times, partsTiers)) return true;
  return createdMs !== null && (nextPollMs ?? Infinity) >= createdMs + storyListedMs;
}

function requestOf({ listed }: Candidate, { metric, breakdown }: Parts, accountId: string) {
  return {
    endpoint: '/{media}/insights',
    path: `/${listed.id}/insights`,
    query: { metric, breakdown },
    accountId,
  };
}

/** Forgets the parts of media that are no longer listed. */
function forgetOthers(partsById: Map<string, ReadParts>, nodes: readonly Node[]): void {
  const listed = new Set(nodes.map(({ id }) => id));
  for (const id of partsById.keys()) if (!listed.has(id)) partsById.delete(id);
}
