import { largest } from '../../engine/extremes.ts';
import type { Checkpoint } from '../../engine/state.ts';
import type { ChangeContext } from '../../engine/stream.ts';

/** The time span of one request; both ends inclusive, epoch milliseconds. */
export interface Window {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** True when metrics that reach back only 30 days can be requested. */
  readonly recent: boolean;
  /** True when only metrics that were rejected before are requested; the others are known. */
  readonly catchUp: boolean;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The longest window: the API rejects more than 2,592,000 s between `since` and `until`. */
export const maxWindowMs = 30 * dayMs;
/**
 * The reach of `follower_count` and `online_followers`, less an hour: Meta's clock may be ahead.
 */
export const recentReachMs = 30 * dayMs - hourMs;
/** The reach of `reach` and the totals: two years, as Meta documents, less a day. */
export const longReachMs = 729 * dayMs;
/** The time by which a day may end in the future: accounts may be ahead of UTC. */
export const futureMs = dayMs;
/** The start of 2010; Instagram did not exist before. */
export const beginningMs = Date.UTC(2010, 0, 1);

export interface WindowPlan {
  readonly nowMs: number;
  readonly cursorMs: number | null;
  readonly coveredUntilMs: number | null;
  /** The configured start; null for the reach that all metrics share. */
  readonly startDateMs: number | null;
  readonly lookbackMs: number;
  /** The start of incomplete days whose metric may be requested again; null for none. */
  readonly missingFromMs: number | null;
}

/**
 * Plans the windows of a poll of user_insights, oldest first, so that the cursor only moves ahead:
 * from a look-back before the known days (or the start date) to a day ahead of now, at most 30 days
 * each, cut where the 30-day metrics begin. Windows of incomplete days come first if their
 * metric may be requested again.
 */
export function planWindows(plan: WindowPlan): readonly Window[] {
  const untilMs = plan.nowMs + futureMs;
  const sinceMs = planStart(plan);
  const windows = [
    ...cut(catchUpFrom(plan, sinceMs), sinceMs, plan).map((one) => ({ ...one, catchUp: true })),
    ...cut(sinceMs, untilMs, plan).map((one) => ({ ...one, catchUp: false })),
  ];
  // A window that begins in the future has no data yet; a later poll requests it.
  return windows.filter((window) => window.sinceMs <= plan.nowMs);
}

/** Returns the start of catch-up, within the API's reach; `elseMs` when no day is incomplete. */
export function catchUpFrom(
  { missingFromMs, startDateMs, nowMs }: WindowPlan,
  elseMs: number,
): number {
  if (missingFromMs === null) return elseMs;
  return Math.max(missingFromMs, startDateMs ?? -Infinity, nowMs - longReachMs);
}

function cut(sinceMs: number, untilMs: number, { nowMs }: WindowPlan): readonly Split[] {
  const cutMs = Math.min(Math.max(nowMs - recentReachMs, sinceMs), untilMs);
  return [...split(sinceMs, cutMs, false), ...split(cutMs, untilMs, true)];
}

/**
 * Returns the end of the covered days; -Infinity for none or a time in the future, which was
 * recorded before the clock was set back: days never requested would count as covered.
 */
export function coveredBy(coveredUntilMs: number | null, nowMs: number): number {
  return coveredUntilMs === null || coveredUntilMs > nowMs ? -Infinity : coveredUntilMs;
}

/** Returns the cursor, and the end of the covered days, after the days of a poll. */
export function progressOf(
  days: readonly { readonly dateMs: number }[],
  { checkpoint, coveredUntilMs, nowMs, lookbackMs }: ChangeContext,
): Pick<Checkpoint, 'cursorMs' | 'coveredUntilMs'> {
  const dates = days.map(({ dateMs }) => dateMs);
  const newestMs = largest(dates, checkpoint.cursorMs ?? undefined);
  const finalUntilMs = Math.min(coveredUntilMs ?? -Infinity, nowMs - lookbackMs);
  const coveredMs = Math.max(coveredBy(checkpoint.coveredUntilMs, nowMs), finalUntilMs);
  return {
    cursorMs: newestMs === -Infinity ? null : newestMs,
    coveredUntilMs: coveredMs === -Infinity ? null : coveredMs,
  };
}

function planStart(plan: WindowPlan): number {
  const { nowMs } = plan;
  const coveredMs = coveredBy(plan.coveredUntilMs, nowMs);
  const knownMs = Math.max(plan.cursorMs ?? -Infinity, coveredMs);
  const startMs =
    knownMs === -Infinity
      ? (plan.startDateMs ?? nowMs - recentReachMs)
      : Math.min(knownMs, nowMs) - plan.lookbackMs;
  return Math.min(Math.max(startMs, nowMs - longReachMs), nowMs);
}

type Split = Omit<Window, 'catchUp'>;

function split(sinceMs: number, untilMs: number, recent: boolean): readonly Split[] {
  const windows: Split[] = [];
  for (let start = sinceMs; start < untilMs; start += maxWindowMs) {
    windows.push({ sinceMs: start, untilMs: Math.min(start + maxWindowMs, untilMs), recent });
  }
  return windows;
}
