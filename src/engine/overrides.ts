import type { StreamName } from './stream-name.ts';
import type { ControlAction, Telemetry } from './ports.ts';

/** What changes for the pollers. */
export type OverrideChange =
  | { readonly kind: ControlAction; readonly stream: StreamName; readonly accountId: string }
  | { readonly kind: 'interval'; readonly stream: StreamName };

/** What has been ordered while the program runs: kept in memory alone, gone after a restart. */
export interface Overrides {
  /** Undefined while the configured interval holds. */
  intervalMs(stream: StreamName): number | undefined;
  isPaused(stream: StreamName, accountId: string): boolean;
  /** What is paused of an account that begins to be polled is told again. */
  retell(accountId: string): void;
  setInterval(stream: StreamName, intervalMs: number): void;
  give(kind: ControlAction, stream: StreamName, accountId: string): void;
  /** Is told of every order until disposed. */
  listen(onChange: (order: OverrideChange) => void): Disposable;
}

/** Nothing is ordered yet. */
export function createOverrides(telemetry: Telemetry): Overrides {
  const intervals = new Map<StreamName, number>();
  /** By account. */
  const paused = new Map<string, ReadonlySet<StreamName>>();
  const listeners = new Set<(order: OverrideChange) => void>();
  const tell = (order: OverrideChange): void => {
    for (const listener of [...listeners]) listener(order);
  };
  const pausedOf = (accountId: string) => paused.get(accountId) ?? new Set();
  const setPaused = (stream: StreamName, accountId: string, isPaused: boolean): void => {
    const others = [...pausedOf(accountId)].filter((name) => name !== stream);
    const now = new Set(isPaused ? [...others, stream] : others);
    if (now.size === 0) paused.delete(accountId);
    else paused.set(accountId, now);
    telemetry.report({ type: 'paused', stream, accountId, isPaused });
  };
  return {
    intervalMs: (stream) => intervals.get(stream),
    isPaused: (stream, accountId) => pausedOf(accountId).has(stream),
    retell(accountId) {
      for (const stream of pausedOf(accountId)) {
        telemetry.report({ type: 'paused', stream, accountId, isPaused: true });
      }
    },
    setInterval(stream, intervalMs) {
      intervals.set(stream, intervalMs);
      telemetry.report({ type: 'interval', stream, intervalMs });
      tell({ kind: 'interval', stream });
    },
    give(kind, stream, accountId) {
      if (kind !== 'poll') setPaused(stream, accountId, kind === 'pause');
      tell({ kind, stream, accountId });
    },
    listen(onChange) {
      listeners.add(onChange);
      return {
        [Symbol.dispose]() {
          listeners.delete(onChange);
        },
      };
    },
  };
}
