import type { SkipError } from '../../core/errors.ts';
import { maxIds } from '../../core/metric-groups.ts';
import {
  everything,
  isDoubtful,
  isLeftOut,
  leaveOut,
  leaveOutMetric,
  metricsFor,
  olderOf,
  subjectsOf,
} from '../../core/refusals.ts';
import type { Listed } from '../../core/refusals.ts';
import { keyNumber } from '../../core/fingerprint.ts';
import { hasMetric, spread } from './faults.ts';
import type { Candidate } from './faults.ts';
import type { Asked, Isolation, Row } from './isolation-work.ts';

/** After so many media of a kind that refuse a metric, none that has it between, others are asked. */
const refusalsOfAKind = 8;
/** So many others, from the newest to the oldest, must refuse it as well before all of the kind do. */
const othersOfAKind = 3;

/** Whether the refusal itself says what to leave out, so that nothing need be searched. */
export function isNamed({ code, subjects }: SkipError, { open, metrics }: Asked): boolean {
  if (code === 'graph.metric-unknown') return metrics.some((metric) => subjects.includes(metric));
  return open.some(({ id }) => subjects.includes(id));
}

/** Takes in what a refusal says for certain: of the one media asked, or of what it names. */
export async function learn(error: SkipError, asked: Asked, work: Isolation): Promise<void> {
  const named = asked.metrics.filter((metric) => error.subjects.includes(metric));
  const [one] = asked.open;
  if (error.code === 'graph.metric-unknown' && named.length > 0) {
    for (const metric of named) refuseMetric(everything, metric, { error, work });
    return;
  }
  const media = asked.open.filter(({ id }) => error.subjects.includes(id));
  if (media.length > 0) {
    for (const listed of media) refuseMedia(listed, { error, work });
  } else if (asked.open.length === 1 && one !== undefined) {
    if (named.length === 0) refuseMedia(one, { error, work });
    for (const metric of named) await refuseMetricOf(one, metric, { error, work });
  }
}

interface Refused {
  readonly error: SkipError;
  readonly work: Isolation;
}

function refuseMedia(listed: Listed, { error, work }: Refused): void {
  work.memory = leaveOut(work.memory, { listed, reason: error.code }, work.context.nowMs);
  work.skipped.push({ reason: error.code, subject: listed.id });
  // What one is found to be at fault for may have become everybody's meanwhile.
  if (isDoubtful(listed, work.memory)) work.answered = false;
}

function refuseMetric(subject: string, metric: string, { error, work }: Refused): void {
  const refusal = { subject, metric, reason: error.code };
  work.memory = leaveOutMetric(work.memory, refusal, work.context.nowMs);
  work.skipped.push({ reason: error.code, subject: `${subject} ${metric}` });
}

async function refuseMetricOf(one: Listed, metric: string, refused: Refused): Promise<void> {
  const { work } = refused;
  const name = `${one.kind} ${metric}`;
  const row = work.rows.get(name) ?? { first: one, length: 0, enough: refusalsOfAKind };
  row.length += 1;
  work.rows.set(name, row);
  work.deferred.add(one.id);
  refuseMetric(one.id, metric, refused);
  if (row.length < row.enough) return;
  const subject = await generalised(row, { one, metric, refused });
  if (subject === undefined) {
    row.enough *= 2;
    return;
  }
  work.size = maxIds;
  refuseMetric(subject, metric, refused);
}

interface Generalising {
  readonly one: Listed;
  readonly metric: string;
  readonly refused: Refused;
}

/**
 * Of whom a metric is refused, after a row of media that refuse it: of the whole kind, or of those that
 * are as old as the row where newer ones have it; undefined where older ones have it too.
 */
async function generalised(row: Row, judged: Generalising): Promise<string | undefined> {
  const { one, metric, refused } = judged;
  const { had } = refused.work;
  const all = refused.work.all();
  const place = (listed: Listed) => all.findIndex((other) => other.listed.id === listed.id);
  const [first, last] = [place(row.first), place(one)];
  if (await isHad(all.slice(last + 1), judged)) return undefined;
  const isHadBefore =
    had.has(`${one.kind} ${metric}`) || (await isHad(all.slice(0, Math.max(0, first)), judged));
  if (!isHadBefore) return one.kind;
  const { createdMs } = row.first;
  return createdMs === null ? undefined : olderOf(one.kind, createdMs);
}

/** Whether any of these may have the metric: some of the kind, spread over all, are asked for it alone. */
async function isHad(
  candidates: readonly Candidate[],
  { one: { kind }, metric, refused }: Generalising,
): Promise<boolean> {
  const { work } = refused;
  const pool = known(candidates.filter(({ listed }) => listed.kind === kind && asks(listed)));
  let isRefused = pool.length === 0;
  for (const candidate of spread(pool, othersOfAKind)) {
    const has = await hasMetric(candidate, metric, work);
    if (has === true) return true;
    if (has === undefined) continue;
    const { id } = candidate.listed;
    isRefused = true;
    work.deferred.add(id);
    refuseMetric(id, metric, refused);
  }
  return !isRefused;

  function asks(listed: Listed): boolean {
    const { memory, context } = work;
    const at = { memory, nowMs: context.nowMs };
    const isOpen = !isLeftOut(listed, memory, context.nowMs);
    return isOpen && metricsFor([metric], subjectsOf(listed, memory), at).length > 0;
  }

  /** Whose values are known has most to lose. */
  function known(some: readonly Candidate[]): readonly Candidate[] {
    const { published } = work.context.memory;
    const before = some.filter(({ listed }) => published.has(keyNumber(listed.id)));
    return before.length > 0 ? before : some;
  }
}
