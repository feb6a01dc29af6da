import type { ControlAction, Telemetry } from './ports.ts';
import { stateKey } from './state.ts';
import type { StreamName } from './stream-name.ts';

/** A change that the pollers apply. */
export type OverrideChange =
  | { readonly kind: ControlAction; readonly stream: StreamName; readonly accountId: string }
  | { readonly kind: 'interval'; readonly stream: StreamName };

/** The overrides set while the program runs: kept in memory only, lost at a restart. */
export interface Overrides {
  /** The interval that replaces the configured one; undefined for none. */
  intervalMs(stream: StreamName): number | undefined;
  isPaused(stream: StreamName, accountId: string): boolean;
  /** Reports the paused streams of an account again, as its pollers start. */
  reportPaused(accountId: string): void;
  setInterval(stream: StreamName, intervalMs: number): void;
  apply(kind: ControlAction, stream: StreamName, accountId: string): void;
  /** Calls `onChange` with every change until disposed. */
  listen(onChange: (change: OverrideChange) => void): Disposable;
}

export function createOverrides(telemetry: Telemetry): Overrides {
  const intervals = new Map<StreamName, number>();
  const paused = new Map<string, { readonly stream: StreamName; readonly accountId: string }>();
  const listeners = new Set<(change: OverrideChange) => void>();
  const notify = (change: OverrideChange): void => {
    for (const listener of [...listeners]) listener(change);
  };
  const isPaused = (stream: StreamName, accountId: string) =>
    paused.has(stateKey(stream, accountId));
  return {
    intervalMs: (stream) => intervals.get(stream),
    isPaused,
    reportPaused(accountId) {
      for (const one of paused.values()) {
        if (one.accountId === accountId)
          telemetry.report({ type: 'paused', ...one, isPaused: true });
      }
    },
    setInterval(stream, intervalMs) {
      intervals.set(stream, intervalMs);
      telemetry.report({ type: 'interval', stream, intervalMs });
      notify({ kind: 'interval', stream });
    },
    apply(kind, stream, accountId) {
      if (kind === 'pause') paused.set(stateKey(stream, accountId), { stream, accountId });
      if (kind === 'resume') paused.delete(stateKey(stream, accountId));
      if (kind !== 'poll') {
        telemetry.report({ type: 'paused', stream, accountId, isPaused: kind === 'pause' });
      }
      notify({ kind, stream, accountId });
    },
    listen(onChange) {
      listeners.add(onChange);
      return { [Symbol.dispose]: () => listeners.delete(onChange) };
    },
  };
}
