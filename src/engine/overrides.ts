import type { Telemetry } from './ports.ts';
import type { StreamName } from './stream-name.ts';

/** The intervals set while the program runs: kept in memory only, lost at a restart. */
export interface Overrides {
  /** The interval that replaces the configured one; undefined for none. */
  intervalMs(stream: StreamName): number | undefined;
  setInterval(stream: StreamName, intervalMs: number): void;
  /** Calls `onChange` with the stream of every changed interval until disposed. */
  listen(onChange: (stream: StreamName) => void): Disposable;
}

export function createOverrides(telemetry: Telemetry): Overrides {
  const intervals = new Map<StreamName, number>();
  const listeners = new Set<(stream: StreamName) => void>();
  return {
    intervalMs: (stream) => intervals.get(stream),
    setInterval(stream, intervalMs) {
      intervals.set(stream, intervalMs);
      telemetry.report({ type: 'interval', stream, intervalMs });
      for (const listener of [...listeners]) listener(stream);
    },
    listen(onChange) {
      listeners.add(onChange);
      return { [Symbol.dispose]: () => listeners.delete(onChange) };
    },
  };
}
