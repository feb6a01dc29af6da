import { largest } from '../../engine/extremes.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest, UsageReport } from '../../engine/ports.ts';

const minuteMs = 60_000;

/** The longest accepted wait. No limit of Meta outlasts its 24-hour window; a longer value is invalid. */
export const longestWaitMs = 24 * 60 * minuteMs;

/** The highest accepted usage. Several times the budget was observed (724). */
const highestPercent = 1000;

/**
 * Reads the quota usage in the headers of an answer. Missing, malformed and out-of-bounds values are
 * ignored.
 *
 * @see https://developers.facebook.com/docs/graph-api/overview/rate-limiting (read 2026-10)
 */
export function readUsage(headers: Headers, request: GraphRequest): readonly UsageReport[] {
  return [
    ...appUsage(parseHeader(headers.get('x-app-usage')), request.token ?? ''),
    ...businessUsage(parseHeader(headers.get(businessHeader)), request),
    ...adAccountUsage(parseHeader(headers.get('x-ad-account-usage')), request.accountId),
  ];
}

/** Returns the worst report of each scope in one exchange; each counts for `calls` calls. */
export function worstOf(reports: readonly UsageReport[], calls: number): readonly UsageReport[] {
  const scopes = new Map<string, UsageReport[]>();
  for (const report of reports) {
    const key = `${report.scope.kind} ${report.scope.id}`;
    scopes.set(key, [...(scopes.get(key) ?? []), report]);
  }
  return [...scopes.values()].flatMap((all) =>
    all.slice(0, 1).map(({ scope }) => ({ scope, ...worst(all), calls })),
  );
}

/** The header with the usage of each account or business and the time until its limit ends. */
export const businessHeader = 'x-business-use-case-usage';

/** Parses the JSON of a header; null when it is missing or invalid. */
export function parseHeader(header: string | null): Json {
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
function appUsage(usage: Json, token: string): UsageReport[] {
  const percent = isNode(usage) ? worstPercent(usage) : undefined;
  return percent === undefined ? [] : [{ scope: { kind: 'app', id: token }, percent, regainMs: 0 }];
}

/**
 * Reads `{"<account or business id>": [{"type":"instagram","call_count":1,…}], …}`. A request uses the
 * budget of its account; the key is the id of the account or of its business.
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
    const minutes = entry['estimated_time_to_regain_access'];
    const regainMs = typeof minutes === 'number' && minutes > 0 ? minutes * minuteMs : 0;
    if (percent === undefined && regainMs === 0) return [];
    return [{ percent: percent ?? 0, regainMs: Math.min(regainMs, longestWaitMs) }];
  });
  return reports.length === 0 ? [] : [{ ...worst(reports), scope: { kind: 'account', id } }];
}

function worst(
  reports: readonly Pick<UsageReport, 'percent' | 'regainMs'>[],
): Pick<UsageReport, 'percent' | 'regainMs'> {
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
