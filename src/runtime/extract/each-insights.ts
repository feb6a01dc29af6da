import type { ConnectorError, ErrorCode } from '../../core/errors.ts';
import { SkipError } from '../../core/errors.ts';
import type { Node } from '../../core/json.ts';
import { everything } from '../../core/refusals.ts';
import type { Listed, Rejections } from '../../core/refusals.ts';
import type { Stream } from '../../core/stream.ts';
import type { ExtractContext, Skipped } from '../extraction.ts';
import type { GraphRequest } from '../ports.ts';
import { attribute } from './attribution.ts';
import type { Failed } from './attribution.ts';

/** The declaration of a stream of insights. */
export type InsightsSource = Extract<Stream['source'], { kind: 'insights' }>;

/** A listed media: as it was listed, and what rejections and freshness know it by. */
export interface Candidate {
  readonly node: Node;
  readonly listed: Listed;
}

/** After so many media of a kind that reject a metric by its kind, the rest is not asked for it. */
const rejectionsOfAKind = 3;
/** An excluded story is requested again this soon: it lives for a day. */
const storyExcludedMs = 3_600_000;

/** What insights are requested with, and what is learned from the answers of a poll. */
export interface InsightsWork {
  readonly source: InsightsSource;
  readonly context: ExtractContext;
  readonly rejections: Rejections;
  /** Every listed media: some are requested to find out whether an error is common to all. */
  readonly all: readonly Candidate[];
  /** What was left out, and why. */
  readonly skipped: Skipped[];
  /** Kinds and metrics that were answered. */
  readonly had: Set<string>;
  /** Rejections in a row by the wording that means a whole kind, by kind and metric. */
  readonly rows: Map<string, number>;
}

/**
 * The insights of some media, each by a request of its own. A metric that is rejected is left out and
 * the rest requested again; a media that is rejected while others are answered is excluded for a while.
 *
 * @returns bodies of `/{media}/insights`; `{data: []}` for a media of which no metric is left
 * @throws the first error, when none of these media nor any other is answered: nothing is learned
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
  /** Whether any answer was about a media itself. */
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

/** @returns what is to be requested again, with fewer metrics */
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

/** Learns from a rejection. @returns what is still to be requested of the media, if anything */
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

/** Errors that say of a media itself that it has no insights, or none yet. */
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
