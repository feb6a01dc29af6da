import { StopProcessError } from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import { printableLines } from '../../engine/printable.ts';
import type { StreamState } from '../../engine/state.ts';
import { type Owner, partitionsOfWrite, type TopicRecord } from '../../kafka/index.ts';
import { jsonText } from '../command.ts';
import { plural } from '../text.ts';
import type { Plan, PlannedWrite } from './plan.ts';
import type { StateSession } from './session.ts';

/** Options of the commands that change states. */
export interface ApplyOptions {
  /** Writes the plan, which is only shown otherwise. */
  readonly apply?: boolean;
  /** Requests a hand-over from a running instance; true by default with `force`. */
  readonly handOver?: boolean;
  /** Takes the partitions of an instance that does not hand them over. */
  readonly force?: boolean;
  readonly json?: boolean;
}

/**
 * Prints a plan and, with `apply`, writes it. A running instance that owns a key is left alone, or
 * hands its partitions over for the time of the write.
 * @param plan - computed again after a hand-over, from the states that the instance has written
 * @throws StopProcessError `state.owned` when an instance owns a key; the errors of `write`
 */
export async function carryOut(
  session: StateSession,
  plan: (session: StateSession) => Plan | Promise<Plan>,
  options: ApplyOptions,
): Promise<0> {
  const shown = await plan(session);
  const partitions = [...new Set(shown.writes.flatMap(partitionsOfWrite))];
  const all = partitions.length === 0 ? [] : await session.owners();
  const owners = all.filter(({ partition }) => partitions.includes(partition));
  const { apply = false, force = false, handOver = force, json = false } = options;
  const writeDuringHandOver = () =>
    session.duringHandOver(partitions, async (fresh) => {
      const current = await plan(fresh);
      await fresh.write(current.writes);
      return current;
    });
  const write = async (): Promise<Plan> => {
    const isOwned = owners.length > 0;
    const handedOver = isOwned && handOver ? await writeDuringHandOver() : 'not-handed-over';
    if (handedOver !== 'not-handed-over') return handedOver;
    if (isOwned && !force) throw owned(shown, owners, handOver);
    await session.write(shown.writes);
    return shown;
  };
  const applied = apply && shown.writes.length > 0;
  const report = { session, plan: applied ? await write() : shown, owners, applied };
  process.stdout.write(json ? reportJson(report) : reportText(report, handOver));
  return 0;
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
    : 'It would continue from the state in its memory, not from the new one. ';
  return new StopProcessError(
    'state.owned',
    `A running instance owns ${shown}: ${instances}. ${why}Nothing was written. Stop it and run the command ` +
      `again, or add ${wasRequested ? '--force: it acquires them from that instance' : '--hand-over: it hands these partitions over for a moment'}.`,
    { exitCode: 3 },
  );
}

interface Report {
  readonly session: StateSession;
  readonly plan: Plan;
  /** Instances that poll accounts of the plan's partitions. */
  readonly owners: readonly Owner[];
  readonly applied: boolean;
}

function reportJson({ session, plan, applied, owners }: Report): string {
  const changes = plan.writes.map(({ key, partition, movedFrom, before, after, ...write }) => ({
    key,
    partition,
    ...(movedFrom === undefined
      ? { action: after === null ? 'delete' : 'write' }
      : { moved_from: movedFrom.partition, action: 'move' }),
    before: asNode(before, session),
    after: asNode(after, session),
    unreadable: write.unreadable,
    ...(write.deletions && { tombstones: write.deletions.map(placeOfRecord) }),
  }));
  return jsonText({ applied, changes, notes: plan.notes, owners });
}

function placeOfRecord({ topic, partition, key }: TopicRecord) {
  return { topic, partition, key };
}

function asNode(state: StreamState | null, { form }: StateSession): Node | null {
  return state === null ? null : (form.toJson(state) as Node);
}

function reportText(report: Report, handsOver: boolean): string {
  const { session, plan, owners, applied } = report;
  const { length } = plan.writes;
  const lines = [...plan.writes.flatMap((write) => describeWrite(write, session)), ...plan.notes];
  if (length === 0) lines.push('Nothing to change.');
  else if (applied) lines.push(`Written: ${plural(length, 'state')}.`);
  else {
    if (!session.exists) {
      lines.push(`The topic ${session.topic} is not there yet: --apply makes it.`);
    }
    const way = handsOver
      ? '--apply has it handed over.'
      : 'stop it first, or have it handed over by --hand-over.';
    for (const { partition, name } of owners) {
      lines.push(`Partition ${partition} is being polled by ${name}: ${way}`);
    }
    lines.push('Nothing was written: this is what --apply would do.');
  }
  return printableLines(`${lines.join('\n')}\n`);
}

function describeWrite(write: PlannedWrite, session: StateSession): readonly string[] {
  const { key, partition, movedFrom, unreadable } = write;
  if (movedFrom !== undefined) {
    return [`${key} (partition ${movedFrom.partition} to ${partition}): moved`];
  }
  const [before, after] = [asNode(write.before, session), asNode(write.after, session)];
  const written = before === null && unreadable === null ? 'new' : 'changed';
  return [
    `${key} (partition ${partition}): ${after === null ? 'deleted' : written}`,
    ...(unreadable === null ? [] : [`  it cannot be read: ${unreadable}`]),
    ...(write.details ?? differences(before, after)),
  ];
}

/** Fields that the key repeats or that cannot be chosen. */
const identity = new Set(['format_version', 'stream', 'account_id']);

/**
 * Formats one line per differing field; for a new or a deleted state, one per field with content.
 */
function differences(before: Node | null, after: Node | null): readonly string[] {
  const names = Object.keys(after ?? before ?? {}).filter((name) => !identity.has(name));
  return names.flatMap((name) => {
    const [old, now] = [before?.[name] ?? null, after?.[name] ?? null];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    if (before !== null && after !== null) return [`  ${name}: ${show(old)} -> ${show(now)}`];
    const only = after === null ? old : now;
    return isEmpty(only) ? [] : [`  ${name}: ${show(only)}`];
  });
}

function isEmpty(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

const longestShown = 60;

function show(value: Json): string {
  if (Array.isArray(value)) return plural(value.length, 'entry', 'entries');
  if (isNode(value)) return `${Object.keys(value).length} entries`;
  if (typeof value !== 'string') return JSON.stringify(value);
  return value.length > longestShown ? `${value.length} characters` : value;
}
