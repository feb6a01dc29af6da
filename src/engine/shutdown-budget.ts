/** The base of a step's time outside a shutdown, as when one partition is released. */
const usualMs = 25_000;

/**
 * The steps of a shutdown, in order, as fractions of the grace period: `fraction` is the most time
 * of a step, `until` the time by which it is over, however long earlier steps took. The last one
 * leaves the process time to exit.
 */
const steps = {
  webhooks: { fraction: 0.04, until: 0.04 }, // Received webhooks are committed and answered.
  transaction: { fraction: 0.32, until: 0.32 }, // The running transaction ends by itself.
  outcome: { fraction: 0.2, until: 0.52 }, // The state topic is read for the outcome of a commit.
  polls: { fraction: 0.6, until: 0.56 }, // All polls have ended.
  batches: { fraction: 0.12, until: 0.58 }, // The batches of one partition have ended.
  producer: { fraction: 0.04, until: 0.66 }, // A producer aborts its transaction, or disconnects.
  acquisition: { fraction: 0.16, until: 0.76 }, // Another producer ends a transaction left open.
  partitions: { fraction: 0.4, until: 0.78 }, // All partitions are released.
  joining: { fraction: 0.12, until: 0.84 }, // A member that is joining the group has joined it.
  leaving: { fraction: 0.12, until: 0.9 }, // The group is left.
  notifications: { fraction: 0.04, until: 0.91 }, // The topic of notifications is left.
  traces: { fraction: 0.04, until: 0.92 }, // The last traces are sent.
  reader: { fraction: 0.12, until: 0.94 }, // The state topic's reader leaves its group.
  adapters: { fraction: 0.4, until: 0.95 }, // Every adapter is closed.
  server: { fraction: 0.04, until: 0.96 }, // The HTTP server is closed.
} as const satisfies Readonly<
  Record<string, { readonly fraction: number; readonly until: number }>
>;

export type ShutdownStep = keyof typeof steps;

/** The steps, in order. */
export const shutdownSteps = Object.keys(steps) as readonly ShutdownStep[];

/** The one budget of a shutdown: all steps together end in the grace period (Invariant 7). */
export interface ShutdownBudget {
  /** Starts the shutdown's time when the signal is aborted. */
  beginWith(signal: AbortSignal): void;
  /** The time left for a step, milliseconds; its usual time while no shutdown has begun. */
  leftMs(step: ShutdownStep): number;
}

/** Creates the budget of a grace period that has not begun; `nowMs` is a monotonic clock. */
export function createShutdownBudget(graceMs: number, nowMs: () => number): ShutdownBudget {
  let begunMs: number | undefined;
  const begin = (): void => {
    begunMs ??= nowMs();
  };
  return {
    beginWith(signal) {
      if (signal.aborted) begin();
      else signal.addEventListener('abort', begin, { once: true });
    },
    leftMs(step) {
      const { fraction, until } = steps[step];
      if (begunMs === undefined) return fraction * usualMs;
      return Math.max(0, Math.min(fraction * graceMs, begunMs + until * graceMs - nowMs()));
    },
  };
}
