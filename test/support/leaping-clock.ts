import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Clock } from '../../src/engine/ports.ts';

/**
 * A clock that runs with real time while there is work and leaps to the next sleeper when there is
 * none, so that a day of polls takes as long as its polls.
 */
export interface LeapingClock extends Clock, Disposable {
  /** Never leaps before `work` has ended, whatever else is at rest. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  /** The same for work that is only told of: it lasts until what is returned is called. */
  begin(): () => void;
}

/** How a leaping clock starts and who is told. */
export interface LeapingClockOptions {
  readonly startMs: number;
  /** Is told the new time before anybody wakes, to move another clock along. */
  readonly onLeap?: (nowMs: number) => void | Promise<void>;
  /**
   * Real time without a request under way, to the API or to Kafka, and without anybody asking for
   * the time; default 10.
   */
  readonly restMs?: number;
}

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

const tickMs = 1;
/**
 * A process that did not get to run has rested by the clock alone: what it had to do comes first in
 * the turns of its event loop that follow.
 */
const restTicks = 3;

/** Requests of this process's `fetch` that are under way. */
function countFetches() {
  let under = 0;
  const begin = (): void => {
    under += 1;
  };
  const end = (): void => {
    under -= 1;
  };
  const channels = [
    ['undici:request:create', begin],
    ['undici:request:trailers', end],
    ['undici:request:error', end],
  ] as const;
  channels.forEach(([name, listener]) => {
    subscribe(name, listener);
  });
  return {
    under: () => under,
    stop: () => {
      channels.forEach(([name, listener]) => unsubscribe(name, listener));
    },
  };
}

interface Line {
  readonly socket: Socket;
  written: number;
  read: number;
  isAwaiting: boolean;
}

/** Connections of this process on which something was sent and nothing came back since. */
function watchConnections() {
  const lines = new Set<Line>();
  const open = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    const line = { socket, written: 0, read: 0, isAwaiting: true };
    lines.add(line);
    socket.once('close', () => lines.delete(line));
  };
  subscribe('net.client.socket', open);
  return {
    /** Whether one waits, or anything went or came since this was asked last. */
    areBusy(): boolean {
      return [...lines].map(look).includes(true);
    },
    stop: () => {
      unsubscribe('net.client.socket', open);
    },
  };
}

function look(line: Line): boolean {
  const { bytesRead, bytesWritten } = line.socket;
  const hasMoved = bytesRead !== line.read || bytesWritten !== line.written;
  if (bytesRead !== line.read) line.isAwaiting = false;
  else if (bytesWritten !== line.written) line.isAwaiting = true;
  line.read = bytesRead;
  line.written = bytesWritten;
  return hasMoved || line.isAwaiting;
}

/** Starts the clock; disposing of it stops it, and whoever sleeps then sleeps on. */
export function createLeapingClock(options: LeapingClockOptions): LeapingClock {
  const { startMs, onLeap, restMs = 10 } = options;
  const begunMs = performance.now();
  const sleepers = new Set<Sleeper>();
  const fetches = countFetches();
  const connections = watchConnections();
  let leaptMs = 0;
  let held = 0;
  let activeMs = begunMs;
  let ticksAtRest = 0;
  let isLeaping = false;

  const now = (): number => Math.floor(startMs + leaptMs + performance.now() - begunMs);
  const touch = (): void => {
    activeMs = performance.now();
    ticksAtRest = 0;
  };
  const isAtRest = (): boolean => {
    const isUnderWay = connections.areBusy() || fetches.under() > 0;
    if (isUnderWay || held > 0) touch();
    else ticksAtRest += 1;
    return ticksAtRest >= restTicks && performance.now() - activeMs >= restMs;
  };
  const begin = (): (() => void) => {
    held += 1;
    return () => {
      touch();
      held -= 1;
    };
  };
  const wakeDue = (): void => {
    for (const sleeper of [...sleepers].sort((a, b) => a.untilMs - b.untilMs)) {
      if (sleeper.untilMs > now()) return;
      sleepers.delete(sleeper);
      touch();
      sleeper.wake();
    }
  };
  const tick = async (): Promise<void> => {
    if (isLeaping) return;
    const soonestMs = Math.min(...[...sleepers].map(({ untilMs }) => untilMs));
    if (soonestMs > now() && soonestMs < Infinity && isAtRest()) {
      isLeaping = true;
      leaptMs += soonestMs - now();
      await onLeap?.(now());
      isLeaping = false;
    }
    wakeDue();
  };
  const timer = setInterval(() => void tick(), tickMs);

  return {
    nowMs() {
      touch();
      return now();
    },
    sleep(ms, signal) {
      touch();
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        };
        const wake = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const sleeper = { untilMs: now() + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    begin,
    async hold(work) {
      const end = begin();
      try {
        return await work();
      } finally {
        end();
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      fetches.stop();
      connections.stop();
    },
  };
}
