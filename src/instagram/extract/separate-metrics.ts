import { readOrReject } from '../../engine/dead-letters.ts';
import {
  type ClassifiedError,
  type DeadLetterError,
  type ErrorCode,
  RetryError,
  type Skipped,
} from '../../engine/errors.ts';
import type { Json, Node } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { isPeriodOver, partsEveryMs, storyListedMs } from '../model/freshness.ts';
import { metricValues } from '../model/metric-values.ts';
import { allSubjects } from '../model/missing.ts';
import type { RequestOf, SeparateMetric } from '../streams/stream.ts';
import type { ExtractContext, SeparateReading } from './extraction.ts';
import type { Listed, Rejections } from './rejections.ts';
import { outcomesOf, requestOf } from './requests.ts';

/** A listed media: its node, and the values that rejections and freshness depend on. */
export interface Candidate {
  readonly node: Node;
  readonly listed: Listed;
}

/** Reads the metrics of an answer; undefined, with a dead letter, for an invalid one. */
export function valuesOf({ listed }: Candidate, body: Node, rejected: DeadLetterError[]) {
  // The id distinguishes the dead letters of different media.
  const root = { id: listed.id, insights: body };
  return readOrReject(rejected, () => metricValues(body, root, rejected));
}

interface SeparatePoll {
  readonly source: RequestOf<'insights'>;
  readonly context: ExtractContext;
  readonly rejections: Rejections;
  readonly skipped: Skipped[];
}

/** A metric of a media, and the field of the record that it becomes. */
interface Wanted extends SeparateMetric {
  readonly field: string;
  readonly candidate: Candidate;
  /** The total of the metric, where its parts are wanted; else null. */
  readonly total: Json;
}

type MetricsByMedia = ReadonlyMap<Candidate, Node>;

/**
 * Adds the metrics that have requests of their own to the media whose other metrics were answered.
 * Where a request fails or is not due, the last reading is repeated; a rejection ends it.
 */
export async function withSeparate(
  answered: MetricsByMedia,
  poll: SeparatePoll,
  rejected: DeadLetterError[],
): Promise<MetricsByMedia> {
  const { source, context, rejections } = poll;
  const { separate: readings, nodes } = context.caches.of(context.account.id, source.edge);
  const wanted = new Map([...answered].map((entry) => [entry[0], wantedOf(entry, poll)]));
  const due = [...wanted.values()]
    .flat()
    .filter((one) => isDue(one, readings.get(keyOf(one)), poll));
  for (const [one, body] of await getSeparate(due, poll)) {
    const { candidate, field, metric, breakdown, total } = one;
    const name = breakdown === undefined ? metric : `${metric}_actions`;
    const value = valuesOf(candidate, body, rejected)?.[name] ?? null;
    const { id: mediaId } = candidate.listed;
    readings.set(keyOf(one), { mediaId, total, value, readMs: context.nowMs });
    for (const subject of [allSubjects, mediaId]) rejections.forget(subject, field);
  }
  const listed = new Set(nodes.map(({ id }) => id));
  for (const [key, { mediaId }] of readings) if (!listed.has(mediaId)) readings.delete(key);
  return new Map(
    [...answered].map(([candidate, metrics]) => {
      const read = (wanted.get(candidate) ?? []).flatMap((one) => {
        const value = readings.get(keyOf(one))?.value ?? null;
        return value === null ? [] : [[one.field, value] as const];
      });
      return [candidate, { ...metrics, ...Object.fromEntries(read) }];
    }),
  );
}

/** Returns the metrics that a media may have; a metric without a total has no parts. */
function wantedOf(
  [candidate, metrics]: readonly [Candidate, Node],
  { source, context, rejections }: SeparatePoll,
): readonly Wanted[] {
  // A media without any metrics has nothing to publish yet.
  if (Object.keys(metrics).length === 0) return [];
  const { separate: readings } = context.caches.of(context.account.id, source.edge);
  const wanted = Object.entries(source.separate).flatMap(([field, separate]): readonly Wanted[] => {
    if (!mayHave(candidate, separate, context)) return [];
    const total = separate.breakdown === undefined ? null : (metrics[separate.metric] ?? 0);
    return total === 0 ? [] : [{ ...separate, field, candidate, total }];
  });
  return wanted.filter((one) => {
    if (rejections.metricsFor([one.field], candidate.listed).length > 0) return true;
    readings.delete(keyOf(one));
    return false;
  });
}

function mayHave(
  { node: { media_product_type: product = null } }: Candidate,
  separate: SeparateMetric,
  { login }: ExtractContext,
): boolean {
  const isOfProduct = product === null || (separate.product ?? product) === product;
  return !separate.isOptIn && (separate.login ?? login) === login && isOfProduct;
}

function keyOf({ candidate, field }: Wanted): string {
  return `${candidate.listed.id} ${field}`;
}

/**
 * True for a metric without a breakdown, and for parts whose total has changed: at most once an
 * hour, and at the last poll that lists a story. The hours of all media of an account begin
 * together, so that one batch requests them all.
 */
function isDue(
  { candidate, breakdown, total }: Wanted,
  before: SeparateReading | undefined,
  { source, context: { account, nowMs, nextPollMs } }: SeparatePoll,
): boolean {
  if (breakdown === undefined) return true;
  if (before?.total === total) return false;
  const times = { nowMs, lastMs: before?.readMs ?? null };
  if (isPeriodOver(account.id, partsEveryMs, times)) return true;
  const { createdMs } = candidate.listed;
  if (source.edge !== 'stories' || createdMs === null) return false;
  return (nextPollMs ?? Infinity) >= createdMs + storyListedMs;
}

/** Requests each metric alone. A failing server costs these metrics only. */
async function getSeparate(
  due: readonly Wanted[],
  poll: SeparatePoll,
): Promise<ReadonlyMap<Wanted, Node>> {
  const { context, skipped } = poll;
  const bodies = new Map<Wanted, Node>();
  const requests = new Map<GraphRequest, Wanted>();
  for (const one of due) {
    const { metric, breakdown, candidate } = one;
    const query = { metric, ...(breakdown === undefined ? {} : { breakdown }) };
    requests.set(requestOf('/{media}/insights', query, context, candidate.listed.id), one);
  }
  try {
    for await (const [one, outcome] of outcomesOf(requests, context)) {
      if ('node' in outcome) bodies.set(one, outcome.node);
      else noteFailure(one, outcome.error, poll);
    }
  } catch (error) {
    if (!(error instanceof RetryError)) throw error;
    const fields = new Set(due.map(({ field }) => field));
    skipped.push({ reason: error.code, subject: [...fields].join(',') });
  }
  return bodies;
}

/** Errors that concern the media, and not the metric. */
const ofMedia: readonly ErrorCode[] = [
  'graph.ambiguous',
  'graph.gone',
  'graph.media-before-conversion',
  'graph.not-enough-viewers',
];

/** The media has just answered other metrics, so a rejection concerns this metric alone. */
function noteFailure(
  one: Wanted,
  { code: reason, disposition }: ClassifiedError,
  { source, context, rejections, skipped }: SeparatePoll,
): void {
  const { field, candidate } = one;
  const { id } = candidate.listed;
  skipped.push({ reason, subject: `${id} ${field}` });
  const isRejection = ['skip', 'fail', 'stop-stream'].includes(disposition);
  if (!isRejection || ofMedia.includes(reason)) return;
  const subject = reason === 'graph.metric-unknown' ? allSubjects : id;
  rejections.reject({ subject, metric: field, reason });
  context.caches.of(context.account.id, source.edge).separate.delete(keyOf(one));
}
