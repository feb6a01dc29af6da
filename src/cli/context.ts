import { hostname } from 'node:os';
import { createApp, type App, type AppOptions } from '../app.ts';
import {
  type Config,
  enabledStreams,
  eventTimedStreams,
  keyFields,
  topicSettings,
} from '../config/config.ts';
import { listNearMisses, loadConfig, type ConfigSources } from '../config/load.ts';
import { kafkaSecurity, registryAccess } from '../credentials.ts';
import { printable } from '../engine/printable.ts';
import { createShutdownBudget } from '../engine/shutdown-budget.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import { compactedStreams } from '../instagram/streams/index.ts';
import { openKafka } from '../kafka/index.ts';
import { openRegistry } from '../registry/index.ts';
import { readVersion } from './version.ts';

/** Arguments of every command: `--config FILE` and one option per configuration field. */
export type ConfigArguments = Readonly<Record<string, string>>;

/** Required fields of a part of the program, with placeholders for a command that does not use it. */
const required = [
  { need: 'token', field: 'instagram.accessToken', placeholder: [] },
  { need: 'kafka', field: 'kafka.brokers', placeholder: [] },
  { need: 'registry', field: 'schemaRegistry.url', placeholder: '' },
] as const;

export function loadCommandConfig(
  args: ConfigArguments,
  needs: readonly (typeof required)[number]['need'][] = ['token', 'kafka', 'registry'],
  env = process.env,
): Config {
  const unused = required.filter(({ need }) => !needs.includes(need));
  const values = unused.map(({ field, placeholder }) => [field, placeholder] as const);
  const ignored = needs.includes('kafka') && !needs.includes('token') ? instagramPaths : undefined;
  return loadConfig({ ...sourcesOf(args), env, unused: Object.fromEntries(values), ignored });
}

/** The settings that a command of Kafka without the API does not use, by path. */
const instagramPaths = /^(?:instagram\.|streams\.(?:enabled$|\w+\.extra\b))/;

/** Raises the log level to warn where the terminal shows the progress. */
export function withQuietLog(config: Config): Config {
  const { log } = config;
  return log.level === 'info' ? { ...config, log: { ...log, level: 'warn' } } : config;
}

export function sourcesOf({ config: configFile, ...args }: ConfigArguments): ConfigSources {
  return { env: process.env, args, ...(configFile === undefined ? {} : { configFile }) };
}

export function topicRoles(config: Config): readonly TopicRole[] {
  const others = config.notifications.enabled ? ['notifications'] : [];
  return [...enabledStreams(config), 'state', 'dead_letters', ...others];
}

/** Creates the program for a configuration; the instance is named after this machine. */
export function openApp(
  config: Config,
  options: Pick<AppOptions, 'observer' | 'logDestination'> = {},
): App {
  const app = createApp(config, { ...options, ...thisInstance() });
  for (const { name, nearest } of listNearMisses(process.env)) {
    app.log.warn({ variable: name, nearest }, 'environment variable unknown');
  }
  return app;
}

/** Returns what an instance is known by. */
export const thisInstance = () => ({ version: readVersion(), hostName: hostname() });

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
