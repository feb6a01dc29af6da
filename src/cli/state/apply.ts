import { StopProcessError } from '../../engine/errors.ts';
import { partitionsOfWrite, type Owner } from '../../kafka/index.ts';
import type { Plan } from './plan.ts';
import { reportJson, reportText } from './plan-text.ts';
import type { StateSession } from './session.ts';

/** Options of the execution of a plan. */
export interface ApplyOptions {
  /** True to write; false to show the plan only. */
  readonly apply: boolean;
  /** True to request a hand-over from a running instance. */
  readonly requestsHandOver: boolean;
  /** True to take the partitions of an instance that does not hand them over. */
  readonly force: boolean;
  readonly json: boolean;
}

/**
 * Shows a plan and, with `apply`, writes it. A running instance that owns a key is left alone, or
 * hands its partitions over for the time of the write; with `force` the partitions of an instance
 * that does not are taken.
 *
 * @param plan - computed again after a hand-over, from the states that the instance has written
 *   until then
 * @returns the text to print
 * @throws StopProcessError `state.owned` when an instance owns a key; the errors of `write`
 */
export async function carryOut(
  session: StateSession,
  plan: (session: StateSession) => Plan,
  { apply, force, requestsHandOver, json }: ApplyOptions,
): Promise<string> {
  const shown = plan(session);
  const owners = await ownersOf(shown, session);
  const applied = apply && shown.writes.length > 0;
  const current = applied
    ? await write({ session, plan, shown, owners }, { requestsHandOver, force })
    : shown;
  const createsTopic = session.exists ? null : session.topic;
  const report = { plan: current, applied, owners, createsTopic, requestsHandOver };
  return json ? reportJson(report, session.form) : reportText(report, session.form);
}

async function ownersOf({ writes }: Plan, session: StateSession): Promise<readonly Owner[]> {
  if (writes.length === 0) return [];
  const owners = await session.owners();
  const changed = new Set(writes.flatMap(partitionsOfWrite));
  return owners.filter(({ partition }) => changed.has(partition));
}

interface PlanWrite {
  readonly session: StateSession;
  readonly plan: (session: StateSession) => Plan;
  /** The plan that was shown first. */
  readonly shown: Plan;
  readonly owners: readonly Owner[];
}

/** @returns the plan that was written */
async function write(
  { session, plan, shown, owners }: PlanWrite,
  { requestsHandOver, force }: { readonly requestsHandOver: boolean; readonly force: boolean },
): Promise<Plan> {
  let current = shown;
  const partitions = [...new Set(shown.writes.flatMap(partitionsOfWrite))];
  const writeDuringHandOver = () =>
    session.duringHandOver(partitions, async (fresh) => {
      current = plan(fresh);
      await fresh.write(current.writes);
    });
  if (owners.length > 0 && requestsHandOver && (await writeDuringHandOver())) return current;
  if (owners.length > 0 && !force) throw owned(shown, owners, requestsHandOver);
  await session.write(shown.writes);
  return shown;
}

function owned(
  { writes }: Plan,
  owners: readonly Owner[],
  wasRequested: boolean,
): StopProcessError {
  const instances = [...new Set(owners.map(({ name }) => name))].join(', ');
  const partitions = new Set(owners.map(({ partition }) => partition));
  const keys = writes
    .filter((write) => partitionsOfWrite(write).some((one) => partitions.has(one)))
    .map(({ key }) => key);
  const shown = keys.slice(0, 3).join(', ') + (keys.length > 3 ? `, … (${keys.length})` : '');
  const why = wasRequested
    ? 'It did not hand them over in time: it may be of an older version. '
    : 'It would go on from what it knows, not from what is written. ';
  return new StopProcessError(
    'state.owned',
    `A running instance owns ${shown}: ${instances}. ${why}Nothing was written. Stop it and run the command ` +
      `again, or add ${wasRequested ? '--force: they are taken away from it' : '--hand-over: it hands these partitions over for a moment'}.`,
    { exitCode: 3 },
  );
}
