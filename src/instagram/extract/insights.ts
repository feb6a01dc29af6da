import {
  type ClassifiedError,
  type DeadLetterError,
  type ErrorCode,
  SkipError,
  type Skipped,
} from '../../engine/errors.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import type { Node } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { Page } from '../../engine/source.ts';
import { agesOf, isToBeRead, packReading } from '../model/freshness.ts';
import { allSubjects } from '../model/missing.ts';
import type { RequestOf } from '../streams/stream.ts';
import {
  excludeCulprits,
  type FailedObject,
  type Listed,
  Rejections,
  readListed,
} from './rejections.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { ensureScanned, scannedBy } from './list.ts';
import { requestOf, outcomesOf } from './requests.ts';
import { type Candidate, valuesOf, withSeparate } from './separate-metrics.ts';

type InsightsSource = RequestOf<'insights'>;

/** The number of media whose rejections name a whole kind before its metric is excluded. */
const rejectionsOfAKind = 3;
/** The longest exclusion of a story, as stories are listed for only a day. */
const storyExcludedMs = 3_600_000;

/** The context of a poll's insights requests, and the findings from its answers. */
interface InsightsPoll {
  readonly source: InsightsSource;
  readonly context: ExtractContext;
  readonly rejections: Rejections;
  /** Every listed media, to draw control samples from. */
  readonly all: readonly Candidate[];
  readonly skipped: Skipped[];
  /** Pairs of kind and metric that were answered in this poll. */
  readonly answeredMetrics: Set<string>;
  /** Rejections whose message names the whole kind, counted by kind and metric. */
  readonly rejectionCounts: Map<string, number>;
}

/** The most requests of a batch. */
const mediaPerPage = 50;

/**
 * Requests the insights of the due media, one request each; a node is the media with its metrics.
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
  const all = nodes.flatMap((node): readonly Candidate[] => {
    const listed = readListed(node);
    return listed === undefined ? [] : [{ node, listed }];
  });
  const rejections = new Rejections(context.checkpoint, context.nowMs);
  const known = { answeredMetrics: new Set<string>(), rejectionCounts: new Map<string, number>() };
  const poll: InsightsPoll = { source, context, rejections, all, skipped: [], ...known };
  const due = all.filter((candidate) => isDueNow(candidate, source, context));
  for (let start = 0; start < due.length; start += mediaPerPage) {
    yield await pageOf(due.slice(start, start + mediaPerPage), poll);
  }
  const scanned = scannedBy(edge, context);
  if (scanned !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, scanned };
}

/** True for live stories, for new media, and for media whose counts changed or whose tier is due. */
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
  const rejected: DeadLetterError[] = [];
  const open = due.filter(({ listed }) => !rejections.isExcluded(listed));
  countNewlyExcluded(due, poll);
  const media = open.map(({ listed }) => listed);
  const ages = agesOf(media, context.nowMs, context.freshness.tiers);
  const values = new Map<Candidate, Node>();
  for (const [candidate, body] of await getInsights(open, poll)) {
    const metrics = valuesOf(candidate, body, rejected);
    if (metrics !== undefined) values.set(candidate, metrics);
  }
  const answered = [...(await withSeparate(values, poll, rejected))];
  // A media with empty insights has nothing to publish yet.
  const hasMetrics = (metrics: Node): boolean => Object.keys(metrics).length > 0;
  // Another stream may have scanned the list with more fields.
  const listedFields = (node: Node): Node =>
    Object.fromEntries(Object.entries(node).filter(([name]) => name in source.listFields));
  const empty = answered
    .filter(([, metrics]) => !hasMetrics(metrics))
    .map(([one]) => one.listed.id);
  for (const subject of empty) skipped.push({ reason: 'graph.no-insights', subject });
  // Stories are read at every poll, so no reading is remembered.
  const toRemember = source.edge === 'stories' ? [] : answered;
  return {
    nodes: answered
      .filter(([, metrics]) => hasMetrics(metrics))
      .map(([{ node }, metrics]) => ({ ...listedFields(node), ...metrics })),
    skipped: skipped.splice(0),
    rejected,
    coveredUntilMs: null,
    checkpointUpdate: rejections.checkpointUpdate,
    requested: { field: 'id', ages },
    empty,
    readings: toRemember.map(([{ node, listed }]) => [
      keyNumber(listed.id),
      packReading(node, context.nowMs),
    ]),
  };
}

/** Counts the media that an earlier answer of this poll has excluded before their request. */
function countNewlyExcluded(
  due: readonly Candidate[],
  { rejections, skipped, context: { checkpoint, nowMs } }: InsightsPoll,
): void {
  const before = new Rejections(checkpoint, nowMs);
  for (const { listed } of due) {
    if (!rejections.isExcluded(listed) || before.isExcluded(listed)) continue;
    skipped.push({ reason: 'graph.media-before-conversion', subject: listed.id });
  }
}

/**
 * Requests the insights of some media, one request for each, without rejected metrics. A media that
 * is rejected while others are answered is excluded. `{data: []}` when all its metrics are
 * excluded.
 * @throws as `Graph.getEach`; the first error when not even a control sample is answered
 */
