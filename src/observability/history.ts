import type { Scope } from '../engine/errors.ts';
import { largest } from '../engine/extremes.ts';
import type { TelemetryEvent } from '../engine/ports.ts';
import type { StreamName } from '../engine/stream-name.ts';
import { type EventHandlers, type EventOf, handle } from './event-handlers.ts';

const hourMs = 3_600_000;
/** The hours that are kept: the current one and those before it. */
const keptHours = 24;
const quarterMs = hourMs / 4;
const keptMs = keptHours * hourMs;

/** The scopes with a history: those with the highest usage in the kept hours. */
const keptScopes = 5;

/** Polls of about the same duration. */
interface PollStep {
  readonly count: number;
  readonly sumMs: number;
}

/** The counts of one stream in one hour. */
interface StreamHour {
  readonly records: number;
  readonly calls: number;
  /** The polls that ended well, by the step of their duration; see {@link stepOf}. */
  readonly polls: ReadonlyMap<number, PollStep>;
  readonly largestMs: number;
}

interface Hour {
  readonly startMs: number;
  /** The calls of all requests, those of failed polls included. */
  readonly calls: number;
  readonly streams: Readonly<Record<StreamName, StreamHour>>;
}

/** The largest and the last usage that was reported in a quarter of an hour. */
interface Quarter {
  readonly startMs: number;
  readonly largest: number;
  readonly last: number;
}

/** The usage of one scope of the quota, in percent. */
interface ScopeHistory {
  readonly scope: Scope;
  readonly reportedMs: number;
  /** The quarters of an hour that have a report, oldest first. */
  readonly quarters: readonly Quarter[];
}

/**
 * The counts of this process in the last 24 hours. Their size depends on the number of streams
 * alone (Invariant 10).
 */
export interface History {
  readonly startedMs: number;
  /** The hours that have an event, oldest first. */
  readonly hours: readonly Hour[];
  readonly scopes: readonly ScopeHistory[];
}

export function emptyHistory(startedMs: number): History {
  return { startedMs, hours: [], scopes: [] };
}

/** Returns the history after an event; pure. */
export function reduceHistory(history: History, event: TelemetryEvent, nowMs: number): History {
  return handle(reducers, event, history, nowMs) ?? history;
}

const reducers: Partial<EventHandlers<[History, number], History>> = {
  request: ({ calls }, history, nowMs) =>
    changeHour(history, nowMs, (hour) => ({ calls: hour.calls + calls })),
  committed: ({ stream, records }, history, nowMs) =>
    changeStream(history, { stream, nowMs }, (before) => ({ records: before.records + records })),
  'poll-finished': ({ stream, calls, durationMs }, history, nowMs) =>
    changeStream(history, { stream, nowMs }, (before) => ({
      calls: before.calls + calls,
      polls: addUp([
        before.polls,
        new Map([[stepOf(durationMs), { count: 1, sumMs: durationMs }]]),
      ]),
      largestMs: Math.max(before.largestMs, durationMs),
    })),
  scope: withUsage,
  accounts: ({ removed }, history) => {
    const accounts = new Set(removed.map(({ id }) => id));
    const pages = new Set(removed.map(({ pageId }) => pageId));
    const isKept = ({ scope: { kind, id } }: ScopeHistory) =>
      !(kind === 'account' && accounts.has(id)) && !(kind === 'page' && pages.has(id));
    return { ...history, scopes: history.scopes.filter(isKept) };
  },
};

const emptyStreamHour: StreamHour = { records: 0, calls: 0, polls: new Map(), largestMs: 0 };

/** Changes the current hour. After the clock was set back, that is the latest known one. */
function changeHour(
  history: History,
  nowMs: number,
  change: (hour: Hour) => Partial<Hour>,
): History {
  const last = history.hours.at(-1);
  const startMs = Math.max(startOf(nowMs, hourMs), last?.startMs ?? 0);
  const isNew = last?.startMs !== startMs;
  const hour = isNew ? { startMs, calls: 0, streams: {} } : last;
  const before = isNew ? history.hours : history.hours.slice(0, -1);
  const kept = before.filter((one) => one.startMs > startMs - keptMs);
  return { ...history, hours: [...kept, { ...hour, ...change(hour) }] };
}

function changeStream(
  history: History,
  { stream, nowMs }: { readonly stream: StreamName; readonly nowMs: number },
  change: (before: StreamHour) => Partial<StreamHour>,
): History {
  return changeHour(history, nowMs, ({ streams }) => {
    const before = streams[stream] ?? emptyStreamHour;
    return { streams: { ...streams, [stream]: { ...before, ...change(before) } } };
  });
}

/** Adds a report; a new scope displaces the one with the lowest usage, if its own is higher. */
function withUsage({ scope, percent }: EventOf<'scope'>, history: History, nowMs: number): History {
  const current = currentScopes(history, nowMs);
  const known = current.find((one) => one.scope.kind === scope.kind && one.scope.id === scope.id);
  const others = current.filter((one) => one !== known).sort((a, b) => peakOf(b) - peakOf(a));
  const weakest = others[keptScopes - 1];
  if (weakest !== undefined && peakOf(weakest) >= percent) return history;
  const quarters = addReport(known?.quarters ?? [], percent, nowMs);
  const reported = { scope, reportedMs: nowMs, quarters };
  return { ...history, scopes: [...others.slice(0, keptScopes - 1), reported] };
}

/** The scopes with a report in the kept hours. */
function currentScopes({ scopes }: History, nowMs: number): readonly ScopeHistory[] {
  return scopes.filter(({ reportedMs }) => reportedMs > nowMs - keptMs);
}

