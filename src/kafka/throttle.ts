import { createRequire } from 'node:module';

/** For how long the brokers have throttled a client by a quota. */
export interface Throttle {
  /**
   * Notes an answer's `throttle_time_ms`: the next request waits for that long.
   *
   * @returns by how much longer the client waits because of it
   */
  note(ms: number): number;
  /** In all, the rest of the current wait included, in milliseconds. */
  totalMs(): number;
  /** The rest of the current wait. */
  leftMs(): number;
}

/** Has not been throttled. Waits that overlap, of several brokers, count once. */
export function createThrottle(nowMs: () => number): Throttle {
  let totalMs = 0;
  let untilMs = 0;
  return {
    note(ms) {
      const fromMs = Math.max(nowMs(), untilMs);
      const addedMs = Math.max(0, nowMs() + ms - fromMs);
      untilMs = fromMs + addedMs;
      totalMs += addedMs;
      return addedMs;
    },
    totalMs: () => totalMs,
    leftMs: () => Math.max(0, untilMs - nowMs()),
  };
}

interface RequestQueue {
  readonly broker: string;
  readonly logger: { info(message: string, fields: object): void };
  maybeThrottle: (this: RequestQueue, throttleMs: number | null | undefined) => void;
}

let logged = false;

/**
 * Has every connection of this process log how long a broker throttles it, as `throttleMs`, once. kafkajs
 * waits as it is told to, and reports that in no event and on no level but `debug`.
 */
export function logThrottling(): void {
  if (logged) return;
  logged = true;
  const require = createRequire(import.meta.url);
  const queue = require('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
  // The class of kafkajs itself, below the one that is patched.
  let owner = queue.prototype;
  while (!Object.hasOwn(owner, 'maybeThrottle'))
    owner = Object.getPrototypeOf(owner) as RequestQueue;
  const original = owner.maybeThrottle;
  owner.maybeThrottle = function (throttleMs) {
    original.call(this, throttleMs);
    if (typeof throttleMs !== 'number' || throttleMs <= 0) return;
    this.logger.info('Throttled by a quota', { broker: this.broker, throttleMs });
  };
}
