import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { createShutdownBudget } from '../engine/shutdown-budget.ts';
import { compactedStreams } from '../instagram/streams/index.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import { kafkaSecurity, registryAccess } from '../credentials.ts';
import { openKafka } from '../kafka/index.ts';
import { openRegistry } from '../registry/index.ts';

/** Drops log lines; error messages name no secret. */
const dropLog = (): void => undefined;

/**
 * Opens Kafka and the registry for a command, without logging: the command ends with their error.
 *
 * @param stop - aborted when the command must end
 */
export function openQuietly(
  config: Config,
  { roles, topics }: { readonly roles: readonly TopicRole[]; readonly topics: 'create' | 'look' },
  stop: AbortSignal,
) {
  const shutdown = createShutdownBudget(config.polling.shutdownGraceMs, () => performance.now());
  shutdown.beginWith(stop);
  const { topicTemplate } = config.kafka;
  const access = registryAccess(config.schemaRegistry, dropLog);
  const registry = openRegistry({ ...access, topicTemplate, roles });
  const kafka = openKafka(
    {
      ...config.kafka,
      security: kafkaSecurity(config.kafka, dropLog),
      instance: config.polling.instance ?? hostname(),
      roles,
      compacted: compactedStreams,
      // Replicas are verified when the program starts, not when a command reads a topic.
      topics:
        topics === 'create'
          ? config.kafka.topics
          : { ...config.kafka.topics, create: false, replicationFactor: -1, minInSyncReplicas: -1 },
    },
    {
      codec: registry.stateCodec,
      telemetry: { report: () => undefined },
      log: () => undefined,
      shutdown,
    },
  );
  return { registry, kafka };
}
