/**
 * The program on a clock of its own, which its parent's world follows: `once`, or `run` for a
 * number of milliseconds of that clock. Needs an IPC channel.
 */
import { once as event } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config/load.ts';
import { createLeapingClock } from '../test/support/leaping-clock.ts';

/** The program's messages to its parent. */
export type QuotaMessage =
  | { readonly type: 'leap'; readonly nowMs: number }
  | { readonly type: 'ended'; readonly peakRssMb: number; readonly failures: readonly string[] };

const [startMs = NaN, runMs = NaN] = process.argv.slice(2).map(Number);
const config = loadConfig({ env: process.env, args: {}, nowMs: startMs });
// Without a parent the measurement has no receiver.
process.once('disconnect', () => process.exit());

function tell(message: QuotaMessage): void {
  process.send?.(message);
}

async function leap(nowMs: number): Promise<void> {
  tell({ type: 'leap', nowMs });
  await event(process, 'message');
}

async function measure(): Promise<readonly string[]> {
  // A clock without pauses: `once` waits for nothing but the work itself.
  const restMs = Number.isNaN(runMs) ? Infinity : 40;
  using clock = createLeapingClock({ startMs, onLeap: leap, restMs });
  await using app = createApp(config, { version: 'bench', hostName: 'bench', clock });
  if (Number.isNaN(runMs)) {
    const { polled } = await app.once(new AbortController().signal);
    return polled.flatMap(({ job, outcome }) =>
      outcome.kind === 'done' ? [] : [`${job.stream.name} of ${job.account.id}: ${outcome.kind}`],
    );
  }
  const stop = new AbortController();
  const end = async (): Promise<void> => {
    // Brokers and registries take real time to answer; the simulated day begins afterwards.
    await clock.hold(untilReady);
    await clock.sleep(runMs, stop.signal);
    stop.abort(new Error('the day is over'));
  };
  await Promise.all([app.run(stop.signal), end()]);
  return [];
}

async function untilReady(): Promise<void> {
  const url = `http://127.0.0.1:${String(config.http.port)}/readyz`;
  const isReady = () =>
    fetch(url)
      .then(({ ok }) => ok)
      .catch(() => false);
  while (!(await isReady())) await sleep(50);
}

const failures = await measure();
tell({ type: 'ended', peakRssMb: process.resourceUsage().maxRSS / 1024, failures });
process.disconnect();
