import type { Scope } from './errors.ts';
import type { RollingUsage } from './rolling-usage.ts';
import {
  correctUsage,
  evenUsage,
  msUntilAtMost,
  nextLeaveMs,
  noUsage,
  usedPercent,
} from './rolling-usage.ts';
import type { StreamName } from './stream-name.ts';

/** Whose calls go first when the quota is short; in this order. */
export const priorities = ['urgent', 'normal', 'backfill'] as const;

/** `urgent` is gone when it is not read in time; `backfill` can wait for as long as it takes. */
export type Priority = (typeof priorities)[number];

/** Stories are gone after 24 hours; totals are there for two years, comments and tags for longer. */
const priorityByStream: Readonly<Partial<Record<StreamName, Priority>>> = {
  stories: 'urgent',
  story_insights: 'urgent',
  user_daily_totals: 'backfill',
  tags: 'backfill',
  comments: 'backfill',
};

/** The priority of a stream's calls. */
export function priorityOf(stream: StreamName): Priority {
  return priorityByStream[stream] ?? 'normal';
}

/** From this usage on calls are spaced and go one at a time. */
const slowFromPercent = 75;
/** Who was slow is free again below this, so that usage at the edge is no news each time. */
const freeBelowPercent = 70;
/** As far as each priority may use the quota up; the rest is for who comes before it. */
const ceilingPercent: Readonly<Record<Priority, number>> = { urgent: 95, normal: 85, backfill: 75 };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Refused again and again without being told for how long: the least that is waited, doubled. */
const firstRefusalMs = 5 * minuteMs;
const longestRefusalMs = hourMs;

/** What a call costs before headers have shown it. */
const assumedCostPercent = 1;

/** What is known of one scope's quota. */
export interface Quota {
  readonly usage: RollingUsage;
  /** When usage was last told; null before the first time. */
  readonly toldMs: number | null;
  /** What a call costs, as successive headers show it. */
  readonly costPercent: number;
  /** Answers since the usage last rose. */
  readonly answersSinceRise: number;
  /** Whether a call was answered since the start or the last stop; before, all is guesswork. */
  readonly answered: boolean;
  /** Times that it was told to stop. The answer to a call that left before the last tells nothing. */
  readonly stops: number;
  /** Told to stop until then, epoch milliseconds; 0 when never. */
  readonly blockedUntilMs: number;
  /** Refusals one after another, without an answer between. */
  readonly refusals: number;
  /** When the last call of a priority went. */
  readonly lastCallMs: Readonly<Partial<Record<Priority, number>>>;
}

/** A request that wants to go. */
export interface Call {
  readonly priority: Priority;
  readonly nowMs: number;
  /** Calls that it counts as. */
  readonly calls: number;
  /** Calls of the scope without an answer yet. */
  readonly inFlight: number;
}

/** The calls that may go at once without being spaced, at least 1. */
export function roomFor(
  quota: Quota,
  { nowMs, inFlight }: Omit<Call, 'priority' | 'calls'>,
): number {
  // While nothing is known, one call alone finds out how things are.
  if (!quota.answered || quota.blockedUntilMs > nowMs) return 1;
  // Of a scope that the API says nothing of, nothing is spent.
  if (quota.toldMs === null) return Infinity;
  const left = slowFromPercent - percentOf(quota, nowMs);
  return Math.max(1, Math.ceil(left / quota.costPercent) - inFlight);
}

/** Go, wait for a time, or wait for the answer of a call that is under way. */
export type Decision =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'queue' };

const go: Decision = { kind: 'go' };
const queue: Decision = { kind: 'queue' };

/** The quota of a scope of which nothing is known. */
export function newQuota(kind: Scope['kind']): Quota {
  return {
    // Meta counts an Instagram account's calls over 24 hours, all others over one.
    usage: noUsage(kind === 'account' ? 24 * hourMs : hourMs),
    toldMs: null,
    costPercent: assumedCostPercent,
    answersSinceRise: 0,
    answered: false,
    stops: 0,
    blockedUntilMs: 0,
    refusals: 0,
    lastCallMs: {},
  };
}

