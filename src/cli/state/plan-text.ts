import { type Json, type Node, isNode } from '../../engine/json.ts';
import { printableLines } from '../../engine/printable.ts';
import type { Owner } from '../../kafka/index.ts';
import type { StateForm } from '../../registry/index.ts';
import type { Plan, PlannedWrite } from './plan.ts';

/** The result of a plan. */
export interface PlanReport {
  readonly plan: Plan;
  readonly applied: boolean;
  /** Instances that poll accounts of the plan's partitions. */
  readonly owners: readonly Owner[];
  /** True when the command requests a hand-over from them. */
  readonly requestsHandOver: boolean;
  /** Name of a missing topic that the plan creates; null when it exists. */
  readonly createsTopic: string | null;
}

/** Formats a report as JSON. */
export function reportJson({ plan, applied, owners }: PlanReport, form: StateForm): string {
  const changes = plan.writes.map(({ key, partition, movedFrom, change, unreadable }) => ({
    key,
    partition,
    ...(movedFrom === undefined ? {} : { moved_from: movedFrom.partition }),
    action: actionOf(movedFrom !== undefined, change.after === null),
    before: change.before === null ? null : form.toJson(change.before),
    after: change.after === null ? null : form.toJson(change.after),
    unreadable,
  }));
  return `${JSON.stringify({ applied, changes, notes: plan.notes, owners }, null, 2)}\n`;
}

function actionOf(isMove: boolean, isDeletion: boolean): string {
  if (isMove) return 'move';
  return isDeletion ? 'delete' : 'write';
}

/** Formats a report for a person. */
export function reportText(report: PlanReport, form: StateForm): string {
  const { plan } = report;
  const lines = [
    ...plan.writes.flatMap((write) => describeWrite(write, form)),
    ...plan.notes,
    ...closing(report),
  ];
  return printableLines(`${lines.join('\n')}\n`);
}

function closing({
  plan,
  applied,
  owners,
  createsTopic,
  requestsHandOver,
}: PlanReport): readonly string[] {
  const { length } = plan.writes;
  if (length === 0) return ['Nothing to change.'];
  if (applied) return [`Written: ${length} ${length === 1 ? 'state' : 'states'}.`];
  return [
    ...(createsTopic === null
      ? []
      : [`The topic ${createsTopic} is not there yet: --apply makes it.`]),
    ...owners.map(
      ({ partition, name }) =>
        `Partition ${partition} is being polled by ${name}: ` +
        (requestsHandOver
          ? '--apply has it handed over.'
          : 'stop it first, or have it handed over by --hand-over.'),
    ),
    'Nothing was written: this is what --apply would do.',
  ];
}

function describeWrite(write: PlannedWrite, form: StateForm): readonly string[] {
  const { key, partition, movedFrom, change, unreadable } = write;
  if (movedFrom !== undefined) {
    return [`${key} (partition ${movedFrom.partition} to ${partition}): moved`];
  }
  const before = change.before === null ? null : (form.toJson(change.before) as Node);
  const after = change.after === null ? null : (form.toJson(change.after) as Node);
  const action =
    after === null ? 'deleted' : before === null && unreadable === null ? 'new' : 'changed';
  return [
    `${key} (partition ${partition}): ${action}`,
    ...(unreadable === null ? [] : [`  it cannot be read: ${unreadable}`]),
    ...differences(before, after),
  ];
}

/** Fields that the key repeats or that cannot be chosen. */
const identity = new Set(['format_version', 'stream', 'account_id']);

/**
 * Formats a line a differing field; for a new or a deleted state a line a field that is not empty.
 */
function differences(before: Node | null, after: Node | null): readonly string[] {
  const names = Object.keys(after ?? before ?? {}).filter((name) => !identity.has(name));
  return names.flatMap((name) => {
    const [old, now] = [before?.[name] ?? null, after?.[name] ?? null];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    if (before === null) return isEmpty(now) ? [] : [`  ${name}: ${show(now)}`];
    if (after === null) return isEmpty(old) ? [] : [`  ${name}: ${show(old)}`];
    return [`  ${name}: ${show(old)} -> ${show(now)}`];
  });
}

function isEmpty(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

const longestShown = 60;

function show(value: Json): string {
  if (Array.isArray(value)) return `${value.length} ${value.length === 1 ? 'entry' : 'entries'}`;
  if (isNode(value)) return `${Object.keys(value).length} entries`;
  if (typeof value !== 'string') return JSON.stringify(value);
  return value.length > longestShown ? `${value.length} characters` : value;
}
