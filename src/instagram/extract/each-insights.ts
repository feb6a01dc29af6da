import {
  type ConnectorError,
  type ErrorCode,
  SkipError,
  type Skipped,
} from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { allSubjects } from '../model/missing.ts';
import type { RequestOf } from '../streams/stream.ts';
import { excludeCulprits, type FailedObject } from './attribution.ts';
import type { ExtractContext } from './extraction.ts';
import { requestOf } from './paging.ts';
import type { Listed, Rejections } from './rejections.ts';
import { outcomesOf } from './together.ts';

export type InsightsSource = RequestOf<'insights'>;

/** A listed media: its node, and the values that rejections and freshness depend on. */
export interface Candidate {
  readonly node: Node;
  readonly listed: Listed;
}

/** Rejections that name a whole kind before a metric is excluded for the kind, media. */
const rejectionsOfAKind = 3;
/** The longest exclusion of a story, as stories are listed for only a day. */
const storyExcludedMs = 3_600_000;

/** The context of a poll's insights requests, and the findings from its answers. */
export interface InsightsPoll {
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

/**
 * Requests the insights of some media, one request for each. A rejected metric is excluded and the
 * others are requested again. A media that is rejected while others are answered is excluded for a
 * while.
 * @returns bodies of `/{media}/insights`; `{data: []}` for a media whose metrics are all excluded
 * @throws as `Graph.getEach`; the first error when neither these media nor a control sample is
 * answered
 */
export async function getInsights(
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
    const next = recordRejection(request, outcome.error, poll);
    if (next === 'failed') {
      answers.failed.push({ listed: request.candidate.listed, error: outcome.error });
    } else {
      answers.isAnswered = true;
      if (next !== 'left out') repeated.push(next);
    }
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
  error: ConnectorError,
  poll: InsightsPoll,
): InsightsRequest | 'left out' | 'failed' {
  if (!(error instanceof SkipError)) return 'failed';
  const { listed } = candidate;
  // These errors mean that a media has no insights, or none yet.
  if (error.code === 'graph.media-before-conversion' || error.code === 'graph.not-enough-viewers') {
    noteWithoutInsights(listed, error.code, poll);
    return 'left out';
  }
  const named = metrics.filter((metric) => error.subjects.includes(metric));
  if (named.length === 0) return 'failed';
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