/**
 * After a header told the usage.
 *
 * @param told - percent used, for how long Meta wants to be left alone (0 when it did not say), and
 * the calls that were answered since the usage before
 */
export function noteUsage(
  quota: Quota,
  told: { readonly percent: number; readonly regainMs: number; readonly calls?: number },
  nowMs: number,
): Quota {
  // Beyond the whole of it there is nothing to learn; Meta says then how long it takes.
  const percent = Math.min(told.percent, 100);
  const { windowMs } = quota.usage;
  const first = quota.toldMs === null;
  return {
    ...quota,
    ...(first ? {} : learnCost(quota, { percent, calls: told.calls ?? 1 }, nowMs)),
    usage: first ? evenUsage(windowMs, percent, nowMs) : correctUsage(quota.usage, percent, nowMs),
    toldMs: nowMs,
    ...(told.regainMs > 0 ? stop(quota, nowMs + told.regainMs) : {}),
  };
}

/** When it is over, one call alone finds out whether it is. */
function stop(
  { stops, blockedUntilMs }: Quota,
  untilMs: number,
): Pick<Quota, 'answered' | 'stops' | 'blockedUntilMs'> {
  const latestMs = Math.max(blockedUntilMs, untilMs);
  return { answered: false, stops: stops + 1, blockedUntilMs: latestMs };
}

/** Only while nothing leaves the window is a rise the price of the calls since the last. */
function learnCost(
  quota: Quota,
  { percent, calls }: { readonly percent: number; readonly calls: number },
  nowMs: number,
): Pick<Quota, 'costPercent' | 'answersSinceRise'> {
  const { usage, toldMs, costPercent, answersSinceRise } = quota;
  const rise = percent - usedPercent(usage, nowMs);
  const steady = rise >= 0 && nextLeaveMs(usage, toldMs ?? 0) > nowMs;
  if (!steady) return { costPercent, answersSinceRise: 0 };
  if (rise === 0) return withoutRise(quota, calls);
  const seen = rise / (answersSinceRise + calls);
  return { costPercent: costPercent * 0.5 + seen * 0.5, answersSinceRise: 0 };
}

/** Meta tells whole percents: so many calls without a rise cost less than one together. */
function withoutRise(
  { costPercent, answersSinceRise }: Quota,
  calls: number,
): Pick<Quota, 'costPercent' | 'answersSinceRise'> {
  const answers = answersSinceRise + calls;
  return { costPercent: Math.min(costPercent, 1 / answers), answersSinceRise: answers };
}

/**
 * After calls were answered without a word of the scope: they do not count in it, as an account's
 * calls do not in the app. The next usage that is told corrects this.
 */
export function noteSilence(quota: Quota, calls: number): Quota {
  return { ...quota, ...withoutRise(quota, calls) };
}

/** After a call was refused for the scope's limit. */
export function noteRefusal(quota: Quota, retryAfterMs: number, nowMs: number): Quota {
  // Calls that were under way when the limit was reached are refused together.
  const again = quota.blockedUntilMs <= nowMs;
  const refusals = quota.refusals + (again ? 1 : 0);
  const leastMs =
    refusals > 1 ? Math.min(longestRefusalMs, firstRefusalMs * 2 ** Math.min(refusals - 1, 10)) : 0;
  return {
    ...quota,
    ...stop(quota, nowMs + Math.max(retryAfterMs, leastMs)),
    refusals,
  };
}

/**
 * After a call was answered, whatever the answer said but that a limit is reached.
 *
 * @param stops - how many there were when the call left
 */
export function noteAnswer(quota: Quota, stops: number): Quota {
  if (stops !== quota.stops) return quota;
  return quota.answered && quota.refusals === 0 ? quota : { ...quota, answered: true, refusals: 0 };
}

/** After a call went. */
export function noteCall(quota: Quota, priority: Priority, nowMs: number): Quota {
  return { ...quota, lastCallMs: { ...quota.lastCallMs, [priority]: nowMs } };
}

/** Percent of the quota in use now, as far as is known. */
export function percentOf(quota: Quota, nowMs: number): number {
  return usedPercent(quota.usage, nowMs);
}

