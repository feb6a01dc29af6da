import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '../sandbox/cluster/free-port.ts';
import { startProgram } from '../sandbox/program.ts';

/** The cost of an idle instance. */
export interface IdleResult {
  /** CPU time, user and system, as a share of one core. */
  readonly idle_cpu_percent: number;
}

const settleMs = 5_000;
const measuredMs = 30_000;

/**
 * Runs the real program until it has polled, and measures its CPU for half a minute of waiting.
 *
 * @param env - the addresses of Kafka, registry and API
 */
export async function benchIdle(env: Readonly<Record<string, string>>): Promise<IdleResult> {
  const [port = 0] = await findFreePorts(1);
  const polled = Promise.withResolvers<undefined>();
  await using program = startProgram({
    command: 'run',
    env: { ...env, STREAMS: 'users', STREAM_USERS_INTERVAL: '1h', HTTP_PORT: String(port) },
    onLine: (line) => {
      if (line.includes('poll finished')) polled.resolve(undefined);
    },
  });
  void program.ended.then((code) => {
    polled.reject(new Error(`the program ended with ${String(code)}`));
  });
  await polled.promise;
  await sleep(settleMs);
  const before = await cpuSeconds(port);
  const startedMs = performance.now();
  await sleep(measuredMs);
  const spent = (await cpuSeconds(port)) - before;
  const share = (spent * 1000) / (performance.now() - startedMs);
  return { idle_cpu_percent: Number((share * 100).toFixed(1)) };
}

/** Reads the value that the process itself reports. */
async function cpuSeconds(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
  const [, seconds] = /^process_cpu_seconds_total (\S+)$/m.exec(await response.text()) ?? [];
  return Number(seconds);
}
