import type { Scope } from '../errors.ts';
import { largest } from '../extremes.ts';
import {
  type RollingUsage,
  correctUsage,
  evenUsage,
  msUntilAtMost,
  nextLeaveMs,
  noUsage,
  usedPercent,
} from './rolling-usage.ts';

// States of a quota:
// - unknown: no call was answered since the start or the last block; one call alone probes the API.
// - free: usage is below 75 %, or not reported; calls are sent at once.
// - slowed: usage is from 75 % up to the priority's ceiling; calls are paced, one at a time.
// - stopped: usage is at the ceiling; calls wait until enough of it leaves the window.
// - blocked: the API rejected a call, or named a wait; no call is sent until the block ends.

/** The priorities of calls when the quota is short, highest first. */
export const priorities = ['urgent', 'normal', 'backfill'] as const;

/** `urgent` data disappears unless it is read in time; `backfill` may wait without limit. */
export type Priority = (typeof priorities)[number];

/**
 * A limit apart from the account's: `platform` is the app's limit of requests that spend no
 * account's, such as those of public content.
 */
export type SeparateLimit = 'platform';

/** From this usage on, calls are paced and sent one at a time. */
const slowFromPercent = 75;
/** Below this usage a slowed scope is free again, so that usage near the edge changes no state. */
const freeBelowPercent = 70;
/** The usage up to which each priority is sent; the rest is kept for higher priorities. */
const ceilingPercent: Readonly<Record<Priority, number>> = { urgent: 95, normal: 85, backfill: 75 };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** The shortest block after repeated rejections: doubled by each repetition, up to the longest. */
const firstRejectionMs = 5 * minuteMs;
const longestRejectionMs = hourMs;

/** The assumed cost of a call before headers have shown it. */
const assumedCostPercent = 1;

/** The known state of one scope's quota. */
export interface Quota {
  readonly usage: RollingUsage;
  /** Time of the API's last usage report, epoch milliseconds; null before the first. */
  readonly reportedMs: number | null;
  /** The cost of a call in percent of the quota, estimated from successive headers. */
  readonly costPercent: number;
  /** Answers since the usage last rose. */
  readonly answersSinceRise: number;
  /** True once a call was answered since the start or the last block; before, usage is a guess. */
  readonly answered: boolean;
  /** The number of blocks so far. Answers to calls sent before the last one prove nothing. */
  readonly stops: number;
  /** The end of the last block, epoch milliseconds; 0 when there was none. */
  readonly blockedUntilMs: number;
  /** Consecutive rejections for the limit, without an answer in between. */
  readonly rejections: number;
  /** Time of the last call of each priority, epoch milliseconds. */
  readonly lastCallMs: Readonly<Partial<Record<Priority, number>>>;
}

/** A request that is ready to be sent. */
export interface PendingCall {
  readonly priority: Priority;
  readonly nowMs: number;
  /** The number of calls that Meta counts it as. */
  readonly calls: number;
  /** Calls of the scope in flight. */
  readonly inFlight: number;
}

/** The calls that may be sent together without being paced, at least 1. */
export function roomFor(quota: Quota, nowMs: number, inFlight: number): number {
  // While nothing is known, one call alone probes the API.
  if (!quota.answered || quota.blockedUntilMs > nowMs) return 1;
  // A scope without any reported usage does not limit.
  if (quota.reportedMs === null) return Infinity;
  const left = slowFromPercent - usedPercent(quota.usage, nowMs);
  return Math.max(1, Math.ceil(left / quota.costPercent) - inFlight);
}

/** Send, wait `ms` milliseconds, or queue until a call in flight is answered. */
export type Decision =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'queue' };

const go: Decision = { kind: 'go' };
const queue: Decision = { kind: 'queue' };

export function newQuota(kind: Scope['kind']): Quota {
  return {
    // Meta counts an Instagram account's calls over 24 hours, all others over one.
    usage: noUsage(kind === 'account' ? 24 * hourMs : hourMs),
    reportedMs: null,
    costPercent: assumedCostPercent,
    answersSinceRise: 0,
    answered: false,
    stops: 0,
    blockedUntilMs: 0,
    rejections: 0,
    lastCallMs: {},
  };
}

