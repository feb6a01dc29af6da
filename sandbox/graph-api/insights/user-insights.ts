import { isBreakdownRefused } from '../conditions.ts';
import type { Context, EdgeRequest } from '../context.ts';
import { graphError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { timePaging } from '../paging.ts';
import { parseTime } from '../time.ts';
import { mayRead } from '../tokens/app.ts';
import type { Account } from '../world/model.ts';
import { demographicsEntry, isDemographics } from './demographics.ts';
import { checkEnum, checkOne, known, listParameter, metricsOf } from './parameters.ts';
import { checkPeriods, checkTotals, checkWindow } from './user-checks.ts';
import {
  METRIC_TYPES,
  PERIODS,
  TIMEFRAMES,
  USER_BREAKDOWNS,
  USER_METRICS,
  userMetric,
} from './user-metrics.ts';
import { seriesValues } from './user-series.ts';

const DAY_MS = 86_400_000;

/** The time window of a request of account insights. */
export interface Window {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly sinceGiven: boolean;
  readonly untilGiven: boolean;
}

/** A request of account insights, parsed and checked. */
export interface UserInsightsRequest {
  readonly account: Account;
  readonly metrics: readonly string[];
  readonly breakdowns: readonly string[];
  readonly period: string;
  readonly total: boolean;
  readonly window: Window;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Answers `/{account}/insights`, all or nothing. Order of checks as recorded: the metrics' names,
 * `metric_type`, then the period, the window and the breakdown.
 */
export function userInsights(account: Account, edge: EdgeRequest, context: Context): JsonObject {
  if (!mayRead('insights', context)) throw graphError('no-permission');
  const metrics = metricsOf(edge, known(USER_METRICS, context));
  checkOne(edge, 'metric_type', METRIC_TYPES);
  const total = edge.parameters.get('metric_type') === 'total_value';
  if (!total && metrics.some((name) => userMetric(name).kind === 'total')) {
    if (context.dialect === 'instagram') {
      return { data: [] };
    }
    checkTotals(metrics);
  }
  const request = parseRequest({ account, metrics, total }, edge, context);
  const data = metrics.flatMap((name) => entryOf(request, name, context));
  if (data.length === 0) {
    return { data };
  }
  return metrics.every(isDemographics) ? { data } : { data, paging: pagingOf(request, context) };
}

function parseRequest(
  { account, metrics, total }: Pick<UserInsightsRequest, 'account' | 'metrics' | 'total'>,
  edge: EdgeRequest,
  context: Context,
): UserInsightsRequest {
  const period = edge.parameters.get('period');
  if (period === undefined) {
    throw graphError('required', 'period');
  }
  checkOne(edge, 'period', PERIODS);
  checkOne(edge, 'timeframe', TIMEFRAMES);
  checkPeriods(metrics, { period, total });
  const window = windowOf(edge, context.nowMs);
  checkWindow(metrics, window, context);
  const breakdowns = listParameter(edge, 'breakdown');
  checkEnum('breakdown', breakdowns, USER_BREAKDOWNS);
  checkRefused(account, metrics, breakdowns, context);
  for (const name of metrics) {
    const refused = breakdowns.filter((one) => !userMetric(name).breakdowns.includes(one));
    if (refused.length > 0 || (breakdowns.length > 0 && !total)) {
      throw graphError('incompatible-breakdowns', breakdowns.join(', '), name);
    }
  }
  return { account, metrics, breakdowns, period, total, window, parameters: edge.parameters };
}

/** Throws for a breakdown that the account is denied. */
function checkRefused(
  { id }: Account,
  metrics: readonly string[],
  breakdowns: readonly string[],
  { world: { conditions } }: Context,
): void {
  const { spec } = conditions;
  const breakdown = breakdowns.join(',');
  const refused = metrics.find((name) => isBreakdownRefused(id, [name, breakdown], spec));
  if (refused === undefined) return;
  if (spec.breakdownRefusal === 'unknown') throw graphError('unexpected');
  if (spec.breakdownRefusal === 'enum') {
    throw graphError('not-in-enum', 'breakdown[0]', USER_BREAKDOWNS.join(', '));
  }
  throw graphError('incompatible-breakdowns', breakdown, refused);
}

/** Returns the window: by default the last day; with `since` alone it ends now. */
function windowOf(edge: EdgeRequest, nowMs: number): Window {
  const since = parseTime(edge.parameters, 'since');
  const until = parseTime(edge.parameters, 'until');
  const untilMs = until ?? nowMs;
  return {
    sinceMs: since ?? untilMs - DAY_MS,
    untilMs,
    sinceGiven: since !== undefined,
    untilGiven: until !== undefined,
  };
}

function entryOf(request: UserInsightsRequest, name: string, context: Context): JsonObject[] {
  if (isDemographics(name)) {
    return demographicsEntry(request, name, context);
  }
  return request.total ? totalEntry(request, name, context) : seriesEntry(request, name, context);
}

function seriesEntry(request: UserInsightsRequest, name: string, context: Context): JsonObject[] {
  const metric = userMetric(name);
  const values = seriesValues(request, name, context.nowMs);
  if (values === undefined) {
    return [];
  }
  const { account, period } = request;
  return [
    {
      name,
      period,
      values,
      title: metric.seriesTitle ?? metric.title,
      description: metric.seriesDescription ?? metric.description,
      id: `${account.id}/insights/${name}/${period}`,
    },
  ];
}

function totalEntry(request: UserInsightsRequest, name: string, context: Context): JsonObject[] {
  const { account, breakdowns, period, parameters, window } = request;
  const total = account.total({
    metric: name,
    breakdown: breakdowns.join(','),
    sinceMs: window.sinceMs,
    untilMs: window.untilMs,
    sinceText: parameters.get('since') ?? '',
    untilText: parameters.get('until') ?? '',
    nowMs: context.nowMs,
  });
  if (total === undefined) {
    return [];
  }
  const value: Record<string, Json> = total.value === undefined ? {} : { value: total.value };
  if (total.parts !== undefined) {
    value['breakdowns'] = [{ dimension_keys: breakdowns, results: resultsOf(total.parts) }];
  }
  const { title, description } = userMetric(name);
  return [
    {
      name,
      period,
      title,
      description,
      ...(Object.keys(value).length === 0 ? {} : { total_value: value }),
      id: `${account.id}/insights/${name}/${period}`,
    },
  ];
}

/** Returns the results; cells of zero are left out. */
function resultsOf(parts: Readonly<Record<string, number>>): JsonObject[] {
  return Object.entries(parts)
    .filter(([, value]) => value !== 0)
    .map(([key, value]) => ({ dimension_values: key.split(','), value }));
}

/** Parameters that the links repeat, in the links' own order. */
const LINKED = ['metric', 'metric_type', 'period', 'breakdown', 'timeframe'];

function pagingOf({ account, window, parameters }: UserInsightsRequest, context: Context): Json {
  return timePaging(
    {
      path: `${account.id}/insights`,
      sinceS: Math.floor(window.sinceMs / 1000),
      untilS: Math.floor(window.untilMs / 1000),
      untilGiven: window.untilGiven,
      parameters: LINKED.flatMap((name) => {
        const value = parameters.get(name);
        return value === undefined ? [] : [[name, value] as const];
      }),
    },
    context,
  );
}
