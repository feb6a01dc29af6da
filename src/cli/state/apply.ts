import { StopProcessError } from '../../engine/errors.ts';
import { partitionsOfWrite, type Owner } from '../../kafka/index.ts';
import type { Plan } from './plan.ts';
import { reportJson, reportText } from './plan-text.ts';
import type { StateSession } from './session.ts';

/** How a plan is carried out. */
export interface ApplyOptions {
  /** Without it the plan is only shown. */
  readonly apply: boolean;
  /** Asks a running instance to hand its partitions over. */
  readonly asks: boolean;
  /** Takes them away from one that was asked and does not. */
  readonly force: boolean;
  readonly json: boolean;
}

/**
 * Shows a plan, and carries it out when it is to be applied. A running instance that owns a key is left
 * alone, or hands its partitions over for the time of the write; when forced they are taken away from
 * one that does not.
 *
 * @param plan - made anew after a hand-over, of what the instance has written until then
 * @returns what to print
 * @throws StopProcessError `state.owned` when an instance owns a key; what `write` throws
 */
export async function carryOut(
  session: StateSession,
  plan: (session: StateSession) => Plan,
  { apply, force, asks, json }: ApplyOptions,
): Promise<string> {
  const shown = plan(session);
  const owners = await ownersOf(shown, session);
  const applied = apply && shown.writes.length > 0;
  const made = applied ? await write({ session, plan, shown, owners }, { asks, force }) : shown;
  const createsTopic = session.exists ? null : session.topic;
  const report = { plan: made, applied, owners, createsTopic, asks };
  return json ? reportJson(report, session.form) : reportText(report, session.form);
}

async function ownersOf({ writes }: Plan, session: StateSession): Promise<readonly Owner[]> {
  if (writes.length === 0) return [];
  const owners = await session.owners();
  const changed = new Set(writes.flatMap(partitionsOfWrite));
  return owners.filter(({ partition }) => changed.has(partition));
}

interface Writing {
  readonly session: StateSession;
  readonly plan: (session: StateSession) => Plan;
  /** What was planned at first. */
  readonly shown: Plan;
  readonly owners: readonly Owner[];
}

/** @returns what was written */
async function write(
  { session, plan, shown, owners }: Writing,
  { asks, force }: { readonly asks: boolean; readonly force: boolean },
): Promise<Plan> {
  let made = shown;
  const partitions = [...new Set(shown.writes.flatMap(partitionsOfWrite))];
  const borrow = () =>
    session.borrowing(partitions, async (fresh) => {
      made = plan(fresh);
      await fresh.write(made.writes);
    });
  if (owners.length > 0 && asks && (await borrow())) return made;
  if (owners.length > 0 && !force) throw owned(shown, owners, asks);
  await session.write(shown.writes);
  return shown;
}

function owned({ writes }: Plan, owners: readonly Owner[], wasAsked: boolean): StopProcessError {
  const who = [...new Set(owners.map(({ name }) => name))].join(', ');
  const partitions = new Set(owners.map(({ partition }) => partition));
  const keys = writes
    .filter((write) => partitionsOfWrite(write).some((one) => partitions.has(one)))
    .map(({ key }) => key);
  const shown = keys.slice(0, 3).join(', ') + (keys.length > 3 ? `, … (${keys.length})` : '');
  const why = wasAsked
    ? 'It did not hand them over in time: it may be of an older version. '
    : 'It would go on from what it knows, not from what is written. ';
  return new StopProcessError(
    'state.owned',
    `A running instance owns ${shown}: ${who}. ${why}Nothing was written. Stop it and run the command ` +
      `again, or add ${wasAsked ? '--force: they are taken away from it' : '--hand-over: it hands these partitions over for a moment'}.`,
    { exitCode: 3 },
  );
}
