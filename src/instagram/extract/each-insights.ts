import { type ConnectorError, type ErrorCode, SkipError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import { everything, type Listed, type Rejections } from './rejections.ts';
import type { InstagramStream } from '../streams/stream.ts';
import type { ExtractContext } from './extraction.ts';
import type { Skipped } from '../../engine/source.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { attribute, type Failed } from './attribution.ts';

/** The declaration of a stream of insights. */
export type InsightsSource = Extract<InstagramStream['request'], { kind: 'insights' }>;

/** A listed media: its node, and the values that rejections and freshness depend on. */
export interface Candidate {
  readonly node: Node;
  readonly listed: Listed;
}

/** After so many media for which the API rejects a metric by kind, it is left out for the kind. */
const rejectionsOfAKind = 3;
/** The longest exclusion of a story, which is listed for a day. */
const storyExcludedMs = 3_600_000;

/** The context of a poll's insights requests, and the findings from its answers. */
export interface InsightsWork {
  readonly source: InsightsSource;
  readonly context: ExtractContext;
  readonly rejections: Rejections;
  /** Every listed media, to choose control samples from. */
  readonly all: readonly Candidate[];
  /** The media and metrics that were left out, with the reason. */
  readonly skipped: Skipped[];
  /** Pairs of kind and metric that were answered in this poll. */
  readonly had: Set<string>;
  /** Rejections whose message names the whole kind, counted by kind and metric. */
  readonly rows: Map<string, number>;
}

/**
 * Requests the insights of some media, one request for each. A rejected metric is left out and the
 * others are requested again. A media that is rejected while others are answered is excluded for a
 * while.
 *
 * @returns bodies of `/{media}/insights`; `{data: []}` for a media whose metrics are all left out
 * @throws as `Graph.getEach`; the first error, when neither these media nor a control sample is
 * answered
 */
export async function getInsights(
  candidates: readonly Candidate[],
  work: InsightsWork,
): Promise<ReadonlyMap<Candidate, Node>> {
  const { source, rejections, all, skipped } = work;
  const { bodies, failed, isAnswered } = await requestAll(candidates, work);
  const asked = new Set(candidates);
  const culprits = await attribute(failed, {
    isAnswered,
    controls: all.filter((one) => !asked.has(one) && !rejections.isExcluded(one.listed)),
    areAnswered: async (some) => (await requestAll(some, work)).isAnswered,
  });
  for (const { listed, error } of culprits) {
    const atMost = source.edge === 'stories' ? { atMostMs: storyExcludedMs } : {};
    rejections.exclude({ listed, reason: error.code, ...atMost });
    skipped.push({ reason: error.code, subject: listed.id });
  }
  return bodies;
}

interface Answers {
  readonly bodies: Map<Candidate, Node>;
  readonly failed: Failed[];
  /** True once a request was answered, or was rejected for its metrics or its media alone. */
  isAnswered: boolean;
}

interface Asked {
  readonly candidate: Candidate;
  readonly metrics: readonly string[];
}

async function requestAll(candidates: readonly Candidate[], work: InsightsWork): Promise<Answers> {
  const { source, context, rejections } = work;
  const answers: Answers = { bodies: new Map(), failed: [], isAnswered: false };
  let open: readonly Asked[] = candidates.map((candidate) => {
    const { node, listed } = candidate;
    const metrics = rejections.metricsFor(source.metrics(node, context.login), listed);
    return { candidate, metrics };
  });
  while (open.length > 0) open = await requestOnce(open, answers, work);
  return answers;
}

/** @returns the requests to repeat, with fewer metrics */
async function requestOnce(
  open: readonly Asked[],
  answers: Answers,
  work: InsightsWork,
): Promise<readonly Asked[]> {
  const { graph, signal } = work.context;
  const again: Asked[] = [];
  const requests = new Map<GraphRequest, Asked>();
  for (const asked of open) {
    if (asked.metrics.length === 0) answers.bodies.set(asked.candidate, { data: [] });
    else requests.set(requestOf(asked, work.context), asked);
  }
  for await (const outcome of graph.getEach([...requests.keys()], signal)) {
    const asked = requests.get(outcome.request);
    if (asked === undefined) continue;
    if ('node' in outcome) {
      noteAnswered(asked, work);
      answers.bodies.set(asked.candidate, outcome.node);
      answers.isAnswered = true;
      continue;
    }
    const next = learn(asked, outcome.error, work);
    if (next === 'failed') {
      answers.failed.push({ listed: asked.candidate.listed, error: outcome.error });
    } else {
      answers.isAnswered = true;
      if (next !== 'left out') again.push(next);
    }
  }
  return again;
}

function requestOf(
  { candidate: { listed }, metrics }: Asked,
  { account }: ExtractContext,
): GraphRequest {
  return {
    endpoint: '/{media}/insights',
    path: `/${listed.id}/insights`,
    query: { metric: metrics.join(',') },
    accountId: account.id,
  };
}

function noteAnswered(
  { candidate: { listed }, metrics }: Asked,
  { rejections, had }: InsightsWork,
): void {
  rejections.forget(listed.id, null);
  for (const metric of metrics) {
    had.add(`${listed.kind} ${metric}`);
    for (const subject of [everything, listed.kind, listed.id]) rejections.forget(subject, metric);
  }
}

/** Records a rejection. @returns the request to repeat with the metrics left, if there is one */
function learn(
  { candidate, metrics }: Asked,
  error: ConnectorError,
  work: InsightsWork,
): Asked | 'left out' | 'failed' {
  if (!(error instanceof SkipError)) return 'failed';
  const { listed } = candidate;
  if (isOfMedia(error.code)) {
    noteWithout(listed, error.code, work);
    return 'left out';
  }
  const named = metrics.filter((metric) => error.subjects.includes(metric));
  if (named.length === 0) return 'failed';
  for (const metric of named) {
    if (error.code === 'graph.metric-unknown') reject(everything, metric, error.code, work);
    else rejectOf(listed, metric, error, work);
  }
  return { candidate, metrics: metrics.filter((metric) => !named.includes(metric)) };
}

/** True for the errors by which Meta says that a media has no insights, or none yet. */
function isOfMedia(code: ErrorCode): boolean {
  return code === 'graph.media-before-conversion' || code === 'graph.not-enough-viewers';
}

function noteWithout(
  listed: Listed,
  reason: ErrorCode,
  { rejections, skipped }: InsightsWork,
): void {
  skipped.push({ reason, subject: listed.id });
  if (reason !== 'graph.media-before-conversion') return;
  if (listed.createdMs === null) rejections.exclude({ listed, reason });
  else rejections.convertedAt(listed.createdMs);
}

function rejectOf(listed: Listed, metric: string, error: SkipError, work: InsightsWork): void {
  const { rows, had, source } = work;
  reject(listed.id, metric, error.code, work);
  if (error.scope !== 'kind' || source.sparse.includes(metric)) return;
  const name = `${listed.kind} ${metric}`;
  const row = (rows.get(name) ?? 0) + 1;
  rows.set(name, row);
  if (row === rejectionsOfAKind && !had.has(name)) reject(listed.kind, metric, error.code, work);
}

function reject(
  subject: string,
  metric: string,
  reason: ErrorCode,
  { rejections, skipped }: InsightsWork,
): void {
  rejections.reject({ subject, metric, reason });
  skipped.push({ reason, subject: `${subject} ${metric}` });
}
