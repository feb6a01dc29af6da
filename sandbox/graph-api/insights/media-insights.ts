import type { Context, EdgeRequest } from '../context.ts';
import { graphError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { mayRead } from '../tokens/app.ts';
import type { Media } from '../world/model.ts';
import { type MediaMetric, MEDIA_BREAKDOWNS, MEDIA_METRICS } from './media-metrics.ts';
import { checkEnum, known, listParameter, metricsOf } from './parameters.ts';

/** A story with fewer viewers has its insights rejected. */
const FEWEST_VIEWERS = 5;

/**
 * Answers `/{media}/insights` and `insights.metric(…)`, all or nothing. Order of checks: the
 * metrics' names, the conversion of the account, the kind of the media, breakdowns, viewers.
 */
export function mediaInsights(media: Media, request: EdgeRequest, context: Context): JsonObject {
  if (!mayRead('insights', context)) throw graphError('no-permission');
  const metrics = metricsOf(request, known(MEDIA_METRICS, context));
  const breakdowns = listParameter(request, 'breakdown');
  checkEnum('breakdown', breakdowns, MEDIA_BREAKDOWNS);
  checkPeriod(request, metrics);
  if (media.isChild) {
    throw graphError('no-object', media.id);
  }
  if (media.traits.beforeConversion) {
    throw graphError('before-conversion');
  }
  const values = media.insights(context.nowMs);
  if (values === null) {
    return { data: [] };
  }
  checkSupport({ media, values }, metrics, context);
  checkBreakdowns(metrics, breakdowns);
  if (media.productType === 'STORY' && (values['reach'] ?? 0) < FEWEST_VIEWERS) {
    throw graphError('no-viewers');
  }
  const data = metrics.map((name) => entryOf({ media, name, values, breakdowns }, context));
  const odd = context.world.conditions.spec.oddInsights?.[media.id];
  return {
    data: odd === undefined ? data : data.with(0, { ...data[0], values: odd }),
  };
}

function metricOf(name: string): MediaMetric {
  return MEDIA_METRICS[name] ?? { title: name, description: '' };
}

function checkPeriod(request: EdgeRequest, metrics: readonly string[]): void {
  const period = request.parameters.get('period');
  if (period !== undefined && period !== 'lifetime') {
    throw graphError('incompatible', 'periods', period, metrics[0] ?? '');
  }
}

type Values = Readonly<Record<string, number>>;

const REFUSALS = {
  kind: 'media-metric',
  media: 'media-metric-of-type',
  plain: 'media-metric-translated',
  nameless: 'media-metric-unnamed',
  permission: 'permission-missing',
} as const;

/** Throws one error that names every metric that the media does not have. */
function checkSupport(
  { media, values }: { media: Media; values: Values },
  metrics: readonly string[],
  context: Context,
): void {
  const { refusedMetrics, refusalWording = 'kind' } = context.world.conditions.spec;
  if (metrics.includes('impressions') && context.dialect === 'facebook') {
    throw graphError('impressions-gone');
  }
  const refused = metrics.filter((name) => {
    const hidden = metricOf(name).facebookLoginOnly === true && context.dialect === 'instagram';
    const refusedHere = refusedMetrics?.[media.id]?.includes(name) === true;
    return hidden || refusedHere || values[name] === undefined;
  });
  if (refused.length > 0) {
    throw graphError(REFUSALS[refusalWording], refused.join(', '));
  }
  if (!media.traits.onFacebook && metrics.some((name) => metricOf(name).onFacebook === true)) {
    throw graphError('not-on-facebook');
  }
}

function checkBreakdowns(metrics: readonly string[], breakdowns: readonly string[]): void {
  for (const name of breakdowns.length > 0 ? metrics : []) {
    const own = metricOf(name).breakdown;
    if (breakdowns.some((breakdown) => breakdown !== own)) {
      throw graphError('incompatible-breakdowns', breakdowns.join(', '), name);
    }
  }
}

interface MetricEntry {
  readonly media: Media;
  readonly name: string;
  readonly values: Values;
  readonly breakdowns: readonly string[];
}

function entryOf({ media, name, values, breakdowns }: MetricEntry, context: Context): JsonObject {
  const metric = metricOf(name);
  const value = values[name] ?? 0;
  const entry: Record<string, Json> = {
    name,
    period: 'lifetime',
    values: [{ value }],
    title: metric.title,
    description: metric.description,
  };
  if (breakdowns.length > 0) {
    entry['total_value'] = { value, breakdowns: [partsOf(media, name, context)] };
  }
  entry['id'] = `${media.id}/insights/${name}/lifetime`;
  return entry;
}

/** Returns the parts of a metric; cells of zero are left out. */
function partsOf(media: Media, name: string, context: Context): Json {
  const parts = Object.entries(media.breakdown(name, context.nowMs));
  return {
    dimension_keys: [metricOf(name).breakdown ?? ''],
    results: parts
      .filter(([, value]) => value > 0)
      .map(([part, value]) => ({ dimension_values: [part], value })),
  };
}
