import { largest } from '../../engine/extremes.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest, UsageReport } from '../../engine/ports.ts';

const minuteMs = 60_000;

/** The longest accepted wait. No limit of Meta outlasts its 24-hour window; a longer value is invalid. */
const longestWaitMs = 24 * 60 * minuteMs;

/** The wait when Meta reports none. Calls while throttled extend the block, so it is not shorter. */
const defaultWaitMs = 5 * minuteMs;

/** The highest accepted usage. Several times the budget was observed (724). */
const highestPercent = 1000;

/** The header with the usage of each account or business and the time until its limit ends. */
const businessHeader = 'x-business-use-case-usage';

/**
 * Returns the wait after a reached limit, in milliseconds: Meta's estimate for the account (or the
 * longest in the header), else `Retry-After`, else five minutes; a day at most. Source: Graph API,
 * rate limits, read 2026-10: the estimate is in minutes, and 0 does not mean that the limit has
 * ended.
 */
export function limitWaitMs(headers: Headers, accountId: string | null, nowMs: number): number {
  const usage = parseHeader(headers.get(businessHeader));
  const estimates = isNode(usage) ? usage : {};
  const ownMs = accountId === null ? 0 : longestRegainMs(estimates[accountId]);
  const estimateMs = ownMs > 0 ? ownMs : largest(Object.values(estimates).map(longestRegainMs), 0);
  const waitMs = estimateMs > 0 ? estimateMs : (retryAfterMs(headers, nowMs) ?? defaultWaitMs);
  return Math.min(waitMs, longestWaitMs);
}

/** Returns `Retry-After` (seconds or a date) in milliseconds; undefined when missing or past. */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? '';
  if (value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestWaitMs) : undefined;
}

function longestRegainMs(entries: Json | undefined): number {
  return Array.isArray(entries) ? largest((entries as readonly Json[]).map(regainMsOf), 0) : 0;
}

/** Reads `{"estimated_time_to_regain_access": minutes, …}`; 0 without an estimate. */
function regainMsOf(entry: Json): number {
  const minutes = isNode(entry) ? entry['estimated_time_to_regain_access'] : undefined;
  return typeof minutes === 'number' && minutes > 0 ? minutes * minuteMs : 0;
}

/**
 * Reads the quota usage in the headers of an answer. Missing, malformed and out-of-bounds values
 * are ignored.
 * @see https://developers.facebook.com/docs/graph-api/overview/rate-limiting (read 2026-10)
 */
export function readUsage(headers: Headers, request: GraphRequest): readonly UsageReport[] {
  return [
    ...appUsage(parseHeader(headers.get('x-app-usage')), request),
    ...businessUsage(parseHeader(headers.get(businessHeader)), request),
    ...adAccountUsage(parseHeader(headers.get('x-ad-account-usage')), request.accountId),
  ];
}

/** Returns the worst report of each scope in one exchange; each counts for `calls` calls. */
export function worstOf(reports: readonly UsageReport[], calls: number): readonly UsageReport[] {
  const scopes = Map.groupBy(reports, ({ scope }) => `${scope.kind} ${scope.id}`);
  return [...scopes.values()].flatMap((all) =>
    all.slice(0, 1).map(({ scope }) => ({ scope, ...worst(all), calls })),
  );
}

/** Parses the JSON of a header; null when it is missing or invalid. */
function parseHeader(header: string | null): Json {
  try {
    return JSON.parse(header ?? 'null') as Json;
  } catch {
    // An unreadable header is ignored.
    return null;
  }
}

/**
 * Reads `{"call_count":28,"total_time":25,"total_cputime":25}`, all in percent. graph.instagram.com
 * names two of them `call_volume` and `cpu_time` (recorded 2026-09).
 */
function appUsage(usage: Json, { token: id = '', limit }: GraphRequest): UsageReport[] {
  const percent = isNode(usage) ? worstPercent(usage) : undefined;
  return percent === undefined
    ? []
    : [{ scope: { kind: limit ?? 'app', id }, percent, regainMs: 0 }];
}

/**
 * Reads `{"<account or business id>": [{"type":"instagram","call_count":1,…}], …}`. A request uses
 * the budget of its account; the key is the id of the account or of its business.
 */
function businessUsage(usage: Json, { accountId }: GraphRequest): UsageReport[] {
  if (!isNode(usage)) return [];
  const reports = Object.entries(usage).flatMap(([id, entries]) => instagramUsage(id, entries));
  if (accountId === null) return reports;
  const own = reports.filter(({ scope }) => scope.id === accountId);
  if (own.length > 0 || reports.length === 0) return own;
  return [{ ...worst(reports), scope: { kind: 'account', id: accountId } }];
}

function instagramUsage(id: string, entries: Json): UsageReport[] {
  if (!Array.isArray(entries) || !/^\d+$/.test(id)) return [];
  const reports = (entries as readonly Json[]).flatMap((entry) => {
    if (!isNode(entry) || entry['type'] !== 'instagram') return [];
    const percent = worstPercent(entry);
    const regainMs = regainMsOf(entry);
    if (percent === undefined && regainMs === 0) return [];
    return [{ percent: percent ?? 0, regainMs: Math.min(regainMs, longestWaitMs) }];
  });
  return reports.length === 0 ? [] : [{ ...worst(reports), scope: { kind: 'account', id } }];
}

function worst(reports: readonly Pick<UsageReport, 'percent' | 'regainMs'>[]) {
  return {
    percent: largest(reports.map(({ percent }) => percent)),
    regainMs: largest(reports.map(({ regainMs }) => regainMs)),
  };
}

/** Reads `{"acc_id_util_pct":9.67,"reset_time_duration":100}`: percent, and seconds until the reset. */
function adAccountUsage(usage: Json, accountId: string | null): UsageReport[] {
  if (!isNode(usage) || accountId === null) return [];
  const percent = percentOf(usage['acc_id_util_pct']);
  if (percent === undefined) return [];
  const seconds = usage['reset_time_duration'];
  const resetMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 0;
  const regainMs = percent >= 100 ? Math.min(resetMs, longestWaitMs) : 0;
  return [{ scope: { kind: 'account', id: accountId }, percent, regainMs }];
}

/** Returns the highest percentage of an entry: that limit is reached first. */
function worstPercent(usage: Node): number | undefined {
  const percents = ['call_count', 'total_cputime', 'total_time', 'call_volume', 'cpu_time']
    .map((name) => percentOf(usage[name]))
    .filter((percent) => percent !== undefined);
  return percents.length === 0 ? undefined : largest(percents);
}

function percentOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= highestPercent ? value : undefined;
}
