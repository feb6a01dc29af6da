import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createApp, openReading, type App, type AppOptions, type Reading } from '../app.ts';
import type { Config } from '../config/config.ts';
import { listNearMisses, loadConfig, type ConfigSources } from '../config/load.ts';
import { kafkaSecurity, registryAccess } from '../credentials.ts';
import type { Encoder } from '../engine/ports.ts';
import { createShutdownBudget } from '../engine/shutdown-budget.ts';
import { streamNames, type StreamName, type TopicRole } from '../engine/stream-name.ts';
import { compactedStreams } from '../instagram/streams/index.ts';
import { openKafka } from '../kafka/index.ts';
import { openRegistry } from '../registry/index.ts';

/** Arguments of every command: `--config FILE` and one option per configuration field. */
export type ConfigArguments = Readonly<Record<string, string>>;

/** A part of the program that a command uses; fields that only other parts require may be absent. */
type Need = 'token' | 'kafka' | 'registry';

/** Placeholders for required fields that a command does not use. */
const unusedFields: Readonly<Record<Need, readonly [path: string, value: unknown]>> = {
  token: ['instagram.accessToken', []],
  kafka: ['kafka.brokers', []],
  registry: ['schemaRegistry.url', ''],
};

/** Reads the configuration of a command from its arguments and the environment. */
export function loadCommandConfig(
  args: ConfigArguments,
  needs: readonly Need[] = ['token', 'kafka', 'registry'],
  env = process.env,
): Config {
  const unused = Object.entries(unusedFields).filter(([need]) => !needs.includes(need as Need));
  const values = Object.fromEntries(unused.map(([, field]) => field));
  return loadConfig({ ...sourcesOf(args), env, unused: values });
}

export function sourcesOf({ config: configFile, ...args }: ConfigArguments): ConfigSources {
  return { env: process.env, args, ...(configFile === undefined ? {} : { configFile }) };
}

export function enabledStreams({ streams }: Config): readonly StreamName[] {
  return streamNames.filter((name) => streams[name].enabled);
}

/** Returns the topics that a configuration uses. */
export function topicRoles(config: Config): readonly TopicRole[] {
  return [...enabledStreams(config), 'state', 'dead_letters'];
}

/** Creates the program for a configuration; the instance is named after this machine. */
export function openApp(
  config: Config,
  options: Pick<AppOptions, 'observer' | 'logDestination'> = {},
): App {
  const app = createApp(config, { ...options, version: readVersion(), hostName: hostname() });
  for (const { name, nearest } of listNearMisses(process.env)) {
    app.log.warn({ variable: name, nearest }, 'environment variable unknown');
  }
  return app;
}

/** Creates a reader and encoder for a configuration, without a publisher. */
export function openReader(
  config: Config,
  encoder: Encoder,
  options: Pick<AppOptions, 'observer' | 'onUsage' | 'logDestination'>,
): Reading {
  return openReading(config, { ...options, version: readVersion(), hostName: hostname() }, encoder);
}

/** Reads the version from package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Drops log lines; error messages name no secret. */
const dropLog = (): void => undefined;

/** Opens the registry for a command, without logging: the command ends with its error. */
export function openQuietRegistry(
  { schemaRegistry, kafka }: Pick<Config, 'schemaRegistry' | 'kafka'>,
  roles: readonly TopicRole[],
) {
  const access = registryAccess(schemaRegistry, dropLog);
  return openRegistry({ ...access, topicTemplate: kafka.topicTemplate, roles });
}

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
  const registry = openQuietRegistry(config, roles);
  // Replicas are verified when the program starts, not when a command reads a topic.
  const looking = { create: false, replicationFactor: -1, minInSyncReplicas: -1 };
  const kafka = openKafka(
    {
      ...config.kafka,
      security: kafkaSecurity(config.kafka, dropLog),
      instance: config.polling.instance ?? hostname(),
      roles,
      compacted: compactedStreams,
      topics: { ...config.kafka.topics, ...(topics === 'look' && looking) },
    },
    { codec: registry.stateCodec, telemetry: { report: dropLog }, log: dropLog, shutdown },
  );
  return { registry, kafka };
}
