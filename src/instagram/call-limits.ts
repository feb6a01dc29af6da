import type { SeparateLimit } from '../engine/rate-limit/quota.ts';
import {
  type AccountContent,
  type CallPlanSettings,
  planCalls,
  type PlannedCalls,
} from './call-plan.ts';

/**
 * The calls of a day that Meta allows an app for each impression of an account in a day.
 * @see https://developers.facebook.com/docs/graph-api/overview/rate-limiting (read 2026-10)
 */
const callsPerImpression = 4800;

/** Returns the calls that Meta allows in a day; null without impressions: Meta documents no limit. */
export function callLimit(impressions: number | null): number | null {
  return impressions === null || impressions === 0 ? null : impressions * callsPerImpression;
}

/** Returns the impressions of a day with which Meta allows an account so many calls in a day. */
export function neededImpressions(calls: number): number {
  return Math.ceil(calls / callsPerImpression);
}

/** Sums the calls that spend the account's limit, not one apart from it: of a day unless named. */
export function accountCalls(
  planned: readonly PlannedCalls[],
  field: 'first' | 'day' = 'day',
): number {
  return sumOf(planned.filter(spends(undefined)), field);
}

const spends =
  (limit: SeparateLimit | undefined) =>
  ({ stream }: Pick<PlannedCalls, 'stream'>): boolean =>
    stream.limit === limit;

function sumOf(planned: readonly PlannedCalls[], field: 'first' | 'day'): number {
  return planned.reduce((sum, calls) => sum + calls[field], 0);
}

/**
 * The calls of a day that Meta allows an app for each of its users, apart from the limits of
 * accounts: 200 an hour.
 * @see https://developers.facebook.com/docs/graph-api/overview/rate-limiting (read 2026-11)
 */
const callsPerUser = 200 * 24;

/** The calls of public content, which spend the app's own limit. */
export interface PlatformPlan {
  readonly streams: readonly string[];
  readonly calls: number;
  /** The calls of a day that Meta allows for one user of the app. */
  readonly limit: number;
  /** Intervals with which the calls fit; null when none do, or when they fit as configured. */
  readonly fitting: ReadonlyMap<string, number> | null;
}

/** Plans the calls of public content of all accounts; null when no account reads any. Pure. */
export function planPlatform(accounts: readonly CallPlanSettings[]): PlatformPlan | null {
  const streams = accounts.flatMap((settings) => settings.streams.filter(spends('platform')));
  const [first] = accounts;
  if (first === undefined || streams.length === 0) return null;
  const settings = { ...first, streams };
  const calls = sumOf(planCalls(noContent, settings), 'day');
  const limit = callsPerUser;
  return {
    streams: streams.map(({ stream }) => stream.name),
    calls,
    limit,
    fitting: calls > limit ? fittingIntervals(noContent, settings, limit, 'platform') : null,
  };
}

/** Public content depends on the listed names alone. */
const noContent: AccountContent = { mediaMs: [], storiesADay: 0 };

/** Intervals to propose, milliseconds. */
const proposals = [15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60_000);

/**
 * Finds the intervals with which the streams that spend a limit, the account's unless named, stay
 * within it: those of the costliest grow first. Null when even a poll a day of each does not fit.
 * Streams at fixed times keep them.
 */
export function fittingIntervals(
  content: AccountContent,
  settings: CallPlanSettings,
  limit: number,
  of?: SeparateLimit,
): ReadonlyMap<string, number> | null {
  const changed = new Map<string, number>();
  const { calendar, nowMs } = settings;
  let { streams } = settings;
  for (;;) {
    const planned = planCalls(content, { ...settings, streams }).filter(spends(of));
    if (sumOf(planned, 'day') <= limit) return changed;
    const longer = planned
      .toSorted((a, b) => b.day - a.day)
      .flatMap(({ stream: { name } }) => {
        const now = streams.find(({ stream }) => stream.name === name)?.intervalMs ?? 0;
        const intervalMs = proposals.find((ms) => ms > now);
        const isFixed = calendar.nextRunMs(name, nowMs) !== null;
        return intervalMs === undefined || isFixed ? [] : [{ name, intervalMs }];
      })[0];
    if (longer === undefined) return null;
    changed.set(longer.name, longer.intervalMs);
    streams = streams.map((one) =>
      one.stream.name === longer.name ? { ...one, intervalMs: longer.intervalMs } : one,
    );
  }
}