/**
 * The quota after a report of its usage: the percent used, the milliseconds for which Meta accepts
 * no calls (0 for none), and the calls answered since the previous report, 1 by default.
 */
export function noteUsage(
  quota: Quota,
  report: { readonly percent: number; readonly regainMs: number; readonly calls?: number },
  nowMs: number,
): Quota {
  // Above 100 % the cost of a call does not show; Meta then reports how long to wait.
  const percent = Math.min(report.percent, 100);
  const { windowMs } = quota.usage;
  const first = quota.reportedMs === null;
  return {
    ...quota,
    ...(first ? {} : observeCost(quota, percent, report.calls ?? 1, nowMs)),
    usage: first ? evenUsage(windowMs, percent, nowMs) : correctUsage(quota.usage, percent, nowMs),
    reportedMs: nowMs,
    ...(report.regainMs > 0 ? stop(quota, nowMs + report.regainMs) : {}),
  };
}

/** Blocks the quota; after the block, one call alone probes the API. */
function stop({ stops, blockedUntilMs }: Quota, untilMs: number) {
  const latestMs = Math.max(blockedUntilMs, untilMs);
  return { answered: false, stops: stops + 1, blockedUntilMs: latestMs };
}

/** A rise is the cost of the calls since the last one only while no usage leaves the window. */
function observeCost(quota: Quota, percent: number, calls: number, nowMs: number) {
  const { usage, reportedMs, costPercent, answersSinceRise } = quota;
  const rise = percent - usedPercent(usage, nowMs);
  const steady = rise >= 0 && nextLeaveMs(usage, reportedMs ?? 0) > nowMs;
  if (!steady) return { costPercent, answersSinceRise: 0 };
  if (rise === 0) return withoutRise(quota, calls);
  const observed = rise / (answersSinceRise + calls);
  return { costPercent: costPercent * 0.5 + observed * 0.5, answersSinceRise: 0 };
}

/** Meta reports whole percents: calls without a rise cost less than one percent together. */
function withoutRise({ costPercent, answersSinceRise }: Quota, calls: number) {
  const answers = answersSinceRise + calls;
  return { costPercent: Math.min(costPercent, 1 / answers), answersSinceRise: answers };
}

/**
 * The quota after answers that report no usage of its scope: the calls do not count in it. Meta
 * counts a call by one limit and reports that one: `X-Business-Use-Case-Usage` for calls of an
 * Instagram account, else `X-App-Usage`; recorded answers never have both. The next report corrects
 * this.
 * @see https://developers.facebook.com/docs/graph-api/overview/rate-limiting (read 2026-10)
 */
export function noteSilence(quota: Quota, calls: number): Quota {
  return { ...quota, ...withoutRise(quota, calls) };
}

/** The quota after a rejection for its limit; `retryAfterMs` is 0 when Meta named no wait. */
export function noteRejection(quota: Quota, retryAfterMs: number, nowMs: number): Quota {
  // Calls in flight when the limit was reached are rejected together and count once.
  const isAgain = quota.blockedUntilMs <= nowMs;
  const rejections = quota.rejections + (isAgain ? 1 : 0);
  const repeatedMs = firstRejectionMs * 2 ** Math.min(rejections - 1, 10);
  const leastMs = rejections > 1 ? Math.min(longestRejectionMs, repeatedMs) : 0;
  return { ...quota, ...stop(quota, nowMs + Math.max(retryAfterMs, leastMs)), rejections };
}

/** The quota after an answer that is no limit; `stops` is its own when the call was sent. */
export function noteAnswer(quota: Quota, stops: number): Quota {
  return stops === quota.stops ? { ...quota, answered: true, rejections: 0 } : quota;
}

export function noteCall(quota: Quota, priority: Priority, nowMs: number): Quota {
  return { ...quota, lastCallMs: { ...quota.lastCallMs, [priority]: nowMs } };
}

/** Decides about a call that is not paced, at any usage. */
export function decideUnpaced(quota: Quota, { nowMs, inFlight }: PendingCall): Decision {
  if (quota.blockedUntilMs > nowMs) return { kind: 'wait', ms: quota.blockedUntilMs - nowMs };
  // One call alone probes the API.
  return !quota.answered && inFlight > 0 ? queue : go;
}

