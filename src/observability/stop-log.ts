import type { TelemetryEvent } from '../engine/ports.ts';
import type { LogLevel } from './log.ts';

type Failed = Extract<TelemetryEvent, { type: 'poll-failed' }>;
type Finished = Extract<TelemetryEvent, { type: 'poll-finished' }>;

/** Decides how loud it is said that a poll stopped. */
export interface StopLog {
  level(event: Failed): LogLevel;
  /** A stream that is polled again will be said to stop again. */
  finished(event: Finished): void;
}

/**
 * What stops all that an account is asked for (its permission, its token) is said once an account, and
 * another registry than that of the states once, at the first stream that it stops; of the others at debug.
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
