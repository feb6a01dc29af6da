import { setTimeout as sleep } from 'node:timers/promises';
import { check } from './checker/check.ts';
import type { Findings } from './checker/logged.ts';
import { Inflicting } from './faults.ts';
import { readLog } from './read-log.ts';
import { awaitEnd, awaitTruth, expectedNow } from './rest.ts';
import {
  type FaultKind,
  type Round,
  describeSchedule,
  FAULT_KINDS,
  planFaults,
} from './schedule.ts';
import { type ChaosOptions, type Site, openSite, topicOf } from './site.ts';

/** What was done and what came of it. */
export interface Outcome {
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly records: number;
  readonly findings: Findings;
  /** Instances that ended although nobody asked them to, and how. */
  readonly surprises: readonly string[];
}

/**
 * Runs the program through rounds of faults. After each the world stands still until Kafka has all of
 * it; in the end everything in Kafka is checked. Whatever was started is stopped.
 *
 * @throws the signal's reason; Error when the site does not come up or does not end
 */
export async function runChaos(options: ChaosOptions): Promise<Outcome> {
  const { seed, minutes, say, signal } = options;
  const rounds = planFaults(seed, minutes);
  for (const line of describeSchedule(rounds)) say(line);
  await using site = await openSite(options);
  site.fleet.start();
  const lost = [...(await rest(site, 'at the start', options))];
  const inflicting = new Inflicting(site);
  for (const [index, round] of rounds.entries()) {
    site.fast.run();
    await inflictAll(round, inflicting, signal);
    site.fast.rest();
    site.fleet.start();
    lost.push(...(await rest(site, `after round ${index + 1} of ${rounds.length}`, options)));
  }
  for (let index = 0; index < site.fleet.size; index += 1) {
    const code = await site.fleet.stop(index);
    if (code !== 0) say(`instance ${index} was asked to stop and ended with ${String(code)}`);
  }
  await awaitEnd(site, signal);
  const log = readLog(site.reader, topicOf);
  return {
    faults: new Map(FAULT_KINDS.map((kind) => [kind, inflicting.counts.get(kind) ?? 0])),
    records: [...log.streams.values()].reduce((sum, records) => sum + records.length, 0),
    findings: check(log, expectedNow(site), lost),
    surprises: site.fleet.surprises,
  };
}

async function rest(
  site: Site,
  when: string,
  { say, signal }: ChaosOptions,
): Promise<readonly string[]> {
  const startedMs = performance.now();
  const lost = await awaitTruth(site, signal);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  say(
    lost.length === 0
      ? `${when}: Kafka has all of the world, after ${seconds} s of rest`
      : `${when}: ${lost.length} values are missing, after ${seconds} s of rest`,
  );
  return lost.map((line) => `${when}: ${line}`);
}

async function inflictAll(
  round: Round,
  inflicting: Inflicting,
  signal: AbortSignal,
): Promise<void> {
  const hold = (ms: number) => sleep(ms, undefined, { signal });
  const results = await Promise.allSettled(
    round.map(async (fault) => {
      await hold(fault.atMs);
      await inflicting.inflict(fault, hold);
    }),
  );
  signal.throwIfAborted();
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
