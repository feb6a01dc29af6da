import { partitionOf } from '../../engine/partition.ts';
import type { ServiceHealth } from '../health.ts';
import {
  type Condition,
  type ConditionSettings,
  type OpenCondition,
  findConditions,
  isOver,
} from './conditions.ts';

/** A record of the topic of notifications: a condition has begun, or is over. */
export interface Notification extends OpenCondition {
  readonly status: 'open' | 'resolved';
  readonly severity: string;
  readonly code: string | null;
  readonly message: string;
  readonly advice: string;
  /** When it was written, epoch milliseconds. */
  readonly atMs: number;
  /** The instance that wrote it. */
  readonly instance: string;
}

export interface TrackerSettings extends ConditionSettings {
  readonly instance: string;
  /**
   * Milliseconds for which other instances leave a condition to the one that owns the partition of
   * its account or key.
   */
  readonly othersAfterMs: number;
}

/** The conditions of the topic that are not over, by key. */
export type OpenConditions = ReadonlyMap<string, Notification>;

/** Returns the records that the topic lacks. Deterministic, and safe to call again. */
export type Tracker = (
  health: ServiceHealth,
  open: OpenConditions,
  nowMs: number,
) => readonly Notification[];

/** A token that is accepted again leaves its accounts stopped until they are listed. */
const restartMs = 60_000;

/**
 * Creates the comparison of the conditions that this instance finds with those of the topic. Each
 * condition is opened once for as long as this instance finds it, even if another instance, which
 * does not find it, resolves it.
 */
export function createTracker({ instance, othersAfterMs, ...settings }: TrackerSettings): Tracker {
  const found = createTimes();
  const over = createTimes();
  const reported = new Set<string>();
  return (health, open, nowMs) => {
    const delayOf = (one: OpenCondition | Condition): number =>
      isOwner(one, health) ? 0 : othersAfterMs;
    const conditions = findConditions(health, settings, nowMs);
    found.keep(conditions.keys(), nowMs);
    for (const key of reported) if (!conditions.has(key)) reported.delete(key);
    for (const key of conditions.keys()) if (open.has(key)) reported.add(key);
    const opened = [...conditions.values()].filter((one) => {
      const waitMs = delayOf(one) + (isRestarting(one) ? restartMs : 0);
      return !reported.has(one.key) && nowMs - found.sinceMs(one.key, nowMs) >= waitMs;
    });
    const ended = [...open.values()].filter(
      (one) => !conditions.has(one.key) && isOver(one, health, settings) && canResolve(one, health),
    );
    over.keep(
      ended.map(({ key }) => key),
      nowMs,
    );
    const resolved = ended.filter((one) => nowMs - over.sinceMs(one.key, nowMs) >= delayOf(one));
    const common = { atMs: nowMs, instance };
    return [
      ...resolved.map((one) => ({ ...one, ...common, status: 'resolved' as const })),
      ...opened.map((one) => {
        const sinceMs = found.sinceMs(one.key, nowMs);
        return { ...one, ...common, sinceMs, status: 'open' as const };
      }),
    ];
  };
}

/** True for an account that may be stopped only until a new token lists it. */
function isRestarting({ kind, code }: Condition): boolean {
  return kind === 'account-stopped' && code === 'graph.token';
}

/** The times since when keys are present. */
function createTimes() {
  const times = new Map<string, number>();
  return {
    /** Adds keys that are new and removes those that are absent. */
    keep(keys: Iterable<string>, nowMs: number): void {
      const present = new Set(keys);
      for (const key of times.keys()) if (!present.has(key)) times.delete(key);
      for (const key of present) if (!times.has(key)) times.set(key, nowMs);
    },
    sinceMs: (key: string, nowMs: number): number => times.get(key) ?? nowMs,
  };
}

/** True when this instance owns the partition of a condition's account, or of its key. */
function isOwner(
  { accountId, key }: Pick<OpenCondition, 'accountId' | 'key'>,
  { partitions, partitionCount }: ServiceHealth,
): boolean {
  return partitionCount > 0 && partitions.includes(partitionOf(accountId ?? key, partitionCount));
}

/** Only the instance that polls an account knows its state, once it has restored its partitions. */
function canResolve(one: OpenCondition, health: ServiceHealth): boolean {
  return one.accountId === null || (isOwner(one, health) && health.dependencies.state.ready);
}