export function decide(quota: Quota, call: PendingCall): Decision {
  const { nowMs, inFlight } = call;
  const unpaced = decideUnpaced(quota, call);
  if (unpaced.kind !== 'go') return unpaced;
  if (quota.reportedMs === null) return go;
  const percent = usedPercent(quota.usage, nowMs);
  const besides = inFlight + call.calls - 1;
  if (percent + besides * quota.costPercent < slowFromPercent) return go;
  if (inFlight > 0) return queue;
  if (percent < slowFromPercent) return go;
  const ms = Math.min(msUntilRoom(quota, call, percent), msUntilProbe(quota, call));
  return ms > 0 ? { kind: 'wait', ms } : go;
}

/** Milliseconds until the priority's ceiling has room, and the rest would last for the window. */
function msUntilRoom(quota: Quota, { priority, nowMs }: PendingCall, percent: number): number {
  const { usage, costPercent, lastCallMs } = quota;
  const ceiling = ceilingPercent[priority];
  const room = ceiling - percent;
  if (room < costPercent) return msUntilAtMost(usage, Math.max(0, ceiling - costPercent), nowMs);
  const spacingMs = (usage.windowMs * costPercent) / room;
  // Once enough usage has left the window, calls are no longer paced.
  const freeMs = msUntilAtMost(usage, slowFromPercent - costPercent, nowMs);
  const last = lastCallMs[priority];
  return last === undefined ? 0 : Math.min(Math.max(0, last + spacingMs - nowMs), freeMs);
}

/**
 * Milliseconds until one call probes the API at any usage, after the wait that Meta named; urgent
 * calls probe first. Infinity when no probe is due.
 */
function msUntilProbe(quota: Quota, { priority, nowMs }: PendingCall): number {
  const { blockedUntilMs, reportedMs, usage, lastCallMs } = quota;
  const newestMs = largest(Object.values(lastCallMs), reportedMs ?? 0);
  if (blockedUntilMs === 0 || newestMs >= blockedUntilMs) return Infinity;
  const afterMs = (usage.windowMs / 24) * priorities.indexOf(priority);
  return Math.max(0, blockedUntilMs + afterMs - nowMs);
}

/** The decision for a call that several scopes apply to: the longest wait, else the queue. */
export function strictest(decisions: readonly Decision[]): Decision {
  const waits = decisions.filter((decision) => decision.kind === 'wait');
  if (waits.length > 0) return { kind: 'wait', ms: largest(waits.map(({ ms }) => ms)) };
  return decisions.some(({ kind }) => kind === 'queue') ? queue : go;
}

/** The state of a scope, as reported to telemetry. */
export interface ScopeStatus {
  /** `slowed`: calls are paced; `stopped`: none is sent. */
  readonly state: 'free' | 'slowed' | 'stopped';
  /** 100 while a scope is blocked, whatever usage the API has reported before. */
  readonly percent: number;
  /** Estimated time of the next call, epoch milliseconds; null unless stopped. */
  readonly untilMs: number | null;
}

/** Returns the state of a scope now. @param before - the state last reported */
export function statusOf(quota: Quota, before: ScopeStatus['state'], nowMs: number): ScopeStatus {
  const percent = usedPercent(quota.usage, nowMs);
  const stopFromPercent = ceilingPercent.urgent - (before === 'stopped' ? quota.costPercent : 0);
  const { blockedUntilMs } = quota;
  if (blockedUntilMs > nowMs) {
    return { state: 'stopped', percent: 100, untilMs: blockedUntilMs };
  }
  if (percent >= stopFromPercent) {
    const ms = msUntilAtMost(quota.usage, ceilingPercent.urgent - quota.costPercent, nowMs);
    return { state: 'stopped', percent, untilMs: nowMs + ms };
  }
  const slowed = percent >= (before === 'free' ? slowFromPercent : freeBelowPercent);
  return { state: slowed ? 'slowed' : 'free', percent, untilMs: null };
}