/** What a call may do that goes however much is used up. */
export function decideUnspaced(quota: Quota, { nowMs, inFlight }: Call): Decision {
  if (quota.blockedUntilMs > nowMs) return { kind: 'wait', ms: quota.blockedUntilMs - nowMs };
  // One call alone finds out how things are.
  return !quota.answered && inFlight > 0 ? queue : go;
}

/** What a call may do that the scope applies to. */
export function decide(quota: Quota, call: Call): Decision {
  const { nowMs, inFlight } = call;
  const unspaced = decideUnspaced(quota, call);
  if (unspaced.kind !== 'go') return unspaced;
  const percent = percentOf(quota, nowMs);
  if (quota.toldMs === null) return go;
  const besides = inFlight + call.calls - 1;
  if (percent + besides * quota.costPercent < slowFromPercent) return go;
  if (inFlight > 0) return queue;
  if (percent < slowFromPercent) return go;
  const ms = Math.min(msUntilRoom(quota, call, percent), msUntilProbe(quota, call));
  return ms > 0 ? { kind: 'wait', ms } : go;
}

/** Until the priority's ceiling has room for the call, and what is left would last for the window. */
function msUntilRoom({ usage, costPercent, lastCallMs }: Quota, call: Call, percent: number) {
  const { priority, nowMs } = call;
  const ceiling = ceilingPercent[priority];
  const room = ceiling - percent;
  if (room < costPercent) return msUntilAtMost(usage, Math.max(0, ceiling - costPercent), nowMs);
  const spacingMs = (usage.windowMs * costPercent) / room;
  // Below the mark nothing is spaced, however soon enough leaves for that.
  const freeMs = msUntilAtMost(usage, slowFromPercent - costPercent, nowMs);
  const last = lastCallMs[priority];
  return last === undefined ? 0 : Math.min(Math.max(0, last + spacingMs - nowMs), freeMs);
}

/**
 * Until a call may see whether Meta keeps its word: when the time that it named is over, one call
 * goes, whatever was used before; the first chance is for what is urgent.
 */
function msUntilProbe(quota: Quota, { priority, nowMs }: Call): number {
  const { blockedUntilMs, toldMs, usage, lastCallMs } = quota;
  const newestMs = Math.max(toldMs ?? 0, ...Object.values(lastCallMs));
  if (blockedUntilMs === 0 || newestMs >= blockedUntilMs) return Infinity;
  const afterMs = (usage.windowMs / 24) * priorities.indexOf(priority);
  return Math.max(0, blockedUntilMs + afterMs - nowMs);
}

/** The decision for a call that several scopes apply to: the longest wait, else the queue. */
export function strictest(decisions: readonly Decision[]): Decision {
  const waits = decisions.filter((decision) => decision.kind === 'wait');
  if (waits.length > 0) return { kind: 'wait', ms: Math.max(...waits.map(({ ms }) => ms)) };
  return decisions.some(({ kind }) => kind === 'queue') ? queue : go;
}

/** How a scope stands, for those who watch. */
export interface Standing {
  /** `slowed` calls are spaced; `stopped` none goes at all. */
  readonly state: 'free' | 'slowed' | 'stopped';
  readonly percent: number;
  /** When calls go again, as far as is known; null unless stopped. */
  readonly untilMs: number | null;
}

/** How a scope stands now. @param before - how it stood when somebody last looked */
export function standingOf(quota: Quota, before: Standing['state'], nowMs: number): Standing {
  const percent = percentOf(quota, nowMs);
  const stopFromPercent = ceilingPercent.urgent - (before === 'stopped' ? quota.costPercent : 0);
  if (quota.blockedUntilMs > nowMs) {
    return { state: 'stopped', percent, untilMs: quota.blockedUntilMs };
  }
  if (percent >= stopFromPercent) {
    const ms = msUntilAtMost(quota.usage, ceilingPercent.urgent - quota.costPercent, nowMs);
    return { state: 'stopped', percent, untilMs: nowMs + ms };
  }
  const slowed = percent >= (before === 'free' ? slowFromPercent : freeBelowPercent);
  return { state: slowed ? 'slowed' : 'free', percent, untilMs: null };
}
