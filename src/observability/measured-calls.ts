import { type CallAge, callAges, type CallResult } from '../engine/call-results.ts';
import type { TelemetryEvent } from '../engine/ports.ts';
import type { StreamName } from '../engine/stream-name.ts';
import { type EventHandlers, type EventOf, handle } from './event-handlers.ts';

const hourMs = 3_600_000;
const keptHours = 24;
const dayMs = keptHours * hourMs;

/** Streams of accounts that are counted singly; further ones count in their stream alone. */
const keptSeries = 20_000;

/** Counts of the last 24 hours, the current one included; the hours take turns in its places. */
interface HourlyCounts {
  readonly counts: Uint32Array;
  /** The last hour with a count, since 1970. */
  hour: number;
}

interface AccountCalls {
  readonly sinceMs: number;
  readonly streams: Map<StreamName, HourlyCounts>;
  /** The impressions of a day; null where no stream has counted them yet. */
  impressions: number | null;
}

interface StreamCalls {
  readonly all: HourlyCounts;
  readonly results: Map<CallAge, { readonly [Result in keyof CallResult]: HourlyCounts }>;
}

/**
 * The calls of this process in the last 24 hours by stream and account, and by their results. Its
 * maps change with each event: a copy of all accounts for each would be slow.
 */
export interface MeasuredCalls {
  readonly startedMs: number;
  readonly streams: Map<StreamName, StreamCalls>;
  readonly accounts: Map<string, AccountCalls>;
  /** The streams of accounts that are counted singly (Invariant 10). */
  series: number;
}

export function noCalls(startedMs: number): MeasuredCalls {
  return { startedMs, streams: new Map(), accounts: new Map(), series: 0 };
}

/** Counts an event. */
export function countCalls(measured: MeasuredCalls, event: TelemetryEvent, nowMs: number): void {
  handle(handlers, event, measured, nowMs);
}

const handlers: Partial<EventHandlers<[MeasuredCalls, number]>> = {
  accounts: ({ added, removed }, measured, nowMs) => {
    for (const { id } of removed) {
      measured.series -= measured.accounts.get(id)?.streams.size ?? 0;
      measured.accounts.delete(id);
    }
    for (const { id } of added) {
      if (measured.accounts.has(id)) continue;
      measured.accounts.set(id, { sinceMs: nowMs, streams: new Map(), impressions: null });
    }
  },
  calls: (event, measured, nowMs) => {
    countOfStream(event, measured, nowMs);
    countOfAccount(event, measured, nowMs);
  },
};

function countOfStream(
  { stream, calls, results }: EventOf<'calls'>,
  { streams }: MeasuredCalls,
  nowMs: number,
) {
  const known: StreamCalls = streams.get(stream) ?? { all: newCounts(), results: new Map() };
  streams.set(stream, known);
  add(known.all, calls, nowMs);
  for (const age of callAges) {
    const result = results[age];
    if (result === undefined) continue;
    const counts = known.results.get(age) ?? { found: newCounts(), nothing: newCounts() };
    known.results.set(age, counts);
    add(counts.found, result.found, nowMs);
    add(counts.nothing, result.nothing, nowMs);
  }
}

function countOfAccount(event: EventOf<'calls'>, measured: MeasuredCalls, nowMs: number): void {
  // A poll may end after its account was removed.
  const account = measured.accounts.get(event.accountId);
  if (account === undefined) return;
  account.impressions = event.impressions ?? account.impressions;
  let counts = account.streams.get(event.stream);
  if (counts === undefined) {
    if (measured.series >= keptSeries) return;
    measured.series += 1;
    counts = newCounts();
    account.streams.set(event.stream, counts);
  }
  add(counts, event.calls, nowMs);
}

function newCounts(): HourlyCounts {
  return { counts: new Uint32Array(keptHours), hour: 0 };
}

/** Adds to the current hour; after the clock was set back, to the latest known one. */
function add(counted: HourlyCounts, by: number, nowMs: number): void {
  const hour = Math.max(hourOf(nowMs), counted.hour);
  forget(counted, hour);
  counted.hour = hour;
  const place = hour % keptHours;
  counted.counts[place] = (counted.counts[place] ?? 0) + by;
}

/** Clears the places of the hours that have begun since the last count. */
function forget({ counts, hour: last }: HourlyCounts, hour: number): void {
  const begun = Math.min(hour - last, keptHours);
  for (let index = 0; index < begun; index += 1) counts[(hour - index) % keptHours] = 0;
}

