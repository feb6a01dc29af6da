import { diffAssignments } from '../../engine/assignment-changes.ts';
import type { OnAssignment, Telemetry, TelemetryEvent } from '../../engine/ports.ts';

type AssignmentCause = Extract<TelemetryEvent, { type: 'assignment' }>['cause'];

/** The partitions of the assignment that this instance may currently use. */
export type Ownership = ReturnType<typeof createOwnership>;

interface MemberAssignment {
  readonly memberId: string;
  readonly partitions: readonly number[];
}

interface OwnershipDeps {
  readonly sessionTimeoutMs: number;
  readonly partitions: () => number;
  readonly telemetry: Telemetry;
  readonly onAssignment: OnAssignment;
}

/** Longest pause of a fenced partition; the first lasts a session, and each next one twice as long. */
const longestPauseMs = 300_000;

/** Creates the set of partitions that pause because another producer has acquired them. */
function createFencedPartitions(sessionTimeoutMs: number) {
  const pauses = new Map<number, { readonly times: number; readonly untilMs: number }>();
  return {
    /** Adds a partition; returns the length of its pause. */
    add(partition: number): number {
      const nowMs = performance.now();
      const last = pauses.get(partition);
      const isRepeated = last !== undefined && nowMs - last.untilMs < longestPauseMs;
      const times = isRepeated ? last.times + 1 : 1;
      const pauseMs = Math.min(sessionTimeoutMs * 2 ** (times - 1), longestPauseMs);
      pauses.set(partition, { times, untilMs: nowMs + pauseMs });
      return pauseMs;
    },
    has: (partition: number) => performance.now() < (pauses.get(partition)?.untilMs ?? -Infinity),
    remove(partitions: readonly number[]): void {
      for (const partition of partitions) pauses.delete(partition);
    },
  };
}

/** Creates an ownership of no partition. */
export function createOwnership(deps: OwnershipDeps) {
  const { sessionTimeoutMs, telemetry, onAssignment } = deps;
  let assignment: MemberAssignment = { memberId: '', partitions: [] };
  let reported: readonly number[] = [];
  const fenced = createFencedPartitions(sessionTimeoutMs);
  const lease = createLease(sessionTimeoutMs, () => {
    report('missed-heartbeats');
  });

  const owned = (): readonly number[] => {
    if (!lease.isLive()) return [];
    return assignment.partitions.filter((partition) => !fenced.has(partition));
  };
  const report = (cause: AssignmentCause, now = owned()): void => {
    const change = diffAssignments(reported, now);
    reported = now;
    const isReported = cause === 'rebalance' || change.gained.length + change.lost.length > 0;
    if (!isReported) return;
    const partitions = deps.partitions();
    telemetry.report({ type: 'assignment', owned: now, ...change, partitions, cause });
    // A rebalance is reported even without a change, also to an instance with no partition.
    onAssignment(now);
  };

  return {
    /** Returns the partitions that may be published to now; callers check right before each use. */
    owned,
    /** Records an assignment, from the answer to a request sent `sentAgoMs` ago. */
    onJoin(now: MemberAssignment, sentAgoMs: number): void {
      // A new member id: the group removed this instance in between.
      const isNewMember = now.memberId !== assignment.memberId;
      const kept = isNewMember ? [] : assignment.partitions;
      fenced.remove(diffAssignments(kept, now.partitions).gained);
      if (isNewMember) report('missed-heartbeats', []);
      assignment = now;
      lease.renew(sentAgoMs);
      report('rebalance');
    },
    /** Records that the coordinator has confirmed the assignment. */
    onHeartbeat(sentAgoMs: number): void {
      lease.renew(sentAgoMs);
      report('confirmed');
    },
    /** Records that another producer has acquired a partition. */
    onFenced(partition: number, reason: string): void {
      if (!assignment.partitions.includes(partition)) return;
      const pauseMs = fenced.add(partition);
      telemetry.report({ type: 'fenced', partition, reason, pauseMs });
      report('fenced');
    },
    /** Ends the ownership of every partition. */
    leave(): void {
      lease.end();
      assignment = { memberId: '', partitions: [] };
      report('left');
    },
  };
}

/**
 * Creates a lease on the assigned partitions, renewed by confirmed heartbeats. It ends before the
 * broker can assign them to another instance: the session counts here from the sending of a
 * heartbeat, and at the broker from its arrival. The clock is monotonic.
 */
export function createLease(durationMs: number, onExpiry: () => void) {
  let untilMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const stopTimer = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const startTimer = (): void => {
    stopTimer();
    timer = setTimeout(expire, Math.max(0, untilMs - performance.now()) + 1);
  };
  const expire = (): void => {
    if (performance.now() < untilMs) {
      startTimer();
      return;
    }
    stopTimer();
    onExpiry();
  };
  const end = (): void => {
    stopTimer();
    untilMs = -Infinity;
  };
  return {
    /** Extends the lease: the coordinator has answered a request sent `sentAgoMs` ago. */
    renew(sentAgoMs: number): void {
      untilMs = Math.max(untilMs, performance.now() - sentAgoMs + durationMs);
      startTimer();
    },
    /**
     * True while the lease lasts. Compares clocks instead of relying on the timer, which fires late
     * in a process that was suspended. Calls `onExpiry` when the lease has ended and the timer has
     * not fired.
     */
    isLive(): boolean {
      if (performance.now() < untilMs) return true;
      // After a false result, a late renewal must not return true again before `onExpiry` was called.
      if (timer !== undefined) expire();
      return false;
    },
    end,
    [Symbol.dispose]: end,
  };
}
