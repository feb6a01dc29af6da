import { largest } from '../../engine/extremes.ts';
import { type Json, isNode } from '../../engine/json.ts';
import { businessHeader, longestWaitMs, parseHeader } from './usage.ts';

const minuteMs = 60_000;

/** The wait when Meta reports none. Calls while throttled extend the block, so it is not shorter. */
const defaultWaitMs = 5 * minuteMs;

const retryHeader = 'retry-after';

/**
 * Returns the wait after a reached limit, in milliseconds: Meta's estimate for the account (or the
 * longest in the header), else `Retry-After`, else five minutes; a day at most.
 *
 * @param accountId - the account of the request; null for a request without one
 * @remarks Source: Graph API, rate limits, read 2026-10: the estimate is in minutes, and 0 does
 * not mean that the limit has ended.
 */
export function limitWaitMs(headers: Headers, accountId: string | null, nowMs: number): number {
  const estimateMs = regainMs(headers.get(businessHeader), accountId);
  return Math.min(estimateMs ?? retryAfterMs(headers, nowMs) ?? defaultWaitMs, longestWaitMs);
}

/**
 * Returns `Retry-After` (seconds or an HTTP date) in milliseconds; undefined when it is missing,
 * unreadable or past.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get(retryHeader)?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestWaitMs) : undefined;
}

/** Reads `{"<account or business id>": [{"estimated_time_to_regain_access": minutes, …}], …}`. */
function regainMs(header: string | null, accountId: string | null): number | undefined {
  const usage = parseHeader(header);
  if (!isNode(usage)) return undefined;
  const own = accountId === null ? 0 : longestMinutes(usage[accountId]);
  const minutes = own > 0 ? own : largest(Object.values(usage).map(longestMinutes), 0);
  return minutes > 0 ? minutes * minuteMs : undefined;
}

function longestMinutes(entries: Json | undefined): number {
  if (!Array.isArray(entries)) return 0;
  const minutes = (entries as readonly Json[]).map((entry) => {
    const value = isNode(entry) ? entry['estimated_time_to_regain_access'] : undefined;
    return typeof value === 'number' ? value : 0;
  });
  return largest(minutes, 0);
}
