/**
 * The program as `run` starts it, with a memory probe: after every number of polls it collects
 * garbage and reports the remaining memory to its parent. Needs `--expose-gc` and an IPC channel.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config/load.ts';
import type { MemorySample } from './memory.ts';

const [every = 100, samples = 12] = process.argv.slice(2).map(Number);
const config = loadConfig({ env: process.env, args: {} });
const stop = new AbortController();
// Without a parent the measurement has no receiver.
process.once('disconnect', () => process.exit());

async function countPolls(): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${String(config.http.port)}/metrics`);
    const lines = (await response.text()).match(/^instagram_kafka_polls_total\{.* (\d+)$/gm) ?? [];
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  } catch {
    return 0;
  }
}

function takeSample(polls: number): MemorySample {
  // Twice: the second collection frees memory that finalizers released.
  global.gc?.();
  global.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    polls,
    heapMb: heapUsed / 2 ** 20,
    externalMb: external / 2 ** 20,
    rssMb: rss / 2 ** 20,
  };
}

async function witness(): Promise<void> {
  for (let taken = 0; taken < samples;) {
    await sleep(100);
    const polls = await countPolls();
    if (polls < (taken + 1) * every) continue;
    process.send?.(takeSample(polls));
    taken += 1;
  }
  stop.abort(new Error('measured'));
}

{
  await using app = createApp(config, { version: 'bench', hostName: 'bench' });
  await Promise.all([app.run(stop.signal), witness()]);
}
process.disconnect();
