import { hostname } from 'node:os';
import { type Config, eventTimedStreams, keyFields, topicSettings } from '../config/config.ts';
import { kafkaSecurity, registryAccess } from '../credentials.ts';
import { printable } from '../engine/printable.ts';
import { createShutdownBudget } from '../engine/shutdown-budget.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import { compactedStreams } from '../instagram/streams/index.ts';
import { openKafka } from '../kafka/index.ts';
import { openRegistry } from '../registry/index.ts';

/** Ignores log lines, events and secrets to hide: a command logs nothing. */
const dropLog = (): void => undefined;

/** Opens the registry for a command, which ends with its error; warnings go to standard error. */
export function openQuietRegistry(
  { schemaRegistry, kafka }: Pick<Config, 'schemaRegistry' | 'kafka'>,
  roles: readonly TopicRole[],
) {
  const access = registryAccess(schemaRegistry, dropLog);
  const log = {
    warn: (fields: object, message: string) => {
      const facts = Object.entries(fields).map(([name, value]) => `${name}: ${String(value)}`);
      process.stderr.write(`${printable(`warning: ${message}; ${facts.join('; ')}`)}\n`);
    },
  };
  const { topicTemplate } = kafka;
  return openRegistry(
    { ...access, topicTemplate, roles, keyFields: keyFields({ kafka }) },
    { log },
  );
}

/** The topics of a command. */
interface CommandTopics {
  readonly roles: readonly TopicRole[];
  /** `create` creates the missing ones. */
  readonly topics: 'create' | 'look';
  /** Topics of which the command uses those that exist; it encodes nothing for them. */
  readonly others?: readonly TopicRole[];
}

/** Opens Kafka and the registry for a command, without logging; the stack closes them. */
export function openQuietly(
  stack: AsyncDisposableStack,
  config: Config,
  { roles, topics, others = [] }: CommandTopics,
  stop: AbortSignal,
) {
  const shutdown = createShutdownBudget(config.polling.shutdownGraceMs, () => performance.now());
  shutdown.beginWith(stop);
  const registry = stack.use(openQuietRegistry(config, roles));
  // Replicas are verified when the program starts, not when a command reads a topic.
  const replicas = { replicationFactor: -1, minInSyncReplicas: -1 };
  const looking = { create: false, skipMissing: others.length > 0, ...replicas };
  const kafka = openKafka(
    {
      ...config.kafka,
      security: kafkaSecurity(config.kafka, dropLog),
      instance: config.polling.instance ?? hostname(),
      roles: [...roles, ...others],
      compacted: compactedStreams,
      topicSettings: topicSettings(config),
      eventTimed: eventTimedStreams(config),
      topics: { ...config.kafka.topics, ...(topics === 'look' && looking) },
    },
    { codec: registry.stateCodec, telemetry: { report: dropLog }, log: dropLog, shutdown },
  );
  return { registry, kafka: stack.use(kafka) };
}
