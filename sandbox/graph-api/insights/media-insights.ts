import type { Context, EdgeRequest } from '../context.ts';
import { graphError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { timePaging } from '../paging.ts';
import type { Media } from '../world/model.ts';
import type { MediaMetric } from './media-metrics.ts';
import { MEDIA_BREAKDOWNS, MEDIA_METRICS } from './media-metrics.ts';
import { checkEnum, known, listParameter, metricsOf } from './parameters.ts';

/** Fewer viewers than this, and a story's insights are refused. */
const FEWEST_VIEWERS = 5;

/**
 * Answers `/{media}/insights` and `insights.metric(…)`, all or nothing. Order of checks: the
 * metrics' names, the conversion of the account, the product type, breakdowns, viewers.
 */
export function mediaInsights(media: Media, request: EdgeRequest, context: Context): JsonObject {
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
  checkSupport(media, metrics, context);
  checkBreakdowns(metrics, breakdowns);
  if (media.productType === 'STORY' && (values['reach'] ?? 0) < FEWEST_VIEWERS) {
    throw graphError('no-viewers');
  }
  const data = metrics.map((name) => entryOf({ media, name, values, breakdowns }, context));
  return request.nested ? { data, paging: nestedPaging(media, metrics, context) } : { data };
}

function metricOf(name: string): MediaMetric {
  return MEDIA_METRICS[name] ?? { title: name, description: '', products: [] };
}

function checkPeriod(request: EdgeRequest, metrics: readonly string[]): void {
  const period = request.parameters.get('period');
  if (period !== undefined && period !== 'lifetime') {
    throw graphError('incompatible', 'periods', period, metrics[0] ?? '');
  }
}

function checkSupport(media: Media, metrics: readonly string[], context: Context): void {
  if (metrics.includes('impressions')) {
    throw graphError('impressions-gone');
  }
  const refusedMetrics = context.world.conditions.spec.refusedMetrics?.[media.id];
  const refused = metrics.filter((name) => {
    const metric = metricOf(name);
    const hidden = metric.facebookLoginOnly === true && context.dialect === 'instagram';
    const refusedHere = refusedMetrics?.includes(name) === true;
    return hidden || refusedHere || !metric.products.includes(media.productType);
  });
  if (refused.length > 0) {
    throw graphError('media-metric', refused.join(', '));
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

interface Entry {
  readonly media: Media;
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
  readonly breakdowns: readonly string[];
}

function entryOf({ media, name, values, breakdowns }: Entry, context: Context): JsonObject {
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

/** The parts of a metric; cells of zero are left out. */
function partsOf(media: Media, name: string, context: Context): Json {
  const parts = Object.entries(media.breakdown(name, context.nowMs));
  return {
    dimension_keys: [metricOf(name).breakdown ?? ''],
    results: parts
      .filter(([, value]) => value > 0)
      .map(([part, value]) => ({ dimension_values: [part], value })),
  };
}

function nestedPaging(media: Media, metrics: readonly string[], context: Context): Json {
  const untilS = Math.floor(context.nowMs / 1000);
  return timePaging(
    {
      path: `${media.id}/insights`,
      sinceS: untilS - 86_400,
      untilS,
      untilGiven: true,
      parameters: [['metric', metrics.join(',')]],
    },
    context,
  );
}
