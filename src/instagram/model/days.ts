import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import { dataOf } from './metric-values.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { type Json, type Node, type Value, isNode } from '../../engine/json.ts';
import { incompleteSince } from './missing.ts';
import type { DayValues, Checkpoint } from '../../engine/state.ts';
import type { ChangeContext, StreamChanges } from '../../engine/stream.ts';
import type { SeriesRequest } from '../streams/stream.ts';
import { futureMs, progressOf } from './windows.ts';

export interface SeriesAnswer {
  readonly request: SeriesRequest;
  readonly body: Node;
}

/**
 * Merges the answers of one window into one node per day, `{date, follower_count, reach, …}`,
 * oldest first. `date` is Meta's `end_time`, unchanged.
 * @param rejected - receives a dead letter for each invalid answer, metric and day, with its path
 */
export function mergeDays(
  answers: readonly SeriesAnswer[],
  rejected: DeadLetterError[],
): readonly Node[] {
  const days = new Map<string, Record<string, Json>>();
  for (const { request, body } of answers) {
    const names = new Map<Json | undefined, string>(Object.entries(request.metrics));
    const metrics = readOrReject(rejected, () => dataOf(body, body, rejected)) ?? [];
    for (const metric of metrics) {
      const name = names.get(metric['name']);
      if (name === undefined) continue;
      for (const { endTime, value } of pointsOf(metric, name, rejected)) {
        days.set(endTime, { ...days.get(endTime), date: endTime, [name]: value });
      }
    }
  }
  return [...days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, day]) => day);
}

/** @param name - the record field, such as `reach_week` */
function pointsOf(metric: Node, name: string, rejected: DeadLetterError[]) {
  const { values } = metric;
  if (!Array.isArray(values)) {
    const part = { path: `${name}.values`, expected: 'a list of days', received: values };
    rejected.push(invalidPart({ ...part, raw: metric }));
    return [];
  }
  return (values as readonly Json[]).flatMap((point, index) => {
    const endTime = isNode(point) ? point['end_time'] : undefined;
    if (isNode(point) && typeof endTime === 'string') {
      return [{ endTime, value: point['value'] ?? null }];
    }
    const path = `${name}.values[${index}]`;
    const part = isNode(point)
      ? { path: `${path}.end_time`, expected: 'a time', received: endTime }
      : { path, expected: 'an object with value and end_time', received: point };
    rejected.push(invalidPart({ ...part, raw: { ...metric, values: [point] } }));
    return [];
  });
}

/**
 * Detects the days to publish: new and changed ones, except days without data and days later than
 * now + 1 day. A missing value never replaces a known one: `online_followers` is missing in some
 * responses.
 */
export function detectChangedDays(
  records: readonly Value[],
  context: ChangeContext,
): StreamChanges {
  const known = new Map(context.checkpoint.days.map((day) => [day.dateMs, day]));
  const changed: Value[] = [];
  for (const record of records) {
    const fetched = dayOf(record);
    if (fetched.dateMs > context.nowMs + futureMs || isEmpty(fetched)) continue;
    const published = known.get(fetched.dateMs);
    const merged = published === undefined ? fetched : mergeDay(published, fetched);
    if (published !== undefined && sameDay(published, merged)) continue;
    known.set(merged.dateMs, merged);
    changed.push({ ...record, ...valuesOf(merged) });
  }
  return { records: changed, checkpoint: checkpointAfter([...known.values()], context) };
}

function checkpointAfter(days: readonly DayValues[], context: ChangeContext): Checkpoint {
  const { checkpoint, nowMs, lookbackMs } = context;
  const progress = progressOf(days, context);
  // The next poll requests these days again, and compares them. Incomplete days are kept too, so
  // that no known value is lost when their metric is published.
  const requestedFromMs = Math.min(progress.cursorMs ?? nowMs, nowMs) - lookbackMs;
  const keepFromMs = Math.min(requestedFromMs, incompleteSince(checkpoint, nowMs));
  return {
    ...checkpoint,
    ...progress,
    days: days.filter((day) => day.dateMs >= keepFromMs).sort((a, b) => a.dateMs - b.dateMs),
  };
}

/** The values of a day: their names in the state, and in records. */
const fields = {
  followerCount: 'follower_count',
  reach: 'reach',
  reachWeek: 'reach_week',
  reachDays28: 'reach_days_28',
  onlineFollowers: 'online_followers',
} as const;
const names = Object.keys(fields) as (keyof typeof fields)[];

function dayOf(record: Value): DayValues {
  const values = names.map((name) => [name, record[fields[name]] ?? null]);
  return { dateMs: record['date'], ...Object.fromEntries(values) } as DayValues;
}

function valuesOf(day: DayValues): Value {
  return Object.fromEntries(names.map((name) => [fields[name], day[name]]));
}

function mergeDay(published: DayValues, fetched: DayValues): DayValues {
  const known = names
    .filter((name) => hasValue(fetched[name]))
    .map((name) => [name, fetched[name]]);
  return { ...published, ...Object.fromEntries(known) } as DayValues;
}

/** False for an empty map: it equals a missing one. */
function hasValue(value: DayValues[keyof typeof fields]): boolean {
  return typeof value === 'number' || Object.keys(value ?? {}).length > 0;
}

function isEmpty(day: DayValues): boolean {
  return !names.some((name) => hasValue(day[name]));
}

function sameDay(a: DayValues, b: DayValues): boolean {
  return canonical(a) === canonical(b);
}

function canonical(day: DayValues): string {
  const hours = Object.entries(day.onlineFollowers ?? {}).sort(([a], [b]) => Number(a) - Number(b));
  return JSON.stringify({ ...valuesOf(day), online_followers: hours });
}
