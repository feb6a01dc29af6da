import { hostname } from 'node:os';
import { type Config, enabledStreams } from '../config/config.ts';
import { loadConfig, type ConfigSources } from '../config/load.ts';
import type { TopicRole } from '../engine/stream-name.ts';
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

/** Returns what an instance is known by. */
export const thisInstance = () => ({ version: readVersion(), hostName: hostname() });
