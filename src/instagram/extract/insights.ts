import { readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import type { Fields } from '../model/fields.ts';
import { isToBeRead, packReading } from '../model/freshness.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import type { Node } from '../../engine/json.ts';
import { metricValues } from '../model/metric-values.ts';
import { createRejections, readListed } from './rejections.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import type { Page } from '../../engine/source.ts';
import {
  getInsights,
  type Candidate,
  type InsightsSource,
  type InsightsPoll,
} from './each-insights.ts';
import { withParts } from './insight-parts.ts';
import { ensureScanned, scannedBy } from './list.ts';

/** Media per page: the most requests of a batch. */
const mediaAPage = 50;

/**
 * Requests the insights of the listed media that are due, one request for each media. Each node is
 * the listed media with its metrics beside its fields.
 */
export async function* extractInsights(
  source: InsightsSource,
  context: ExtractContext,
): Extraction {
  const { edge, listFields, besides, facebookOnly = [] } = source;
  yield* ensureScanned({ edge, fields: { ...listFields, ...besides }, facebookOnly }, context);
  const { nodes } = context.caches.of(context.account.id, edge);
  // A node without a valid id is passed on unchanged: the mapping rejects it with its path.
  const invalid = nodes.filter((node) => readListed(node) === undefined);
  if (invalid.length > 0) yield { nodes: invalid, skipped: [], coveredUntilMs: null };
  const all = nodes.flatMap(candidateOf);
  const rejections = createRejections(context.checkpoint, context.nowMs);
  const known = { answeredMetrics: new Set<string>(), rejectionCounts: new Map<string, number>() };
  const poll: InsightsPoll = { source, context, rejections, all, skipped: [], ...known };
  const due = all.filter((candidate) => isDueNow(candidate, source, context));
  for (let start = 0; start < due.length; start += mediaAPage) {
    yield await pageOf(due.slice(start, start + mediaAPage), poll);
  }
  const scanned = scannedBy(edge, context);
  if (scanned !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, scanned };
}

function candidateOf(node: Node): readonly Candidate[] {
  const listed = readListed(node);
  return listed === undefined ? [] : [{ node, listed }];
}

/**
 * True for live stories, for new media, and for media whose counts changed or whose tier is due.
 */
function isDueNow(
  { node, listed }: Candidate,
  { edge }: InsightsSource,
  { checkpoint, nowMs, freshness }: ExtractContext,
): boolean {
  const key = keyNumber(listed.id);
  if (edge === 'stories' || !checkpoint.published.has(key)) return true;
  const media = { node, media: listed, reading: checkpoint.insightsRead.get(key) };
  return isToBeRead(media, { nowMs, lastMs: checkpoint.polledMs }, freshness.tiers);
}

async function pageOf(due: readonly Candidate[], poll: InsightsPoll): Promise<Page> {
  const { source, rejections, skipped, context } = poll;
  const { nowMs } = context;
  const rejected: DeadLetterError[] = [];
  const open = due.filter(({ listed }) => !rejections.isExcluded(listed));
  countNewlyExcluded(due, poll);
  const values = new Map<Candidate, Node>();
  for (const [candidate, body] of await getInsights(open, poll)) {
    // The id distinguishes the dead letters of different media.
    const root = { id: candidate.listed.id, insights: body };
    const metrics = readOrReject(rejected, () => metricValues(body, root, rejected));
    if (metrics !== undefined) values.set(candidate, metrics);
  }
  const answered = [...(await withParts(values, poll, rejected))];
  return {
    nodes: answered
      .filter(([, metrics]) => hasMetrics(metrics))
      .map(([{ node }, metrics]) => ({ ...listedFields(node, source.listFields), ...metrics })),
    skipped: skipped.splice(0),
    rejected,
    coveredUntilMs: null,
    learned: rejections.learned,
    empty: answered.flatMap(([{ listed }, metrics]) => (hasMetrics(metrics) ? [] : [listed.id])),
    // Stories are read at every poll, so no reading is remembered.
    readings: source.edge === 'stories' ? [] : readingsOf(answered, nowMs),
  };
}

/** Counts the media that an earlier answer of this poll has excluded before their request. */
function countNewlyExcluded(
  due: readonly Candidate[],
  { rejections, skipped, context: { checkpoint, nowMs } }: InsightsPoll,
): void {
  const before = createRejections(checkpoint, nowMs);
  for (const { listed } of due) {
    if (!rejections.isExcluded(listed) || before.isExcluded(listed)) continue;
    skipped.push({ reason: 'graph.media-before-conversion', subject: listed.id });
  }
}

function readingsOf(
  answered: readonly (readonly [Candidate, Node])[],
  nowMs: number,
): NonNullable<Page['readings']> {
  return answered.map(([{ node, listed }]) => [keyNumber(listed.id), packReading(node, nowMs)]);
}

/** Keeps this stream's listed fields: another stream may have scanned the list with more fields. */
function listedFields(node: Node, fields: Fields): Node {
  return Object.fromEntries(Object.entries(node).filter(([name]) => name in fields));
}

/** False for a media with empty insights, which has nothing to publish yet. */
function hasMetrics(values: Node): boolean {
  return Object.keys(values).length > 0;
}
