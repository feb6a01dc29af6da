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
  type InsightsWork,
} from './each-insights.ts';
import { withParts } from './insight-parts.ts';
import { ensureScanned, scannedBy } from './list.ts';

/** Media of one page: the most items of a batch. */
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
  // A node without a usable id is passed on unchanged: the mapping rejects it with its path.
  const unusable = nodes.filter((node) => readListed(node) === undefined);
  if (unusable.length > 0) yield { nodes: unusable, skipped: [], coveredUntilMs: null };
  const all = nodes.flatMap(candidateOf);
  const rejections = createRejections(context.checkpoint, context.nowMs);
  const known = { had: new Set<string>(), rows: new Map<string, number>() };
  const work: InsightsWork = { source, context, rejections, all, skipped: [], ...known };
  const due = all.filter((candidate) => isDueNow(candidate, source, context));
  for (let start = 0; start < due.length; start += mediaAPage) {
    yield await pageOf(due.slice(start, start + mediaAPage), work);
  }
  const scanned = scannedBy(edge, context);
  if (scanned !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, scanned };
}

function candidateOf(node: Node): readonly Candidate[] {
  const listed = readListed(node);
  return listed === undefined ? [] : [{ node, listed }];
}

/** Live stories are always due; media when they are new, their counts changed, or their tier is due. */
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

async function pageOf(due: readonly Candidate[], work: InsightsWork): Promise<Page> {
  const { source, rejections, skipped, context } = work;
  const { nowMs } = context;
  const rejected: DeadLetterError[] = [];
  const open = due.filter(({ listed }) => !rejections.isExcluded(listed));
  countNewlyExcluded(due, work);
  const values = new Map<Candidate, Node>();
  for (const [candidate, body] of await getInsights(open, work)) {
    // The id distinguishes the dead letters of different media.
    const root = { id: candidate.listed.id, insights: body };
    const metrics = readOrReject(rejected, () => metricValues(body, root, rejected));
    if (metrics !== undefined) values.set(candidate, metrics);
  }
  const answered = [...(await withParts(values, work, rejected))];
  return {
    nodes: answered
      .filter(([, metrics]) => hasMetrics(metrics))
      .map(([{ node }, metrics]) => ({ ...listedFields(node, source.listFields), ...metrics })),
    skipped: skipped.splice(0),
    rejected,
    coveredUntilMs: null,
    learned: rejections.learned,
    empty: answered.flatMap(([{ listed }, metrics]) => (hasMetrics(metrics) ? [] : [listed.id])),
    // Stories are read at every poll, so that no reading has to be remembered.
    readings: source.edge === 'stories' ? [] : readingsOf(answered, nowMs),
  };
}

/** Counts the media that an answer of this poll excludes, before they are requested, with its reason. */
function countNewlyExcluded(
  due: readonly Candidate[],
  { rejections, skipped, context: { checkpoint, nowMs } }: InsightsWork,
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

/** The listed fields of this stream: another stream may have scanned the list with more fields. */
function listedFields(node: Node, fields: Fields): Node {
  return Object.fromEntries(Object.entries(node).filter(([name]) => name in fields));
}

/** False for a media whose insights are empty: there is nothing to publish yet. */
function hasMetrics(values: Node): boolean {
  return Object.keys(values).length > 0;
}
