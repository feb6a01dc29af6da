import { isTooMuchData, SkipError } from '../../core/errors.ts';
import { maxIds } from '../../core/metric-groups.ts';
import {
  isDoubtful,
  isLeftOut,
  metricsFor,
  subjectsOf,
  withoutDoubt,
} from '../../core/refusals.ts';
import type { Listed } from '../../core/refusals.ts';
import type { MetricGroup } from '../../core/stream.ts';
import { blame, faultOf } from './faults.ts';
import { answersOf, askIds } from './ids.ts';
import type { Answers } from './ids.ts';
import type { Asked, Isolation } from './isolation-work.ts';
import { isNamed, learn } from './learning.ts';

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
  const answers = await ask(asked, group, work).catch((error: unknown) =>
    blame(error, asked, work),
  );
  if (answers === 'too much') return askNext(open, group, work);
  if (answers instanceof SkipError) {
    const found = await search(answers, asked, { group, work });
    return { answers: found.answers, rest: [...found.rest, ...others] };
  }
  work.size = Math.min(maxIds, work.size * 2);
  work.together = Math.min(maxIds, work.together * 2);
  return { answers, rest: others };
}

/**
 * The first media that are still asked for the same metrics; what was learned may part them. Those for
 * which the server failed or a permission was missing are asked apart, as it may be so still.
 */
function firstOf(open: readonly Listed[], group: MetricGroup, work: Isolation): Asked {
  const { memory, context, size, together } = work;
  const at = { memory, nowMs: context.nowMs };
  const known = new Map<string, readonly string[]>();
  const metricsOf = (one: Listed): readonly string[] => {
    const subjects = subjectsOf(one, memory).filter((subject) => subject !== one.id);
    const metrics = known.get(subjects.join()) ?? metricsFor(group.metrics, subjects, at);
    known.set(subjects.join(), metrics);
    return metrics;
  };
  const [first] = open;
  if (first === undefined) return { open: [], metrics: [] };
  const metrics = metricsOf(first);
  const doubtful = isDoubtful(first, memory);
  const same = open.filter(
    (one) => isDoubtful(one, memory) === doubtful && metricsOf(one).join() === metrics.join(),
  );
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
    const outcome = await ask({ open: half, metrics }, group, work).catch(faultOf);
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
  await learn(error, found, work);
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
    const body = await askIds(open, { ...group, metrics }, work.context);
    const answers = answersOf(open, body, work.rejected);
    noteAnswered({ open, metrics }, work);
    return answers;
  } catch (error) {
    if (error instanceof SkipError) return error;
    // Of one media alone there is nothing to take away.
    if (!isTooMuchData(error) || open.length === 1) throw error;
    work.together = Math.ceil(open.length / 2);
    return 'too much';
  }
}

function noteAnswered({ open, metrics }: Asked, work: Isolation): void {
  work.answered = true;
  work.memory = withoutDoubt(work.memory, open);
  for (const kind of new Set(open.map((one) => one.kind))) {
    for (const metric of metrics) {
      work.rows.delete(`${kind} ${metric}`);
      work.had.add(`${kind} ${metric}`);
    }
  }
}
