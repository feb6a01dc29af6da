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

export interface TotalsAnswer {
  readonly request: TotalsRequest;
  readonly body: Node;
}

/**
 * Creates the node of a day from its date and totals. For a metric requested by its parts, each
 * part is a field. Meta omits parts of zero, and all parts when it has no data.
 * @param rejected - receives a dead letter for each invalid answer and metric, with its path
 */
export function dayNode(
  day: PacificDay,
  answers: readonly TotalsAnswer[],
  rejected: DeadLetterError[],
): Node {
  const values = answers.flatMap(({ request, body }) => {
    const flat = readOrReject(rejected, () => metricValues(body, body, rejected)) ?? {};
    const named = request.parts === undefined ? flat : partsOf(flat, request.parts.fields);
    return Object.entries(named);
  });
  // The date goes last, so that a metric of the same name cannot replace it.
  return Object.fromEntries([...values, ['date', isoSeconds(day.endMs)], ['day', day.date]]);
}

function partsOf(flat: Node, fields: Readonly<Record<string, string>>): Node {
  const parts = Object.values(flat).find(isNode);
  if (parts === undefined) return {};
  return Object.fromEntries(
    Object.entries(fields).map(([part, field]) => [field, parts[part] ?? 0]),
  );
}

/** Detects the new and changed days to publish. A missing total never replaces a known one. */
export function detectChangedTotals(
  records: readonly Value[],
  context: ChangeContext,
): StreamChanges {
  const known = new Map(context.checkpoint.totals.map((day) => [day.dateMs, day]));
  const published: Value[] = [];
  for (const record of records) {
    const dateMs = record['date'] as number;
    const before = known.get(dateMs);
    const values = { ...before?.values, ...totalsOf(record) };
    if (isSame(values, before?.values ?? {})) continue;
    known.set(dateMs, { dateMs, values });
    published.push({ ...record, ...values });
  }
  return { records: published, checkpoint: checkpointAfter([...known.values()], context) };
}

function totalsOf(record: Value): DayTotals['values'] {
  const totals = Object.entries(record).filter((entry): entry is [string, number] => {
    const [name, value] = entry;
    return typeof value === 'number' && name !== 'date' && name !== 'polled_at';
  });
  return Object.fromEntries(totals);
}

function isSame(a: DayTotals['values'], b: DayTotals['values']): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function checkpointAfter(days: readonly DayTotals[], context: ChangeContext): Checkpoint {
  const { checkpoint, nowMs } = context;
  const progress = progressOf(days, context);
  const keptAfterMs = Math.min(
    progress.coveredUntilMs ?? -Infinity,
    incompleteSince(checkpoint, nowMs),
  );
  return {
    ...checkpoint,
    ...progress,
    // The other days are not requested again.
    totals: days.filter(({ dateMs }) => dateMs > keptAfterMs).sort((a, b) => a.dateMs - b.dateMs),
    rejections: tidyRejections(checkpoint.rejections, { nowMs, present: undefined }),
  };
}
