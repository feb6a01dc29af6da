import { StopProcessError } from '../../core/errors.ts';
import type { Owner } from '../../kafka/open.ts';
import type { Plan } from './plan.ts';
import { reportJson, reportText } from './plan-text.ts';
import type { StateSession } from './session.ts';

/** How a plan is carried out. */
export interface ApplyOptions {
  /** Without it the plan is only shown. */
  readonly apply: boolean;
  /** Writes although a running instance polls the accounts. */
  readonly force: boolean;
  readonly json: boolean;
}

/**
 * Shows a plan, and carries it out when it is to be applied.
 *
 * @returns what to print
 * @throws StopProcessError `state.owned` when an instance owns a key; what `write` throws
 */
export async function carryOut(
  session: StateSession,
  plan: Plan,
  { apply, force, json }: ApplyOptions,
): Promise<string> {
  const touched = new Set(plan.writes.map(({ partition }) => partition));
  const owners =
    touched.size === 0
      ? []
      : (await session.owners()).filter(({ partition }) => touched.has(partition));
  const applied = apply && plan.writes.length > 0;
  if (applied) {
    if (owners.length > 0 && !force) throw owned(plan, owners);
    await session.write(plan.writes);
  }
  const createsTopic = session.exists ? null : session.topic;
  const report = { plan, applied, owners, createsTopic };
  return json ? reportJson(report, session.form) : reportText(report, session.form);
}

function owned({ writes }: Plan, owners: readonly Owner[]): StopProcessError {
  const who = [...new Set(owners.map(({ name }) => name))].join(', ');
  const partitions = new Set(owners.map(({ partition }) => partition));
  const keys = writes.filter(({ partition }) => partitions.has(partition)).map(({ key }) => key);
  const shown = keys.slice(0, 3).join(', ') + (keys.length > 3 ? `, … (${keys.length})` : '');
  return new StopProcessError(
    'state.owned',
    `A running instance owns ${shown}: ${who}. It would go on from what it knows, not from what is ` +
      'written. Nothing was written. Stop it and run the command again; --force writes all the same, and ' +
      'takes these partitions away from it.',
    { exitCode: 3 },
  );
}
