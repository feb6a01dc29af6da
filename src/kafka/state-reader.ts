import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection } from './connection.ts';
import { classify, translate } from './errors.ts';
import type { KafkaShared } from './shared.ts';
import { readStateTopic, type StateEntry } from './state-topic.ts';

/** Joining the throw-away group may take the broker's initial rebalance delay and more. */
const minStallMs = 15_000;
/** A broker that has just started answers that its coordinator is loading. */
const maxTries = 6;
const pauseMs = 300;

/**
 * Reads partitions of the state topic to their true end, with a new client for each try.
 *
 * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`, the signal's reason
 */
export async function readState(
  shared: KafkaShared,
  partitions: readonly number[],
  signal: AbortSignal,
): Promise<readonly StateEntry[]> {
  const { options, dependencies } = shared;
  const topic = shared.layout().topic('state').name;
  const groupPrefix = options.transactionalIdPrefix;
  const stallMs = Math.max(minStallMs, options.sendDeadlineMs);
  for (let attempt = 1; ; attempt += 1) {
    const connection = openConnection(options, dependencies);
    try {
      return await readStateTopic(connection, { topic, partitions, groupPrefix, stallMs }, signal);
    } catch (error) {
      const failure = classify(error, connection.lastRefusal());
      const passing = failure === 'unavailable' || failure === 'missing';
      if (!passing || attempt === maxTries) {
        throw translate(error, {
          brokers: options.brokers,
          doing: `reading ${topic}`,
          needs: `topic ${topic} (Read, Describe), groups ${groupPrefix}-* (Read)`,
          lastRefusal: connection.lastRefusal(),
        });
      }
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
