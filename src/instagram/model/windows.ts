/** A span of time to ask for; both ends inclusive, epoch milliseconds. */
export interface Window {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Whether metrics that reach back 30 days only can be asked for here. */
  readonly recent: boolean;
  /** Whether it is asked for what was refused then and may be answered now; the rest of it is known. */
  readonly catchUp: boolean;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The API refuses more than 2,592,000 s between since and until. */
export const maxWindowMs = 30 * dayMs;
/**
 * `follower_count` and `online_followers` reach back 30 days. The API measures with its own clock a
 * moment later, so ours stays an hour inside.
 */
export const recentReachMs = 30 * dayMs - hourMs;
/** `reach` and the totals go back two years ("Metrics data is available for the last 2 years"); a day inside. */
export const longReachMs = 729 * dayMs;
/** Accounts ahead of UTC have a day that ends in our future. */
export const futureMs = dayMs;
/** There was no Instagram, and so nothing to read, before 2010. */
export const beginningMs = Date.UTC(2010, 0, 1);

/** What decides the windows of one poll. */
export interface WindowPlan {
  readonly nowMs: number;
  readonly cursorMs: number | null;
  readonly coveredUntilMs: number | null;
  /** Configured; null means as far as every metric goes. */
  readonly startDateMs: number | null;
  readonly lookbackMs: number;
  /** From when on days lack a metric that was refused and may be asked again now; null where none do. */
  readonly missingFromMs: number | null;
}

/**
 * The windows that a poll of user_insights asks, oldest first, so that the cursor only moves ahead:
 * from the look-back before what is known (or from the start date) to a day ahead of now.
 * At most 30 days each, cut where the metrics of 30 days begin. Before them go those that lack what
 * was refused then and may be answered now.
 */
export function planWindows(plan: WindowPlan): readonly Window[] {
  const untilMs = plan.nowMs + futureMs;
  const sinceMs = planStart(plan);
  const windows = [
    ...cut(catchUpFrom(plan, sinceMs), sinceMs, plan).map((one) => ({ ...one, catchUp: true })),
    ...cut(sinceMs, untilMs, plan).map((one) => ({ ...one, catchUp: false })),
  ];
  // What begins ahead of now has no data yet; a later poll's window takes it in.
  return windows.filter((window) => window.sinceMs <= plan.nowMs);
}

/** Where what was refused is caught up from, as far as the API reaches; `elseMs` where nothing is. */
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
 * What is covered, as far as that can be: what is covered ahead of now was so by a clock that has been
 * set back since, and tells nothing. Days that were never asked would be taken for asked.
 */
export function coveredBy(coveredUntilMs: number | null, nowMs: number): number {
  return coveredUntilMs === null || coveredUntilMs > nowMs ? -Infinity : coveredUntilMs;
}

function planStart(plan: WindowPlan): number {
  const { nowMs } = plan;
  const coveredMs = coveredBy(plan.coveredUntilMs, nowMs);
  const known = Math.max(plan.cursorMs ?? -Infinity, coveredMs);
  const wanted =
    known === -Infinity
      ? (plan.startDateMs ?? nowMs - recentReachMs)
      : Math.min(known, nowMs) - plan.lookbackMs;
  return Math.min(Math.max(wanted, nowMs - longReachMs), nowMs);
}

type Split = Omit<Window, 'catchUp'>;

function split(sinceMs: number, untilMs: number, recent: boolean): readonly Split[] {
  const windows: Split[] = [];
  for (let start = sinceMs; start < untilMs; start += maxWindowMs) {
    windows.push({ sinceMs: start, untilMs: Math.min(start + maxWindowMs, untilMs), recent });
  }
  return windows;
}
