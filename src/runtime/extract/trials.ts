import { SkipError } from '../../core/errors.ts';
import type { Node } from '../../core/json.ts';
import { afterTrial, trialsOf } from '../../core/refusals.ts';
import type { Trial } from '../../core/refusals.ts';
import type { MetricGroup } from '../../core/stream.ts';
import { askIds } from './isolation.ts';
import type { Candidate, Isolation } from './isolation.ts';

/**
 * Tries metrics again that were refused a week ago: one media of a kind is asked for one metric, so
 * that many media which still refuse it cost one request and not a search for each.
 */
export async function tryAgain(
  due: readonly Candidate[],
  groupsOf: (node: Node) => readonly MetricGroup[],
  work: Isolation,
): Promise<void> {
  const { nowMs } = work.context;
  const nodes = new Map(due.map(({ node, listed }) => [listed.id, node]));
  const listed = due.map((one) => one.listed);
  for (const trial of trialsOf(listed, work.memory, nowMs)) {
    const groups = groupsOf(nodes.get(trial.listed.id) ?? {});
    const group = groups.find(({ metrics }) => metrics.includes(trial.metric));
    const answered = group === undefined ? undefined : await askOne(trial, group, work);
    if (answered === undefined) continue;
    work.memory = afterTrial(work.memory, { trial, answered }, nowMs);
  }
}

/** Whether the media has the metric; undefined when the refusal is about something else. */
async function askOne(
  { listed, metric }: Trial,
  group: MetricGroup,
  work: Isolation,
): Promise<boolean | undefined> {
  try {
    await askIds([listed], { ...group, metrics: [metric] }, work.context);
    return true;
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    const isAboutIt = error.subjects.includes(metric) && error.code !== 'graph.metric-unknown';
    return isAboutIt ? false : undefined;
  }
}
