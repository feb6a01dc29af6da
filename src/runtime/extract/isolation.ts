import { DeadLetterError, isTooMuchData, SkipError } from '../../core/errors.ts';
import type { Json, Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import { maxIds } from '../../core/metric-groups.ts';
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

/** A listed media: as it came, and what refusals and freshness know it by. */
export interface Candidate {
  readonly node: Node;
  readonly listed: Listed;
}

/** What is known of refusals while insights are asked for. */
export interface Isolation {
  readonly context: ExtractContext;
  /** With all that was learned so far. */
  memory: Memory;
  /** What was found to be refused. */
  readonly skipped: Skipped[];
  /** Ids of media that refused a metric just now: to be asked without it, with others that do. */
  readonly deferred: Set<string>;
  /** Media in a row that refused a metric, by kind and metric. */
  readonly inARow: Map<string, number>;
  /** How many media are asked at once: fewer where one after another is at fault. */
  size: number;
  /** The most media that the API has last been able to answer at once. */
  together: number;
}

/** Begins with what the state remembers. */
export function createIsolation(context: ExtractContext): Isolation {
  const { memory } = context;
  return {
    context,
    memory,
    skipped: [],
    deferred: new Set(),
    inARow: new Map(),
    size: maxIds,
    together: maxIds,
  };
}

/** Metrics by media id. */
export type Answers = Map<string, Node>;

/** What one step answered, and who is still to be asked. */
export interface Step {
  readonly answers: Answers;
  readonly rest: readonly Listed[];
}

/** Asks for a group of metrics of all these media, step by step. */
export async function isolate(
  listed: readonly Listed[],
  group: MetricGroup,
  work: Isolation,
): Promise<Answers> {
  const answers: Answers = new Map();
  for (let rest = listed; rest.length > 0;) {
    const step = await askNext(rest, group, work);
    for (const [id, values] of step.answers) answers.set(id, values);
    rest = step.rest;
  }
  return answers;
}

/**
 * Asks for a group of metrics of the first 50 media at once. The API is all-or-nothing: one media
 * without insights or one refused metric fails the request. What it names is left out and the rest
 * asked again; otherwise the first media at fault is searched by halves. It costs log2(50) requests,
 * and who stands behind it is asked with those who come next; once it is remembered it costs none.
 * What is too much data at once is asked in halves, which each success doubles again.
 */
export async function askNext(
  queue: readonly Listed[],
  group: MetricGroup,
  work: Isolation,
): Promise<Step> {
  const left = queue.filter(({ id }) => !work.deferred.has(id));
  const open = left.filter((one) => !isLeftOut(one, work.memory, work.context.nowMs));
  const asked = firstOf(open, group, work);
  const members = new Set(asked.open);
  const others = open.filter((one) => !members.has(one));
  // With no metric left the media are still there, only without this group's values.
  if (asked.metrics.length === 0) {
    return { answers: new Map(asked.open.map(({ id }) => [id, {}])), rest: others };
  }
  const answers = await ask(asked, group, work);
  if (answers === 'too much') return askNext(open, group, work);
  if (answers instanceof SkipError) {
    const found = await search(answers, asked, { group, work });
    return { answers: found.answers, rest: [...found.rest, ...others] };
  }
  work.size = Math.min(maxIds, work.size * 2);
  work.together = Math.min(maxIds, work.together * 2);
  return { answers, rest: others };
}

/** The first media that are still asked for the same metrics; what was learned may part them. */
function firstOf(open: readonly Listed[], group: MetricGroup, work: Isolation): Asked {
  const { memory, context, size, together } = work;
  const kinds = new Map(open.map(({ kind }) => [kind, [] as readonly string[]]));
  for (const kind of kinds.keys()) {
    const at = { memory, nowMs: context.nowMs };
    kinds.set(kind, metricsFor(group.metrics, [everything, kind], at));
  }
  const metrics = kinds.get(open[0]?.kind ?? '') ?? [];
  const same = open.filter(({ kind }) => kinds.get(kind)?.join() === metrics.join());
  return { open: same.slice(0, Math.min(size, together)), metrics };
}

interface Searching {
  readonly group: MetricGroup;
  readonly work: Isolation;
}

/** Finds the first media at fault among those whose request was refused. */
async function search(
  refusal: SkipError,
  { open, metrics }: Asked,
  { group, work }: Searching,
): Promise<Step> {
  const answers: Answers = new Map();
  const rest: Listed[] = [];
  let suspects = open;
  let error = refusal;
  /** Whether the error is of the suspects' own request, and not of one that they were part of. */
  let isTheirs = true;
  while (suspects.length > 0 && !isFound(error, { open: suspects, metrics }, isTheirs)) {
    const half = suspects.slice(0, Math.ceil(suspects.length / 2));
    const outcome = await ask({ open: half, metrics }, group, work);
    // The search goes on among as few as can be asked.
    if (outcome === 'too much') return { answers, rest: [...suspects, ...rest] };
    isTheirs = outcome instanceof SkipError;
    if (outcome instanceof SkipError) {
      rest.unshift(...suspects.slice(half.length));
      suspects = half;
      error = outcome;
    } else {
      for (const [id, values] of outcome) answers.set(id, values);
      suspects = suspects.slice(half.length);
    }
  }
  // It was refused among others, and is answered alone: the trouble has passed.
  if (suspects.length === 0) return { answers, rest };
  const found = { open: suspects, metrics };
  // Where one media after another is at fault, searching among many is dear.
  if (answers.size === 0 && !isNamed(error, found)) work.size = Math.ceil(work.size / 2);
  learn(error, found, work);
  return { answers, rest: [...suspects, ...rest] };
}

function isFound(error: SkipError, asked: Asked, isTheirs: boolean): boolean {
  if (isNamed(error, asked)) return true;
  // The others answer this metric, so that it is the last one's: that need not be asked.
  return asked.open.length === 1 && (isTheirs || namesMetric(error, asked.metrics));
}

function namesMetric({ subjects }: SkipError, metrics: readonly string[]): boolean {
  return metrics.some((metric) => subjects.includes(metric));
}

/** One request; its refusal comes back, or that fewer are to be asked. Any other error is thrown. */
async function ask(
  { open, metrics }: Asked,
  group: MetricGroup,
  work: Isolation,
): Promise<Answers | SkipError | 'too much'> {
  try {
    const answers = answersOf(open, await askIds(open, { ...group, metrics }, work.context));
    for (const row of rowsOf(open, metrics)) work.inARow.delete(row);
    return answers;
  } catch (error) {
    if (error instanceof SkipError) return error;
    // Of one media alone there is nothing to take away.
    if (!isTooMuchData(error) || open.length === 1) throw error;
    work.together = Math.ceil(open.length / 2);
    return 'too much';
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
  refused.work.deferred.add(one.id);
  if (count >= refusalsOfAKind) refused.work.size = maxIds;
  refuseMetric(count < refusalsOfAKind ? one.id : one.kind, metric, refused);
}

function refuseMetric(subject: string, metric: string, { error, work }: Refused): void {
  const refusal = { subject, metric, reason: error.code };
  work.memory = leaveOutMetric(work.memory, refusal, work.context.nowMs);
  work.skipped.push({ reason: error.code, subject: `${subject} ${metric}` });
}

/** One request for a group of metrics of some media. @throws as `Graph.get` */
export function askIds(
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