/** Sums the hours that are kept at a time. */
function sumOf({ counts, hour: last }: HourlyCounts, nowMs: number): number {
  const places = keptHours - Math.max(0, hourOf(nowMs) - last);
  let sum = 0;
  for (let index = 0; index < places; index += 1) sum += counts[(last - index) % keptHours] ?? 0;
  return sum;
}

const hourOf = (ms: number): number => Math.floor(ms / hourMs);

/** Calls that were counted, and what they are in a day. */
interface Measured {
  /** The calls of the last 24 hours, or since the start. */
  readonly measured: number;
  /** Null until an hour was measured: the first polls read everything. */
  readonly perDay: number | null;
}

/** Projects a count to a day. */
function measuredOf(calls: number, sinceMs: number, nowMs: number): Measured {
  // The kept hours begin with a whole one.
  const firstMs = (hourOf(nowMs) - keptHours + 1) * hourMs;
  const lengthMs = nowMs - Math.max(sinceMs, firstMs);
  const perDay = lengthMs < hourMs ? null : Math.round((calls * dayMs) / lengthMs);
  return { measured: calls, perDay };
}

/** The calls of a stream of all accounts, and the share that found nothing new. */
export function describeStreamCalls(
  { streams, startedMs }: MeasuredCalls,
  stream: StreamName,
  nowMs: number,
) {
  const known = streams.get(stream);
  const byAge = callAges.flatMap((age) => {
    const counts = known?.results.get(age);
    if (counts === undefined) return [];
    const [found, nothing] = [sumOf(counts.found, nowMs), sumOf(counts.nothing, nowMs)];
    return found + nothing === 0 ? [] : [{ age, calls: found + nothing, foundNothing: nothing }];
  });
  const sum = (pick: (one: (typeof byAge)[number]) => number): number =>
    byAge.reduce((so, one) => so + pick(one), 0);
  const [calls, nothing] = [sum((one) => one.calls), sum((one) => one.foundNothing)];
  return {
    ...measuredOf(known === undefined ? 0 : sumOf(known.all, nowMs), startedMs, nowMs),
    /** The part of the calls that led to no published record; null without calls. */
    foundNothingShare: calls === 0 ? null : Math.round((nothing / calls) * 1000) / 1000,
    /** The same by the age of the media; `none` for calls that request no single media. */
    byAge,
  };
}

/** The intervals by which the calls of an account are planned, in seconds. */
export type IntervalsOf = Readonly<Record<StreamName, number>>;

/** The calls of an account beside Meta's limit; null for an account that is not polled here. */
export function describeAccountCalls(
  measured: MeasuredCalls,
  { id, intervals }: { readonly id: string; readonly intervals: IntervalsOf },
  { nowMs, callLimit }: { readonly nowMs: number; readonly callLimit: CallLimit },
) {
  const account = measured.accounts.get(id);
  if (account === undefined) return null;
  const { sinceMs, streams: counted, impressions } = account;
  const streams = [...counted].map(([stream, counts]) => {
    return { stream, ...measuredOf(sumOf(counts, nowMs), sinceMs, nowMs) };
  });
  const calls = streams.reduce((so, one) => so + one.measured, 0);
  const all = measuredOf(calls, sinceMs, nowMs);
  const limit = callLimit(impressions);
  return {
    ...all,
    streams,
    /** The calls that Meta allows in a day, by the impressions of a day; null while unknown. */
    limit,
    /** False when the calls of a day exceed the limit; null while one of them is unknown. */
    fits: limit === null || all.perDay === null ? null : all.perDay <= limit,
    /** The interval of the stream with the most calls by which all fit; null where it is not known. */
    fittingInterval: fittingInterval(streams, { perDay: all.perDay, limit }, intervals),
  };
}

/** Returns the calls that Meta allows in a day by the impressions of a day; null while unknown. */
export type CallLimit = (impressions: number | null) => number | null;

type StreamMeasured = Measured & { readonly stream: StreamName };

function fittingInterval(
  streams: readonly StreamMeasured[],
  { perDay, limit }: Pick<Measured, 'perDay'> & { readonly limit: number | null },
  intervals: IntervalsOf,
) {
  const [costliest] = streams.toSorted((a, b) => b.measured - a.measured);
  if (limit === null || perDay === null || perDay <= limit || costliest === undefined) return null;
  const { stream } = costliest;
  const calls = costliest.perDay ?? 0;
  const allowed = calls - (perDay - limit);
  const seconds = intervals[stream];
  if (allowed <= 0 || seconds === undefined) return null;
  return { stream, seconds: Math.ceil((seconds * calls) / allowed / 60) * 60 };
}
