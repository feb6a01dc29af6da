import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../sandbox/cluster/start.ts';
import {
  type Fleet,
  type Instance,
  createFleet,
  sessionMs,
  until,
} from '../test/faults/instances/fleet.ts';

/**
 * The time during which reassigned accounts have no new record: the longest of some runs, in
 * seconds.
 */
export interface HandoverResult {
  /** From `kill -9` of an instance to the first record of its accounts by another. */
  readonly handover_crash_s: number;
  /** From SIGTERM of an instance to the first record of its accounts by another. */
  readonly handover_stop_s: number;
  /** From an instance's join request, which makes the group rebalance, to its first record. */
  readonly handover_join_s: number;
  /** The broker's session timeout for a killed instance. */
  readonly session_timeout_s: number;
}

type LogLine = Instance['log'][number];

const rounds = 3;
/** Both instances have polled all their accounts by then, a second each. */
const settleMs = 2500;

/**
 * Starts and stops instances of the real program, two at a time, which poll twelve accounts each
 * second.
 */
export async function benchHandover(cluster: Cluster): Promise<HandoverResult> {
  const env = {
    KAFKA_BROKERS: cluster.brokers.join(','),
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
  };
  await using fleet = await createFleet({ env });
  const stays = await fleet.start('stays');
  await fleet.shared([stays]);
  const joins: number[] = [];
  const crashes: number[] = [];
  const stops: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [signal, took] of [
      ['SIGKILL', crashes],
      ['SIGTERM', stops],
    ] as const) {
      const { instance, joinedMs } = await join(fleet, stays, `${signal} ${round}`);
      joins.push(joinedMs);
      took.push(await end(instance, signal, stays));
      await fleet.shared([stays]);
    }
  }
  return {
    handover_crash_s: longest(crashes),
    handover_stop_s: longest(stops),
    handover_join_s: longest(joins),
    session_timeout_s: sessionMs / 1000,
  };
}

async function join(fleet: Fleet, stays: Instance, name: string) {
  const instance = await fleet.start(name);
  await fleet.shared([stays, instance]);
  // The group's consumer is the first that an instance runs.
  const askedAtMs = timeOf(instance.log.find(({ msg }) => msg === 'kafkajs: Starting'));
  const joinedMs = (await firstRecord(instance, instance.owned() ?? [], 0)) - askedAtMs;
  await sleep(settleMs);
  return { instance, joinedMs };
}

/** Returns the milliseconds from the signal to the first record of the remaining instance. */
async function end(instance: Instance, signal: NodeJS.Signals, stays: Instance): Promise<number> {
  const { program } = instance;
  const left = instance.owned() ?? [];
  const endedAtMs = Date.now();
  program.process.kill(signal);
  const firstAtMs = await firstRecord(stays, left, endedAtMs);
  await program.ended;
  return firstAtMs - endedAtMs;
}

/**
 * Returns the time of an instance's first commit to some of the partitions, at or after `fromMs`.
 */
async function firstRecord(
  { name, log }: Instance,
  partitions: readonly number[],
  fromMs: number,
): Promise<number> {
  const isIt = (line: LogLine) =>
    line['msg'] === 'transaction ended' &&
    line['outcome'] === 'committed' &&
    Number(line['records']) > 0 &&
    partitions.includes(Number(line['partition'])) &&
    timeOf(line) >= fromMs;
  await until(
    () => log.some(isIt),
    () => `${name} publishes to one of ${partitions.join(', ')}`,
  );
  return timeOf(log.find(isIt));
}

function timeOf(line: LogLine | undefined): number {
  return Date.parse(String(line?.['time']));
}

function longest(durationsMs: readonly number[]): number {
  return Number((Math.max(...durationsMs) / 1000).toFixed(2));
}
