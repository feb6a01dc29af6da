import type { TelemetryEvent } from '../engine/ports.ts';
import type { LogLevel } from './log.ts';

type FailedPoll = Extract<TelemetryEvent, { type: 'poll-failed' }>;
type FinishedPoll = Extract<TelemetryEvent, { type: 'poll-finished' }>;

/** Chooses the log level of stopped polls. */
export interface StopLog {
  level(event: FailedPoll): LogLevel;
  /** Resets the stream: its next stop is logged as an error again. */
  finished(event: FinishedPoll): void;
}

/**
 * Creates a log of stops that avoids repetition.
 *
 * An error that stops all streams of an account (permission, token) is logged once per account. A
 * mismatch between registry and states is logged once per process. Repetitions are logged at debug.
 */
export function createStopLog(): StopLog {
  const stopped = new Map<string, Set<string>>();
  return {
    level({ accountId, stream, code, disposition }) {
      const isAll = code === 'registry.mismatch';
      const isAccounts = code === 'graph.permission' || disposition === 'stop-account';
      if (!isAccounts && !isAll) return 'error';
      const name = isAll ? code : `${accountId} ${code}`;
      const streams = stopped.get(name) ?? new Set();
      const isFirst = streams.size === 0 || (!isAll && streams.has(stream));
      stopped.set(name, streams.add(stream));
      return isFirst ? 'error' : 'debug';
    },
    finished({ accountId, stream }) {
      for (const [name, streams] of stopped) {
        if (!name.startsWith(`${accountId} `) || !streams.has(stream)) continue;
        stopped.delete(name);
      }
    },
  };
}
