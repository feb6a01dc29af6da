import { FailError, RetryError, SkipError, StopStreamError } from '../../core/errors.ts';
import type { Node } from '../../core/json.ts';
import { isDoubtful, isLeftOut, metricsFor, subjectsOf } from '../../core/refusals.ts';
import type { Listed } from '../../core/refusals.ts';
import type { Memory } from '../../core/state.ts';
import type { MetricGroup } from '../../core/stream.ts';
import type { ExtractContext } from '../extraction.ts';
import { askIds } from './ids.ts';

/** A listed media: as it came, and what refusals and freshness know it by. */
export interface Candidate {
  readonly node: Node;
  readonly listed: Listed;
}

/** The whole list, and what its media are asked for. */
export interface Known {
  readonly all: () => readonly Candidate[];
  readonly groupsOf: (node: Node) => readonly MetricGroup[];
}

/** What decides whose fault an error is. */
export interface Judging extends Known {
  readonly context: ExtractContext;
  readonly memory: Memory;
  /** Whether insights of any media were answered in this try of the poll, since one was found at fault. */
  answered: boolean;
  /** Whether the server was found to fail for one of the media in this try. */
  faulty: boolean;
}

/** So many times must the same request of several media fail before one of them is at fault. */
const timesToFail = 3;
/** So many others are asked alone before an error is everybody's. */
const witnesses = 3;

/** Errors that may be about one of the media asked though they do not say so. */
function isFault(error: unknown): error is RetryError | FailError | StopStreamError {
  if (error instanceof RetryError) return error.code === 'graph.server';
  const isDenied = error instanceof FailError || error instanceof StopStreamError;
  return isDenied && error.code === 'graph.permission';
}

/**
 * Takes an error for the fault of one of the media asked: a missing permission when others are answered,
 * a server that fails when it does so for the third time besides.
 *
 * @throws the error, where it may pass by itself or is about the whole account
 */
export async function blame(
  error: unknown,
  asked: { readonly open: readonly Listed[]; readonly metrics: readonly string[] },
  judging: Judging,
): Promise<SkipError> {
  const fault = faultOf(error);
  if (error instanceof RetryError && mayPass(asked, judging)) throw error;
  // A permission may have been taken away since others were answered.
  if (!(error instanceof RetryError)) judging.answered = false;
  if (!(await othersAnswer(asked.open, judging))) throw error;
  // Other refusals may be found first, and what is left to ask is another request then.
  judging.faulty ||= error instanceof RetryError;
  return fault;
}

/** The poll's own retries come first, but where it is known that the server fails for one media. */
function mayPass(
  { open, metrics }: { readonly open: readonly Listed[]; readonly metrics: readonly string[] },
  { context: { failures }, memory, faulty }: Judging,
): boolean {
  const request = `${open.map(({ id }) => id).join()} ${metrics.join()}`;
  const times = (failures.get(request) ?? 0) + 1;
  failures.set(request, times);
  const isKnown = open.every((one) => isDoubtful(one, memory)) || (faulty && open.length > 1);
  return times < timesToFail && !isKnown;
}

/** Whether media are answered while others are not; some are asked alone to find out. */
async function othersAnswer(asked: readonly Listed[], judging: Judging): Promise<boolean> {
  const { all, context, memory } = judging;
  if (judging.answered) return true;
  const ids = new Set(asked.map(({ id }) => id));
  const left = all().filter(({ listed }) => !isLeftOut(listed, memory, context.nowMs));
  const others = left.filter(({ listed }) => !ids.has(listed.id));
  const pool = others.length > 0 || asked.length === 1 ? others : left;
  for (const candidate of spread(pool, witnesses)) {
    if (await isAnswered(candidate, judging)) judging.answered = true;
    if (judging.answered) return true;
  }
  return false;
}

/** A refusal is an answer too. */
async function isAnswered({ node, listed }: Candidate, judging: Judging): Promise<boolean> {
  const { context, memory } = judging;
  const [group] = judging.groupsOf(node);
  const at = { memory, nowMs: context.nowMs };
  const metrics = metricsFor(group?.metrics ?? [], subjectsOf(listed, memory), at);
  if (metrics.length === 0) return false;
  try {
    await askIds([listed], { ...group, metrics }, context);
    return true;
  } catch (error) {
    if (error instanceof SkipError) return true;
    if (isFault(error)) return false;
    throw error;
  }
}

/** An error of a part of those that were blamed already. @throws any that is none of a single media */
export function faultOf(error: unknown): SkipError {
  if (!isFault(error)) throw error;
  return new SkipError(error.code, error.message);
}

/** Whether a media has a metric, asked for it alone; undefined where the answer is about something else. */
export async function hasMetric(
  { node, listed }: Candidate,
  metric: string,
  { groupsOf, context }: Pick<Judging, 'groupsOf' | 'context'>,
): Promise<boolean | undefined> {
  const group = groupsOf(node).find(({ metrics }) => metrics.includes(metric));
  if (group === undefined) return undefined;
  try {
    await askIds([listed], { ...group, metrics: [metric] }, context);
    return true;
  } catch (error) {
    if (isFault(error)) return undefined;
    if (!(error instanceof SkipError)) throw error;
    const isAboutIt = error.subjects.includes(metric) && error.code !== 'graph.metric-unknown';
    return isAboutIt ? false : undefined;
  }
}

/** Some of a list: its first, its last, and what lies evenly between. */
export function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from(
    { length: count },
    (_, index) => list[Math.round((index * (list.length - 1)) / (count - 1))],
  ).filter((one) => one !== undefined);
}