async function getInsights(
  candidates: readonly Candidate[],
  poll: InsightsPoll,
): Promise<ReadonlyMap<Candidate, Node>> {
  const { source, rejections, all } = poll;
  const { bodies, failed, isAnswered } = await requestAll(candidates, poll);
  const requested = new Set(candidates);
  const atMost = source.edge === 'stories' ? { atMostMs: storyExcludedMs } : {};
  await excludeCulprits(
    failed,
    { ...poll, ...atMost },
    {
      isAnswered,
      controls: all.filter((one) => !requested.has(one) && !rejections.isExcluded(one.listed)),
      areAnswered: async (some) => (await requestAll(some, poll)).isAnswered,
    },
  );
  return bodies;
}

interface Answers {
  readonly bodies: Map<Candidate, Node>;
  readonly failed: FailedObject[];
  /** True once a request is answered, or is rejected for its metrics or its media alone. */
  isAnswered: boolean;
}

interface InsightsRequest {
  readonly candidate: Candidate;
  readonly metrics: readonly string[];
}

async function requestAll(candidates: readonly Candidate[], poll: InsightsPoll): Promise<Answers> {
  const { source, context, rejections } = poll;
  const answers: Answers = { bodies: new Map(), failed: [], isAnswered: false };
  let open: readonly InsightsRequest[] = candidates.map((candidate) => ({
    candidate,
    metrics: rejections.metricsFor(source.metrics(candidate.node, context.login), candidate.listed),
  }));
  while (open.length > 0) open = await requestOnce(open, answers, poll);
  return answers;
}

/** @returns the requests to repeat, with fewer metrics */
async function requestOnce(
  open: readonly InsightsRequest[],
  answers: Answers,
  poll: InsightsPoll,
): Promise<readonly InsightsRequest[]> {
  const repeated: InsightsRequest[] = [];
  const requests = new Map<GraphRequest, InsightsRequest>();
  for (const request of open) {
    if (request.metrics.length === 0) answers.bodies.set(request.candidate, { data: [] });
    else requests.set(insightsRequest(request, poll.context), request);
  }
  for await (const [request, outcome] of outcomesOf(requests, poll.context)) {
    if ('node' in outcome) {
      noteAnswered(request, poll);
      answers.bodies.set(request.candidate, outcome.node);
      answers.isAnswered = true;
      continue;
    }
    const next = recordRejection(request, outcome.error, answers, poll);
    if (next !== undefined) repeated.push(next);
  }
  return repeated;
}

function insightsRequest({ candidate, metrics }: InsightsRequest, context: ExtractContext) {
  const query = { metric: metrics.join(',') };
  return requestOf('/{media}/insights', query, context, candidate.listed.id);
}

function noteAnswered(
  { candidate: { listed }, metrics }: InsightsRequest,
  { rejections, answeredMetrics }: InsightsPoll,
): void {
  rejections.forget(listed.id, null);
  for (const metric of metrics) {
    answeredMetrics.add(`${listed.kind} ${metric}`);
    for (const subject of [allSubjects, listed.kind, listed.id]) rejections.forget(subject, metric);
  }
}

/** Records a rejection. @returns the request to repeat with the remaining metrics, if any */
function recordRejection(
  { candidate, metrics }: InsightsRequest,
  error: ClassifiedError,
  answers: Answers,
  poll: InsightsPoll,
): InsightsRequest | undefined {
  const { listed } = candidate;
  // These errors mean that a media has no insights, or none yet.
  if (error.code === 'graph.media-before-conversion' || error.code === 'graph.not-enough-viewers') {
    answers.isAnswered = true;
    noteWithoutInsights(listed, error.code, poll);
    return undefined;
  }
  const subjects = error instanceof SkipError ? error.subjects : [];
  const named = metrics.filter((metric) => subjects.includes(metric));
  if (!(error instanceof SkipError) || named.length === 0) {
    answers.failed.push({ listed, error });
    return undefined;
  }
  answers.isAnswered = true;
  for (const metric of named) {
    if (error.code === 'graph.metric-unknown') reject(allSubjects, metric, error.code, poll);
    else rejectOf(listed, metric, error, poll);
  }
  return { candidate, metrics: metrics.filter((metric) => !named.includes(metric)) };
}

function noteWithoutInsights(
  listed: Listed,
  reason: ErrorCode,
  { rejections, skipped }: InsightsPoll,
): void {
  skipped.push({ reason, subject: listed.id });
  if (reason !== 'graph.media-before-conversion') return;
  if (listed.createdMs === null) rejections.exclude({ listed, reason });
  else rejections.convertedAt(listed.createdMs);
}

function rejectOf(listed: Listed, metric: string, error: SkipError, poll: InsightsPoll): void {
  const { rejectionCounts, answeredMetrics, source } = poll;
  reject(listed.id, metric, error.code, poll);
  if (error.scope !== 'kind' || source.sparse.includes(metric)) return;
  const name = `${listed.kind} ${metric}`;
  const count = (rejectionCounts.get(name) ?? 0) + 1;
  rejectionCounts.set(name, count);
  if (count === rejectionsOfAKind && !answeredMetrics.has(name))
    reject(listed.kind, metric, error.code, poll);
}

function reject(
  subject: string,
  metric: string,
  reason: ErrorCode,
  { rejections, skipped }: InsightsPoll,
): void {
  rejections.reject({ subject, metric, reason });
  skipped.push({ reason, subject: `${subject} ${metric}` });
}
