import { afterTrial, trialsOf } from '../../core/refusals.ts';
import { hasMetric } from './faults.ts';
import type { Candidate } from './faults.ts';
import type { Isolation } from './isolation-work.ts';

/**
 * Tries metrics again that were refused a week ago: one media of a kind is asked for one metric, so
 * that many media which still refuse it cost one request and not a search for each.
 */
export async function tryAgain(due: readonly Candidate[], work: Isolation): Promise<void> {
  const { nowMs } = work.context;
  const nodes = new Map(due.map(({ node, listed }) => [listed.id, node]));
  const listed = due.map((one) => one.listed);
  for (const trial of trialsOf(listed, work.memory, nowMs)) {
    const candidate = { listed: trial.listed, node: nodes.get(trial.listed.id) ?? {} };
    const answered = await hasMetric(candidate, trial.metric, work);
    if (answered === undefined) continue;
    work.memory = afterTrial(work.memory, { trial, answered }, nowMs);
  }
}
