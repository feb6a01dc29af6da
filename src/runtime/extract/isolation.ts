import { DeadLetterError, SkipError } from '../../core/errors.ts';
import type { Json, Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import { metricValues } from '../../core/metric-values.ts';
import {
  everything,
  isLeftOut,
  leaveOut,
  leaveOutMetric,
  metricsFor,
} from '../../core/refusals.ts';
import type { Listed } from '../../core/refusals.ts';
import type { Memory } from '../../core/state.ts';
import type { MetricGroup } from '../../core/stream.ts';
import type { ExtractContext, Skipped } from '../extraction.ts';

/** After so many media of a kind that refuse a metric, none that has it between, all of it do. */
const refusalsOfAKind = 8;

/** What is known of refusals while insights are asked for. */
export interface Isolation {
  readonly context: ExtractContext;
  /** With all that was learned so far. */
  memory: Memory;
  /** What was found to be refused. */
  readonly skipped: Skipped[];
  /** Media in a row that refused a metric, by kind and metric. */
  readonly inARow: Map<string, number>;
}

/** Begins with what the state remembers. */
export function createIsolation(context: ExtractContext): Isolation {
  return { context, memory: context.memory, skipped: [], inARow: new Map() };
}

type Answers = Map<string, Node>;

/**
 * Asks for a group of metrics of all media at once. The API is all-or-nothing: one media without
 * insights or one refused metric fails the request. What it names is left out and the rest asked
 * again; otherwise the media are halved until the one at fault stands alone: at most
 * 2·log2(50) + 2 further requests for it, and none once it is remembered.
 */
export async function isolate(
  listed: readonly Listed[],
  group: MetricGroup,
  work: Isolation,
): Promise<Answers> {
  const open = listed.filter((one) => !isLeftOut(one, work.memory, work.context.nowMs));
  const answers: Answers = new Map();
  for (const asked of byMetricsLeft(open, group, work)) {
    for (const [id, values] of await askOpen(asked, group, work)) answers.set(id, values);
  }
  return answers;
}

/** What was learned meanwhile may part media that began with the same metrics. */
function byMetricsLeft(
  open: readonly Listed[],
  group: MetricGroup,
  { memory, context: { nowMs } }: Isolation,
): readonly Asked[] {
  const parts = new Map<string, { open: Listed[]; metrics: readonly string[] }>();
  for (const one of open) {
    const subjects = [everything, one.kind, ...(open.length === 1 ? [one.id] : [])];
    const metrics = metricsFor(group.metrics, subjects, { memory, nowMs });
    const part = parts.get(metrics.join()) ?? { open: [], metrics };
    part.open.push(one);
    parts.set(metrics.join(), part);
  }
  return [...parts.values()];
}

async function askOpen(
  { open, metrics }: Asked,
  group: MetricGroup,
  work: Isolation,
): Promise<Answers> {
  // With no metric left the media are still there, only without this group's values.
  if (metrics.length === 0) return new Map(open.map(({ id }) => [id, {}]));
  try {
    const answers = answersOf(open, await askIds(open, { ...group, metrics }, work.context));
    for (const row of rowsOf(open, metrics)) work.inARow.delete(row);
    return answers;
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    learn(error, { open, metrics }, work);
    if (open.length === 1 || isNamed(error, { open, metrics })) return isolate(open, group, work);
    return halve(open, group, work);
  }
}

function rowsOf(open: readonly Listed[], metrics: readonly string[]): readonly string[] {
  const kinds = [...new Set(open.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => metrics.map((metric) => `${kind} ${metric}`));
}

interface Asked {
  readonly open: readonly Listed[];
  readonly metrics: readonly string[];
}

/** Whether the refusal itself says what to leave out, so that nothing need be searched. */
function isNamed({ code, subjects }: SkipError, { open, metrics }: Asked): boolean {
  if (code === 'graph.metric-unknown') return metrics.some((metric) => subjects.includes(metric));
  return open.some(({ id }) => subjects.includes(id));
}

/** Takes in what a refusal says for certain: of the one media asked, or of what it names. */
function learn(error: SkipError, asked: Asked, work: Isolation): void {
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
    for (const metric of named) refuseMetricOf(one, metric, { error, work });
  }
}

interface Refused {
  readonly error: SkipError;
  readonly work: Isolation;
}

function refuseMedia(listed: Listed, { error, work }: Refused): void {
  work.memory = leaveOut(work.memory, { listed, reason: error.code }, work.context.nowMs);
  work.skipped.push({ reason: error.code, subject: listed.id });
}

function refuseMetricOf(one: Listed, metric: string, refused: Refused): void {
  const { inARow } = refused.work;
  const row = `${one.kind} ${metric}`;
  const count = (inARow.get(row) ?? 0) + 1;
  inARow.set(row, count);
  refuseMetric(count < refusalsOfAKind ? one.id : one.kind, metric, refused);
}

function refuseMetric(subject: string, metric: string, { error, work }: Refused): void {
  const refusal = { subject, metric, reason: error.code };
  work.memory = leaveOutMetric(work.memory, refusal, work.context.nowMs);
  work.skipped.push({ reason: error.code, subject: `${subject} ${metric}` });
}

async function halve(
  open: readonly Listed[],
  group: MetricGroup,
  work: Isolation,
): Promise<Answers> {
  const middle = Math.ceil(open.length / 2);
  const first = await isolate(open.slice(0, middle), group, work);
  const second = await isolate(open.slice(middle), group, work);
  return new Map([...first, ...second]);
}

function askIds(
  open: readonly Listed[],
  group: MetricGroup,
  { graph, account, signal }: ExtractContext,
): Promise<Node> {
  const breakdown = group.breakdown === undefined ? '' : `.breakdown(${group.breakdown})`;
  return graph.get(
    {
      endpoint: '/?ids',
      path: '/',
      query: {
        ids: open.map(({ id }) => id).join(','),
        fields: `insights.metric(${group.metrics.join(',')})${breakdown}`,
      },
      accountId: account.id,
    },
    signal,
  );
}

function answersOf(open: readonly Listed[], body: Node): Answers {
  return new Map(
    open.map(({ id }) => {
      const answer: Json | undefined = body[id];
      if (!isNode(answer)) {
        throw new DeadLetterError(
          'graph.bad-body',
          `field "${id}": the answer to ?ids= lacks a media that was asked`,
          { path: id, raw: JSON.stringify(body) },
        );
      }
      // A media without any insight comes as its id alone.
      const insights = answer['insights'];
      return [id, insights === undefined ? {} : metricValues(insights, answer)] as const;
    }),
  );
}
