import { readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { isoSeconds } from '../../engine/key.ts';
import { type Node, type Value, isNode } from '../../engine/json.ts';
import { metricValues } from './metric-values.ts';
import { type PacificDay, pacificDays } from './pacific.ts';
import { incompleteSince } from './missing.ts';
import { tidyRejections } from '../../engine/rejections.ts';
import type { DayTotals, Checkpoint } from '../../engine/state.ts';
import type { ChangeContext, StreamChanges } from '../../engine/stream.ts';
import type { TotalsRequest } from '../streams/stream.ts';
import {
  type WindowPlan,
  catchUpFrom,
  coveredBy,
  longReachMs,
  progressOf,
  recentReachMs,
} from './windows.ts';

export interface PlannedDay extends PacificDay {
  /** True when only metrics that were rejected before are requested; the others are known. */
  readonly catchUp: boolean;
}

/**
 * Plans the days that a poll requests, oldest first: ended days that may have changed since the
 * last request. A day is final once it was requested a look-back after its end. Incomplete days
 * whose metric may be requested again go before them.
 */
export function planDays(plan: WindowPlan): readonly PlannedDay[] {
  const { nowMs, cursorMs, coveredUntilMs, startDateMs, lookbackMs } = plan;
  const coveredMs = coveredBy(coveredUntilMs, nowMs);
  const begunMs =
    cursorMs === null
      ? (startDateMs ?? nowMs - recentReachMs)
      : Math.min(cursorMs, nowMs) - lookbackMs;
  const afterMs = coveredMs === -Infinity ? begunMs : coveredMs;
  const dueFromMs = Math.max(afterMs, nowMs - longReachMs);
  const incompleteMs = Math.min(catchUpFrom(plan, dueFromMs), dueFromMs);
  return pacificDays(incompleteMs, nowMs).map((day) => ({
    ...day,
    catchUp: day.endMs <= dueFromMs,
  }));
}

/**
 * Returns the query of a day's totals. A total covers the days that end from `since` to `until`,
 * both included. `since` is one second after the day's start, which is the end of the day before.
 */
export function totalsQuery(
  metrics: readonly string[],
  { startMs, endMs }: Pick<PacificDay, 'startMs' | 'endMs'>,
) {
  return {
    metric: metrics.join(','),
    period: 'day',
    metric_type: 'total_value',
    since: String(startMs / 1000 + 1),
    until: String(endMs / 1000),
  };
}

/** Returns the names of a request's metrics in rejections: a breakdown is rejected by its field. */
export function namesOf({ metrics, parts }: TotalsRequest): readonly string[] {
  return typeof parts?.fields === 'string' ? [parts.fields] : metrics;
}

export interface TotalsAnswer {
  readonly request: TotalsRequest;
  readonly body: Node;
}

/**
 * Creates the node of a day from its date and totals. For a metric requested by its parts, each
 * part is a field, or all are a map. Meta omits parts of zero, and all parts when it has no data.
 * @param rejected - receives a dead letter for each invalid answer and metric, with its path
 */
export function dayNode(
  day: PacificDay,
  answers: readonly TotalsAnswer[],
  rejected: DeadLetterError[],
): Node {
  const values = answers.flatMap(({ request, body }) => {
    const flat = readOrReject(rejected, () => metricValues(body, body, rejected)) ?? {};
    return Object.entries(fieldsOf(flat, request));
  });
  // The date goes last, so that a metric of the same name cannot replace it.
  return Object.fromEntries([...values, ['date', isoSeconds(day.endMs)], ['day', day.date]]);
}

function fieldsOf(flat: Node, { parts: requested }: TotalsRequest): Node {
  if (requested === undefined) return flat;
  const { fields } = requested;
  const parts = Object.values(flat).find(isNode);
  if (typeof fields === 'string') {
    // A total of zero has no parts; a missing total means that Meta has no data.
    const isZero = Object.values(flat).includes(0);
    return parts === undefined && !isZero ? {} : { [fields]: parts ?? {} };
  }
  if (parts === undefined) return {};
  return Object.fromEntries(
    Object.entries(fields).map(([part, field]) => [field, parts[part] ?? 0]),
  );
}

/**
 * Detects the new and changed days to publish. A missing total never replaces a known one.
 * @param catchUpMs - the age of the oldest days that are completed
 */
export function detectChangedTotals(
  records: readonly Value[],
  context: ChangeContext,
  catchUpMs = longReachMs,
): StreamChanges {
  const known = new Map(context.checkpoint.totals.map((day) => [day.dateMs, day]));
  const published: Value[] = [];
  for (const record of records) {
    const dateMs = record['date'] as number;
    const before = known.get(dateMs)?.values ?? {};
    const totals = { ...unpack(before), ...totalsOf(record) };
    const values = pack(totals);
    if (isSame(values, before)) continue;
    known.set(dateMs, { dateMs, values });
    published.push({ ...record, ...totals });
  }
  const checkpoint = checkpointAfter([...known.values()], context, catchUpMs);
  return { records: published, checkpoint };
}

/** The totals of a day by field: a number, or the numbers of its parts. */
type Totals = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

function totalsOf(record: Value): Totals {
  const totals = Object.entries(record).filter(([name, value]) => {
    const isTotal = typeof value === 'number' || isNode(value ?? undefined);
    return isTotal && name !== 'date' && name !== 'polled_at';
  });
  return Object.fromEntries(totals) as Totals;
}

/** Packs the parts of a field as `<field>.<part>`, and a field without parts as `<field>.`. */
function pack(totals: Totals): DayTotals['values'] {
  return Object.fromEntries(
    Object.entries(totals).flatMap(([field, total]) => {
      if (typeof total === 'number') return [[field, total]];
      const parts = Object.entries(total).map(([part, count]) => [`${field}.${part}`, count]);
      return parts.length === 0 ? [[`${field}.`, 0]] : parts;
    }),
  ) as DayTotals['values'];
}

function unpack(values: DayTotals['values']): Totals {
  const byField = Map.groupBy(Object.entries(values), ([name]) => name.split('.', 1)[0] ?? name);
  const totals = [...byField].map(([field, entries]) => {
    const total = values[field];
    if (total !== undefined) return [field, total];
    const parts = entries.map(([name, count]) => [name.slice(field.length + 1), count] as const);
    return [field, Object.fromEntries(parts.filter(([part, count]) => part !== '' || count > 0))];
  });
  return Object.fromEntries(totals) as Totals;
}

function isSame(a: DayTotals['values'], b: DayTotals['values']): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function checkpointAfter(
  days: readonly DayTotals[],
  context: ChangeContext,
  catchUpMs: number,
): Checkpoint {
  const { checkpoint, nowMs } = context;
  const progress = progressOf(days, context);
  const keptAfterMs = Math.min(
    progress.coveredUntilMs ?? -Infinity,
    incompleteSince(checkpoint, nowMs, catchUpMs),
  );
  return {
    ...checkpoint,
    ...progress,
    // The other days are not requested again.
    totals: days.filter(({ dateMs }) => dateMs > keptAfterMs).sort((a, b) => a.dateMs - b.dateMs),
    rejections: tidyRejections(checkpoint.rejections, { nowMs, present: undefined }),
  };
}