function peakOf({ quarters }: ScopeHistory): number {
  return largest(
    quarters.map((quarter) => quarter.largest),
    0,
  );
}

function addReport(
  quarters: readonly Quarter[],
  percent: number,
  nowMs: number,
): readonly Quarter[] {
  const latest = quarters.at(-1);
  const startMs = Math.max(startOf(nowMs, quarterMs), latest?.startMs ?? 0);
  const kept = quarters.filter((one) => one.startMs > startMs - keptMs);
  if (latest?.startMs !== startMs) return [...kept, { startMs, largest: percent, last: percent }];
  const quarter = { startMs, largest: Math.max(latest.largest, percent), last: percent };
  return [...kept.slice(0, -1), quarter];
}

function startOf(ms: number, widthMs: number): number {
  return Math.floor(ms / widthMs) * widthMs;
}

/**
 * Durations are summed in steps of 5 %, 375 of them up to a day: a median is exact to 5 %, and the
 * number of polls has no effect on the size.
 */
const stepRatio = 1.05;
const longestMs = 86_400_000;

function stepOf(durationMs: number): number {
  const clamped = Math.min(Math.max(durationMs, 1), longestMs);
  return Math.round(Math.log(clamped) / Math.log(stepRatio));
}

/** The answer of `/status/history`; pure. Adding a field is compatible, as in `/status`. */
export function describeHistory(history: History, nowMs: number) {
  return {
    formatVersion: 1 as const,
    startedAt: iso(history.startedMs),
    now: iso(nowMs),
    /** The hours since the start, oldest first; the last one is not over. */
    hours: startsBetween(history.startedMs, nowMs, hourMs).map((startMs) =>
      describeHour(
        history.hours.find((hour) => hour.startMs === startMs),
        startMs,
      ),
    ),
    /** The scopes with the highest usage, those first. */
    quota: currentScopes(history, nowMs)
      .toSorted((a, b) => peakOf(b) - peakOf(a))
      .map((scope) => describeScope(scope, nowMs)),
  };
}

/** The answer of `/status/history`. */
export type HistoryAnswer = ReturnType<typeof describeHistory>;

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The starts of the kept buckets, from the one that holds `fromMs` to the current one. */
function startsBetween(fromMs: number, nowMs: number, widthMs: number): readonly number[] {
  const lastMs = startOf(nowMs, widthMs);
  const firstHourMs = startOf(nowMs, hourMs) - keptMs + hourMs;
  const firstMs = Math.max(startOf(fromMs, widthMs), firstHourMs);
  const length = (lastMs - firstMs) / widthMs + 1;
  return Array.from({ length }, (_, index) => firstMs + index * widthMs);
}

function describeHour(hour: Hour | undefined, startMs: number) {
  const streams = Object.entries(hour?.streams ?? {});
  const all = streams.map(([, one]) => one);
  const sum: StreamHour = {
    records: all.reduce((so, { records }) => so + records, 0),
    calls: hour?.calls ?? 0,
    polls: addUp(all.map(({ polls }) => polls)),
    largestMs: largest(
      all.map(({ largestMs }) => largestMs),
      0,
    ),
  };
  return {
    start: iso(startMs),
    ...describeCounts(sum),
    /** The streams that have an event in the hour; `calls` are those of polls that ended well. */
    streams: streams.map(([stream, one]) => ({ stream, ...describeCounts(one) })),
  };
}

function addUp(all: readonly StreamHour['polls'][]): StreamHour['polls'] {
  const sums = new Map<number, PollStep>();
  for (const [step, { count, sumMs }] of all.flatMap((polls) => [...polls])) {
    const before = sums.get(step) ?? { count: 0, sumMs: 0 };
    sums.set(step, { count: before.count + count, sumMs: before.sumMs + sumMs });
  }
  return sums;
}

function describeCounts({ records, calls, polls, largestMs }: StreamHour) {
  const count = [...polls.values()].reduce((so, one) => so + one.count, 0);
  return {
    records,
    calls,
    /** The polls that ended well. */
    polls: count,
    /** Null without such a poll. */
    medianSeconds: count === 0 ? null : seconds(medianMs(polls, count)),
    largestSeconds: count === 0 ? null : seconds(largestMs),
  };
}

/** The mean of the step that holds the median. */
function medianMs(polls: StreamHour['polls'], total: number): number {
  let left = total / 2;
  for (const [, { count, sumMs }] of [...polls].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left <= 0) return sumMs / count;
  }
  return 0;
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

/** A scope with its usage in each quarter of an hour since its first report. */
function describeScope({ scope, quarters }: ScopeHistory, nowMs: number) {
  const starts = startsBetween(quarters[0]?.startMs ?? nowMs, nowMs, quarterMs);
  const firstMs = starts[0] ?? nowMs;
  let last = quarters.findLast(({ startMs }) => startMs < firstMs)?.last ?? 0;
  const points = starts.map((startMs) => {
    const quarter = quarters.find((one) => one.startMs === startMs);
    const percent = Math.round(Math.max(quarter?.largest ?? 0, last));
    last = quarter?.last ?? last;
    return { start: iso(startMs), percent };
  });
  return {
    scope: scope.kind,
    /** The account's or page's id, or the token's name; null for the only token. */
    id: scope.id || null,
    /** The last reported usage. */
    percent: Math.round(last),
    /** The largest usage of each quarter of an hour; a report holds until the next one. */
    points,
  };
}
