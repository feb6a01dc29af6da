import { setTimeout as realSleep } from 'node:timers/promises';
import { findFreePorts } from '../../../sandbox/cluster/free-port.ts';
import type { GraphApi } from '../../../sandbox/graph-api/server.ts';
import { type AppOptions, createApp } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Tracer } from '../../../src/engine/ports.ts';
import { type LeapingClock, createLeapingClock } from '../../support/leaping-clock.ts';
import type { Deployment } from './deployment.ts';

/** The program in this process, on a clock that drives the world and skips idle time. */
export interface LeapingRun extends AsyncDisposable {
  /** The URL of its HTTP server. */
  readonly url: string;
  /** Advances the world's clock by this time. */
  pass(ms: number): Promise<void>;
  /** Lets no time be skipped before the work has ended. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  /** A sample of `/metrics`, by name and labels; undefined when there is none. */
  metric(sample: string): Promise<number | undefined>;
}

/** Starts `run`; it is ready when this resolves, and stopped when disposed of. */
export async function startLeapingRun(
  { api, env, openKafka }: Pick<Deployment, 'api' | 'env'> & Pick<AppOptions, 'openKafka'>,
  changes: Readonly<Record<string, string>> = {},
  {
    version = 'test',
    // Kafka in memory works in this process alone: no response of a broker can be outstanding.
    restMs = openKafka === undefined ? 10 : 4,
  }: { version?: string; restMs?: number } = {},
): Promise<LeapingRun> {
  const { clock: worldClock } = api.world;
  const startMs = worldClock.now();
  const [port = 0] = await findFreePorts(1);
  const settings = {
    ...env,
    LOG_LEVEL: 'error',
    ...changes,
    HTTP_PORT: String(port),
    // They look at the health every five seconds of the world, and each look is a leap.
    NOTIFICATIONS_ENABLED: 'false',
  };
  const config = loadConfig({ env: settings, args: {}, nowMs: startMs });
  const clock = createLeapingClock({
    startMs,
    restMs,
    onLeap: (nowMs) => {
      worldClock.set(nowMs);
    },
  });
  const app = createApp(config, {
    version,
    hostName: 'test',
    clock,
    tracer: holding(clock),
    ...(openKafka && { openKafka }),
  });
  const stop = new AbortController();
  const running = app.run(stop.signal);
  // The start takes real time; a failure ends the wait as well.
  await clock.hold(() => Promise.race([running, stopSignal(api)]));
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pass: (ms) => Promise.race([running, clock.sleep(ms, stop.signal)]),
    hold: (work) => clock.hold(work),
    async metric(sample) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
      return line === undefined ? undefined : Number(line.slice(sample.length + 1));
    },
    async [Symbol.asyncDispose]() {
      // Holds the clock first, so that no time passes in the world without polls.
      clock.begin();
      stop.abort(new Error('the test is over'));
      await running;
      await app[Symbol.asyncDispose]();
      clock[Symbol.dispose]();
    },
  };
}

async function stopSignal({ ledger }: GraphApi): Promise<void> {
  while (!ledger.entries.some(({ endpoint }) => endpoint === '/{account}/stories')) {
    await realSleep(20);
  }
}

/** Holds the clock while a batch is encoded and committed, retries included. */
function holding(clock: LeapingClock): Tracer {
  return {
    poll: () => ({
      headers: {},
      // A request may wait in the request queue; the clock skips that wait.
      begin: (kind) => (kind === 'request' ? () => undefined : clock.begin()),
      end: () => undefined,
    }),
  };
}
