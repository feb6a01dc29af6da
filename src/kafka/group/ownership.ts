import { diffAssignments } from '../../engine/assignment-changes.ts';
import type { OnAssignment, Telemetry, TelemetryEvent } from '../../engine/ports.ts';
import { createLease } from './lease.ts';

type Cause = Extract<TelemetryEvent, { type: 'share' }>['cause'];

/** What this instance may take for its own, of what the group has given it. */
export interface Ownership {
  /** What may be published to now; asked again right before it matters. */
  owned(): readonly number[];
  /** The group has given partitions, by an answer to what was sent so long ago. */
  joined(given: Given, sentAgoMs: number): void;
  /** The coordinator has confirmed what was given. */
  heard(sentAgoMs: number): void;
  /** Another producer has taken a partition over. */
  fence(partition: number, reason: string): void;
  /** Nothing is owned any more. */
  leave(): void;
}

/** An assignment. */
export interface Given {
  readonly memberId: string;
  readonly partitions: readonly number[];
}

/** What the ownership is kept with. */
export interface OwnershipTools {
  readonly sessionTimeoutMs: number;
  readonly partitions: () => number;
  readonly telemetry: Telemetry;
  readonly onAssignment: OnAssignment;
}

/** A partition that was fenced is left alone for a session, then for twice as long, to this end. */
const longestPauseMs = 300_000;

/** The partitions that are left alone because another producer has taken them over. */
function createFences(sessionTimeoutMs: number) {
  const fences = new Map<number, { readonly times: number; readonly untilMs: number }>();
  return {
    /** Says for how long. */
    add(partition: number): number {
      const nowMs = performance.now();
      const last = fences.get(partition);
      const isAgain = last !== undefined && nowMs - last.untilMs < longestPauseMs;
      const times = isAgain ? last.times + 1 : 1;
      const pauseMs = Math.min(sessionTimeoutMs * 2 ** (times - 1), longestPauseMs);
      fences.set(partition, { times, untilMs: nowMs + pauseMs });
      return pauseMs;
    },
    has: (partition: number) => performance.now() < (fences.get(partition)?.untilMs ?? -Infinity),
    lift(partitions: readonly number[]): void {
      for (const partition of partitions) fences.delete(partition);
    },
  };
}

/** Owns nothing yet. */
export function createOwnership(tools: OwnershipTools): Ownership {
  const { sessionTimeoutMs, telemetry, onAssignment } = tools;
  let given: Given = { memberId: '', partitions: [] };
  let told: readonly number[] = [];
  const fences = createFences(sessionTimeoutMs);
  const lease = createLease(sessionTimeoutMs, () => {
    tell('not-heard');
  });

  const owned = (): readonly number[] => {
    if (!lease.isLive()) return [];
    return given.partitions.filter((partition) => !fences.has(partition));
  };
  const tell = (cause: Cause, now = owned()): void => {
    const change = diffAssignments(told, now);
    told = now;
    const isNews = cause === 'rebalance' || change.gained.length + change.lost.length > 0;
    if (!isNews) return;
    const partitions = tools.partitions();
    telemetry.report({ type: 'share', owned: now, ...change, partitions, cause });
    // Also when nothing has changed: who is given nothing is told so.
    onAssignment(now);
  };

  return {
    owned,
    joined(now, sentAgoMs) {
      // Another member's id: the group has counted this instance as gone in between.
      const anew = now.memberId !== given.memberId;
      fences.lift(diffAssignments(anew ? [] : given.partitions, now.partitions).gained);
      if (anew) tell('not-heard', []);
      given = now;
      lease.renew(sentAgoMs);
      tell('rebalance');
    },
    heard(sentAgoMs) {
      lease.renew(sentAgoMs);
      tell('confirmed');
    },
    fence(partition, reason) {
      if (!given.partitions.includes(partition)) return;
      const pauseMs = fences.add(partition);
      telemetry.report({ type: 'fenced', partition, reason, pauseMs });
      tell('fenced');
    },
    leave() {
      lease.end();
      given = { memberId: '', partitions: [] };
      tell('left');
    },
  };
}
